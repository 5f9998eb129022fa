"""Selectors of the settings: what is wrong with them, and whether there is something to save."""

import flet_asp_actors as fa
from examples.dashboard.state.keys import MAIL, NAME, PROFILE
from examples.dashboard.state.records import Profile


@fa.selector
def name_error(get: fa.Get) -> str | None:
    return None if get(NAME).strip() else "Please say what you are called"


@fa.selector
def mail_error(get: fa.Get) -> str | None:
    name, at, place = get(MAIL).strip().partition("@")
    return None if name and at and "." in place.strip(".") else "An address is like ada@harbour.example"


@fa.selector
def is_changed(get: fa.Get) -> bool:
    return Profile(get(NAME).strip(), get(MAIL).strip()) != get(PROFILE)


@fa.selector
def can_be_saved(get: fa.Get) -> bool:
    return get(is_changed) and get(name_error) is None and get(mail_error) is None
