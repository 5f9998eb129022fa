"""Mistakes that both type checkers have to find: one in each line that has a comment. Never run."""

from __future__ import annotations

import flet as ft

import flet_asp_actors as fa
from tests.typing.accepted import CART, COUNT, NAME, login, results, total, user


async def mistakes(state: fa.StateManager) -> None:
    state.set(COUNT, "five")  # the value is of another type
    state.set(total, 1.0)  # a selector is read-only
    state.update(COUNT, lambda n: str(n))  # the function returns another type
    state.mutate(NAME, lambda name: name.append("x"))  # a str has no append
    state.get(COUNT).upper()  # an int has no upper
    state.atom(COUNT).value = "five"  # the value is of another type
    state.get(3.5)  # a float is no key
    fa.Key("a", 1, factory=int)  # a default and a factory
    fa.Key[int]("a", "x")  # the default is of another type
    go = state.action(login)
    go()  # an argument is missing
    go(5)  # an argument is of another type
    go("a", forget=True)  # there is no such argument
    (await go("a")).age  # a User has no age
    state.get(go.status).done  # a status has no done
    state.set(go.status, None)  # a status is read-only
    fa.action(policy="fast")  # there is no such policy
    fa.two_way(total)  # a selector is read-only
    fa.two_way(COUNT, parse=str)  # parse makes another type
    state.bound("text", value=COUNT)  # a string is no control
    state.listen(COUNT, lambda n: n.upper())  # an int has no upper
    (await state.resolve(user(1))).age  # a User has no age
    user("one")  # the parameter is a number
    user()  # the parameter is missing
    state.get(user(1)).name  # there may be no user yet
    state.set(user(1), None)  # a selector is read-only
    state.get(results.status).rows  # a status has no rows
    fa.selector(debounce="fast")  # seconds are a number
    fa.Retry(attempts="many")  # so are attempts
    state.supervisor(strategy="one_for_some")  # there is no such strategy
    state.service(restart="sometimes")  # nor such a restart
    await state.wait_for(COUNT, lambda n: n.upper())  # an int has no upper
    fa.action(policy="sequential", per=5)  # per names an argument
    state.bind(CART, ft.Text(), to=lambda cart: cart.total)  # a list has no total
    fa.use_atom(COUNT)[1]("five")  # the value is of another type
    fa.use_atom(total)  # a selector is read-only
    fa.use_value(COUNT).upper()  # an int has no upper
    fa.use_status(COUNT)  # an atom has no status
    fa.use_action(login)()  # an argument is missing
    state.bind_list(CART, ft.Column(), lambda row: ft.Text(row.value.name))  # a line has no name
    state.bind_list(CART, ft.Column(), lambda row: row.value)  # a line is no control
    state.bind_list(COUNT, ft.Column(), lambda row: ft.Text())  # a number has no items
