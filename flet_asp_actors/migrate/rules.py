"""The rules: what is looked for in an app, why it matters, and the new form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

__all__ = ("RULES", "Group", "Rule", "table")


class Group(Enum):
    """How a rule matters; the value is the heading that it stands under."""

    MUST = "Must change: it raises now"
    SILENT = "Silently different: it runs, and does something else"
    DEPRECATED = "Deprecated: it works and warns, until Flet 1.3"
    BETTER = "Better now: nothing has to be done"


@dataclass(frozen=True)
class Rule:
    """One row of the table."""

    name: str
    group: Group
    old: str
    """The form that is looked for."""
    new: str
    """What to write in its place."""
    why: str
    """What happens otherwise, in a sentence without a full stop."""
    writes: bool = False
    """Whether `--write` makes the change, where that is safe."""


def _rules() -> Iterator[Rule]:
    group = Group.MUST
    yield Rule(
        "flet-asp-import",
        group,
        "`import flet_asp as fa`",
        "`import flet_asp_actors as fa`",
        "flet_asp does not import on Flet 1.x; the names are the same here",
        True,
    )
    yield Rule(
        "flet-core-import",
        group,
        "`from flet.core.ref import Ref`",
        "`from flet import Ref`",
        "flet.core is gone",
        True,
    )
    yield Rule(
        "app-run",
        group,
        "`ft.app(target=main)`",
        "`ft.run(main)`",
        "ft.app is gone",
        True,
    )
    yield Rule(
        "elevated-button",
        group,
        "`ft.ElevatedButton`",
        "`ft.Button`",
        "ft.ElevatedButton is gone",
        True,
    )
    yield Rule(
        "gone-name",
        group,
        "`ft.ImageFit`, `ft.WEB_BROWSER`, `ft.LineChart`, ...",
        "`ft.BoxFit`, `ft.AppView.WEB_BROWSER`, `flet_charts.LineChart`, ...",
        "Flet has no such name any more",
        True,
    )
    yield Rule(
        "button-text",
        group,
        '`ft.TextButton(text="Save")`',
        '`ft.TextButton(content="Save")`, or the first argument',
        "a button has content in place of text",
        True,
    )
    yield Rule(
        "icon-name",
        group,
        "`ft.Icon(name=ft.Icons.ADD)`",
        "`ft.Icon(ft.Icons.ADD)`",
        "the argument is called icon",
        True,
    )
    yield Rule(
        "gone-argument",
        group,
        '`ft.TextField(error_text="no")`, `ft.Dropdown(on_change=f)`, ...',
        '`ft.TextField(error="no")`, `ft.Dropdown(on_select=f)`, ...',
        "the control has no such argument any more",
        True,
    )
    yield Rule(
        "tabs",
        group,
        '`ft.Tabs(tabs=[ft.Tab(text="A")])`',
        '`ft.Tabs(length=1, content=ft.TabBar(tabs=[ft.Tab(label="A")]))`, with a `ft.TabBarView` for contents',
        "the bar of a Tabs is a control of its own, and Tab has a label",
    )
    yield Rule(
        "module-function",
        group,
        "`ft.border.all(1)`, `ft.padding.only(left=8)`, `ft.alignment.center`",
        "`ft.Border.all(1)`, `ft.Padding.only(left=8)`, `ft.Alignment.CENTER`",
        "these are methods and members of the classes now",
        True,
    )
    yield Rule(
        "color-name",
        group,
        "`ft.Colors.WHITE54`",
        "`ft.Colors.WHITE_54`",
        "the shades of white and black have an underscore",
        True,
    )
    yield Rule(
        "page-go",
        group,
        '`page.go("/b")`',
        '`page.navigate("/b")`, or `await page.push_route("/b")`',
        "page.go is gone",
        True,
    )
    yield Rule(
        "page-open",
        group,
        "`page.open(dialog)`",
        "`page.show_dialog(dialog)`",
        "page.open is gone; showing a dialog that is open raises RuntimeError",
        True,
    )
    yield Rule(
        "page-close",
        group,
        "`page.close(dialog)`",
        "`page.pop_dialog()`",
        "page.close is gone; pop_dialog closes the one that was shown last",
    )
    yield Rule(
        "page-member",
        group,
        "`page.client_storage`, `page.set_clipboard(t)`, `page.launch_url(u)`, ...",
        "`ft.SharedPreferences()`, `await ft.Clipboard().set(t)`, `await ft.UrlLauncher().launch_url(u)`, ...",
        "the page has no such member any more",
    )
    yield Rule(
        "self-page",
        group,
        "`self.page = page` in a control",
        "nothing: `self.page` is there once the control is mounted",
        "page is a read-only property of controls",
        True,
    )
    yield Rule(
        "self-page-early",
        group,
        "`self.page` in `__init__` of a control",
        "the `page` that was handed in, or move it to `did_mount`",
        "a control that is not mounted raises RuntimeError when it is asked for its page",
        True,
    )
    yield Rule(
        "page-test",
        group,
        '`if self.page:`, `hasattr(c, "page")`, `getattr(c, "page", None)`',
        "`try: c.page` and `except RuntimeError:`; with a binding there is nothing to test",
        "on a control that is not mounted this raises RuntimeError, where it was None",
    )
    yield Rule(
        "update-error",
        group,
        "`except AssertionError:` around `c.update()`",
        "`except RuntimeError:`; with a binding there is nothing to catch",
        "update() of a control that is not mounted raises RuntimeError",
    )
    yield Rule(
        "run-task-action",
        group,
        "`page.run_task(login, name)` of a `@state.action`",
        "`login(name)`, or `page.run_task(login.handler, name)`",
        "an action is an object now, and run_task takes coroutine functions only",
        True,
    )
    yield Rule(
        "undeclared-key",
        group,
        '`state.get("typo")`',
        '`state.atom("typo", None)` first',
        "no file that was looked at declares this key; reading, writing or binding it raises UnknownKeyError",
    )
    yield Rule(
        "private-store",
        group,
        "`state._atoms.clear()`",
        "`fa.StateManager()` for each test, or `state.clear()`",
        "the inside of the store is another one",
    )
    yield Rule(
        "bind-text",
        group,
        '`state.bind("k", button_ref, prop="text")`',
        '`state.bind("k", button_ref, prop="content")`',
        "the property has another name, and binding it raises BindingError",
        True,
    )
    yield Rule(
        "two-way-parse",
        group,
        '`state.bind_two_way("age", field)` over a number',
        '`state.bind_two_way("age", field, parse=int)`',
        "a text field over something that is no text needs parse=, or BindingError is raised",
        True,
    )
    yield Rule(
        "listen-early",
        group,
        '`state.listen("k", fn)` above `page.add`, where fn uses `ref.current`',
        '`state.bind("k", ref, to=...)`, or move the listen below `page.add`',
        "listen calls at once, when the Ref is still empty; a binding may come first",
    )
    yield Rule(
        "first-view",
        group,
        "`page.views[0]` after `page.views.append(view)`",
        "`page.views[-1]`, or `page.views.clear()` first",
        "views[0] is the view that Flet has made itself",
    )

    group = Group.SILENT
    yield Rule(
        "positional-arguments",
        group,
        '`ft.View("/", [...])`, `ft.Switch("Dark")`, `ft.Divider(1)`, ...',
        '`ft.View(route="/", controls=[...])`, `ft.Switch(label="Dark")`, `ft.Divider(height=1)`, ...',
        "the order of the arguments is another one",
        True,
    )
    yield Rule(
        "first-route",
        group,
        "`page.navigate(...)` (it was `page.go`) in main, to draw the first screen",
        "call the function that is in `page.on_route_change` yourself",
        "the client is there already and sends no route change, so the page stays blank",
    )
    yield Rule(
        "page-dialog",
        group,
        "`page.dialog = d`, `page.snack_bar = s`",
        "`page.show_dialog(d)`",
        "the assignment is ignored",
    )
    yield Rule(
        "gone-attribute",
        group,
        '`button.text = "Save"`, `field.error_text = "no"`, ...',
        '`button.content = "Save"`, `field.error = "no"`, ...',
        "the control has no such property any more, and assigning it changes nothing",
        True,
    )
    yield Rule(
        "data-bool",
        group,
        '`e.data == "true"`',
        "`e.data`",
        "e.data is a bool now, and equal to no text",
        True,
    )
    yield Rule(
        "text-style",
        group,
        "`ft.Text(style=ft.TextThemeStyle.TITLE_LARGE)`",
        "`ft.Text(theme_style=ft.TextThemeStyle.TITLE_LARGE)`",
        "style takes a TextStyle; the client makes nothing of the other",
        True,
    )
    yield Rule(
        "weak-ref",
        group,
        "`ref.current = ft.Text()`, or a control in a Ref alone",
        "hold the control in a variable, or in the page",
        "a Ref holds its control weakly: what nobody else holds is gone at once",
    )
    yield Rule(
        "throw-away-ref",
        group,
        '`state.bind("k", ft.Ref[ft.Text]())`',
        "bind the Ref that the control was given, or the control",
        "no control will ever be in a Ref that nobody else has",
    )
    yield Rule(
        "equal-content",
        group,
        "`box.content = other`, where other is equal to what is there",
        "give the controls a `key`, or make them differ",
        "controls are compared by value: an equal one is dropped, and the one before stays",
    )
    yield Rule(
        "blocking",
        group,
        "`time.sleep(2)`, `requests.get(url)` in a handler",
        "`await asyncio.sleep(2)` in an `async def`, or `await asyncio.to_thread(fn)`",
        "handlers run on the event loop now: every session stands still meanwhile",
    )
    yield Rule(
        "raw-thread",
        group,
        "`threading.Thread(target=fn)`, where fn calls `update()`",
        "`page.run_task(fn)` of an `async def`; `state.set` may be called from any thread",
        "an update from another thread is sent when the loop happens to wake",
    )
    yield Rule(
        "run-thread",
        group,
        "`page.run_thread(fn)`, where fn calls `update()`",
        "`page.run_task(fn)` of an `async def`; `state.set` may be called from any thread",
        "what fn updates on its way is sent when it has returned",
    )
    yield Rule(
        "lambda-coroutine",
        group,
        "`on_click=lambda e: save(e)` of an `async def`",
        "`on_click=save`; or `functools.partial`, or an `async def` that awaits it",
        "Flet awaits coroutine functions only: the coroutine is dropped",
        True,
    )
    yield Rule(
        "now-async",
        group,
        "`field.focus()`, `column.scroll_to(offset=-1)`, `page.window.close()`, ...",
        "`await field.focus()` in an `async def`",
        "the method is a coroutine function now: without await nothing happens",
        True,
    )
    yield Rule(
        "page-attribute",
        group,
        "`page.badge = x`, `page.key = x`, ...",
        "another name, or `page.data`, or an atom",
        "the page has a field of this name now, which is sent to the client",
    )
    yield Rule(
        "equal-copy",
        group,
        '`items = state.get("k")`, `items.append(x)`, `state.set("k", items.copy())`',
        '`state.mutate("k", lambda items: items.append(x))`, or edit the copy only',
        "an equal list or dict is no change now, and what was there has been edited to be equal: nobody is told",
    )
    yield Rule(
        "reset-default",
        group,
        '`state.reset("k")`',
        '`state.reset("k")` for the default, `state.set("k", None)` for None',
        "reset goes back to the default of the atom, where it was None",
    )
    yield Rule(
        "clear-lives",
        group,
        "`state.clear()`",
        "`state.clear()`; what is set up again afterwards can go",
        "clear sets every value back to its default and cancels what runs; keys, listeners and bindings live on",
    )

    group = Group.DEPRECATED
    yield Rule(
        "input-border",
        group,
        "`border=ft.InputBorder.NONE`",
        "`border=ft.NoInputBorder()`, `ft.UnderlineInputBorder()`, `ft.OutlineInputBorder()`",
        "InputBorder's members are deprecated",
        True,
    )
    yield Rule(
        "field-border",
        group,
        "`ft.TextField(border_color=c, border_radius=8)`",
        "`ft.TextField(border=ft.OutlineInputBorder(side=ft.BorderSide(color=c), border_radius=8))`",
        "one border says it all; a dict by ft.ControlState says it for the focused field too",
    )

    group = Group.BETTER
    yield Rule(
        "in-place",
        group,
        '`items = state.get("k")`, `items.append(x)`, `state.set("k", items)`',
        '`state.mutate("k", lambda items: items.append(x))`',
        "setting the object that was edited in place reaches every selector and binding now",
    )
    yield Rule(
        "function-value",
        group,
        '`state.atom("double", lambda: ...)`, `state.set("k", fn)`',
        '`@state.selector("double")`, `state.update("k", fn)`',
        "a function is a value like any other, and is never called",
    )
    yield Rule(
        "instance-key",
        group,
        '`state.atom(f"{self.id}_count", 0)`',
        '`self.count = fa.Key("count", 0)`',
        "a key of an instance's own needs no name made up for it, and is gone with the control",
    )
    yield Rule(
        "global-page",
        group,
        "`STATE.page = page`",
        "`STATE.attach(page)`",
        "it did nothing; now the store serves this page too, and one store may serve many",
    )
    yield Rule(
        "action-run",
        group,
        "`login.run(state, args)` of an async handler",
        "`login.start(state, args)`, or `state.action(login)`",
        "it starts a run that can be awaited and cancelled, where it gave a coroutine that nobody awaited",
    )
    yield Rule(
        "loading-atom",
        group,
        '`set("loading", True)` in an action',
        "`get(login.status).is_busy`, `.message` for errors",
        "an action has a status that can be bound: nothing to set, nothing left set after an error",
    )
    yield Rule(
        "async-selector",
        group,
        "`async def` under `@state.selector`",
        "as it is; `get(user.status)` says whether it is busy, and why it failed",
        "the latest inputs win, and errors reach on_error",
    )
    yield Rule(
        "atom-settings",
        group,
        "`Atom.MAX_PARALLEL_BINDS = 8`",
        "nothing",
        "bindings are pushed together, once per frame; the first two settings are about selectors in threads now",
    )


RULES: dict[str, Rule] = {rule.name: rule for rule in _rules()}


def table(group: Group) -> str:
    """The rules of a group as a table of the guide."""
    rows = ["| rule | what it finds | the new form | why | `--write` |", "|---|---|---|---|---|"]
    for rule in RULES.values():
        if rule.group is group:
            rows.append(f"| `{rule.name}` | {rule.old} | {rule.new} | {rule.why} | {'yes' if rule.writes else ''} |")
    return "\n".join(rows) + "\n"
