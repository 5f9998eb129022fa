"""What users of flet-asp know, entry by entry: it works as they expect, or says what to use instead."""

from __future__ import annotations

import gc
import importlib
import importlib.metadata
import inspect
import json
import re
import subprocess
import sys
import threading
import unittest
import warnings
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import flet as ft
import pytest

import flet_asp_actors as fa
from flet_asp_actors import atom as atom_module
from flet_asp_actors.atom import Atom
from flet_asp_actors.computation import _shared_threads  # pyright: ignore[reportPrivateUsage]  # who waits for a thread
from flet_asp_actors.selector import Selector
from flet_asp_actors.testing import HeadlessApp
from flet_asp_actors.utils import deep_equal
from tests.kit.apps import empty, shown, store
from tests.kit.failures import collect
from tests.test_architecture import MODULES, imports

ROOT = Path(__file__).parents[1]
DEPRECATED = ROOT / "tests" / "typing" / "deprecated.py"


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"debug": True}


async def until(condition: Callable[[], object]) -> None:
    with anyio.fail_after(5):
        while not condition():  # it changes in a thread
            await anyio.lowlevel.checkpoint()


# ------------------------------------------------------------------ modules and marks


@pytest.mark.parametrize(
    ("module", "names"),
    {
        "atom": "Atom PYTHON_313_PLUS PYTHON_314_PLUS",
        "selector": "Selector",
        "action": "Action",
        "state": "StateManager get_state_manager",
        "utils": "deep_equal",
    }.items(),
)
def test_the_module_paths_hold_the_classes(module: str, names: str) -> None:
    found = importlib.import_module(f"flet_asp_actors.{module}")
    for name in names.split():
        assert getattr(found, name) is getattr(fa, name, getattr(found, name))
        assert name in found.__all__


def test_the_exports_of_flet_asp_are_exports_here() -> None:
    assert {"get_state_manager", "StateManager", "Action", "Selector", "Atom"} <= set(fa.__all__)


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_names_that_the_typed_face_replaces_are_marked_for_checkers(checker: str) -> None:
    lines = enumerate(DEPRECATED.read_text(encoding="utf-8").splitlines(), start=1)
    marked = {number: line for number, line in lines if re.search(r"\S  # ", line)}
    expected = {number for number, line in marked.items() if checker == "pyright" or "by pyright" not in line}
    command = {
        "mypy": ["mypy", "--enable-error-code", "deprecated"],
        "pyright": ["pyright", "--outputjson", "--project", "tests/typing/deprecated.json"],
    }[checker]
    result = subprocess.run(
        [sys.executable, "-m", *command, str(DEPRECATED)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if checker == "mypy":
        found = {int(line) for line in re.findall(r"deprecated\.py:(\d+): error.*\[deprecated\]", result.stdout)}
    else:
        found = {
            each["range"]["start"]["line"] + 1
            for each in json.loads(result.stdout)["generalDiagnostics"]
            if each.get("rule") == "reportDeprecated"
        }
    assert found == expected, result.stdout


def test_they_say_nothing_at_run_time() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        state = fa.StateManager()
        state.atom("n", 1)
        state.add_selector("double", lambda get: get("n") * 2)
        state.listen_multiple({"double": lambda _: None})
        Atom(1, "n").unlisten(print)
        assert Selector(lambda get: get("n"), state.atom).value == 1
    assert caught == []


# ------------------------------------------------------------------ the manager


async def test_get_state_manager_gives_one_for_each_page_which_is_page_state() -> None:
    def main(page: ft.Page) -> None:
        page.state = "something of the user's"  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # any attribute
        state = fa.get_state_manager(page)
        assert fa.get_state_manager(page) is state
        assert page.__dict__["state"] is state
        state.atom("n", 0)

    async with HeadlessApp(main) as one, HeadlessApp(main) as two:
        store(one).set("n", 1)
        assert (store(one).get("n"), store(two).get("n")) == (1, 0)


async def test_state_manager_takes_a_page_and_leaves_its_update_alone() -> None:
    async with HeadlessApp(lambda page: None) as app:
        async with fa.StateManager(page=app.page) as state:
            assert state.page is app.page
            assert "update" not in app.page.__dict__
            text = ft.Text()
            state.atom("n", 1)
            state.bind("n", text)  # not on the page yet
            state.set("n", 2)
            app.page.add(text)
            assert app.texts() == ["2"]


@pytest.mark.parametrize("attach", [fa.StateManager, fa.StateManager().attach, fa.get_state_manager])
def test_what_is_no_page_is_refused(attach: Callable[[Any], object]) -> None:
    with pytest.raises(TypeError, match="page, not (to )?"):
        attach("a page of a test's own")


def test_state_manager_without_a_page_needs_nothing() -> None:
    state = fa.StateManager()
    assert state.page is None
    state.atom("n", 0)
    seen: list[int] = []
    state.listen("n", seen.append)
    state.set("n", 1)
    assert seen == [0, 1]


async def test_assigning_the_page_of_a_global_manager_attaches_it() -> None:
    state = fa.StateManager()
    async with HeadlessApp(lambda page: None) as app:
        state.page = app.page
        assert state.page is app.page
        state.atom("n", 0)
        app.page.add(state.bound(ft.Text(), value="n"))
        state.set("n", 5)
        await state.flushed()
        assert app.texts() == ["5"]
        assert state.statistics().frames == 1
    assert state.page is None, "the page is gone, and the store goes on"
    state.set("n", 6)
    await state.aclose()


# ------------------------------------------------------------------ values


def test_atom_gets_or_creates() -> None:
    state = fa.StateManager()
    count = state.atom("count", 1)
    assert state.atom("count", 7) is state.atom(key="count", default=7) is count
    assert (count.value, state.get("count"), state.atom("nothing").value) == (1, 1, None)
    assert count.key == "count"
    assert {"count": "found by its name"}[count.key] == "found by its name"  # type: ignore[index]  # a key that equals its name
    state.add_selector("double", lambda get: get("count") * 2)
    with pytest.raises(ValueError, match="'double' is already a selector"):
        state.atom("double", 0)


def test_two_atoms_of_one_name_are_two() -> None:
    one, two = fa.StateManager().atom("n", 0), fa.StateManager().atom("n", 0)
    assert one.key == two.key.name.strip("'")
    assert one.key != two.key
    assert one.key != fa.Key("n", 0)


def test_add_selector_tracks_and_remembers() -> None:
    state = fa.StateManager()
    state.atom("n", 2)
    calls: list[int] = []

    def double(get: fa.Get) -> int:
        calls.append(get("n"))
        return calls[-1] * 2

    handle = state.add_selector(key="double", select_fn=double)
    assert state.add_selector("double", lambda get: 0) is handle, "a second registration is ignored"
    state.add_selector("quadruple", lambda get: get("double") * 2)
    assert (state.get("quadruple"), handle.value, state.get("double")) == (8, 4, 4)
    state.set("n", 3)
    assert (state.get("quadruple"), calls) == (12, [2, 3])
    with pytest.raises(ValueError, match="'n' is already an atom"):
        state.add_selector("n", double)


def test_a_selector_is_not_computed_when_what_it_reads_is_the_same() -> None:
    state = fa.StateManager()
    state.atom("n", 2)
    state.add_selector("parity", lambda get: get("n") % 2)
    calls: list[int] = []

    def word(get: fa.Get) -> str:
        calls.append(1)
        return "odd" if get("parity") else "even"

    state.add_selector("word", word)
    words: list[str] = []
    assert state.get("word") == "even"
    state.set("n", 4)
    assert (state.get("word"), len(calls)) == ("even", 1)
    state.listen("word", words.append)
    state.set("n", 6)
    state.set("n", 7)
    assert (words, len(calls)) == (["even", "odd"], 2)


def test_the_selector_decorator_gives_something_to_call() -> None:
    state = fa.StateManager()
    state.atom("first", "John")
    state.atom("last", "Doe")

    @state.selector("full")
    def full(get: fa.Get) -> str:
        return f"{get('first')} {get('last')}"

    assert state.get("full") == "John Doe"
    assert full(lambda name: f"<{name}>") == "<first> <last>"  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # any get will do
    state.atom("n", 0)
    with pytest.raises(ValueError, match="'n' is already an atom"):
        state.selector("n")(full)


async def test_an_async_selector_is_none_while_it_loads() -> None:
    async with fa.StateManager() as state:
        state.atom("id", 1)
        loaded = anyio.Event()

        @state.selector("user")
        async def user(get: fa.Get) -> str:
            number = get("id")
            await loaded.wait()
            return f"user {number}"

        seen: list[Any] = []
        state.listen("user", seen.append)
        assert (seen, state.get("user")) == ([None], None)
        loaded.set()
        await state.settled()
        assert seen == [None, "user 1"]
        state.set("id", 2)
        await state.settled()
        assert seen == [None, "user 1", "user 2"]


def test_get_and_has_and_a_name_that_nobody_has_declared() -> None:
    state = fa.StateManager()
    state.atom("count", 1)
    assert (state.get("count"), state.get(key="count"), state.has("count")) == (1, 1, True)

    def set_one(name: str) -> object:
        return state.set(name, 1)

    verbs: list[Callable[[str], object]] = [state.get, state.reset, state.delete, state.invalidate, set_one]
    for verb in verbs:
        with pytest.raises(fa.UnknownKeyError, match="'cuont' is not declared in this store. Did you mean 'count'"):
            verb("cuont")
    with pytest.raises(KeyError, match="Declare it with state.atom"):
        state.get("x")
    assert not state.has("x"), "asking declares nothing"


def test_set_is_seen_at_once_and_a_selector_refuses_it() -> None:
    state = fa.StateManager()
    state.atom("n", 1)
    state.add_selector("double", lambda get: get("n") * 2)
    state.set(key="n", value=2)
    assert (state.get("n"), state.get("double")) == (2, 4)
    with pytest.raises(ValueError, match="double is a selector, and its value is computed"):
        state.set("double", 1)


@pytest.mark.parametrize(
    ("old", "new", "is_told"),
    [
        (1, 1, False),
        (1, 2, True),
        (1, 1.0, True),
        (1, True, True),
        ((1, 2), (1, 2), False),
        ([1], [2], True),
        ({"a": 1}, {"a": 2}, True),
    ],
)
def test_what_counts_as_a_change(old: Any, new: Any, is_told: bool) -> None:
    state = fa.StateManager()
    state.atom("n", old)
    seen: list[Any] = []
    state.listen("n", seen.append, immediate=False)
    state.set("n", new)
    assert seen == ([new] if is_told else [])


@pytest.mark.parametrize("value", [[1], {"a": 1}])
def test_a_list_or_a_dict_that_was_edited_is_a_change(value: Any) -> None:
    state = fa.StateManager()
    state.atom("n", value)
    seen: list[Any] = []
    state.listen("n", seen.append, immediate=False)
    state.set("n", value)
    assert seen == [value]


def test_reset_delete_clear_and_invalidate() -> None:
    state = fa.StateManager()
    state.atom("n", 3)
    computed: list[int] = []

    def double(get: fa.Get) -> int:
        computed.append(1)
        return int(get("n")) * 2

    state.add_selector("double", double)
    state.set("n", 9)
    state.reset("n")
    assert state.get("n") == 3
    state.reset("n", 5)
    state.reset(key="n", value=6)
    assert state.get("n") == 6
    with pytest.raises(ValueError, match="double is a selector"):
        state.reset("double")
    assert (state.get("double"), len(computed)) == (12, 1)
    state.invalidate("double")
    state.invalidate("n")  # an atom has nothing to compute
    assert (state.get("double"), len(computed)) == (12, 2)
    state.clear()
    assert (state.get("n"), state.get("double")) == (3, 6), "the names stay, with what they began with"
    state.delete("n")
    assert not state.has("n")


# ------------------------------------------------------------------ listening


def test_listen_unlisten_and_listen_multiple() -> None:
    state = fa.StateManager()
    state.atom("a", 1)
    state.atom("b", 2)
    a: list[int] = []
    b: list[int] = []
    hear = a.append
    state.listen("a", hear)
    state.listen(key="a", callback=hear, immediate=False)
    state.listen_multiple({"b": b.append})
    state.set("a", 5)
    state.set("b", 6)
    assert (a, b) == ([1, 5], [2, 6]), "the same callback twice is one"
    state.unlisten("a", hear)
    state.unlisten("a", hear)
    state.set("a", 7)
    assert a == [1, 5]


# ------------------------------------------------------------------ binding


async def test_bind_takes_a_ref_a_property_and_whether_to_update() -> None:
    ref, quiet = ft.Ref[ft.Text](), ft.Ref[ft.Text]()
    second = ft.Text(ref=quiet)

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        state.atom("n", 1)
        state.atom("size", 10)
        page.add(ft.Text(ref=ref), second)
        state.bind("n", ref)
        state.bind("size", ref, prop="size")
        state.bind("n", control=quiet, prop="value", update=False)

    async with HeadlessApp(main) as app:
        assert app.texts() == ["1"], "the value is there at once"
        app.take()
        store(app).set("n", 2)
        store(app).set("size", 20)
        await app.settle()
        assert (app.texts(), app.one("Text", value=2)["size"]) == (["2"], 20)
        assert shown(second) == 2, "it is assigned, and left for an update of the user's"
        second.update()
        assert app.texts() == ["2", "2"]


async def test_bind_dynamic_takes_a_control_or_a_ref() -> None:
    ref = ft.Ref[ft.Text]()

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        state.atom("n", 1)
        text = ft.Text()
        page.add(text, ft.Text(ref=ref))
        state.bind_dynamic("n", text)
        state.bind_dynamic(key="n", control=ref, prop="value", update=True)

    async with HeadlessApp(main) as app:
        store(app).set("n", 2)
        await app.settle()
        assert app.texts() == ["2", "2"]


async def test_bind_two_way_goes_both_ways_and_lets_the_users_handler_be() -> None:
    heard: list[tuple[str, Any]] = []

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        state.atom("name", "Ann")
        state.add_selector("upper", lambda get: get("name").upper())
        field, own, plain = ft.Ref[ft.TextField](), ft.Ref[ft.TextField](), ft.Ref[ft.TextField]()
        page.add(
            ft.TextField(ref=field, label="both", on_change=lambda: heard.append(("theirs", state.get("name")))),
            ft.TextField(ref=own, label="own"),
            ft.TextField(ref=plain, label="third"),
        )
        state.bind_two_way("name", field)
        state.bind_two_way("name", own, "value", True, lambda e: state.set("name", e.control.value.strip()))
        state.bind_two_way("name", control=plain)
        with pytest.raises(ValueError, match="upper is computed; only an atom can be bound both ways"):
            state.bind_two_way("upper", field)

    async with HeadlessApp(main) as app:
        assert [app.one("TextField", label=label)["value"] for label in ("both", "own")] == ["Ann", "Ann"]
        await app.type("both", "Bob")
        assert (store(app).get("name"), heard) == ("Bob", [("theirs", "Bob")]), "ours first, then theirs"
        await app.type("own", "  Cid ")
        assert store(app).get("name") == "Cid", "a handler of one's own does the writing"
        await app.type("third", "Dan")
        assert app.one("TextField", label="both")["value"] == "Dan"


async def test_unbind_takes_the_control_or_the_ref() -> None:
    ref, text = ft.Ref[ft.Text](), ft.Text()

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        state.atom("n", 1)
        page.add(ft.Text(ref=ref), text)
        state.bind("n", ref)
        state.bind("n", text)

    async with HeadlessApp(main) as app:
        state = store(app)
        state.unbind("n", ref)
        state.set("n", 2)
        state.unbind("n", target=text)
        state.unbind("n", text)
        state.set("n", 3)
        await app.settle()
        assert app.texts() == ["1", "2"]


async def test_updates_reach_a_control_wherever_it_is_in_its_life() -> None:
    """What flet-asp does in four steps: set always, update if mounted, look at `did_mount`, queue until an update."""
    text, later = ft.Text(), ft.Text()

    async with HeadlessApp(empty) as app:
        state = store(app)

        @ft.control
        class Card(ft.Column):
            def did_mount(self) -> None:
                state.bind("n", later)

        state.atom("n", 1)
        state.bind("n", text)
        assert shown(text) == 1, "set, although it is nowhere"
        state.set("n", 2)
        app.page.controls.append(text)
        app.page.update()
        assert app.texts() == ["2"]
        app.page.add(Card(controls=[later]))
        await app.settle()
        assert app.texts() == ["2", "2"]
        app.take()
        state.set("n", 3)
        await app.settle()
        assert app.texts() == ["3", "3"]
        assert sum(len(frame.ops) for frame in app.take()) == 2, "one change for each"


async def test_a_control_that_is_gone_takes_its_binding_along() -> None:
    state = fa.StateManager()
    state.atom("n", 0)
    text = ft.Text()
    gone = weakref.ref(text)
    state.bind("n", text)
    assert state.statistics().observed == 1
    del text
    gc.collect()
    state.set("n", 1)
    assert (gone(), state.statistics().observed) == (None, 0)


# ------------------------------------------------------------------ actions


async def test_action_run_and_run_async_take_sync_and_async_handlers() -> None:
    async with fa.StateManager() as state:
        state.atom("n", 0)

        def add(get: fa.Get, set: fa.Set, args: Any) -> str:
            set("n", get("n") + (args or {"by": 1})["by"])
            return "done"

        async def add_later(get: fa.Get, set_value: fa.Set, params: Any) -> str:
            await anyio.lowlevel.checkpoint()
            set_value("n", get("n") + params["by"])
            return "done later"

        assert (fa.Action(add).run(state), state.get("n")) == ("done", 1)
        assert fa.Action(handler=add).run(state, args={"by": 2}) == "done"
        assert await fa.Action(add).run_async(state, {"by": 3}) == "done"
        assert await fa.Action(add_later).run_async(state, args={"by": 4}) == "done later"
        assert state.get("n") == 10
        fa.Action(add_later).run(state, {"by": 5})
        await state.settled()
        assert state.get("n") == 15, "it runs, awaited or not"


async def test_the_action_decorator_takes_any_arguments_and_serves_run_task() -> None:
    async with HeadlessApp(empty) as app:
        state = store(app)
        state.atom("said", "")

        @state.action
        async def say(get: fa.Get, set: fa.Set, what: str, *, loud: bool = False) -> str:
            await anyio.lowlevel.checkpoint()
            set("said", what.upper() if loud else what)
            return what

        @state.action
        def now(get: fa.Get, set: fa.Set) -> None:
            set("said", "now")

        assert await say("hello") == "hello"
        say("hello", loud=True)
        await state.settled()
        assert state.get("said") == "HELLO"
        now()
        await state.settled()
        assert state.get("said") == "now"
        assert inspect.iscoroutinefunction(say.handler)
        app.page.run_task(say.handler, "by the page")
        await until(lambda: state.get("said") == "by the page")


# ------------------------------------------------------------------ what stands alone


def test_an_atom_stands_alone() -> None:
    count = Atom(1, "count")
    assert (count.value, count.key, repr(count)) == (1, "count", "<Atom 'count' = 1>")
    seen: list[int] = []
    hear = seen.append
    assert not count.has_listeners()
    count.listen(hear)
    count.listen(hear, immediate=False)
    assert (count.has_listeners(), repr(count)) == (True, "<Atom 'count' = 1, 1 listener>")
    count.value += 1
    count.set(5)
    assert seen == [1, 2, 5]
    count.unlisten(hear)
    count.reset()
    assert (count.value, seen, count.has_listeners()) == (1, [1, 2, 5], False)
    count.listen(hear, immediate=False)
    count.listen(lambda n: seen.append(-n), immediate=False)
    assert repr(count) == "<Atom 'count' = 1, 2 listeners>"
    count.clear_listeners()
    count.set(6)
    assert (seen, count.has_listeners()) == ([1, 2, 5], False)
    assert (Atom([1]).value, Atom(value=2, key="n").value) == ([1], 2)


def test_who_counts_as_a_listener() -> None:
    state = fa.StateManager()
    count = state.atom("count", 1)
    state.add_selector("double", lambda get: get("count") * 2)
    state.listen("double", lambda _: None)
    effect = state.effect(lambda get: get(count))
    assert (count.has_listeners(), state.statistics().observed) == (False, 2), "neither selectors nor effects"
    ref = ft.Ref[ft.Text]()
    waiting = count.bind(ref)
    assert count.has_listeners(), "what waits for its control does"
    waiting.close()
    assert not count.has_listeners()
    text = ft.Text()
    bound = count.bind(text)
    assert count.has_listeners()
    count.clear_listeners()
    assert (count.has_listeners(), bound.control) == (False, None)
    effect.close()


async def test_an_atom_that_stands_alone_is_bound_like_any() -> None:
    name = Atom("Ann", "name")
    ref, both = ft.Ref[ft.Text](), ft.TextField(label="name")
    text = ft.Text()
    async with HeadlessApp(lambda page: page.add(ft.Text(ref=ref), text, both)) as app:
        name.bind(ref)
        name.bind_dynamic(control=text, prop="value", update=True)
        name.bind_two_way(both)
        assert repr(name) == "<Atom 'name' = 'Ann', 3 listeners>"
        await app.settle()
        await app.type("name", "Bob")
        assert (app.texts(), name.value) == (["Bob", "Bob"], "Bob")
        name.unbind(text)
        name.set("Cid")
        await app.settle()
        assert app.texts() == ["Cid", "Bob"]
        name.clear_listeners()
        await app.type("name", "Dan")
        assert (app.texts(), name.value) == (["Cid", "Bob"], "Cid")


async def test_an_atom_that_stands_alone_does_all_that_an_atom_does() -> None:
    count = Atom(0, "count")

    async def slowly(n: int) -> int:
        await anyio.lowlevel.checkpoint()
        return n + 1

    await count.update(slowly)
    heard: list[int] = []

    async def listener(n: int) -> None:
        await anyio.lowlevel.checkpoint()
        heard.append(n)

    count.listen(listener)
    store = fa.StateManager()
    store.add_selector("double", lambda get: get(count) * 2)
    assert store.get("double") == 2
    count.set(3)
    assert store.get("double") == 6
    await count.owner.settled()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # its own store
    assert heard[-1] == 3
    await count.owner.aclose()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # its own store


def test_an_atom_that_stands_alone_has_a_store_when_it_needs_one() -> None:
    def stores() -> int:
        return sum(isinstance(each, fa.StateManager) for each in gc.get_objects())

    before = stores()
    atoms = [Atom(each, "n") for each in range(100)]
    for atom in atoms:
        atom.value += 1
        assert (atom.has_listeners(), repr(atom)) == (False, f"<Atom 'n' = {atom.value}>")
    assert stores() == before
    barrier = threading.Barrier(4)
    heard: list[int] = []

    def listen() -> None:
        def hear(n: int) -> None:
            heard.append(n)

        barrier.wait(5)
        atoms[0].listen(hear, immediate=False)

    threads = [threading.Thread(target=listen) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    atoms[0].set(7)
    assert (heard, stores()) == ([7] * 4, before + 1)


def test_what_stands_alone_goes_when_nobody_holds_it() -> None:
    count = Atom(0, "count")
    count.listen(lambda _: None)
    double = Selector(lambda get: get("count") * 2, {"count": count}.__getitem__)
    double.listen(lambda _: None)
    assert double.value == 0
    gone: list[weakref.ref[Any]] = [weakref.ref(each) for each in (count, count.owner, double, double.owner)]
    del count, double
    gc.collect()
    assert [each() for each in gone] == [None] * 4


def test_a_selector_stands_alone() -> None:
    atoms = {"a": Atom(1, "a"), "b": Atom(2, "b")}
    calls: list[int] = []

    def compute(get: fa.Get) -> int:
        calls.append(1)
        return int(get("a") + get.peek("b"))

    total = Selector(compute, atoms.__getitem__)
    assert (total.value, total.value, len(calls)) == (3, 3, 1)
    atoms["a"].set(10)
    assert (total.value, len(calls)) == (12, 2)
    atoms["b"].set(3)
    assert (total.value, len(calls)) == (12, 2), "what was peeked at is not followed"
    total.recompute()
    assert (len(calls), total.value) == (3, 13), "once, now, although nothing that it follows has changed"
    seen: list[int] = []
    total.listen(seen.append)
    atoms["a"].set(20)
    assert seen == [13, 23]
    with pytest.raises(ValueError, match="compute is computed"):
        total.bind_two_way(ft.TextField())
    state = fa.StateManager()
    count = fa.Key("count", 1)
    state.set(count, 4)
    double = Selector(lambda get: get("n") * get(count) * get(atoms["b"]), state.atom)
    state.atom("n", 2)
    assert double.value == 24, "names and keys mean those of the store that is asked"


def test_a_selector_that_stands_alone_says_what_it_cannot_be() -> None:
    async def load(get: fa.Get) -> int:
        return int(get("n"))

    with pytest.raises(TypeError, match=r'load is async. Declare it in a store, `@state\.selector\("load"\)`'):
        Selector(load, fa.StateManager().atom)
    values = {"n": 1}
    with pytest.raises(TypeError, match="resolve_atom gives the atom, or the selector, of a key.*'n' gave it 1"):
        _ = Selector(lambda get: get("n"), values.get).value


async def test_recompute_of_selectors_that_a_store_has() -> None:
    async with fa.StateManager() as state:
        calls: list[int] = []

        def fail_once(get: fa.Get) -> int:
            calls.append(1)
            return 1 // len(calls[1:])

        failing = state.add_selector("failing", fail_once)
        with pytest.raises(ZeroDivisionError):
            _ = failing.value
        failing.recompute()
        assert (failing.value, len(calls)) == (1, 2)

        async def load(get: fa.Get) -> int:
            calls.append(1)
            return len(calls)

        loaded = state.add_selector("loaded", load)
        await loaded.recompute()
        assert loaded.value == 3
        assert not loaded.has_listeners()


@pytest.mark.parametrize(
    ("a", "b", "are_equal"),
    [
        ({"a": [1, (2, {3})]}, {"a": [1, (2, {3})]}, True),
        ([1], [1.0], False),
        ([True], [1], False),
        ({"a": 1}, {"b": 1}, False),
        ([1], [1, 2], False),
        ([1], (1,), False),
        (float("nan"), float("nan"), False),
    ],
)
def test_deep_equal(a: Any, b: Any, are_equal: bool) -> None:
    assert deep_equal(a, b) is are_equal
    key = fa.Key[Any]("n", a, equals=deep_equal)
    state = fa.StateManager()
    seen: list[Any] = []
    state.listen(key, seen.append, immediate=False)
    state.set(key, b)
    assert bool(seen) is not are_equal


# ------------------------------------------------------------------ settings


def test_the_flags_of_the_interpreter() -> None:
    assert (sys.version_info >= (3, 13)) is atom_module.PYTHON_313_PLUS
    assert (sys.version_info >= (3, 14)) is atom_module.PYTHON_314_PLUS


def test_the_settings_have_their_defaults_and_the_inert_ones_say_so() -> None:
    assert (Atom.ENABLE_FREE_THREADING, Atom.MAX_PARALLEL_BINDS) == (True, 4)
    assert (Atom.MAX_RETRY_ATTEMPTS, Atom.RETRY_BASE_DELAY) == (3, 0.005)
    source = inspect.getsource(Atom)
    assert source.count("Accepted, and without effect") == 2


async def test_the_settings_hold_from_the_next_computation_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Atom, "ENABLE_FREE_THREADING", True)
    together = threading.Barrier(2)

    def compute(get: fa.Get) -> bool:
        return together.wait(5) >= 0  # breaks unless both are there at once

    async with fa.StateManager() as state:
        monkeypatch.setattr(Atom, "MAX_PARALLEL_BINDS", 1)
        assert await state.resolve(fa.selector(in_thread=True)(lambda get: 1)) == 1
        monkeypatch.setattr(Atom, "MAX_PARALLEL_BINDS", 2)
        keys = [fa.selector(in_thread=True)(compute) for _ in range(2)]
        for key in keys:
            state.listen(key, lambda _: None)
        assert [await state.resolve(key) for key in keys] == [True, True]


@pytest.mark.parametrize(("is_enabled", "given", "limit"), [(True, 4, 4), (True, 2, 2), (False, 4, 1)])
async def test_the_settings_say_how_many_threads_compute_at_a_time(
    monkeypatch: pytest.MonkeyPatch, is_enabled: bool, given: int, limit: int
) -> None:
    monkeypatch.setattr(Atom, "ENABLE_FREE_THREADING", is_enabled)
    monkeypatch.setattr(Atom, "MAX_PARALLEL_BINDS", given)
    together, gate, lock = threading.Barrier(limit), threading.Event(), threading.Lock()
    running: list[int] = []
    peaks: list[int] = []

    def compute(get: fa.Get) -> int:
        with lock:
            running.append(1)
            peaks.append(len(running))
        together.wait(5)  # breaks unless as many are there at once
        gate.wait(5)
        with lock:
            running.pop()
        return 1

    async with fa.StateManager() as state:
        keys = [fa.selector(in_thread=True)(compute) for _ in range(2 * limit)]
        for key in keys:
            state.listen(key, lambda _: None)
        await until(lambda: len(running) == limit)
        await anyio.wait_all_tasks_blocked()
        statistics = _shared_threads().statistics()
        assert (statistics.borrowed_tokens, statistics.tasks_waiting) == (limit, limit)
        gate.set()
        await state.settled()
        assert [state.get(key) for key in keys] == [1] * len(keys)
        assert max(peaks) == limit


async def test_a_setting_that_makes_no_sense_is_an_error_of_the_selector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Atom, "MAX_PARALLEL_BINDS", 0)
    async with fa.StateManager() as state:
        with pytest.raises(ValueError, match="MAX_PARALLEL_BINDS is a number of threads, 1 or more, and not 0"):
            await state.resolve(fa.selector(in_thread=True)(lambda get: 1))


# ------------------------------------------------------------------ what the README claims


def test_nothing_but_flet_and_anyio_is_needed() -> None:
    needed = [each for each in importlib.metadata.requires("flet-asp-actors") or [] if "extra ==" not in each]
    assert sorted(re.split(r"[<>=!~ ]", each)[0] for each in needed) == ["anyio", "flet"]
    for name, path in MODULES.items():
        if not name.startswith("testing."):
            outside = {each.split(".")[0] for each in imports(path) if each not in MODULES}
            assert outside - set(sys.stdlib_module_names) <= {"anyio", "flet", "sniffio"}, name


def test_logic_is_tested_without_a_page() -> None:
    """The README's unit test, with what it meant: a computed value, and a fresh start for every test."""
    state = fa.StateManager()
    state.atom("count", 0)
    state.add_selector("double", lambda get: get("count") * 2)

    class Logic(unittest.TestCase):
        def setUp(self) -> None:
            state.clear()

        def test_increment(self) -> None:
            state.set("count", state.get("count") + 1)
            assert state.get("count") == 1

        def test_computed_value(self) -> None:
            state.set("count", 5)
            assert state.get("double") == 10

    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(Logic).run(result)
    assert (result.testsRun, result.errors, result.failures) == (2, [], [])


async def test_a_custom_control_binds_in_did_mount_and_state_outlives_a_screen() -> None:
    @ft.control
    class Counter(ft.Column):
        def init(self) -> None:
            self.text = ft.Ref[ft.Text]()
            self.controls = [ft.Text(ref=self.text)]

        def did_mount(self) -> None:
            fa.get_state_manager(self.page).bind("count", self.text)

    async with HeadlessApp(empty) as app:
        state, found = store(app), collect(store(app))
        state.atom("count", 0)
        app.page.add(Counter())
        await app.settle()
        app.page.controls.clear()
        app.page.update()
        state.set("count", 4)
        app.page.add(Counter())
        await app.settle()
        assert (app.texts(), found) == (["4"], [])
