"""Actions: what a person has done, beyond setting one value."""

import csv
import io
from dataclasses import asdict, fields, replace

import flet_asp_actors as fa
from examples.dashboard.state import shop
from examples.dashboard.state.keys import HAS_MESSAGE, MAIL, MESSAGE, NAME, NOTICES, PAGE, PROFILE, QUERY, STATUS
from examples.dashboard.state.records import Notice, Order, Profile


@fa.action(policy="droppable", timeout=10, expect=(ConnectionError, TimeoutError))
async def save_settings(get: fa.Get, set: fa.Set) -> None:
    profile = Profile(get(NAME).strip(), get(MAIL).strip())
    await shop.save(profile)
    with fa.current().batch():
        set(PROFILE, profile)
        set(MESSAGE, "Settings saved successfully!")
        set(HAS_MESSAGE, True)


def revert_settings(state: fa.StateManager) -> None:
    """Put what is saved back into the form."""
    profile = state.get(PROFILE)
    with state.batch():
        state.set(NAME, profile.name)
        state.set(MAIL, profile.mail)


def open_notice(state: fa.StateManager, number: int) -> None:
    """Go to the order that a notice is about."""
    with state.batch():
        read_notices(state, number)
        state.set(QUERY, str(number))
        state.reset(STATUS)
        state.set(PAGE, "Orders")


def read_notices(state: fa.StateManager, *numbers: int) -> None:
    """Mark notices as read; all of them if none is named."""

    def read(notice: Notice) -> Notice:
        return replace(notice, is_read=True) if notice.number in numbers or not numbers else notice

    state.update(NOTICES, lambda notices: tuple(read(notice) for notice in notices))


def as_csv(orders: tuple[Order, ...]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(Order)])
    writer.writeheader()
    writer.writerows(asdict(order) for order in orders)
    return text.getvalue().encode()
