"""The types of the public face: what must check does, and every planted mistake is found, by both checkers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
REJECTED = ROOT / "tests" / "typing" / "rejected.py"


def planted() -> set[int]:
    """The lines with a mistake: those of code that end in a comment."""
    lines = enumerate(REJECTED.read_text(encoding="utf-8").splitlines(), start=1)
    return {number for number, line in lines if re.search(r"\S  # ", line)}


def run(*command: str) -> str:
    result = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    return result.stdout


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_every_planted_mistake_is_found(checker: str) -> None:
    if checker == "mypy":
        found = {int(line) for line in re.findall(r"rejected\.py:(\d+): error", run("mypy", str(REJECTED)))}
    else:
        project = ("--project", "tests/typing/pyright.json", "--pythonpath", sys.executable)
        report = json.loads(run("pyright", "--outputjson", *project, str(REJECTED)))
        found = {
            each["range"]["start"]["line"] + 1
            for each in report["generalDiagnostics"]
            if each["severity"] == "error" and each["file"].endswith("rejected.py")
        }
    assert found == planted()
