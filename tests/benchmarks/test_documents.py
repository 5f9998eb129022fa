"""The README and docs/performance.md say what the recorded run says."""

from __future__ import annotations

import copy
import re
from pathlib import Path

import pytest

from . import awaiting
from .documents import PAGES, PARTS, RECORD, recorded, written_in
from .plots import PLACE, PLOTS
from .report import as_json
from .shapes import SCENARIOS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_says_what_is_recorded(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert written_in(text, recorded()) == text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_that_says_something_else_is_found(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    other = copy.deepcopy(recorded())
    for cell in other["table"]["found"]:
        if cell["to_ours"] is not None and not cell["peer"].startswith("ours"):
            cell["to_ours"] *= 3
    assert written_in(text, other) != text


def test_every_part_is_somewhere() -> None:
    used = {name for page in PAGES for name in re.findall(r"<!-- bench: (\w+) -->", page.read_text(encoding="utf-8"))}
    assert used == {*PARTS, "end"}


def test_the_record_is_of_these_scenarios_with_one_python() -> None:
    found = recorded()
    names = {cell["scenario"] for cell in found["table"]["found"]}
    assert names == {*(each.name for each in SCENARIOS), *(each.name for each in awaiting.SCENARIOS)}
    assert len({part["by"]["python"] for part in found.values()}) == 1
    assert as_json(found) == RECORD.read_text(encoding="utf-8")


@pytest.mark.parametrize("picture", PLOTS)
def test_every_plot_is_shown(picture: str) -> None:
    assert (PLACE / picture).exists()
    assert any(picture in page.read_text(encoding="utf-8") for page in PAGES)
