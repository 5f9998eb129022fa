"""What the record of the last run says."""

from __future__ import annotations

from .record import recorded, unexplained


def test_the_tests_find_nearly_every_mistake_that_makes_a_difference() -> None:
    record = recorded()
    for each in (record, *record["modules"].values()):
        assert each["killed"] + each["survived"] == each["total"]
    assert record["killed"] >= 0.95 * (record["killed"] + len(unexplained()))
