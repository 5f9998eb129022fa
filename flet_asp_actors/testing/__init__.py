"""What apps are tested with: virtual time, other orders, cancellation everywhere, a page without a screen.

    virtual_backend, virtual_backends, VirtualLoop
                        time that passes at once, on asyncio and trio
    explore, SEED_VARIABLE
                        a scenario under many orders of its tasks
    sweep, sweep_action, Probe
                        a flow, cancelled at each of its checkpoints
    quiescent, assert_quiet
                        a store at rest
    record, Recording   what a key showed
    Failures            what reached on_error
    HeadlessApp         a Flet app without a screen

pytest finds the fixtures `fa_store`, `fa_overrides`, `fa_failures`, `fa_app` and
`fa_virtual_backend` by itself once the package is installed. Importing this imports nothing
else: each name brings what it needs when it is first asked for.
"""

from __future__ import annotations

__all__ = (
    "SEED_VARIABLE",
    "Failures",
    "HeadlessApp",
    "Probe",
    "Recording",
    "VirtualLoop",
    "assert_quiet",
    "explore",
    "quiescent",
    "record",
    "sweep",
    "sweep_action",
    "virtual_backend",
    "virtual_backends",
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .backends import virtual_backend, virtual_backends
    from .clock import VirtualLoop
    from .exploring import SEED_VARIABLE, explore
    from .failures import Failures
    from .headless import HeadlessApp
    from .quiet import assert_quiet, quiescent
    from .recording import Recording, record
    from .sweeping import Probe, sweep, sweep_action

_WHERE = {
    "backends": ("virtual_backend", "virtual_backends"),
    "clock": ("VirtualLoop",),
    "failures": ("Failures",),
    "headless": ("HeadlessApp",),
    "quiet": ("assert_quiet", "quiescent"),
    "recording": ("Recording", "record"),
    "exploring": ("SEED_VARIABLE", "explore"),
    "sweeping": ("Probe", "sweep", "sweep_action"),
}
"""Which module has which names."""


def __dir__() -> list[str]:
    return list(__all__)


def __getattr__(name: str) -> object:
    """Give what is asked for, from its module."""
    for module, names in _WHERE.items():
        if name in names:
            from importlib import import_module

            return getattr(import_module(f".{module}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
