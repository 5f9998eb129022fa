"""Components: counter, search and list as functions of state, beside a bound bar; all of it in one store."""

# ruff: noqa: N802  # components are named as controls are
import asyncio

import flet as ft

import flet_asp_actors as fa

CITIES = ("Amsterdam", "Athens", "Berlin", "Bern", "Lisbon", "London", "Madrid", "Paris", "Prague", "Rome", "Vienna")
NIGHTS = fa.Key("nights", 1)
QUERY = fa.Key("query", "")
CHOSEN = fa.Key("chosen", False)


@fa.selector(initial=(), debounce=0.2)
async def found(get: fa.Get) -> tuple[str, ...]:
    query = get(QUERY).strip().lower()
    await asyncio.sleep(0.4)
    return tuple(city for city in CITIES if query in city.lower())[:4]


@fa.selector
def summary(get: fa.Get) -> str:
    cities = sum(get(CHOSEN[city]) for city in CITIES)
    return f"{cities} cities, {cities * get(NIGHTS)} nights"


@ft.component
def Nights() -> ft.Control:
    nights, set_nights = fa.use_atom(NIGHTS)
    fewer = ft.IconButton(ft.Icons.REMOVE, on_click=lambda: set_nights(nights - 1), disabled=nights == 1)
    more = ft.IconButton(ft.Icons.ADD, on_click=lambda: set_nights(nights + 1), tooltip="More nights")
    return ft.Row([ft.Text("Nights in each city", expand=True), fewer, ft.Text(str(nights), size=20), more])


@ft.component
def City(name: str) -> ft.Control:
    chosen, choose = fa.use_atom(CHOSEN[name])
    icon = ft.Icons.CHECK_CIRCLE if chosen else ft.Icons.ADD_CIRCLE_OUTLINE
    return ft.ListTile(title=name, leading=ft.Icon(icon), on_click=lambda: choose(not chosen))


@ft.component
def Search() -> ft.Control:
    query, set_query = fa.use_atom(QUERY)
    field = ft.TextField(label="City", value=query, on_change=lambda e: set_query(e.control.value))
    rows: list[ft.Control] = [City(name, key=name) for name in fa.use_value(found)]  # type: ignore[call-arg]  # Flet's
    return ft.Column([field, ft.ProgressBar(opacity=fa.use_status(found).is_busy * 1.0), ft.Column(rows)])


def main(page: ft.Page) -> None:
    state = fa.get_state_manager(page)
    text = state.bound(ft.Text(expand=True), value=summary)  # bound, and not rendered
    bar = ft.Row([ft.Icon(ft.Icons.LUGGAGE), text, ft.TextButton("Start over", on_click=lambda: state.clear())])
    page.render(lambda: ft.Column([ft.Text("Trip", size=30), Nights(), Search(), bar], width=380, spacing=20))


if __name__ == "__main__":
    ft.run(main)
