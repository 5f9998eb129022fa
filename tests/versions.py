"""The unit suite on every Python that is there, with the oldest and the newest of what it stands on, and in other ways.

    python -m tests.versions [NAME...]

Each setting has a virtual environment in build/versions, which stays, and a log beside it. At
the end there is a table; it fails when one of the settings does.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLACE = ROOT / "build" / "versions"
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14", "3.13t", "3.14t")
"""Those that are looked for, the last two without a global lock; what is not there is left out, and said."""
OLDEST = {"flet": "1.0.0", "flet-web": "1.0.0", "anyio": "4.11.0", "fastapi": "0.115.12", "starlette": "0.46.2"}
"""What pyproject.toml admits, and the web server of that Flet's time."""
SUITE = ("-m", "pytest", "tests", "--ignore=tests/browser", "--ignore=tests/load", "--quiet")
IMPORTS = "import flet_asp_actors, flet_asp_actors.ui.hooks, flet_asp_actors.testing.headless"


@dataclass(frozen=True)
class Setting:
    """A way to run the suite."""

    name: str
    python: str
    flags: tuple[str, ...] = ()
    """Of the interpreter."""
    options: tuple[str, ...] = ()
    """Of pytest."""
    pins: dict[str, str] | None = field(default_factory=dict[str, str])
    """What is installed in another version than constraints.txt says; None for the newest of everything."""

    @property
    def environment(self) -> Path:
        """Where it is installed."""
        kind = "newest" if self.pins is None else "oldest" if self.pins else "pinned"
        return PLACE / f"{Path(self.python).name}-{kind}"


def settings(found: dict[str, str]) -> Iterator[Setting]:
    """All ways, on the Pythons that were found."""
    for version, python in found.items():
        yield Setting(version, python)
    first, last = next(iter(found.values())), list(found.values())[-1]
    usual = found.get("3.11", last)
    yield Setting("oldest", first, pins=OLDEST)
    yield Setting("newest", last, pins=None)
    yield Setting("development", usual, flags=("-X", "dev"))
    # pytest says that asserts count for nothing outside of tests and plugins; inside they do.
    known = "ignore:assertions not in test modules:pytest.PytestConfigWarning"
    yield Setting("optimized", usual, flags=("-O",), options=("-W", known))
    yield Setting("any order", usual, options=("--shuffle", str(random.randrange(10**6))))


def find(version: str) -> str | None:
    """The interpreter of a version, on the path or among those of pyenv."""
    name = f"python{version}"
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    known = [str(each) for each in sorted(pyenv.glob(f"*/bin/{name}"))[::-1]]
    for each in [shutil.which(name), *known]:
        if each is not None and subprocess.run([each, "--version"], capture_output=True, check=False).returncode == 0:
            return each  # what pyenv has put on the path may only say that it is not chosen
    return None


# ------------------------------------------------------------------ one setting

Call = Callable[..., bool]


def install(setting: Setting, call: Call) -> bool:
    """Make the environment, unless what it is made of is what it was."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = setting.pins or {}
    kept = [line for line in lines if re.split("[=;#]", line)[0] not in pins]
    if setting.pins is None:
        kept = []
    wanted = "\n".join([*kept, *(f"{name}=={version}" for name, version in pins.items()), ""])
    made_of = setting.environment / "constraints.txt"
    if made_of.exists() and made_of.read_text(encoding="utf-8") == wanted:
        return True
    shutil.rmtree(setting.environment, ignore_errors=True)
    if not call(setting.python, "-m", "venv", str(setting.environment)):
        return False
    python, constraints = str(setting.environment / "bin" / "python"), setting.environment / "wanted.txt"
    constraints.write_text(wanted, encoding="utf-8")
    pip = (python, "-m", "pip", "install", "--quiet", "--upgrade")
    if not call(*pip, "pip") or not call(
        *pip, "--editable", ".[web]", "--group", "dev", PIP_CONSTRAINT=str(constraints)
    ):
        return False
    constraints.rename(made_of)
    return True


def run(setting: Setting) -> tuple[bool, str]:
    """Install what is needed, and run the suite. Returns whether it has passed, and what is said of it."""
    log = PLACE / f"{setting.name.replace(' ', '-')}.log"
    python = str(setting.environment / "bin" / "python")
    with log.open("w", encoding="utf-8") as file:

        def call(*command: str, **environment: str) -> bool:
            print("$", *command, file=file, flush=True)
            given = {**os.environ, **environment}
            return subprocess.run(command, cwd=ROOT, env=given, stdout=file, stderr=file, check=False).returncode == 0

        if not install(setting, call):
            return False, "cannot be installed"
        if not call(python, "-W", "error", "-c", IMPORTS):
            return False, "warns when it is imported"
        passed = call(python, *setting.flags, *SUITE, *setting.options)
    return passed, log.read_text(encoding="utf-8").rstrip().rsplit("\n", 1)[-1].strip("= ")


def installed(setting: Setting) -> str:
    """The versions that make the difference."""
    asked = "import platform; from importlib.metadata import version as v; "
    asked += "print(platform.python_version(), v('flet'), v('anyio'))"
    command = [str(setting.environment / "bin" / "python"), "-c", asked]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split() or ["?"] * 3
    return f"{said[0]:8} {said[1]:6} {said[2]:8}"


def main() -> int:
    found = {version: python for version in PYTHONS if (python := find(version)) is not None}
    known = {setting.name: setting for setting in settings(found)}
    parser = argparse.ArgumentParser(prog="python -m tests.versions", description="Run the unit suite in many ways.")
    parser.add_argument("name", nargs="*", help=f"of {', '.join(known)}; all by default")
    names: list[str] = parser.parse_args().name or list(known)
    if unknown := set(names) - set(known):
        parser.error(f"there is no {', '.join(sorted(unknown))} here, but {', '.join(known)}")
    PLACE.mkdir(parents=True, exist_ok=True)
    print(f"not found, and left out: {', '.join(sorted(set(PYTHONS) - set(found))) or 'none'}")
    print(f"{'setting':12} {'python':8} {'flet':6} {'anyio':8} result")
    failed = False
    for name in names:
        began = time.monotonic()
        passed, said = run(known[name])
        failed = failed or not passed
        told = said if "passed" in said or "failed" in said else f"{said} ({time.monotonic() - began:.0f} s)"
        print(f"{name:12} {installed(known[name])} {told}", flush=True)
    if failed:
        print(f"The logs are in {PLACE.relative_to(ROOT)}.")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
