"""What was found, module by module, and which survivors nobody has explained."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

__all__ = ("MODULES", "SURVIVORS", "keep", "recorded", "unexplained")

RECORD = Path(__file__).with_name("record.json")
SURVIVORS = Path(__file__).with_name("survivors.md")
MODULES = (
    *("core.mailbox", "core.turn", "core.inputs", "core.graph", "core.evaluate", "core.listeners", "core.values"),
    *("atom", "selector", "run", "family", "action", "supervisor", "key", "computation", "async_selector"),
    *("service", "writing", "waiting", "watching", "receipt", "effect", "watch"),
    *("system.batch", "system.transaction", "system.snapshot", "core.calls"),
    *("async_outcome", "bound", "resolving", "layers", "attention", "lanes", "retry", "status"),
)
"""Where mistakes are made."""


def recorded() -> dict[str, Any]:
    """What was written down last: how many of all, and in `modules` of each, who survived, and at which commit."""
    if not RECORD.exists():
        return {"modules": {}}
    record: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
    return record


def keep(module: str, found: dict[str, str | None], *, is_all: bool) -> None:
    """Write down which mistakes of a module were found; those not made again were found before, unless that is all."""
    modules = recorded()["modules"]
    survivors = [label for label, test in found.items() if test is None]
    total = len(found) if is_all else modules[module]["total"]
    counts = {"killed": total - len(survivors), "survived": len(survivors), "total": total}
    modules[module] = {"commit": _commit(), **counts, "survivors": survivors}
    known = {name: modules[name] for name in MODULES if name in modules}
    record = {count: sum(each[count] for each in known.values()) for count in counts}
    RECORD.write_text(json.dumps({**record, "modules": known}, indent=2) + "\n", encoding="utf-8")


def _commit() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, cwd=RECORD.parent, check=True, capture_output=True, text=True).stdout.strip()


def unexplained() -> list[str]:
    """The survivors that survivors.md says nothing of."""
    text = SURVIVORS.read_text(encoding="utf-8") if SURVIVORS.exists() else ""
    modules = recorded()["modules"].items()
    survivors = [f"{name}.{label}" for name, module in modules for label in module["survivors"]]
    return [label for label in survivors if f"`{label}`" not in text]
