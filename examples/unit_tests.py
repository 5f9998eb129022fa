"""Unit tests: those of a shop's logic, which need no page; this page only runs them and shows what came of it."""

import asyncio
import unittest
from typing import NamedTuple

import flet as ft

import flet_asp_actors as fa
from examples import test_cart_logic, test_cart_payment


class Outcome(NamedTuple):
    test: str
    trouble: str


OUTCOMES = fa.Key[tuple[Outcome, ...]]("outcomes", ())
CASES = (test_cart_logic.TestCart, test_cart_payment.TestPayment)


def outcome(test: unittest.TestCase) -> Outcome:
    result = unittest.TestResult()
    test.run(result)
    return Outcome(test.id().split(".test_")[-1], "\n".join(text for _, text in result.failures + result.errors))


@fa.action(policy="droppable")
async def run_all(get: fa.Get, set: fa.Set) -> None:
    set.reset(OUTCOMES)
    for case in CASES:
        for name in unittest.defaultTestLoader.getTestCaseNames(case):
            done = await asyncio.to_thread(outcome, case(name))  # some of them open a loop of their own
            set(OUTCOMES, (*get(OUTCOMES), done))


@fa.selector
def summary(get: fa.Get) -> str:
    failed = sum(bool(each.trouble) for each in get(OUTCOMES))
    return f"{len(get(OUTCOMES))} tests, {failed} failed" if get(OUTCOMES) else "Not run yet"


def build(row: fa.Row[Outcome]) -> ft.Control:
    test, trouble = row.value
    failed, passed = (ft.Icons.ERROR, ft.Colors.ERROR), (ft.Icons.CHECK_CIRCLE, ft.Colors.PRIMARY)
    icon = ft.Icon(*(failed if trouble else passed))
    return ft.ListTile(leading=icon, title=test.replace("_", " "), subtitle=trouble or None)


def main(page: ft.Page) -> None:
    page.title, page.padding, page.scroll = "Unit tests", 24, ft.ScrollMode.AUTO
    state = fa.get_state_manager(page)
    go, rows = state.action(run_all), ft.Column(spacing=0)
    state.bind_list(OUTCOMES, rows, build)
    button = ft.FilledButton("Run the tests", icon=ft.Icons.PLAY_ARROW, on_click=go)
    line = state.bound(ft.Text(color=ft.Colors.ON_SURFACE_VARIANT), value=summary)
    bar: list[ft.Control] = [state.bound(button, disabled=lambda get: get(go.status).is_busy), line]
    page.add(ft.Text("Unit tests", theme_style=ft.TextThemeStyle.HEADLINE_MEDIUM), ft.Row(bar, wrap=True), rows)


if __name__ == "__main__":
    ft.run(main)
