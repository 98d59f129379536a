// Runs a Python program in Pyodide with folders of this machine on its path, and prints what it prints.
// Usage: node run.mjs PROGRAM FOLDER... < INPUT
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { loadPyodide } from "pyodide";

const [program, ...folders] = process.argv.slice(2);
const pyodide = await loadPyodide();
folders.forEach((folder, number) => {
  pyodide.mountNodeFS(`/given${number}`, folder);
  pyodide.runPython(`import sys; sys.path.append("/given${number}")`);
});
pyodide.globals.set("given", await text(process.stdin));
console.log(pyodide.runPython(readFileSync(program, "utf-8")));
