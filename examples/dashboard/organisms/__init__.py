"""Organisms: parts of the screen that mean something to the shop. They know its keys, selectors and actions."""

from examples.dashboard.organisms.chart import by_customer_chart, by_day_chart, by_product_chart, by_status_chart
from examples.dashboard.organisms.export import export_button
from examples.dashboard.organisms.figures import figure_cards, live_line
from examples.dashboard.organisms.message import message_bar
from examples.dashboard.organisms.notices import bell
from examples.dashboard.organisms.orders import orders_table, recent_table
from examples.dashboard.organisms.questions import questions
from examples.dashboard.organisms.settings import preferences, profile_form
from examples.dashboard.organisms.sidebar import drawer, sidebar
from examples.dashboard.organisms.top_bar import top_bar
from examples.dashboard.organisms.users import users_table

__all__ = (
    "bell",
    "by_customer_chart",
    "by_day_chart",
    "by_product_chart",
    "by_status_chart",
    "drawer",
    "export_button",
    "figure_cards",
    "live_line",
    "message_bar",
    "orders_table",
    "preferences",
    "profile_form",
    "questions",
    "recent_table",
    "sidebar",
    "top_bar",
    "users_table",
)
