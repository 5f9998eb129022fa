"""Keys: what can change, each with what it is at first."""

from dataclasses import dataclass

import flet_asp_actors as fa
from examples.dashboard.state import records

PAGE = fa.Key("page", "Overview")
WIDTH = fa.Key("width", 1280.0)
IS_DARK = fa.Key("is_dark", False)
QUERY = fa.Key("query", "")

ORDERS = fa.Key("orders", records.ORDERS)
USERS = fa.Key("users", records.USERS)
IS_ACTIVE = fa.Key("is_active", True)  # by the user's name
VISITORS = fa.Key("visitors", 412)

STATUS = fa.Key("status", "All")
METRIC = fa.Key("metric", "Revenue")

NOTICES = fa.Key("notices", records.NOTICES)
TELLS_OF_LARGE = fa.Key("tells_of_large", True)

PROFILE = fa.Key("profile", records.Profile("Ada Marsh", "ada@harbour.example"))
NAME = fa.Key("name", "Ada Marsh")  # what is in the form, and not saved yet
MAIL = fa.Key("mail", "ada@harbour.example")

MESSAGE = fa.Key("message", "")
HAS_MESSAGE = fa.Key("has_message", False)


@dataclass(frozen=True)
class Sort:
    field: str
    is_descending: bool


SORT = fa.Key("sort", Sort("", False))  # by the table's name
