"""The public face is exact, documented, and cheap to import."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
import types
from pathlib import Path

import pytest

import flet_asp_actors as fa

DESIGN = {
    "errors": "BatchError BindingError BusyError ClosedError ConflictError CycleError DeadlockError KeyConflictError "
    "LoopError NotRunningError PurityError ReadOnlyError RunCancelled StateError UnknownKeyError",
    "nouns": "Action ActionStatus Async AsyncSelector AsyncSelectorKey AsyncValue Atom Binding BoundAction Failure "
    "Family Get Key Readable Receipt Retry Row Run Selector SelectorKey Service Set Snapshot StateManager Statistics "
    "Subscription Supervision Supervisor Transaction TwoWay Watch Writable",
    "verbs": "action current family get_state_manager selector two_way use_action use_atom use_status use_value",
}


def test_the_face_is_exact() -> None:
    assert sorted(fa.__all__) == sorted(" ".join(DESIGN.values()).split())
    for name in fa.__all__:
        assert getattr(fa, name) is not None
    public = {
        name for name, value in vars(fa).items() if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert public - {"annotations", "TYPE_CHECKING"} <= set(fa.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = fa.nonsense  # pyright: ignore[reportAttributeAccessIssue]  # the mistake under test
    assert fa.__version__  # pyright: ignore[reportAttributeAccessIssue]  # made when asked for


@pytest.mark.parametrize("name", DESIGN["errors"].split())
def test_every_error_is_a_state_error_and_the_fitting_builtin(name: str) -> None:
    kind = getattr(fa, name)
    assert issubclass(kind, fa.StateError)
    builtin = {"UnknownKeyError": KeyError, "KeyConflictError": ValueError, "ReadOnlyError": ValueError}.get(
        name, ValueError if name == "BindingError" else Exception if name == "StateError" else RuntimeError
    )
    assert issubclass(kind, builtin)


def test_the_nouns_are_modules_and_the_decorators_are_attributes() -> None:
    """Users of flet-asp import from these modules; `fa.selector` stays the decorator all the same."""
    for module, name in {"atom": "Atom", "selector": "Selector", "action": "Action", "state": "StateManager"}.items():
        assert getattr(importlib.import_module(f"flet_asp_actors.{module}"), name) is getattr(fa, name)
    assert inspect.isfunction(fa.selector)
    assert inspect.isfunction(fa.action)


@pytest.mark.parametrize("name", sorted(fa.__all__))
def test_everything_public_has_a_docstring(name: str) -> None:
    thing = getattr(fa, name)
    assert inspect.getdoc(thing)
    if not inspect.isclass(thing):
        return
    for member, value in inspect.getmembers(thing):
        if not member.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)):
            assert inspect.getdoc(value), f"{name}.{member}"


def test_importing_the_package_does_not_import_flet() -> None:
    code = (
        "import sys, flet_asp_actors as fa; fa.StateManager().set(fa.Key('n', 0), 1); sys.exit('flet' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1])
