"""Search: one request when the typing pauses, another try if the server is busy, never an answer that is too late."""

import flet as ft

import flet_asp_actors as fa
from examples import api

QUERY = fa.Key("query", "")


@fa.selector(initial=(), debounce=0.3, retry=fa.Retry(attempts=3, base=0.2, on=(api.ServerError,)))
async def cities(get: fa.Get) -> tuple[str, ...]:
    query = get(QUERY).strip()
    return tuple(await api.ask("GET", "/cities", params={"q": query})) if query else ()


@fa.selector
def summary(get: fa.Get) -> str:
    status, found = get(cities.status), len(get(cities))
    if status.is_busy:
        return "Searching..."
    if status.error or not get(QUERY).strip():
        return status.message
    return f"{found or 'No'} {'city' if found == 1 else 'cities'}"


def search(state: fa.StateManager) -> ft.Control:
    def busy(get: fa.Get) -> bool:
        return get(cities.status).is_busy

    def failed(get: fa.Get) -> bool:
        return get(cities.status).state == "failed"

    def build(city: fa.Row[str]) -> ft.Control:
        return ft.Row([ft.Icon(ft.Icons.LOCATION_CITY, color=ft.Colors.OUTLINE), ft.Text(city.value)])

    rows = ft.Column(spacing=8)
    state.bind_list(cities, rows, build)
    field = ft.TextField(label="City", prefix_icon=ft.Icons.SEARCH)
    controls: list[ft.Control] = [
        ft.Text("Search", size=30),
        state.bound(field, value=fa.two_way(QUERY)),
        state.bound(ft.ProgressBar(), opacity=lambda get: float(busy(get))),
        state.bound(ft.Text(), value=summary, color=lambda get: ft.Colors.RED if failed(get) else ft.Colors.OUTLINE),
        state.bound(rows, opacity=lambda get: 0.4 if busy(get) or failed(get) else 1.0),
    ]
    return ft.Column(controls, tight=True, spacing=20)


def main(page: ft.Page) -> None:
    page.add(ft.Container(search(fa.get_state_manager(page)), width=350, padding=14))


if __name__ == "__main__":
    ft.run(main)
