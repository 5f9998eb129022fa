"""The library: controls that follow the tokens. Nothing is built anew when one changes."""

from examples.theming.library.alerts import alert
from examples.theming.library.badges import badge, counted, presence
from examples.theming.library.cards import card, section
from examples.theming.library.inputs import dropdown, text_field
from examples.theming.library.layout import group, line, swatch

__all__ = (
    "alert",
    "badge",
    "card",
    "counted",
    "dropdown",
    "group",
    "line",
    "presence",
    "section",
    "swatch",
    "text_field",
)
