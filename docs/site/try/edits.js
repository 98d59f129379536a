// Changes of a definition that one press makes, as a person would type them. Each can be undone.
import { ensureSyntaxTree } from "@codemirror/language";

const WORK = ["Task", "Parallel", "Map"]; // what can fail
const HAS = { retry: "Retry", catch: "Catch", limit: "TimeoutSeconds" };

export function edits(editor) {
  const text = ({ from, to }) => editor.state.sliceDoc(from, to);
  const value = (node) => { try { return JSON.parse(text(node)); } catch { return undefined; } };
  const members = (object) => object.getChildren("Property").map((node) => ({ node, key: value(node.firstChild), value: node.lastChild }));
  const member = (object, key) => members(object).find((each) => each.key === key);

  // All states: their names, and where they stand.
  function all() {
    const found = [];
    const tree = ensureSyntaxTree(editor.state, editor.state.doc.length, 500);
    tree?.iterate({ enter: ({ node }) => {
      if (node.name !== "Property" || value(node.firstChild) !== "States" || node.lastChild.name !== "Object") return;
      for (const each of members(node.lastChild)) if (each.value.name === "Object")
        found.push({ name: each.key, property: each.node, object: each.value, among: node.lastChild, type: value(member(each.value, "Type")?.value ?? each.node) });
    } });
    return found;
  }
  const one = (name) => all().find((each) => each.name === name);

  // A change that adds a member to an object, in the form of its last member.
  function added(object, key, shown) {
    const last = members(object).at(-1).node, line = editor.state.doc.lineAt(last.from);
    const isAlone = /^\s*$/.test(line.text.slice(0, last.from - line.from));
    const between = isAlone ? `,\n${line.text.match(/^\s*/)[0]}` : ", ";
    return { from: last.to, insert: `${between}${JSON.stringify(key)}: ${shown}` };
  }

  // Makes changes, and selects the number in the first one that one may want to change, or stands behind its text.
  function make(changes, seen, number = "") {
    const [{ from, insert }] = [changes].flat(), head = from + insert.indexOf(seen) + seen.length;
    editor.dispatch({ changes, userEvent: "input" });
    editor.dispatch({ selection: { anchor: head - number.length, head }, scrollIntoView: true });
    editor.focus();
  }

  const isJsonata = () => /"QueryLanguage"\s*:\s*"JSONata"/.test(editor.state.doc.toString());
  const free = (name) => { for (let number = 1; ; number++) { const it = number > 1 ? `${name} ${number}` : name; if (!one(it)) return it; } };

  return {
    names: () => all().map(({ name }) => name),
    placeOf: (name) => one(name)?.property.from,
    stateAt: (place) => all().filter(({ property }) => property.from <= place && place <= property.to).at(-1)?.name,
    fits(edit, name) {
      const found = one(name);
      if (!found || !members(found.object).length) return false;
      if (edit === "step") return Boolean(member(found.object, "Next") ?? member(found.object, "End"));
      return (edit === "limit" ? found.type === "Task" : WORK.includes(found.type)) && !member(found.object, HAS[edit]);
    },
    retry: (name) => make(added(one(name).object, "Retry", '[{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 2, "MaxAttempts": 2, "BackoffRate": 2}]'), '"MaxAttempts": 2', "2"),
    limit: (name) => make(added(one(name).object, "TimeoutSeconds", "60"), '"TimeoutSeconds": 60', "60"),
    catch(name, words) {
      const { object, among } = one(name), told = free(words.teller);
      const failed = name.replace(/["'{}\\]/g, ""); // a Cause can be empty, and SNS takes no empty message
      const send = isJsonata()
        ? `"Arguments": {"TopicArn": "arn:aws:sns:us-east-1:123456789012:alarm", "Message": "{% '${failed}: ' & $states.input.Error %}"}`
        : `"Parameters": {"TopicArn": "arn:aws:sns:us-east-1:123456789012:alarm", "Message.$": "States.Format('${failed}: {}', $.Error)"}`;
      make([added(object, "Catch", `[{"ErrorEquals": ["States.ALL"], "Next": ${JSON.stringify(told)}}]`),
        added(among, told, `{"Type": "Task", "Resource": "arn:aws:states:::sns:publish", ${send}, "End": true}`)], `"Next": ${JSON.stringify(told)}`);
      return told;
    },
    step(name, words) {
      const { object, among } = one(name), its = free(words.new_step);
      const way = member(object, "Next") ?? member(object, "End"), shown = JSON.stringify(its);
      make([{ from: way.node.from, to: way.node.to, insert: `"Next": ${shown}` },
        added(among, its, `{"Type": "Pass", ${text(way.node)}}`)], shown);
    },
  };
}
