"""What an old app is told, what is written into it, and that the result runs."""

from __future__ import annotations

import ast
import inspect
import io
import re
import subprocess
import sys
import sysconfig
import tokenize
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import flet as ft
import pytest
from flet.messaging import session, session_store
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import flet_asp_actors as fa
from flet_asp_actors.migrate import flet_changes
from flet_asp_actors.migrate.__main__ import look, main, written
from flet_asp_actors.migrate.finding import Finding
from flet_asp_actors.migrate.project import Project
from flet_asp_actors.migrate.rules import RULES, Group, table
from flet_asp_actors.migrate.source import Source
from flet_asp_actors.testing import HeadlessApp, virtual_backend

from .kit.old_apps import APPS

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "migrating.md").read_text(encoding="utf-8")


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return virtual_backend()


def told(text: str, **others: str) -> list[Finding]:
    """What is found in a file, beside others of the same app."""
    project = Project([])
    for name, other in others.items():
        project.add(Source(Path(f"{name}.py"), other.encode()))
    return look(project.add(Source(Path("app.py"), text.encode())), project)


def fixed(text: str) -> str:
    """A file as `--write` leaves it."""
    source = Source(Path("app.py"), text.encode())
    project = Project([])
    return written(source, look(project.add(source), project))[0].decode()


# ---------------------------------------------------------------------- the rules, one by one

HEAD = """\
import asyncio, threading, time
import flet as ft
import flet_asp_actors as fa
"""
PAGE = HEAD + "def main(page: ft.Page):\n    state = fa.get_state_manager(page)\n    state.atom('k', 0)\n"


class Case(NamedTuple):
    """Lines that a rule is about, and lines like them that it is not about."""

    rule: str
    bad: str
    new: str
    """In the new form that is shown."""
    good: str
    after: str | None = None
    """The bad lines as they are written, if they are."""
    head: str = PAGE


def lines(text: str, head: str) -> str:
    """A program whose last lines these are."""
    space = "    " if head is PAGE else ""
    return head + "".join(f"{space}{line}\n" for line in text.split("\n"))


CASES = [
    Case(
        "flet-asp-import",
        "import flet_asp as fa",
        "import flet_asp_actors as fa",
        "import flet_aspen as fa",
        "import flet_asp_actors as fa",
        "",
    ),
    Case(
        "flet-asp-import",
        "import flet_asp",
        "import flet_asp_actors",
        "import other.flet_asp",
        "import flet_asp_actors as flet_asp",
        "",
    ),
    Case(
        "flet-asp-import",
        "from flet_asp.atom import Atom",
        "from flet_asp_actors.atom import",
        "from .flet_asp.atom import Atom",
        "from flet_asp_actors.atom import Atom",
        "",
    ),
    Case(
        "flet-core-import",
        "from flet.core.ref import Ref",
        "from flet import Ref",
        "from fleet.core.ref import Ref",
        "from flet import Ref",
        "",
    ),
    Case("app-run", "ft.app(target=main, port=1)", "ft.run(main)", "page.app(target=main)", "ft.run(main, port=1)"),
    Case("app-run", "ft.app(name='n', target=main)", "ft.run(main)", "ft.run(main)", "ft.run(name='n', main=main)"),
    Case(
        "app-run",
        "from flet import app\napp(main)",
        "run(main)",
        "app(main)",
        "from flet import run\nrun(main)",
        "import x\n",
    ),
    Case(
        "elevated-button",
        "b = ft.Ref[ft.ElevatedButton]()",
        "ft.Button",
        "b = other.ElevatedButton()",
        "b = ft.Ref[ft.Button]()",
    ),
    Case(
        "elevated-button",
        "from flet import ElevatedButton, Text\nElevatedButton('x')",
        "Button",
        "from x import ElevatedButton\nElevatedButton('x')",
        "from flet import Button, Text\nButton('x')",
        "",
    ),
    Case(
        "elevated-button",
        "from flet import *\nElevatedButton('x')",
        "Button",
        "from flet import *\nfrom x import ElevatedButton\nElevatedButton('x')",
        "from flet import *\nButton('x')",
        "",
    ),
    Case("gone-name", "x = ft.ImageFit.COVER", "ft.BoxFit", "x = ft.BoxFit.COVER", "x = ft.BoxFit.COVER"),
    Case(
        "gone-name", "x = ft.WEB_BROWSER", "ft.AppView.WEB_BROWSER", "x = my.WEB_BROWSER", "x = ft.AppView.WEB_BROWSER"
    ),
    Case(
        "gone-name", "x = ft.LineChart()", "flet_charts.LineChart, after pip install flet-charts", "x = my.LineChart()"
    ),
    Case(
        "button-text",
        "ft.TextButton(text='Save')",
        "content=",
        "ft.TextSpan(text='Save')",
        "ft.TextButton(content='Save')",
    ),
    Case(
        "button-text",
        "class B(ft.OutlinedButton):\n    def __init__(self):\n        super().__init__(text='Save')",
        "content=",
        "class B(Mine):\n    def __init__(self):\n        super().__init__(text='Save')",
        "class B(ft.OutlinedButton):\n    def __init__(self):\n        super().__init__(content='Save')",
    ),
    Case("icon-name", "ft.Icon(name=ft.Icons.ADD)", "icon=", "my.Icon(name='x')", "ft.Icon(icon=ft.Icons.ADD)"),
    Case(
        "gone-argument",
        "ft.TextField(error_text='no')",
        "error=",
        "ft.Dropdown(error_text='no')",
        "ft.TextField(error='no')",
    ),
    Case(
        "gone-argument",
        "ft.Dropdown(on_change=f)",
        "on_select=",
        "ft.TextField(on_change=f)",
        "ft.Dropdown(on_select=f)",
    ),
    Case("gone-argument", "ft.Container(url_target='_self')", "ft.Url(address, target=...)", "my(url_target='_self')"),
    Case("gone-argument", "ft.app(main, use_color_emoji=True)", "nothing", "ft.run(main)"),
    Case("tabs", "ft.Tabs(tabs=[])", "ft.TabBar", "ft.Tabs(length=1, content=c)"),
    Case("tabs", "ft.Tab(text='A')", "label=", "ft.Tab(label='A')"),
    Case("module-function", "x = ft.border.all(1)", "ft.Border.all", "x = my.border.all(1)", "x = ft.Border.all(1)"),
    Case(
        "module-function",
        "x = ft.alignment.center",
        "ft.Alignment.CENTER",
        "x = ft.alignment.Alignment(0, 0)",
        "x = ft.Alignment.CENTER",
    ),
    Case(
        "module-function",
        "from flet import padding, alignment\nx = [padding.only(left=1), alignment.top_left]",
        "Padding",
        "from css import padding\nx = padding.only(left=1)",
        "from flet import Padding, Alignment\nx = [Padding.only(left=1), Alignment.TOP_LEFT]",
        "",
    ),
    Case("color-name", "c = ft.Colors.WHITE54", "ft.Colors.WHITE_54", "c = ft.Colors.WHITE", "c = ft.Colors.WHITE_54"),
    Case("page-go", "page.go('/b')", "page.navigate(...)", "game.go('/b')", "page.navigate('/b')"),
    Case(
        "page-go",
        "def f(e):\n    e.page.go('/b')",
        "e.page.navigate(...)",
        "def f(book):\n    book.page.go('/b')",
        "def f(e):\n    e.page.navigate('/b')",
    ),
    Case(
        "page-open",
        "page.open(ft.SnackBar(ft.Text('x')))",
        "page.show_dialog(...)",
        "open('x')",
        "page.show_dialog(ft.SnackBar(ft.Text('x')))",
    ),
    Case(
        "page-open",
        "d = ft.AlertDialog()\npage.open(d)",
        "page.show_dialog(...)",
        "d = db()\nd.open(d)",
        "d = ft.AlertDialog()\npage.show_dialog(d)",
    ),
    Case("page-open", "page.open(make())", "page.show_dialog(...)", "page.show_dialog(make())"),
    Case("page-close", "page.close(d)", "page.pop_dialog()", "file.close()"),
    Case("page-member", "page.session.get('k')", "page.session.store.get", "other.session.get('k')"),
    Case("page-member", "page.set_clipboard('t')", "await ft.Clipboard().set(text)", "page.title = 't'"),
    Case("page-member", "page.client_storage.get('k')", "ft.SharedPreferences()", "my.client_storage.get('k')"),
    Case(
        "self-page",
        "class C(ft.Row):\n    def __init__(self, page):\n        self.page = page\n        self.x = 1",
        "once the control is mounted",
        "class C:\n    def __init__(self, page):\n        self.page = page\n        self.x = 1",
        "class C(ft.Row):\n    def __init__(self, page):\n        self.x = 1",
    ),
    Case(
        "self-page",
        "class C(ft.Row):\n    def __init__(self, page):\n        self.page = page",
        "once the control is mounted",
        "class C(Row):\n    def __init__(self, page):\n        self.page = page",
        "class C(ft.Row):\n    def __init__(self, page):\n        pass",
    ),
    Case(
        "self-page-early",
        "class C(ft.Row):\n    def __init__(self, page):\n        self.page.title = 'x'",
        "page",
        "class C(ft.Row):\n    def did_mount(self):\n        self.page.title = 'x'",
        "class C(ft.Row):\n    def __init__(self, page):\n        page.title = 'x'",
    ),
    Case(
        "page-test",
        "class C(ft.Row):\n    def f(self):\n        if self.page: pass",
        "except RuntimeError",
        "class C:\n    def f(self):\n        if self.page: pass",
    ),
    Case("page-test", "x = hasattr(box, 'page')", "except RuntimeError", "x = hasattr(box, 'pages')"),
    Case(
        "update-error",
        "try:\n    x.update()\nexcept AssertionError:\n    pass",
        "except RuntimeError",
        "try:\n    x.count()\nexcept AssertionError:\n    pass",
    ),
    Case(
        "run-task-action",
        "@state.action\nasync def go(get, set): pass\npage.run_task(go, 1)",
        "go(...), or page.run_task(go.handler, ...)",
        "async def go(): pass\npage.run_task(go, 1)",
        "@state.action\nasync def go(get, set): pass\npage.run_task(go.handler, 1)",
    ),
    Case("undeclared-key", "state.get('typo')", "state.atom('typo', None) first", "state.get('k')"),
    Case(
        "undeclared-key",
        "@state.selector('s')\ndef s(get):\n    return get('typo')",
        "state.atom('typo', None) first",
        "@state.selector('s')\ndef s(get):\n    return get('k')",
    ),
    Case("undeclared-key", "state.bind_two_way('typo', ref)", "state.atom('typo', None) first", "{}.get('typo')"),
    Case("private-store", "state._atoms.clear()", "fa.StateManager() for each test", "other._atoms.clear()"),
    Case(
        "bind-text",
        "r = ft.Ref[ft.Button]()\nstate.bind('k', r, prop='text')",
        'prop="content"',
        "r = ft.Ref[ft.Text]()\nstate.bind('k', r, prop='value')",
        "r = ft.Ref[ft.Button]()\nstate.bind('k', r, prop='content')",
    ),
    Case(
        "two-way-parse",
        "r = ft.Ref[ft.TextField]()\nstate.bind_two_way('k', r)",
        "parse=int",
        "r = ft.Ref[ft.Slider]()\nstate.bind_two_way('k', r)",
        "r = ft.Ref[ft.TextField]()\nstate.bind_two_way('k', r, parse=int)",
    ),
    Case(
        "listen-early",
        "r = ft.Ref[ft.Text]()\nstate.listen('k', lambda v: print(r.current.value))\npage.add(ft.Text(ref=r))",
        "below page.add",
        "r = ft.Ref[ft.Text]()\npage.add(ft.Text(ref=r))\nstate.listen('k', lambda v: r.current.value)",
    ),
    Case(
        "first-view",
        "page.views.append(v)\nx = page.views[0]",
        "page.views[-1]",
        "page.views.clear()\npage.views.append(v)\nx = page.views[0]",
    ),
    Case(
        "positional-arguments",
        "ft.View('/', [x])",
        "View(route=..., controls=...)",
        "my.View('/', [x])",
        "ft.View(route='/', controls=[x])",
    ),
    Case("positional-arguments", "ft.Divider(1)", "Divider(height=...)", "ft.Divider('red')", "ft.Divider(height=1)"),
    Case("positional-arguments", "ft.Switch(name)", "Switch(label=...)", "ft.Switch(True)"),
    Case(
        "positional-arguments",
        "ft.View(page.route, [x])",
        "View(route=..., controls=...)",
        "ft.View([x], '/')",
        "ft.View(route=page.route, controls=[x])",
    ),
    Case(
        "positional-arguments",
        "ft.AlertDialog(True)",
        "AlertDialog(modal=...)",
        "ft.AlertDialog(ft.Text('x'))",
        "ft.AlertDialog(modal=True)",
    ),
    Case(
        "positional-arguments",
        "ft.NavigationBarDestination(f'{n}', i)",
        "(label=..., icon=...)",
        "ft.NavigationBarDestination(ft.Icons.ADD, 'x')",
        "ft.NavigationBarDestination(label=f'{n}', icon=i)",
    ),
    Case(
        "positional-arguments",
        "ft.Semantics(ft.Text())",
        "Semantics(content=...)",
        "ft.Semantics('x')",
        "ft.Semantics(content=ft.Text())",
    ),
    Case(
        "positional-arguments",
        "class V(ft.View):\n    def __init__(self):\n        super().__init__('/', [])",
        "View(route=..., controls=...)",
        "class V(ft.View):\n    def __init__(self):\n        super().__init__(route='/')",
        "class V(ft.View):\n    def __init__(self):\n        super().__init__(route='/', controls=[])",
    ),
    Case(
        "first-route",
        "page.on_route_change = draw\npage.navigate(page.route)",
        "draw, called here",
        "page.on_route_change = draw\ndef f(e): page.navigate('/')",
    ),
    Case(
        "page-dialog",
        "page.snack_bar = ft.SnackBar(ft.Text('x'))",
        "page.show_dialog(...)",
        "page.appbar = ft.AppBar()",
    ),
    Case(
        "gone-attribute",
        "b = ft.TextButton('x')\nb.text = 'y'",
        ".content",
        "b = ft.TextSpan('x')\nb.text = 'y'",
        "b = ft.TextButton('x')\nb.content = 'y'",
    ),
    Case(
        "gone-attribute",
        "f = ft.Ref[ft.TextField]()\nf.current.error_text = 'y'",
        ".error",
        "f.current.error_text = 'y'",
        "f = ft.Ref[ft.TextField]()\nf.current.error = 'y'",
    ),
    Case("gone-attribute", "def f(e): e.control.text = 'y'", ".content", "def f(e): e.control.value = 'y'"),
    Case(
        "data-bool",
        "def f(e):\n    if e.data == 'true': pass\nft.Container(on_hover=f)",
        "e.data",
        "def f(e):\n    if e.data == 'yes': pass",
        "def f(e):\n    if e.data: pass\nft.Container(on_hover=f)",
    ),
    Case(
        "data-bool",
        "ft.Container(on_hover=lambda e: g(1 + (e.data != 'true')))",
        "not e.data",
        "if row.data == 'true': pass",
        "ft.Container(on_hover=lambda e: g(1 + ((not e.data))))",
    ),
    Case(
        "text-style",
        "ft.Text('x', style=ft.TextThemeStyle.TITLE_LARGE)",
        "theme_style=",
        "ft.Text('x', style=ft.TextStyle())",
        "ft.Text('x', theme_style=ft.TextThemeStyle.TITLE_LARGE)",
    ),
    Case(
        "weak-ref",
        "r = ft.Ref[ft.Text]()\nr.current = ft.Text()",
        "hold the control",
        "r = ft.Ref[ft.Text]()\nt = ft.Text()\nr.current = t",
    ),
    Case("weak-ref", "ft.Text(ref=r)", "hold the control", "page.add(ft.Text(ref=r))"),
    Case(
        "throw-away-ref",
        "state.bind('k', ft.Ref[ft.Text]())",
        "the Ref that the control was given",
        "state.bind('k', ft.Text())",
    ),
    Case(
        "equal-content",
        "a = ft.Column()\nb = ft.Column()\nbox = ft.Container()\nbox.content = a\nbox.content = b",
        "`key`".replace("`", ""),
        "a = ft.Column()\nb = ft.Row()\nbox = ft.Container()\nbox.content = a\nbox.content = b",
    ),
    Case("blocking", "def f(e): time.sleep(1)", "await asyncio.sleep", "async def f(e): await asyncio.sleep(1)"),
    Case(
        "blocking",
        "import requests\ndef f(e): requests.get('u')",
        "asyncio.to_thread",
        "import requests\ndef f(): requests.get('u')\nasync def g(e): await asyncio.to_thread(f)",
    ),
    Case(
        "raw-thread",
        "def f(): t.update()\nthreading.Thread(target=f).start()",
        "page.run_task(fn)",
        "def f(): state.set('k', 1)\nthreading.Thread(target=f).start()",
    ),
    Case(
        "raw-thread",
        "def g(): page.update(t)\ndef f(): g()\nthreading.Timer(1, f).start()",
        "page.run_task(fn)",
        "def f(): {}.update(a=1)\nthreading.Timer(1, f).start()",
    ),
    Case(
        "run-thread",
        "def f(): t.update()\npage.run_thread(f)",
        "page.run_task(fn)",
        "def f(): state.set('k', 1)\npage.run_thread(f)",
    ),
    Case(
        "lambda-coroutine",
        "async def f(e): pass\nft.Button('x', on_click=lambda e: f(e))",
        "f",
        "async def f(e): pass\nft.Button('x', on_click=f)",
        "async def f(e): pass\nft.Button('x', on_click=f)",
    ),
    Case(
        "lambda-coroutine",
        "async def f(n): pass\nb.on_click = lambda e: f(1)",
        "an async def that awaits f",
        "def f(n): pass\nb.on_click = lambda e: f(1)",
    ),
    Case(
        "lambda-coroutine",
        "class H:\n    async def __call__(self, e): pass\nft.Button('x', on_click=H())",
        "H().__call__",
        "class H:\n    def __call__(self, e): pass\nft.Button('x', on_click=H())",
    ),
    Case(
        "now-async",
        "f = ft.TextField()\nasync def g(e): f.focus()",
        "await f.focus(...)",
        "f = ft.TextField()\nasync def g(e): await f.focus()",
        "f = ft.TextField()\nasync def g(e): await f.focus()",
    ),
    Case("now-async", "def g(e): page.window.close()", "await page.window.close(...)", "def g(e): door.close()"),
    Case("page-attribute", "page.badge = x", "an atom", "page.mine = x"),
    Case("reset-default", "state.reset('k')", "state.set", "state.reset('k', 3)"),
    Case("clear-lives", "state.clear()", "set up again", "{}.clear()"),
    Case(
        "input-border",
        "b = ft.InputBorder.NONE",
        "ft.NoInputBorder()",
        "b = ft.NoInputBorder()",
        "b = ft.NoInputBorder()",
    ),
    Case(
        "field-border", "ft.TextField(border_color='red')", "ft.OutlineInputBorder", "ft.Container(border_color='red')"
    ),
    Case(
        "in-place",
        "def f(e):\n    x = state.get('k')\n    x.append(1)\n    state.set('k', x)",
        "state.mutate('k', fn)",
        "def f(e):\n    x = [*state.get('k'), 1]\n    state.set('k', x)",
    ),
    Case(
        "equal-copy",
        "def f(e):\n    x = state.get('k')\n    x.append(1)\n    state.set('k', x.copy())",
        "state.mutate('k', fn)",
        "def f(e):\n    x = state.get('k')\n    y = x.copy()\n    y.append(1)\n    state.set('k', y)",
    ),
    Case(
        "equal-copy",
        "def f(e):\n    x = state.get('k')\n    x.append(1)\n    state.set('k', list(x))",
        "state.mutate('k', fn)",
        "def f(e):\n    x = state.get('k')\n    y = list(x)\n    y.append(1)\n    state.set('k', y)",
    ),
    Case(
        "equal-copy",
        "def f(e):\n    x = state.get('k')\n    x.append(1)\n    state.set('k', [*x])",
        "state.mutate('k', fn)",
        "def f(e):\n    x = state.get('k')\n    y = [*x]\n    y.append(1)\n    state.set('k', y)",
    ),
    Case(
        "equal-copy",
        "def f(e):\n    x = state.get('k')\n    x.append(1)\n    state.set('k', {**x})",
        "state.mutate('k', fn)",
        "def f(e):\n    x = state.get('k')\n    y = {**x}\n    y.append(1)\n    state.set('k', y)",
    ),
    Case(
        "equal-copy",
        "def f(e):\n    x = state.get('k')\n    x.append(1)\n    state.set('k', x[:])",
        "state.mutate('k', fn)",
        "def f(e):\n    x = state.get('k')\n    y = x[:]\n    y.append(1)\n    state.set('k', y)",
    ),
    Case(
        "equal-copy",
        "def f(e):\n    x = state.get('k')\n    x.append(1)\n    state.set('k', copy.deepcopy(x))",
        "state.mutate('k', fn)",
        "def f(e):\n    x = state.get('k')\n    y = copy.deepcopy(x)\n    y.append(1)\n    state.set('k', y)",
    ),
    Case("equal-copy", "state.set('k', list(state.get('k')))", "state.mutate('k', fn)", "state.set('k', list(other))"),
    Case("function-value", "state.atom('d', lambda: 2)", "state.selector", "state.atom('d', 2)"),
    Case("function-value", "def f(): pass\nstate.set('k', f)", "state.update", "state.set('k', 2)"),
    Case(
        "instance-key",
        "class C(ft.Row):\n    def did_mount(self):\n        self.page.state.atom(f'{self.n}_x', 0)",
        "self.count = fa.Key",
        "class C(ft.Row):\n    def did_mount(self):\n        self.page.state.atom('x', 0)",
    ),
    Case("global-page", "S = fa.StateManager()\nS.page = page", "S.attach(page)", "other.page = page"),
    Case(
        "action-run",
        "async def h(get, set, a): pass\ngo = fa.Action(h)\ngo.run(state, 1)",
        "login.start",
        "def h(get, set, a): pass\ngo = fa.Action(h)\ngo.run(state, 1)",
    ),
    Case(
        "loading-atom",
        "@state.action\nasync def go(get, set): set('loading', True)",
        "is_busy",
        "@state.action\nasync def go(get, set): set('k', True)",
    ),
    Case(
        "async-selector",
        "@state.selector('s')\nasync def s(get): pass",
        "as it is",
        "@state.selector('s')\ndef s(get): pass",
    ),
    Case(
        "atom-settings",
        "from flet_asp_actors.atom import Atom\nAtom.MAX_PARALLEL_BINDS = 8",
        "nothing",
        "class Atom: pass\nAtom.MAX_PARALLEL_BINDS = 8",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[f"{number}-{case.rule}" for number, case in enumerate(CASES)])
def test_a_rule_finds_its_form_and_only_that(case: Case) -> None:
    bad = lines(case.bad, case.head)
    found = [each for each in told(bad) if each.rule.name == case.rule]
    assert found
    assert any(case.new in each.new for each in found), found
    assert all(each.line > case.head.count("\n") for each in found)
    assert case.rule not in {each.rule.name for each in told(lines(case.good, case.head))}


@pytest.mark.parametrize("case", CASES, ids=[f"{number}-{case.rule}" for number, case in enumerate(CASES)])
def test_what_is_written_is_what_is_shown(case: Case) -> None:
    before = lines(case.bad, case.head)
    if case.after is None:
        assert case.rule in {each.rule.name for each in told(fixed(before))}, "it is left to a person, and still told"
        return
    after = lines(case.after, case.head)
    assert fixed(before) == after
    assert case.rule not in {each.rule.name for each in told(after)}
    assert fixed(after) == after


def test_every_rule_has_a_case_and_those_that_write_one_that_is_written() -> None:
    assert {case.rule for case in CASES} == set(RULES)
    assert {case.rule for case in CASES if case.after is not None} == {r.name for r in RULES.values() if r.writes}


# ---------------------------------------------------------------------- whose names they are


@pytest.mark.parametrize(
    "text",
    [
        "def f(ft): return ft.ElevatedButton()",
        "def f():\n    ft = object()\n    return ft.ElevatedButton()",
        "x = [ft.ElevatedButton for ft in y]",
        "def f(app): app(target=1)",
        "class page:\n    go = None\npage.go('/')",
        "def f(page: Book): page.go('/')",
        "def f(state: dict): state.get('typo')",
        "x.text = 'y'; x.error_text = 'z'; x.content = x",
        "getattr(ft, 'ElevatedButton')",
        "'ft.app(target=main)'  # ft.app(target=main)",
    ],
)
def test_other_peoples_names_are_left_alone(text: str) -> None:
    assert told(f"import flet as ft\nimport flet_asp_actors as fa\n{text}\n") == []


def test_a_name_is_followed_through_the_app() -> None:
    store = "import flet_asp_actors as fa\nSTORE = fa.StateManager()\nSTORE.atom('n', 0)\n"
    parts = "import flet as ft\nclass Big(ft.ElevatedButton): pass\n"
    app = (
        "import flet as ft\nfrom store import STORE\nfrom .parts import Big\n"
        "STORE.get('n')\nSTORE.get('m')\nb = Big('x')\nb.text = 'y'\n"
    )
    found = told(app, store=store, parts=parts)
    assert [(each.rule.name, each.line) for each in found] == [("undeclared-key", 5), ("gone-attribute", 7)]
    assert "'m'" in found[0].why


def test_what_is_told_of_pages_and_stores_by_other_names() -> None:
    assert [e.rule.name for e in told("import flet as ft\ndef f(p, q):\n    p.go('/'); q.go('/')\nft.run(f)\n")] == [
        "page-go"
    ]
    assert told("import flet as ft\ndef f(p): p.go('/')\nft.run(g)\n") == []
    for annotation in ("fa.StateManager", "'fa.StateManager'", "fa.StateManager | None"):
        assert told(HEAD + f"def f(s: {annotation}): s.get('typo')\n"), annotation
    assert told(HEAD + "def f(s: 'Other'): s.get('typo')\n") == []
    assert told(PAGE + "    print('typo')\n    state.get('typo')\n"), "said elsewhere, and declared nowhere"


@pytest.mark.parametrize(
    "text",
    [
        "from flet import *\nfrom other import *\nElevatedButton('x')\n",
        "from flet import *\nButton = 1\nElevatedButton('x')\n",
        HEAD + "async def f(e, n): pass\nft.Button('x', on_click=lambda e, n=1: f(e, n))\n",
        HEAD + "async def f(e): pass\nft.Button('x', on_click=lambda e: f(None))\n",
    ],
)
def test_what_cannot_be_known_is_not_written(text: str) -> None:
    assert told(text)
    assert fixed(text) == text


def test_a_store_of_typed_keys_was_never_one_of_flet_asp() -> None:
    text = HEAD + "N = fa.Key('n', 0)\nS = fa.StateManager()\nS.atom(N)\nS.get(N)\nS.reset(N)\nS.clear()\n"
    assert told(text) == []
    assert [each.rule.name for each in told(text + "S.atom('m', 0)\n")] == ["clear-lives"]


def test_keys_that_are_put_together_may_be_declared() -> None:
    text = PAGE + "    state.atom(f'{page}_n', 0)\n    state.get('x_n')\n    state.get('x_m')\n"
    assert [each.line for each in told(text) if each.rule.name == "undeclared-key"] == [9]
    text = (
        PAGE + "    def declare(name): state.atom(name, 0)\n    declare('x')\n    state.get('x')\n    state.get('y')\n"
    )
    assert [each.line for each in told(text) if each.rule.name == "undeclared-key"] == [10]


def test_names_that_clash_are_told_and_not_written() -> None:
    text = "from flet import ElevatedButton\nclass Button: pass\nElevatedButton('x')\n"
    assert [each.rule.name for each in told(text)] == ["elevated-button"] * 2
    assert fixed(text) == text
    text = "from flet import padding\nx = [padding.only(left=1), padding]\n"
    assert fixed(text) == text
    text = "import flet as ft\nft.TextButton('a', text='b')\nft.Text(style=ft.TextThemeStyle.X, theme_style=y)\n"
    assert fixed(text) == text


def test_one_edit_that_cannot_be_made_does_not_keep_the_others_back() -> None:
    text = "import flet as ft\nft.View(('/'), [])\nft.ElevatedButton('x')\n"
    assert fixed(text) == "import flet as ft\nft.View(('/'), [])\nft.Button('x')\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from flet import app as start\nstart(target=f)\n", "from flet import run as start\nstart(f)\n"),
        ("from flet import padding as p\np.all(1)\n", "from flet import Padding as p\np.all(1)\n"),
        ("import flet\nflet.app(\n    target=f,  # mine\n)\n", "import flet\nflet.run(\n    f,  # mine\n)\n"),
        ("import flet_asp.atom as a\n", "import flet_asp_actors.atom as a\n"),
        ("import flet_asp.atom\n", "import flet_asp.atom\n"),
        (
            "from flet.core.elevated_button import ElevatedButton\n",
            "from flet.core.elevated_button import ElevatedButton\n",
        ),
        (
            "from flet import ElevatedButton\ndef f(ElevatedButton): return ElevatedButton\n",
            "from flet import Button\ndef f(ElevatedButton): return ElevatedButton\n",
        ),
        (
            "from flet import app\ndef f():\n    app = 1\n    return app\napp(f)\n",
            "from flet import run\ndef f():\n    app = 1\n    return app\nrun(f)\n",
        ),
        (
            PAGE + "    state.bind_two_way('k', ft.TextField(),)\n",
            PAGE + "    state.bind_two_way('k', ft.TextField(),parse=int)\n",
        ),
        (
            HEAD + "class C(ft.Row):\n    def __init__(self, page): self.page = page; self.n = 1  # é\n",
            HEAD + "class C(ft.Row):\n    def __init__(self, page): pass; self.n = 1  # é\n",
        ),
        (
            HEAD + "x = f'é{ft.ElevatedButton}' f'{ft.padding.all(1)}'\n",
            HEAD + "x = f'é{ft.Button}' f'{ft.Padding.all(1)}'\n",
        ),
        (
            HEAD + "class C(ft.Row):\n    def __init__(self, p):\n        self.page = make(p)\n",
            HEAD + "class C(ft.Row):\n    def __init__(self, p):\n        self.page = make(p)\n",
        ),
        (HEAD + "def f(page): page.go('/a', skip=1)\n", HEAD + "def f(page): page.go('/a', skip=1)\n"),
        (HEAD + "def f(e): return e.data == 'true'\n", HEAD + "def f(e): return e.data == 'true'\n"),
    ],
)
def test_what_is_written_and_what_is_left_to_a_person(before: str, after: str) -> None:
    assert told(before)
    assert fixed(before) == after


@pytest.mark.parametrize(
    "text",
    [
        "    page.views.append(v)\n    page.views[1]\n",
        "    state.bind_two_way('k', ft.TextField(), on_input_change=f)\n",
        "    state.bind_two_way('k', ft.TextField(), parse=float)\n",
        "    state.listen('k', lambda v: r.current.value, immediate=False)\n    page.add(ft.Text(ref=r))\n",
        "    async def f(e): await page.window.close()\n",
        "    asyncio.create_task(page.window.close())\n",
        "    def f():\n        time.sleep(1)\n    def g(): f()\n    threading.Thread(target=g).start()\n",
        "    a = ft.Column()\n    box = ft.Container()\n    box.content = a\n    box.content = a\n",
        "    getattr(e, 'page', None)\n",
        "    state.reset(KEY)\n",
        "    try:\n        t.update()\n    except ValueError: pass\n",
        "    other.run_task(f)\n",
        "    f = ft.app\n",
        "    from flet.canvas import Path\n    Path()\n",
    ],
)
def test_what_is_right_already_is_not_told(text: str) -> None:
    assert told(PAGE + text) == []


# ---------------------------------------------------------------------- the command


OLD = "import flet as ft\nft.app(target=main)  # à\n"


def test_it_reports_and_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "app.py"
    file.write_text(OLD, encoding="utf-8")
    assert main([str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "Must change: it raises now (1)\n" in out
    assert f"{file}:2:1: app-run  ft.app is gone -> ft.run(main)\n" in out
    assert "1 file looked at: 1 thing to do, 1 of which --write does, 0 better now.\n" in out
    assert file.read_text(encoding="utf-8") == OLD


def test_it_writes_says_so_and_has_nothing_to_do_then(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "app.py"
    file.write_text(OLD + "def f(page): page.open(d)\n", encoding="utf-8")
    assert main(["--write", str(file)]) == 1
    out = capsys.readouterr().out
    assert f"Written (1)\n{file}:2:1: app-run" in out
    assert "1 thing left to do" in out
    data = file.read_bytes()
    assert data.decode() == "import flet as ft\nft.run(main)  # à\ndef f(page): page.open(d)\n"
    assert main(["--write", str(file)]) == 1
    assert "Written" not in capsys.readouterr().out
    assert file.read_bytes() == data
    file.write_text("import flet as ft\nft.run(main)\n", encoding="utf-8")
    assert main([str(file)]) == 0


def test_what_is_left_is_shown_where_it_is_now(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "app.py"
    file.write_text(
        "import flet as ft\nclass C(ft.Row):\n  def __init__(self, page):\n"
        "    self.page = page\n    self.n = 1\n  def f(self):\n    self.page.open(d)\n"
    )
    main(["--write", str(file)])
    assert f"{file}:6:5: page-open" in capsys.readouterr().out


@pytest.mark.parametrize("bad", [b"def (:\n", b"x = '\xff'\n", b"# coding: nonsense\n", b"x = 1\0", b"(" * 500])
def test_what_cannot_be_read_is_left_alone_and_the_rest_is_done(
    bad: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.py").write_bytes(bad)
    (tmp_path / "b.py").write_text(OLD, encoding="utf-8")
    assert main(["--write", str(tmp_path)]) == 2
    assert f"{tmp_path / 'a.py'}: cannot be read, and was left alone: " in capsys.readouterr().err
    assert (tmp_path / "a.py").read_bytes() == bad
    assert "ft.run" in (tmp_path / "b.py").read_text(encoding="utf-8")


def test_a_path_that_is_not_there_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "no.py")]) == 2
    assert "there is no such file or directory" in capsys.readouterr().err
    assert main([str(tmp_path)]) == 2, "nothing in there to look at"
    with pytest.raises(SystemExit) as stopped:
        main([])
    assert stopped.value.code == 2


def test_directories_without_hidden_ones_and_environments(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for place in ("pages", ".git", "venv", "mine", "__pycache__", "node_modules"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "a.py").write_text(OLD, encoding="utf-8")
    (tmp_path / "mine" / "pyvenv.cfg").touch()
    (tmp_path / "notes.txt").write_text(OLD, encoding="utf-8")
    assert main([str(tmp_path)]) == 1
    assert "1 file looked at" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("encoding", "end", "mark"),
    [("utf-8", end, mark) for end in ("\n", "\r\n", "\r") for mark in (b"", b"\xef\xbb\xbf")]
    + [("latin-1", "\n", b""), ("latin-1", "\r\n", b"")],
)
def test_encoding_and_line_ends_stay(encoding: str, end: str, mark: bytes, tmp_path: Path) -> None:
    text = f"# coding: {encoding}\n{OLD}x = 'é'; ft.ElevatedButton('ä', on_click=f)\n\f\ny = 1".replace("\n", end)
    file = tmp_path / "app.py"
    file.write_bytes(mark + text.encode(encoding))
    main(["--write", str(file)])
    expected = text.replace("ft.app(target=main)", "ft.run(main)").replace("ElevatedButton", "Button")
    assert file.read_bytes() == mark + expected.encode(encoding)


def test_a_comment_says_that_it_has_been_seen_to(tmp_path: Path) -> None:
    file = tmp_path / "app.py"
    file.write_text("import flet as ft\nft.app(target=main)  # migrate: ignore\n")
    assert main([str(file)]) == 0
    file.write_text("import flet as ft\nft.app(target=main)  # migrate: ignore[app-run]\n")
    assert main([str(file)]) == 0
    file.write_text("import flet as ft\nft.app(target=main)  # migrate: ignore[page-go]\n")
    assert main([str(file)]) == 1


def test_better_now_is_nothing_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "app.py").write_text(PAGE + "    S = fa.StateManager()\n    S.page = page\n")
    assert main([str(tmp_path)]) == 0
    assert "0 things to do, 1 better now." in capsys.readouterr().out


def test_as_a_command_it_does_not_import_flet(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(OLD, encoding="utf-8")
    command = [sys.executable, "-X", "importtime", "-m", "flet_asp_actors.migrate", str(tmp_path)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "app-run" in result.stdout
    assert not re.search(r"\| +flet$", result.stderr, re.MULTILINE)


# ---------------------------------------------------------------------- whatever the file


STDLIB = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))


@given(st.sampled_from(STDLIB))
@settings(max_examples=25, deadline=None)
def test_other_peoples_python_is_never_reported_nor_changed(path: Path) -> None:
    """Not even if it imports Flet; only what holds up a loop is told then."""
    data = path.read_bytes()
    for imports, rules in ((b"", set[str]()), (b"\nimport flet as ft\nimport flet_asp_actors as fa\n", {"blocking"})):
        source = Source(path, data + imports)
        project = Project([])
        found = look(project.add(source), project)
        assert {each.rule.name for each in found} <= rules
        assert written(source, found) == (data + imports, [])


NAMES = st.sampled_from(["ft", "fa", "page", "state", "app", "e", "ElevatedButton", "View", "padding", "x"])
ATTRIBUTES = st.sampled_from(
    ["app", "go", "open", "text", "ElevatedButton", "border", "all", "state", "get", "page", "data"]
)
EXPRESSIONS = st.recursive(
    NAMES | st.sampled_from(["'true'", "1", "f'{page}'"]),
    lambda inner: st.one_of(
        st.builds("{}.{}".format, inner.filter(lambda text: not text[0].isdigit()), ATTRIBUTES),
        st.builds("{}({}, text={})".format, NAMES, inner, inner),
        st.builds("({} == {})".format, inner, inner),
        st.builds("(lambda e: {})".format, inner),
        st.builds("[{} for ft in {}]".format, inner, inner),
    ),
    max_leaves=6,
)
STATEMENTS = st.one_of(
    EXPRESSIONS,
    st.builds("{} = {}".format, NAMES, EXPRESSIONS),
    st.builds("def {}(page, state):\n    return {}".format, NAMES, EXPRESSIONS),
    st.builds("class {}({}):\n    def __init__(self, page):\n        self.page = {}".format, NAMES, NAMES, EXPRESSIONS),
    st.sampled_from(["import other as ft", "from other import *", "from .flet import app", "import flet_aspen as fa"]),
)


@given(st.lists(STATEMENTS, max_size=8).map("\n".join))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_nothing_is_said_of_any_python_that_does_not_import_flet(text: str) -> None:
    assert told(text) == []
    assert fixed(text) == text


@given(
    st.lists(STATEMENTS | st.sampled_from([case.bad for case in CASES]), max_size=8), st.sampled_from(["\n", "\r\n"])
)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_written_is_python_with_its_comments_and_is_written_once(parts: list[str], end: str) -> None:
    text = HEAD + "".join(f"{part}  # note {number} é\n" for number, part in enumerate(parts))
    text = text.replace("\n", end)
    try:
        ast.parse(text)
    except SyntaxError:
        return
    after = fixed(text)
    ast.parse(after)
    assert fixed(after) == after
    assert _comments(after) == _comments(text)


def _comments(text: str) -> list[str]:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT]


# ---------------------------------------------------------------------- it is true of Flet


def test_the_changes_are_those_of_the_flet_that_is_here() -> None:
    def find(name: str) -> Any:
        found: Any = ft
        for part in name.split("."):
            found = getattr(found, part)
        return found

    for old, new in flet_changes.NAMES.items():
        assert not hasattr(ft, old), old
        assert find(new) is not None
    assert not any(hasattr(ft, name) for name in flet_changes.ELSEWHERE)
    for module, (owner, names) in flet_changes.FUNCTION_MODULES.items():
        for name in names:
            assert not hasattr(getattr(ft, module), name)
            assert hasattr(getattr(ft, owner), name.upper() if module == "alignment" else name)
    for control, arguments in flet_changes.ARGUMENTS.items():
        taken = _taken(control)
        for old, new in arguments.items():
            assert old not in taken, (control, old)
            assert new in taken, (control, new)
    for control, order in flet_changes.POSITIONS.items():
        taken = _taken(control)
        assert taken[0] != order.names[0], control
        assert set(order.names) <= set(taken), control
    for name in flet_changes.PAGE_MEMBERS:
        assert not hasattr(ft.Page, name)
    for name in flet_changes.SESSION_MEMBERS:
        assert not hasattr(session.Session, name)
        assert hasattr(session_store.SessionStore, name), name
    for name in flet_changes.PAGE_FIELDS:
        assert hasattr(ft.Page, name) or name in inspect.signature(ft.Page).parameters
    for method, controls in flet_changes.ASYNC_METHODS.items():
        for control in controls:
            assert inspect.iscoroutinefunction(getattr(_control(control), method))


def _control(name: str) -> Any:
    return getattr(ft, {"ElevatedButton": "Button"}.get(name, name))


def _taken(control: str) -> list[str]:
    return list(inspect.signature(_control(control)).parameters)


# ---------------------------------------------------------------------- whole apps


Drive = Callable[[HeadlessApp], Awaitable[None]]


async def _clicks(app: HeadlessApp) -> None:
    await app.click("More")
    await app.click("More")
    assert app.texts() == ["2"]


async def _sign_in(app: HeadlessApp) -> None:
    await app.click("Enter")
    assert app.texts() == ["Try again"]
    await app.type("Mail", "ann@b.c")
    await app.type("Secret", "pw")
    await app.click("Enter")
    assert app.texts() == ["Come in"]


async def _names(app: HeadlessApp) -> None:
    assert app.texts() == ["Ann Lee"]
    await app.type("Given", "Bo")
    assert app.texts() == ["Bo Lee"]


async def _waiting(app: HeadlessApp) -> None:
    await app.type("Mail", "ann@b.c")
    clicking = app.start_event("Enter", "click")
    await app.settle()
    assert app.texts() == ["Asking"]
    await clicking
    await app.settle()
    assert app.texts() == ["Hello ann@b.c"]


async def _cards(app: HeadlessApp) -> None:
    for tooltip in ("a more", "a more", "c less"):
        await app.click(tooltip)
    await app.settle()
    assert app.texts() == ["2", "0", "-1"]


async def _two_views(app: HeadlessApp) -> None:
    assert app.texts() == ["Front", "0"]
    await app.click("To back")
    await app.click("More")
    await app.click("To front")
    assert app.texts() == ["Front", "1"]


async def _shared(app: HeadlessApp) -> None:
    await app.click("More")
    await app.settle()
    assert app.texts() == ["1"]
    await app.click("Leave")
    await app.settle()
    assert app.texts() == ["It was 1"]
    await app.click("Return")
    await app.settle()
    assert app.texts() == ["1"]


async def _profile(app: HeadlessApp) -> None:
    state = fa.get_state_manager(app.page)
    assert app.texts() == ["Loading"]
    for name in ("Ann", "Bob"):
        await state.resolve("profile")
        await app.settle()
        assert app.texts() == [name]
        await app.click("Next")


async def _basket(app: HeadlessApp) -> None:
    for name in ("Tea", "Cake", "Tea"):
        await app.click(name)
    await app.settle()
    assert app.texts() == ["3", "Tea x 2", "Cake x 1", "9.0"]


DRIVES: dict[str, Drive] = {
    "clicks": _clicks,
    "sign_in": _sign_in,
    "names": _names,
    "waiting": _waiting,
    "cards": _cards,
    "two_views": _two_views,
    "shared": _shared,
    "profile": _profile,
    "basket": _basket,
}


@pytest.mark.parametrize("name", sorted(APPS))
async def test_an_old_app_runs_when_what_is_left_was_done_by_hand(name: str) -> None:
    app = APPS[name]
    text = fixed(app.text)
    due = {each.rule.name for each in told(text) if each.rule.group is not Group.BETTER}
    assert due == app.rules, "what the report asks for is what a person has done"
    for old, new in app.by_hand:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    assert [each for each in told(text) if each.rule.group is not Group.BETTER] == []
    names: dict[str, Any] = {"__name__": name}
    assert text.endswith("ft.run(main)\n")
    exec(compile(text[: -len("ft.run(main)\n")], f"{name}.py", "exec", dont_inherit=True), names)  # our own text
    async with HeadlessApp(names["main"]) as running:
        await DRIVES[name](running)
    if "SHARED" in names:
        await names["SHARED"].aclose()


# ---------------------------------------------------------------------- the guide


def test_the_guide_has_every_rule() -> None:
    for group in Group:
        assert f"### {group.value}\n\n{table(group)}" in GUIDE, "python -m flet_asp_actors.migrate --rules"
    assert f"### What Flet calls otherwise\n\n{flet_changes.changes()}" in GUIDE


def test_the_guide_shows_what_the_command_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (old,) = re.findall(r"^```py\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    Path("login.py").write_text(old)
    assert main(["login.py"]) == 1
    assert f"says:\n\n```text\n{capsys.readouterr().out}```" in GUIDE


def test_the_rules_can_be_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--rules"]) == 0
    out = capsys.readouterr().out
    assert all(f"| `{name}` |" in out for name in RULES)


# ---------------------------------------------------------------------- programs that are written otherwise

OTHERWISE: dict[str, tuple[str, list[str]]] = {
    "a store by its name": ("import flet_asp_actors\ndef show(state):\n    return state._nodes\n", ["private-store"]),
    "a store from everything": (
        "from flet_asp import *\nfrom flet import *\ndef f(p):\n    get_state_manager(p)._nodes\n",
        ["flet-asp-import", "private-store"],
    ),
    "a control of a control": (
        HEAD + "class A(ft.Column): ...\nclass B(A):\n    def __init__(self, page):\n        self.page = page",
        ["self-page"],
    ),
    "no control at all": (
        HEAD + "class A:\n    def __init__(self, page):\n        self.page = page\n        self.page.x",
        [],
    ),
    "a name that a pattern takes": (
        HEAD + "match x:\n    case {'a': 1, **ft}:\n        ft.ElevatedButton('x')\n",
        [],
    ),
    "an app of no name": (HEAD + "ft.run(lambda page: None)\n", []),
    "an app of another name": (HEAD + "begin = make()\nft.run(begin)\n", []),
    "a ref that is given": (HEAD + "def f(text: ft.Ref[ft.Text]):\n    text.current = ft.Text('x')\n", ["weak-ref"]),
    "a page that may be none": (
        "from typing import Optional\n" + HEAD + "def f(it: Optional[ft.Page]):\n    it.go('/a')\n",
        ["page-go"],
    ),
    "the page of what has happened": (HEAD + "def f(e):\n    e.control.page.go('/a')\n", ["page-go"]),
    "a page of nobody's": ("def f(e):\n    e.control.page.go('/a')\n", []),
    "the page of an object": (
        HEAD
        + "class App:\n    def __init__(self, page: ft.Page):\n        self.page = page\n"
        + "def main(page: ft.Page):\n    app = App(page)\n    app.page.go('/a')\n",
        ["page-go"],
    ),
    "the page of an object of a class above": (
        HEAD
        + "class Base:\n    def __init__(self, page: ft.Page):\n        self.page = page\n"
        + "class App(Base): ...\n"
        + "def main(page: ft.Page):\n    app = App(page)\n    app.page.go('/a')\n    app.other.go('/a')\n",
        ["page-go"],
    ),
    "the page of an object from afar": (
        HEAD + "from .base import Base\nclass App(Base): ...\napp = App()\napp.page.go('/a')\n",
        ["page-go"],
    ),
    "no page of an object": (HEAD + "class App: ...\napp = App()\napp.page.go('/a')\n", []),
    "an action of its own name": (
        HEAD + "from flet_asp_actors import action\n@action\nasync def save(get, set):\n    ...\nsave.run(state)\n",
        ["action-run"],
    ),
    "an action of a store": (
        PAGE + "    @state.action\n    async def save(get, set):\n        ...\n    save.run(state)\n",
        ["action-run"],
    ),
    "an action of something else": (
        HEAD + "@other.action\nasync def save(get, set):\n    ...\nsave.run(state)\n@decorated\ndef f():\n    ...\n",
        [],
    ),
    "a drawer": (PAGE + "    page.open(ft.NavigationDrawer())\n", ["page-open"]),
    "a page in brackets": (
        HEAD + "class A(ft.Column):\n    def __init__(self):\n        (self).page.title\n",
        ["self-page-early"],
    ),
    "a method of its own": (
        HEAD + "class A(ft.TextField):\n    def focus(self): ...\n    def f(self):\n        self.focus()\n",
        [],
    ),
    "a ref for something else": (HEAD + "connect(ref=3)\n", []),
    "a style": (HEAD + "t = ft.Text()\nt.style = ft.TextThemeStyle.BODY_SMALL\n", ["text-style"]),
    "another style": (HEAD + "t = ft.Text()\nt.style = other\n", []),
    "a style or another": (
        HEAD + "ft.Text('x', style=ft.TextThemeStyle.BODY_SMALL if x else None)\n",
        ["text-style"],
    ),
    "content from elsewhere": (HEAD + "c = ft.Container()\nc.content = made()\nit = 3\nc.content = it\n", []),
    "data outside of a handler": (HEAD + "x = self.e.data == 'true'\ny = e.data == 'true'\n", []),
    "two threads of one function": (
        HEAD
        + "def again():\n    work()\ndef work():\n    time.sleep(1)\n"
        + "threading.Thread(target=work)\nthreading.Thread(target=again)\n",
        [],
    ),
    "a pause at the beginning": (HEAD + "time.sleep(1)\n", []),
    "a module of the core": ("import flet.core.text\n", ["flet-core-import"]),
    "a name that has moved": ("from flet import WebView\n", ["gone-name"]),
    "a name that is given anew": ("from flet import app\napp = 3\n", ["app-run"]),
    "many to listen to": (PAGE + "    state.listen_multiple({'nope': f, **others})\n", ["undeclared-key"]),
    "a verb without a key": (PAGE + "    state.get()\n    state.bind('k')\n", []),
    "what is set is no name": (PAGE + "    state.set('k', state.get('k').copy())\n", ["equal-copy"]),
    "a copy of what is no name": (PAGE + "    state.set('k', [*self.items])\n", []),
    "a selector that is added": (
        PAGE + "    def double(read):\n        return read('nope')\n    state.add_selector('double', double)\n",
        ["undeclared-key"],
    ),
    "a store within the page": (HEAD + "def main(page: ft.Page):\n    page._state_manager.get(1)\n", ["private-store"]),
    "a key that is a number": (PAGE + "    state.atom(5, 0)\n    state.get('nope')\n", ["undeclared-key"]),
}


@pytest.mark.parametrize("name", OTHERWISE)
def test_programs_that_are_written_otherwise(name: str) -> None:
    text, rules = OTHERWISE[name]
    assert [each.rule.name for each in told(text)] == rules


def test_a_last_line_without_an_end_is_taken_out() -> None:
    old = (
        HEAD
        + "class A(ft.Column):\n    def __init__(self, page):\n        super().__init__()\n        self.page = page"
    )
    assert fixed(old) == old.replace("        self.page = page", "")


@pytest.mark.parametrize("page", ["(p := page)", "(page if page else None)", "(page or None)"])
def test_a_page_is_known_in_an_expression(page: str) -> None:
    assert [each.rule.name for each in told(PAGE + f"    {page}.go('/')\n")] == ["page-go"]


def test_what_a_file_without_flet_calls_a_page_is_none() -> None:
    other = "class A:\n    def __init__(self, x):\n        self.where = x.page\n"
    assert told(HEAD + "from other import A\na = A(1)\na.where.go('/')\n", other=other) == []


def test_keys_of_files_without_flet_are_no_keys() -> None:
    assert [each.rule.name for each in told(PAGE + "    state.get('nope')\n", other="state.atom('nope', 1)\n")] == [
        "undeclared-key"
    ]


def test_what_cannot_be_read_or_is_nested_too_deeply_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "deep.py").write_text("import flet as ft\nx = ft" + ".b" * 1500 + "\n")
    (tmp_path / "gone.py").symlink_to(tmp_path / "nowhere.py")
    (tmp_path / "old.py").write_text("import flet as ft\nft.app(main)\n")
    assert main(["--write", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert f"{tmp_path}/deep.py: cannot be read, and was left alone: it is nested too deeply" in err
    assert f"{tmp_path}/gone.py: cannot be read, and was left alone: No such file or directory" in err
    assert (tmp_path / "old.py").read_text() == "import flet as ft\nft.run(main)\n"
    assert "Written (1)" in out
