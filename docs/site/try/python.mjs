// Python that draws and runs state machines: Pyodide, the kit, and Graphviz. For the page's worker, and for Node.
import { instance } from "@viz-js/viz";

export async function startPython({ loadPyodide, options, kit, language }) {
  const [python, viz] = await Promise.all([loadPyodide(options), instance()]);
  python.unpackArchive(kit, "zip", { extractDir: "/kit" });
  python.globals.set("lay_out", (dot) => viz.renderString(dot, { format: "svg", engine: "dot" }));
  python.globals.set("spoken", language);
  python.runPython(`
    import os, sys
    os.environ["LOTTERY_LANG"] = spoken
    sys.path.insert(0, "/kit")
    from lottery_lib.view import svg
    from lottery_lib.view.try_page import TryBench
    svg.engine = lay_out`);
  return python;
}

// A workbench for a machine: { text, answers, data }. `tell` gets what it says, as JSON.
export function openBench(python, { text, answers, data }, tell) {
  const given = python.toPy(answers);
  const bench = python.globals.get("TryBench")(text, given, data);
  given.destroy();
  bench.connect(tell);
  return bench;
}
