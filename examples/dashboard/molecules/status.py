"""What has become of an order, in its colour."""

import flet as ft

from examples.dashboard import atoms

COLORS = {
    "Paid": (ft.Colors.PRIMARY_CONTAINER, ft.Colors.ON_PRIMARY_CONTAINER),
    "Pending": (ft.Colors.TERTIARY_CONTAINER, ft.Colors.ON_TERTIARY_CONTAINER),
    "Refunded": (ft.Colors.ERROR_CONTAINER, ft.Colors.ON_ERROR_CONTAINER),
}


def status_tag(status: str) -> ft.Control:
    return ft.Row([atoms.tag(status, *COLORS[status])])  # as wide as its word
