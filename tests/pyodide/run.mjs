// Run pytest in Pyodide: node run.mjs PYODIDE REPOSITORY SITE-PACKAGES [what pytest is given ...]
const [pyodide, repository, site, ...given] = process.argv.slice(2);
const { loadPyodide } = await import(`${pyodide}/pyodide.mjs`);
const python = await loadPyodide({ indexURL: pyodide });
python.mountNodeFS("/repository", repository);
python.mountNodeFS(python.runPython("import site; site.getsitepackages()[0]"), site); // pure Python is the same everywhere
python.globals.set("given", given);
let code = 3;
try {
  code = python.runPython(`
import os, sys
os.chdir("/repository")
sys.path.insert(0, "/repository")
from tests.pyodide.inside import main
main(given.to_py())
`);
} catch (error) {
  console.error(String(error)); // Node.js would show the line where it was thrown, which is all of Pyodide
}
process.exit(code);
