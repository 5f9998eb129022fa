"""Pages: organisms, put into templates."""

import flet as ft

import flet_asp_actors as fa
from examples.dashboard import atoms, molecules, organisms, templates, tokens
from examples.dashboard.state.figures import active_users
from examples.dashboard.state.keys import METRIC, STATUS


def overview(state: fa.StateManager, feed: fa.Service) -> ft.Control:
    charts = templates.beside(
        (8, molecules.section("This week", organisms.by_day_chart(state), state.bound(atoms.quiet(), value=METRIC))),
        (4, molecules.section("Products", organisms.by_product_chart(state))),
    )
    latest = molecules.section("Latest orders", organisms.recent_table(state))
    head = molecules.heading("Overview", "The shop, as it is now", organisms.live_line(state, feed))
    return templates.stacked(state, head, organisms.figure_cards(state), charts, latest)


def analytics(state: fa.StateManager, feed: fa.Service) -> ft.Control:
    head = molecules.heading("Analytics", "What sells, and when", organisms.live_line(state, feed))
    charts = templates.beside(
        (7, molecules.section("By day", organisms.by_day_chart(state))),
        (5, molecules.section("By product", organisms.by_product_chart(state))),
    )
    more = templates.beside(
        (7, molecules.section("By customer", organisms.by_customer_chart(state))),
        (5, molecules.section("By status", organisms.by_status_chart(state))),
    )
    return templates.stacked(state, head, molecules.chips(state, METRIC, ("Revenue", "Orders")), charts, more)


def orders(state: fa.StateManager, feed: fa.Service) -> ft.Control:
    head = molecules.heading("Orders", "All of them; press a heading to sort", organisms.export_button(state))
    filters = molecules.chips(state, STATUS, ("All", "Paid", "Pending", "Refunded"))
    return templates.stacked(state, head, filters, atoms.card(organisms.orders_table(state)))


def users(state: fa.StateManager, feed: fa.Service) -> ft.Control:
    count = state.bound(atoms.title(""), value=lambda get: f"{get(active_users)} active")
    head = molecules.heading("Users", "Who may come in", count)
    return templates.stacked(state, head, atoms.card(organisms.users_table(state)))


def settings(state: fa.StateManager, feed: fa.Service) -> ft.Control:
    parts = templates.beside(
        (7, molecules.section("Profile", organisms.profile_form(state))),
        (5, molecules.section("Preferences", organisms.preferences(state))),
    )
    return templates.stacked(state, molecules.heading("Settings", "Who you are, and how you like it"), parts)


def help(state: fa.StateManager, feed: fa.Service) -> ft.Control:
    head = molecules.heading("Help", "What is asked most")
    return templates.stacked(state, head, atoms.card(organisms.questions(state), padding=tokens.S))
