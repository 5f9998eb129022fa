"""Molecules: a few atoms that together show or ask one thing. They are bound to what they are given."""

from examples.dashboard.molecules.bars import bar, share
from examples.dashboard.molecules.choices import chips, toggle
from examples.dashboard.molecules.heading import heading, section
from examples.dashboard.molecules.person import avatar, person
from examples.dashboard.molecules.sorter import nothing, sorter
from examples.dashboard.molecules.stat_card import stat_card
from examples.dashboard.molecules.status import status_tag

__all__ = (
    "avatar",
    "bar",
    "chips",
    "heading",
    "nothing",
    "person",
    "section",
    "share",
    "sorter",
    "stat_card",
    "status_tag",
    "toggle",
)
