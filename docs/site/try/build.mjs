// Makes what the page needs before its Python is there: node build.mjs SOURCES.zip FOLDER < examples
// FOLDER gets kit.zip, compiled; view.js and view.css; and by language, what the workbench shows of each example.
import { readFileSync, writeFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { loadPyodide } from "pyodide";
import { openBench, startPython } from "./python.mjs";

const [sources, folder] = process.argv.slice(2);
process.on("uncaughtException", (error) => { // Node would also print the line, which has a million letters
  console.error(String(error.stack ?? error).slice(0, 4000));
  process.exit(1);
});
let kit = new Uint8Array(readFileSync(sources));
for (const [language, examples] of Object.entries(JSON.parse(await text(process.stdin)))) {
  const python = await startPython({ loadPyodide, kit, language });
  const seen = {};
  for (const [name, machine] of Object.entries(examples)) {
    let state;
    const bench = openBench(python, machine, (said) => (state ??= JSON.parse(said).set));
    seen[name] = { ...machine, state };
    bench.close();
  }
  writeFileSync(`${folder}/examples.${language}.json`, JSON.stringify(seen));
  if (language !== "en") continue;
  writeFileSync(`${folder}/view.js`, python.runPython("TryBench._esm").replace(/export default.*$/, "export { make, workbench };"));
  writeFileSync(`${folder}/view.css`, python.runPython("TryBench._css"));
  // Compiled files need no second look, and a browser need not compile them.
  kit = python.runPython(`
    import compileall, zipfile
    from pathlib import Path
    compileall.compile_dir("/kit", quiet=1, legacy=True, invalidation_mode=compileall.py_compile.PycInvalidationMode.UNCHECKED_HASH)
    loaded = {module.__file__ for module in list(sys.modules.values()) if getattr(module, "__file__", None)}
    with zipfile.ZipFile("/kit.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(Path("/kit").rglob("*")):
            if not path.is_file() or path.suffix == ".py" or "__pycache__" in path.parts:
                continue
            if path.suffix == ".pyc" and "lottery_lib" in path.parts and str(path)[:-1] not in loaded:
                continue
            packed.writestr(zipfile.ZipInfo(str(path.relative_to("/kit"))), path.read_bytes(), zipfile.ZIP_DEFLATED)
    Path("/kit.zip").read_bytes()`).toJs();
  writeFileSync(`${folder}/kit.zip`, kit);
}
