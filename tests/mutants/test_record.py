"""What the record of the last run says."""

from __future__ import annotations

import re

from .record import SURVIVORS, recorded, unexplained


def test_the_tests_find_nearly_every_mistake_that_makes_a_difference() -> None:
    record = recorded()
    for each in (record, *record["modules"].values()):
        assert each["killed"] + each["survived"] == each["total"]
    assert record["killed"] >= 0.95 * (record["killed"] + len(unexplained()))


def test_what_is_explained_has_survived() -> None:
    modules = recorded()["modules"].items()
    survivors = [f"{name}.{label}" for name, module in modules for label in module["survivors"]]
    explained = re.findall("^- `(.+?)`: .", SURVIVORS.read_text(encoding="utf-8"), re.MULTILINE)
    assert explained
    assert set(explained) <= set(survivors)
    assert len(set(explained)) == len(explained)
