"""Mistakes that a new user makes, and what the library says to them: the key, the cause, the fix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flet as ft
import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing.headless import HeadlessApp

N = fa.Key("n", 0)
NAME = fa.Key("name", "")
untyped: Any = fa


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"debug": True}


@fa.action
async def save(get: fa.Get, set: fa.Set, number: int = 1) -> int:
    return number


def of_two(get: fa.Get, other: int) -> int:
    return get(N) + other


Mistake = Callable[[Any], object]


MISTAKES: list[tuple[Mistake, type[Exception], str]] = [
    (lambda s: s.get(save), TypeError, r"did you mean its \.status"),
    (lambda s: s.update(N, 5), TypeError, r"update takes a function of the value.*Key\('n'\) is set with set"),
    (lambda s: s.listen(N, lambda: None), TypeError, "a listener takes the value"),
    (lambda s: s.bound(ft.Text(), value=5), KeyError, r"Text\.value: 5 is not declared.*Text\(value=5\)"),
    (lambda s: s.bound(ft.Text(), value="Hello"), KeyError, r"Text\(value='Hello'\)"),
    (lambda s: s.bound(ft.Text(), value=[1]), KeyError, r"Text\(value=\[1\]\)"),
    (lambda s: s.bound(ft.Button(), on_click=print), ValueError, r"on_click is an event.*on_click=handler"),
    (lambda s: s.bound(ft.Text, value=N), ValueError, "only a control can be bound"),
    (lambda s: s.bind(ft.Text(), N), ValueError, "the key comes first"),
    (lambda s: s.bound(ft.Text(), value=untyped.selector(lambda: 5)), TypeError, "selector <lambda> takes get"),
    (lambda s: s.get(untyped.selector(of_two)), TypeError, "selector of_two takes get, and nothing else"),
    (lambda s: s.bind(lambda: 5, ft.Text()), TypeError, "takes get"),
    (lambda s: untyped.get_state_manager(ft.Text()), TypeError, "takes the page, not Text"),
    (lambda s: untyped.get_state_manager(None), TypeError, "takes the page, not NoneType"),
    (lambda s: untyped.action(retries=3), TypeError, "retries"),
]


@pytest.mark.parametrize(("mistake", "kind", "says"), MISTAKES)
def test_a_mistake_is_named(mistake: Mistake, kind: type[Exception], says: str) -> None:
    state = fa.StateManager()
    with pytest.raises(kind, match=says):
        mistake(state)
    assert state.statistics().observed == 0


def test_dir_shows_the_public_face() -> None:
    assert set(dir(fa)) == {*fa.__all__, "__version__"}


def test_a_plain_reading_inside_a_selector_is_a_dependency() -> None:
    state = fa.StateManager()
    handle = state.atom(N)
    other = fa.selector(lambda get: get(N) * 10)
    selectors: dict[str, fa.SelectorKey[int]] = {
        "state.get": fa.selector(lambda get: state.get(N)),
        "handle.value": fa.selector(lambda get: handle.value),
        "a selector by state.get": fa.selector(lambda get: state.get(other)),
    }
    seen: dict[str, list[int]] = {name: [] for name in selectors}
    for name, key in selectors.items():
        state.listen(key, seen[name].append)
    state.set(N, 2)
    assert seen == {"state.get": [0, 2], "handle.value": [0, 2], "a selector by state.get": [0, 20]}
    assert [state.get(key) for key in selectors.values()] == [2, 2, 20]


async def test_a_definition_can_be_called_where_there_is_a_store() -> None:
    async with fa.StateManager() as state:

        @state.action
        async def outer(get: fa.Get, set: fa.Set) -> int:
            return await save(5)

        assert await outer() == 5
    with pytest.raises(RuntimeError, match=r"bind it: state.action\(save\)"):
        save(1)


async def test_a_definition_works_as_a_handler_of_a_page() -> None:
    done: list[int] = []

    @fa.action
    async def click(get: fa.Get, set: fa.Set) -> None:
        done.append(get(N))

    def main(page: ft.Page) -> None:
        page.add(ft.Button("Go", on_click=click))

    async with HeadlessApp(main) as app:
        await app.click("Go")
        await fa.get_state_manager(app.page).settled()
        assert done == [0]


@pytest.mark.parametrize("how", ["clear", "reset"])
async def test_what_was_refused_does_not_outlive_a_reset(how: str) -> None:
    """Also when the atom never left its default: the next person must not see what the last one typed."""
    secret = fa.Key("secret", "")

    def long_enough(text: str) -> str:
        if len(text) < 8:
            raise ValueError("Too short")
        return text

    def main(page: ft.Page) -> None:
        page.add(fa.get_state_manager(page).bound(ft.TextField(), value=fa.two_way(secret, parse=long_enough)))

    async with HeadlessApp(main) as app:
        state = fa.get_state_manager(app.page)
        await app.type(app.one("TextField"), "hunter")
        assert app.one("TextField")["error"] == "Too short"
        if how == "clear":
            state.clear()
        else:
            state.reset(secret)
        await app.settle()
        assert not app.one("TextField").get("value")
        assert not app.one("TextField").get("error")


async def test_a_parse_that_strips_lets_a_person_type_two_words() -> None:
    def main(page: ft.Page) -> None:
        page.add(fa.get_state_manager(page).bound(ft.TextField(), value=fa.two_way(NAME, parse=str.strip)))

    async with HeadlessApp(main) as app:
        for text in ("John", "John ", "John S"):
            await app.type(app.one("TextField"), text)
            await app.settle()
            assert app.one("TextField")["value"] == text
        assert fa.get_state_manager(app.page).get(NAME) == "John S"


def test_mistakes_with_what_takes_time_are_told_where_they_are_made() -> None:
    state = fa.StateManager()
    wrong: Any = fa
    listen: Any = state.listen
    effect: Any = state.effect

    async def handler(get: fa.Get, set: fa.Set) -> None: ...

    async def load(get: fa.Get, *item: int) -> int:
        return 1

    with pytest.raises(TypeError, match=r"action handler: retry takes a fa.Retry, such as fa.Retry\(3\), and not 3"):
        wrong.action(retry=3)(handler)
    with pytest.raises(TypeError, match="action handler: timeout is a number of seconds, and not '10'"):
        wrong.action(timeout="10")(handler)
    with pytest.raises(TypeError, match="selector load: retry takes a fa.Retry"):
        wrong.selector(retry=3)(load)
    with pytest.raises(TypeError, match="selector load: debounce is a number of seconds"):
        wrong.selector(debounce="fast")(load)
    with pytest.raises(TypeError, match="selector load has no option 'debouce'. Did you mean 'debounce'?"):
        wrong.selector(debouce=0.3)(load)
    with pytest.raises(TypeError, match=r"<Family load> is no key; call it with its parameters: load\(...\)"):
        state.get(wrong.family(load))
    with pytest.raises(TypeError, match="a listener is a function of the value, and None is none"):
        listen("name", None)
    with pytest.raises(TypeError, match="an effect is a function of get, and 3 is none"):
        effect(3)
    with pytest.raises(TypeError, match="parse makes a value of what was entered, at once"):
        wrong.two_way("name", parse=load)
    with pytest.raises(RuntimeError, match=r"bind it: state.action\(handler\)"):
        wrong.action(handler)()
