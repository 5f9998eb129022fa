"""flet-asp on the Flet that it is made for: an environment of its own, and a process that clicks in it.

Here is the side that asks. The other side is `flet_asp_click.py`, which that environment runs.
"""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import IO

__all__ = ("NotInstallable", "Worker")

PACKAGES = ("flet==0.28.3", "flet-asp==0.3.1")
HOME = Path(__file__).parents[2] / ".benchmarks" / "flet-asp"


class NotInstallable(Exception):
    """The index does not have it, or there is none."""


class Worker:
    """A process in which flet-asp runs.

    Raises:
        NotInstallable: When it could not be installed.
    """

    def __init__(self) -> None:
        script = Path(__file__).with_name("flet_asp_click.py")
        self._process = subprocess.Popen(
            [_install(), str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def open(self, size: int) -> None:
        """Build a page with so many texts, and check a click there."""
        answer = self._ask(size=size)
        if "wrong" in answer:
            raise SystemExit(f"flet-asp, {size} controls: {answer['wrong']}")

    async def click(self, n: int) -> float:
        """Click n times; gives the seconds. Meanwhile nothing else happens here."""
        return float(self._ask(clicks=n)["seconds"])

    async def click_by_hand(self, n: int) -> float:
        """The same on a number that the handler sets and updates itself, without flet-asp."""
        return float(self._ask(plain=n)["seconds"])

    def close(self) -> None:
        """End the process."""
        _pipe(self._process.stdin).close()
        self._process.wait(10)

    def _ask(self, **question: int) -> dict[str, str]:
        to, of = _pipe(self._process.stdin), _pipe(self._process.stdout)
        to.write(json.dumps(question) + "\n")
        to.flush()
        answer = of.readline()
        if not answer:
            raise SystemExit("flet-asp: the process has ended")
        found: dict[str, str] = json.loads(answer)
        return found


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe


def _install() -> str:
    """Make the environment if it is not there; gives the path of its Python."""
    python = HOME / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    done = HOME / "installed"
    if not done.exists():
        venv.create(HOME, with_pip=True, clear=True)
        pip = subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES],
            capture_output=True,
            text=True,
            check=False,
        )
        if pip.returncode:
            raise NotInstallable(pip.stderr.strip().splitlines()[-1])
        done.write_text("\n".join(PACKAGES))
    return str(python)
