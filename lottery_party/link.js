// The link of a page to the server that runs the evening. Whoever takes the server's port while it does not run knows
// nothing of the key: so the page first lets the server prove itself, and shows and tells nothing before. They could
// keep an open link, and pass it on to the server when it has its port back. So the page believes a server only on a
// link that it has opened when it knew that this server, and nobody else, has the port.

const AGAIN = 700; // milliseconds until a page that has lost its server looks for it again
const PATIENCE = 10000; // milliseconds until it gives up a server that proves nothing

/** What a page knows, by names. `on("change:NAME", act)` hears of changes, also of those that the page makes. */
function modelOf(values, send) {
  const heard = new Map();
  return {
    get: (name) => values[name],
    set(name, value) {
      this.update({ [name]: value });
    },
    /** Takes what has changed, and then tells it: whoever hears of one change knows the others. */
    update(news) {
      const changed = Object.keys(news).filter((name) => JSON.stringify(values[name]) !== JSON.stringify(news[name]));
      Object.assign(values, news);
      for (const name of changed) for (const act of heard.get(name) ?? []) act();
    },
    on(event, act) {
      const name = event.replace("change:", "");
      heard.set(name, [...(heard.get(name) ?? []), act]);
    },
    save_changes() {}, // nobody else has to know
    send,
  };
}

/**
 * Links the page to its server, and shows it as soon as the server has told everything.
 *
 * `show` gets the model. Its `send(message, true)` returns a promise of the answer, or of an error: it says why the
 * server has none, or nothing if there is no server.
 */
function link(role, show) {
  const { key, base } = document.body.dataset;
  let { start } = document.body.dataset; // of the server that has the port, as far as the page knows
  const sign = hmac(unhex(key));
  const proof = (...parts) => hex(sign(utf8(parts.join("\n"))));
  const random = () => hex(crypto.getRandomValues(new Uint8Array(16)));
  const model = modelOf({ sound: false, lost_link: false }, send);
  const waiting = new Map(); // answers that are still to come
  let socket; // of a server that has proved itself
  let begun = false;
  let asked = 0;

  // The token is in no bookmark, and on no projector
  history.replaceState(null, "", location.pathname);

  function connect() {
    const mine = random();
    const own = new WebSocket(`${location.origin.replace("http", "ws")}${base}link`);
    const late = setTimeout(() => own.close(), PATIENCE);
    let parts; // what both have said before they prove themselves
    own.onopen = () => own.send(JSON.stringify({ hello: { role, nonce: mine, origin: location.origin } }));
    own.onmessage = ({ data }) => {
      const said = JSON.parse(data);
      if (!parts) {
        const both = [role, location.origin, mine, said.nonce, said.start];
        if (said.proof !== proof("server", ...both)) return own.close();
        if (said.start !== start) {
          start = said.start; // the next link leads to this server itself
          return own.close();
        }
        clearTimeout(late);
        parts = both;
        own.send(JSON.stringify({ proof: proof("page", ...parts) }));
      } else if (said.path) {
        // A server that was started again is at another path
        document.cookie = said.cookie;
        if (said.path !== location.pathname) history.replaceState(null, "", said.path);
      } else hear(said);
    };
    own.onclose = () => {
      clearTimeout(late);
      if (socket === own) model.set("lost_link", true);
      socket = undefined;
      for (const { reject } of waiting.values()) reject(new Error());
      waiting.clear();
      setTimeout(connect, AGAIN);
    };

    function hear({ news, answer, value, problem }) {
      if (answer !== undefined) {
        const { resolve, reject } = waiting.get(answer) ?? {};
        waiting.delete(answer);
        return problem ? reject?.(new Error(problem)) : resolve?.(value);
      }
      socket = own;
      model.update({ ...news, lost_link: false });
      if (!begun) show(model);
      begun = true;
    }
  }

  /** Tells the server something; returns a promise if it is a question (`ask`). */
  function send(message, ask = false) {
    if (!socket) return ask ? Promise.reject(new Error()) : undefined;
    if (!ask) return socket.send(JSON.stringify(message));
    const number = ++asked;
    socket.send(JSON.stringify({ ...message, ask: number }));
    return new Promise((resolve, reject) => waiting.set(number, { resolve, reject }));
  }

  connect();
}

link.modelOf = modelOf;
