"""The gallery of the examples, as `make run` starts it."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Generator

from tests.kit.guides import ROOT

__all__ = ("COMMAND", "serve_gallery")

COMMAND = (sys.executable, "-m", "examples.gallery")


@contextlib.contextmanager
def serve_gallery() -> Generator[tuple[subprocess.Popen[str], str], None, None]:
    """Run the gallery as a program of its own; gives it, and its address without a slash."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FLET_")} | {"PORT": "0"}
    with subprocess.Popen(
        COMMAND, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        try:
            assert program.stdout is not None
            said = program.stdout.readline()
            address = re.fullmatch(r"The gallery is at (http://127\.0\.0\.1:\d+) \(Ctrl\+C ends it\)\n", said)
            assert address, f"It says {said!r}; its errors are {program.stderr and program.stderr.read()}"
            yield program, address[1]
        finally:
            program.kill()
