"""Processes that are asked a question at a time, a line of JSON each, and answer in one.

While one of them works the others wait, so they take turns on the machine. What one of them
breaks, or never gives back, is no matter of the others.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

__all__ = ("PATIENCE", "ROOT", "NoAnswer", "NotInstallable", "TooSlow", "Worker", "interpreter")

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".benchmarks"
LONGEST = 300.0
"""Seconds of the clock for an answer of somebody who spends none of the processor."""
PATIENCE = 8.0
"""Seconds of the processor for one answer, or of the clock where that cannot be told."""


class NotInstallable(Exception):
    """The index does not have it, or there is none."""


class NoAnswer(Exception):
    """The process has ended."""


class TooSlow(NoAnswer):
    """The process took too long, and was ended."""


class Worker:
    """A process. It ends with its standard input, or when it does not answer in time."""

    def __init__(self, *command: str) -> None:
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._to = _pipe(self._process.stdin)
        self._answers = queue.SimpleQueue[str]()
        threading.Thread(target=self._listen, args=[_pipe(self._process.stdout)], daemon=True).start()

    def ask(self, patience: float = PATIENCE, **question: Any) -> Any:
        """Put a question; gives the answer.

        Raises:
            NoAnswer: When there is none.
            TooSlow: When there is none in time. The process is over then.
        """
        try:
            before = self._spent()
            self._to.write(json.dumps(question) + "\n")
            self._to.flush()
            answer = self._answer(before + patience)
        except (OSError, ValueError):  # it has ended
            answer = ""
        if answer is None:
            self.close(0)
            raise TooSlow(f"not done in {patience:.0f} seconds")
        if not answer:
            self.close()
            raise NoAnswer(f"its process ended with {self._process.returncode}")
        return json.loads(answer)

    def _answer(self, end: float) -> str | None:
        """Wait for the answer until the process has spent so much; None if there is none then."""
        asked = time.monotonic()
        while True:
            try:
                return self._answers.get(timeout=0.1)
            except queue.Empty:
                if self._spent() > end or time.monotonic() > asked + LONGEST:
                    return None

    def _spent(self) -> float:
        """The processor's time of the process; where that cannot be told, the clock's."""
        stat = Path(f"/proc/{self._process.pid}/stat")
        if not stat.exists():
            return time.monotonic()
        user, system = stat.read_text(encoding="utf-8").rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def close(self, patience: float = 5) -> None:
        """End the process."""
        try:
            self._to.close()
            self._process.wait(patience)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()

    def _listen(self, answers: IO[str]) -> None:
        with answers:
            for line in answers:
                self._answers.put(line)
        self._answers.put("")


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe


def interpreter(packages: Sequence[str]) -> str:
    """Give the path of a Python that has these, in an environment of its own; of this one if there are none.

    Raises:
        NotInstallable: When they could not be installed.
    """
    if not packages:
        return sys.executable
    home = HOME / "-".join([*packages, f"py{sys.version_info[0]}.{sys.version_info[1]}"])
    python = home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    done = home / "installed"
    if not done.exists():
        venv.create(home, with_pip=True, clear=True)
        pip = subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages],
            capture_output=True,
            text=True,
            check=False,
        )
        if pip.returncode:
            raise NotInstallable((pip.stderr.strip() or "pip failed").splitlines()[-1])
        done.touch()
    return str(python)
