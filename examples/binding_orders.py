"""Binding orders: before a control is on the page, after, on its way, or time and again; each shows the number."""

import flet as ft

import flet_asp_actors as fa

COUNT = fa.Key("count", 0)
CARDS = fa.Key[tuple[int, ...]]("cards", ())
IS_HERE = fa.Key("here", True)  # whether the cards are on the page
IS_DARK = fa.Key("dark", False)


class BindsItself(ft.Text):
    def did_mount(self) -> None:
        fa.current().bind(COUNT, self)  # at each coming; the later binding takes the place of the earlier


def card(title: str, number: ft.Text) -> ft.Control:
    number.theme_style, number.color = ft.TextThemeStyle.HEADLINE_LARGE, ft.Colors.PRIMARY
    words = ft.Text(title, color=ft.Colors.ON_SURFACE_VARIANT)
    inner = ft.Container(ft.Column([words, number], tight=True, spacing=8), padding=16, width=176)
    return ft.Card(inner, margin=0, semantic_container=False)


def toolbar(state: fa.StateManager) -> ft.Control:
    increment = ft.FilledButton("Increment", on_click=lambda: state.update(COUNT, lambda count: count + 1))
    add = ft.OutlinedButton("Add a card", on_click=lambda: state.update(CARDS, lambda cards: (*cards, len(cards) + 1)))
    remove = ft.OutlinedButton("Remove a card", on_click=lambda: state.update(CARDS, lambda cards: cards[:-1]))
    swap = ft.OutlinedButton(on_click=lambda: state.update(IS_HERE, lambda is_here: not is_here))
    theme = ft.IconButton(on_click=lambda: state.update(IS_DARK, lambda is_dark: not is_dark))
    state.bound(remove, disabled=lambda get: not get(CARDS))
    state.bound(swap, content=lambda get: "Leave" if get(IS_HERE) else "Come back")
    state.bound(theme, icon=lambda get: ft.Icons.LIGHT_MODE if get(IS_DARK) else ft.Icons.DARK_MODE)
    state.bound(theme, tooltip=lambda get: "Light theme" if get(IS_DARK) else "Dark theme")
    return ft.Row([increment, add, remove, swap, theme], wrap=True, spacing=8, run_spacing=8)


def main(page: ft.Page) -> None:
    page.title, page.padding, page.spacing, page.scroll = "Binding orders", 24, 16, ft.ScrollMode.AUTO
    state = fa.get_state_manager(page)
    state.bound(page, theme_mode=lambda get: ft.ThemeMode.DARK if get(IS_DARK) else ft.ThemeMode.LIGHT)
    before, after = ft.Ref[ft.Text](), ft.Ref[ft.Text]()
    state.bind(COUNT, before)  # there is no control: the Ref tells when there is
    fixed = [card("Bound before", ft.Text(ref=before)), card("Bound after", ft.Text(ref=after))]
    fixed.append(card("Binds itself", BindsItself()))
    added = ft.Row(wrap=True, spacing=16, run_spacing=16)
    state.bind_list(CARDS, added, lambda row: card(f"Card {row.value}", state.bound(ft.Text(), value=COUNT)))
    info = ft.Text("All show one number, whenever they were bound, and again when they come back.")
    cards = ft.Column([ft.Row(fixed, wrap=True, spacing=16, run_spacing=16), added], spacing=16)
    away = ft.Text("The cards are not on the page. Increment, and come back.", italic=True)
    screen = state.bound(ft.Column(), controls=lambda get: [cards if get(IS_HERE) else away])
    page.add(ft.Text("Binding orders", theme_style=ft.TextThemeStyle.HEADLINE_MEDIUM), info, toolbar(state), screen)
    state.bind(COUNT, after)  # the control is on the page


if __name__ == "__main__":
    ft.run(main)
