"""Nine apps as people write them with flet-asp on Flet 0.28, each with what remains to be done by hand.

They are what `python -m flet_asp_actors.migrate --write` is tried on, so nothing here runs as it is.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ("APPS", "OldApp")


class OldApp(NamedTuple):
    """An app, and what the report asks a person to do when `--write` has done its part."""

    text: str
    by_hand: tuple[tuple[str, str], ...] = ()
    """What to replace, and by what; each stands once in the file."""
    rules: frozenset[str] = frozenset()
    """The rules that ask for it."""


_CLICKS = OldApp("""\
import flet as ft
import flet_asp as fa


def main(page: ft.Page):
    fa.get_state_manager(page)
    page.state.atom("clicks", 0)
    shown = ft.Ref[ft.Text]()

    def more(e):
        page.state.set("clicks", page.state.get("clicks") + 1)

    page.add(
        ft.Column([ft.Text(ref=shown, size=40), ft.ElevatedButton("More", on_click=more)])
    )
    page.state.bind("clicks", shown)


ft.app(target=main)
""")

_SIGN_IN = OldApp("""\
import flet as ft
import flet_asp as fa


def main(page: ft.Page):
    state = fa.get_state_manager(page)
    state.atom("mail", "")
    state.atom("secret", "")
    mail, secret = ft.Ref[ft.TextField](), ft.Ref[ft.TextField]()
    answer = ft.Ref[ft.Text]()

    def check(e):
        good = state.get("mail") == "ann@b.c" and state.get("secret") == "pw"
        answer.current.value = "Come in" if good else "Try again"
        page.update()

    page.add(
        ft.TextField(ref=mail, label="Mail"),
        ft.TextField(ref=secret, label="Secret", password=True),
        ft.ElevatedButton(text="Enter", on_click=check),  # the old way
        ft.Text(ref=answer),
    )
    state.bind_two_way("mail", mail)
    state.bind_two_way("secret", secret)


ft.app(target=main)
""")

_NAMES = OldApp("""\
import flet as ft
import flet_asp as fa


def main(page):
    fa.get_state_manager(page)
    page.state.atom("given", "Ann")
    page.state.atom("family", "Lee")

    @page.state.selector("both")
    def both(get):
        return get("given") + " " + get("family")

    given, family, whole = ft.Ref[ft.TextField](), ft.Ref[ft.TextField](), ft.Ref[ft.Text]()
    page.add(
        ft.TextField(ref=given, label="Given"),
        ft.TextField(ref=family, label="Family"),
        ft.Container(ft.Text(ref=whole), padding=ft.padding.only(top=8), border=ft.border.all(1, ft.Colors.BLACK54)),
    )
    page.state.bind_two_way("given", given)
    page.state.bind_two_way("family", family)
    page.state.bind("both", whole)


ft.app(main)
""")

_WAITING = OldApp(
    """\
import asyncio

import flet as ft
import flet_asp as fa


def main(page: ft.Page):
    fa.get_state_manager(page)
    page.state.atom("who", None)
    page.state.atom("loading", False)

    async def ask(get, put, args):
        put("loading", True)
        await asyncio.sleep(2)
        put("who", args["mail"] if args["mail"] == "ann@b.c" else None)
        put("loading", False)

    asking = fa.Action(ask)
    mail, line = ft.Ref[ft.TextField](), ft.Ref[ft.Text]()

    async def enter(e):
        await asking.run_async(page.state, {"mail": mail.current.value})
        who = page.state.get("who")
        line.current.value = f"Hello {who}" if who else "Unknown"
        page.update()

    def tell(busy):
        line.current.value = "Asking" if busy else ""
        page.update()

    page.state.listen("loading", tell)
    page.add(
        ft.TextField(ref=mail, label="Mail"),
        ft.ElevatedButton("Enter", on_click=enter),
        ft.Text(ref=line),
    )


ft.app(target=main)
""",
    (
        ('    page.state.listen("loading", tell)\n', ""),
        (
            "        ft.Text(ref=line),\n    )\n",
            '        ft.Text(ref=line),\n    )\n    page.state.listen("loading", tell)\n',
        ),
    ),
    frozenset({"listen-early"}),
)

_CARDS = OldApp("""\
import flet as ft
import flet_asp as fa


class Tally(ft.Column):
    def __init__(self, page: ft.Page, name: str):
        super().__init__()
        self.page = page
        self.name = name
        self.number = ft.Ref[ft.Text]()
        self.page.state.atom(f"{name}_tally", 0)
        self.controls = [
            ft.Container(
                content=ft.Row(
                    [
                        ft.Text(ref=self.number, color=ft.Colors.BLUE),
                        ft.IconButton(icon=ft.Icons.REMOVE, tooltip=f"{name} less", on_click=self.less),
                        ft.IconButton(icon=ft.Icons.ADD, tooltip=f"{name} more", on_click=self.more),
                    ],
                ),
                padding=ft.padding.all(8),
                border=ft.border.all(2, ft.Colors.BLUE),
            )
        ]

    def did_mount(self):
        self.page.state.bind(f"{self.name}_tally", self.number)

    def more(self, e):
        self.page.state.set(f"{self.name}_tally", self.page.state.get(f"{self.name}_tally") + 1)

    def less(self, e):
        self.page.state.set(f"{self.name}_tally", self.page.state.get(f"{self.name}_tally") - 1)


def main(page: ft.Page):
    fa.get_state_manager(page)
    page.add(ft.Row([Tally(page, "a"), Tally(page, "b"), Tally(page, "c")]))


ft.app(target=main)
""")

_TWO_VIEWS = OldApp(
    """\
import flet as ft
import flet_asp as fa


def front(page: ft.Page):
    number = ft.Ref[ft.Text]()

    def to_back(e):
        page.views.clear()
        page.views.append(back(page))
        page.update()

    return ft.View(
        "/",
        [
            ft.AppBar(title=ft.Text("Front"), bgcolor=ft.Colors.BLUE),
            ft.Column([ft.Text(ref=number), ft.ElevatedButton("To back", on_click=to_back)]),
        ],
    )


def back(page: ft.Page):
    def more(e):
        page.state.set("n", page.state.get("n") + 1)

    def to_front(e):
        page.views.clear()
        page.views.append(front(page))
        page.update()

    return ft.View(
        "/back",
        [ft.ElevatedButton("More", on_click=more), ft.ElevatedButton("To front", on_click=to_front)],
    )


def main(page: ft.Page):
    fa.get_state_manager(page)
    page.state.atom("n", 0)
    page.views.append(front(page))
    number = page.views[0].controls[1].controls[0]
    page.state.bind("n", ft.Ref[ft.Text]())


ft.app(target=main)
""",
    (
        (
            '    return ft.View(\n        route="/",',
            '    page.state.bind("n", number)\n    return ft.View(\n        route="/",',
        ),
        (
            "    page.views.append(front(page))\n    number",
            "    page.views.clear()\n    page.views.append(front(page))\n    number",
        ),
        ("    number = page.views[0].controls[1].controls[0]\n", ""),
        ('    page.state.bind("n", ft.Ref[ft.Text]())\n', ""),
    ),
    frozenset({"first-view", "throw-away-ref"}),
)

_SHARED = OldApp(
    """\
import flet as ft
import flet_asp as fa

SHARED = fa.StateManager()


def here(page: ft.Page):
    number = ft.Ref[ft.Text]()

    def more(e):
        SHARED.set("n", SHARED.get("n") + 1)

    def leave(e):
        page.go("/there")

    view = ft.View(
        "/",
        [
            ft.Text(ref=number, size=40, color=ft.Colors.BLUE_700),
            ft.ElevatedButton("More", on_click=more),
            ft.ElevatedButton("Leave", on_click=leave),
        ],
        padding=20,
    )
    SHARED.bind("n", number)
    return view


def there(page: ft.Page):
    return ft.View(
        "/there",
        [ft.Text(f"It was {SHARED.get('n')}"), ft.ElevatedButton("Return", on_click=lambda e: page.go("/"))],
        padding=20,
    )


def main(page: ft.Page):
    SHARED.page = page
    SHARED.atom("n", 0)

    def on_route(e):
        page.views.clear()
        page.views.append(there(page) if page.route == "/there" else here(page))
        page.update()

    page.on_route_change = on_route
    page.go("/")


ft.app(target=main)
""",
    (('    page.go("/")\n\n\nft.run(main)', "    on_route(None)\n\n\nft.run(main)"),),
    frozenset({"page-go"}),
)

_PROFILE = OldApp(
    """\
import asyncio

import flet as ft
import flet_asp as fa


def main(page: ft.Page):
    fa.get_state_manager(page)
    page.state.atom("number", 0)

    @page.state.selector("profile")
    async def profile(get):
        number = get("number")
        await asyncio.sleep(1)
        return {"name": ["Ann", "Bob", "Cat"][number]}

    line = ft.Ref[ft.Text]()

    def show(value):
        line.current.value = value["name"] if value else "Loading"
        page.update()

    def step(e):
        page.state.set("number", (page.state.get("number") + 1) % 3)

    page.state.listen("profile", show)
    page.add(ft.Column([ft.Text(ref=line), ft.ElevatedButton("Next", on_click=step)]))


ft.app(target=main)
""",
    (
        ('    page.state.listen("profile", show)\n    page.add(', "    page.add("),
        ("on_click=step)]))\n", 'on_click=step)]))\n    page.state.listen("profile", show)\n'),
    ),
    frozenset({"listen-early"}),
)

_BASKET = OldApp(
    """\
import flet as ft
import flet_asp as fa

GOODS = [{"id": 1, "name": "Tea", "price": 2.5}, {"id": 2, "name": "Cake", "price": 4.0}]


def main(page: ft.Page):
    fa.get_state_manager(page)
    page.state.atom("basket", [])

    @page.state.selector("total")
    def total(get):
        return sum(line["price"] * line["count"] for line in get("basket"))

    @page.state.selector("pieces")
    def pieces(get):
        return sum(line["count"] for line in get("basket"))

    rows, sum_shown, pieces_shown = ft.Ref[ft.Column](), ft.Ref[ft.Text](), ft.Ref[ft.Text]()

    def take(good):
        basket = page.state.get("basket")
        for line in basket:
            if line["id"] == good["id"]:
                line["count"] += 1
                break
        else:
            basket.append({**good, "count": 1})
        page.state.set("basket", basket)

    def draw():
        basket = page.state.get("basket")
        rows.current.controls = (
            [ft.ListTile(title=ft.Text(f"{line['name']} x {line['count']}")) for line in basket]
            if basket
            else [ft.Text("Nothing yet")]
        )
        page.update()

    page.state.listen("basket", lambda _: draw())
    page.add(
        ft.Row(
            [
                ft.Column([ft.ElevatedButton(g["name"], on_click=lambda e, g=g: take(g)) for g in GOODS]),
                ft.Column(
                    [ft.Text(ref=pieces_shown), ft.Column(ref=rows), ft.Divider(), ft.Text(ref=sum_shown)]
                ),
            ]
        )
    )
    page.state.bind("pieces", pieces_shown, prop="value")
    page.state.bind("total", sum_shown, prop="value")
    draw()


ft.app(target=main)
""",
    (
        ('    page.state.listen("basket", lambda _: draw())\n', ""),
        ('prop="value")\n    draw()\n', 'prop="value")\n    page.state.listen("basket", lambda _: draw())\n'),
    ),
    frozenset({"listen-early"}),
)

APPS: dict[str, OldApp] = {
    "clicks": _CLICKS,
    "sign_in": _SIGN_IN,
    "names": _NAMES,
    "waiting": _WAITING,
    "cards": _CARDS,
    "two_views": _TWO_VIEWS,
    "shared": _SHARED,
    "profile": _PROFILE,
    "basket": _BASKET,
}
