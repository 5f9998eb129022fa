"""flet-asp's names that the typed face replaces: a checker tells of each line that has a comment. Never run."""

from __future__ import annotations

import flet as ft

import flet_asp_actors as fa
from flet_asp_actors.utils import deep_equal  # equals=


def double(get: fa.Get) -> int:
    return int(get("count")) * 2


def add(get: fa.Get, set: fa.Set, args: object) -> None:
    set("count", get("count") + 1)


async def add_later(get: fa.Get, set: fa.Set, args: object) -> None:
    add(get, set, args)


async def old_names(state: fa.StateManager, ref: ft.Ref[ft.Text], field: ft.TextField) -> None:
    state.add_selector("double", double)  # @state.selector
    state.listen_multiple({"count": print})  # listen
    state.unlisten("count", print)  # subscription.close
    state.bind_dynamic("count", ref)  # bind
    state.bind("count", control=ref)  # the second argument
    state.bind_two_way("count", control=field)  # the second argument
    state.unbind("count", ref)  # binding.close
    fa.Action(add).run(state)  # state.action
    await fa.Action(add_later).run_async(state)  # state.action
    count = fa.Atom(0, "count")  # state.atom; by pyright alone
    count.unlisten(print)  # subscription.close
    count.bind_dynamic(ref)  # bind
    count.unbind(ref)  # binding.close
    fa.Selector(double, state.atom).recompute()  # the form, and the name
    deep_equal(1, 1)  # equals=; by pyright alone, once more


def what_stays(state: fa.StateManager, ref: ft.Ref[ft.Text], field: ft.TextField) -> None:
    count = state.atom("count", 0)
    state.set("count", state.get("count") + 1)
    state.reset("count", 5)
    state.listen("count", print).close()
    state.bind("count", ref).close()
    state.bind_two_way("count", field).close()
    state.selector("double")(double)
    state.invalidate("double")
    count.listen(print).close()
    count.bind(ref).close()
    state.action(add)(None)
