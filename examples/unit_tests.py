"""Unit tests: those of a shop's logic, which need no page; this page only runs them and shows what came of it."""

import unittest
from typing import TypeAlias

import anyio.to_thread
import flet as ft

import flet_asp_actors as fa
from examples import test_cart_logic, test_cart_payment

Outcome: TypeAlias = tuple[str, str]  # a test, and what went wrong
OUTCOMES = fa.Key[tuple[Outcome, ...]]("outcomes", ())
CASES = (test_cart_logic.TestCart, test_cart_payment.TestPayment)


def outcome(test: unittest.TestCase) -> Outcome:
    result = unittest.TestResult()
    test.run(result)
    return test.id().split(".test_")[-1], "\n".join(text for _, text in result.failures + result.errors)


@fa.action(policy="droppable")
async def run_all(get: fa.Get, set: fa.Set) -> None:
    set.reset(OUTCOMES)
    for case in CASES:
        for name in unittest.defaultTestLoader.getTestCaseNames(case):
            done = await anyio.to_thread.run_sync(outcome, case(name))  # some run a loop of their own
            set(OUTCOMES, (*get(OUTCOMES), done))


@fa.selector
def summary(get: fa.Get) -> str:
    failed = sum(bool(trouble) for _, trouble in get(OUTCOMES))
    return f"{len(get(OUTCOMES))} run, {failed} failed"


def build(row: fa.Row[Outcome]) -> ft.Control:
    test, trouble = row.value
    icon = ft.Icon(ft.Icons.ERROR, ft.Colors.ERROR) if trouble else ft.Icon(ft.Icons.CHECK_CIRCLE, ft.Colors.PRIMARY)
    return ft.ListTile(leading=icon, title=test.replace("_", " "), subtitle=trouble or None, content_padding=0)


def main(page: ft.Page) -> None:
    page.title, page.padding, page.spacing, page.scroll = "Unit tests", 24, 16, ft.ScrollMode.AUTO
    state = fa.get_state_manager(page)
    rows = ft.Column(spacing=0)
    state.bind_list(OUTCOMES, rows, build)
    go = ft.FilledButton("Run the tests", icon=ft.Icons.PLAY_ARROW, on_click=state.action(run_all))
    state.bound(go, disabled=lambda get: get(run_all.status).is_busy)
    bar = [go, state.bound(ft.Text(color=ft.Colors.ON_SURFACE_VARIANT), value=summary)]
    heading = ft.Text("Unit tests", theme_style=ft.TextThemeStyle.HEADLINE_MEDIUM)
    page.add(heading, ft.Row(list[ft.Control](bar), wrap=True, spacing=16), rows)


if __name__ == "__main__":
    ft.run(main)
