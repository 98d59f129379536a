// Runs Python beside the page, so that the page stays usable whatever Python does. The page can end it at any time.
import { loadPyodide } from "./pyodide.mjs";
import { openBench, startPython } from "./python.mjs";

let python, bench;
const does = {
  async start({ language }) {
    const kit = await (await fetch(new URL("kit.zip", import.meta.url))).arrayBuffer();
    python = await startPython({ loadPyodide, options: { indexURL: new URL(".", import.meta.url).href }, kit, language });
  },
  open(machine) {
    bench?.close();
    bench?.destroy();
    bench = openBench(python, machine, (said) => postMessage({ said }));
  },
  edit: (text) => bench.edit(text),
  told: (message) => bench.told(message),
};

let turn = Promise.resolve();
onmessage = ({ data: { number, what, value } }) => {
  turn = turn.then(() => does[what](value)).then(() => postMessage({ done: number }), (error) => postMessage({ number, failed: String(error) }));
};
