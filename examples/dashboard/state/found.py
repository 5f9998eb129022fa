"""Selectors of what is found: by the search, by a status, in the order of a column."""

from collections.abc import Iterable
from operator import attrgetter
from typing import TypeVar

import flet_asp_actors as fa
from examples.dashboard.state.help import QUESTIONS, Question
from examples.dashboard.state.keys import ORDERS, QUERY, SORT, STATUS, USERS
from examples.dashboard.state.records import Order, User

T = TypeVar("T")


def matches(get: fa.Get, *texts: object) -> bool:
    """Whether each word that was searched for is somewhere in the texts."""
    said = " ".join(map(str, texts)).lower()
    return all(word in said for word in get(QUERY).lower().split())


def in_order(get: fa.Get, table: str, items: Iterable[T]) -> tuple[T, ...]:
    sort = get(SORT[table])
    return tuple(sorted(items, key=attrgetter(sort.field), reverse=sort.is_descending) if sort.field else items)


@fa.selector
def matching_orders(get: fa.Get) -> tuple[Order, ...]:
    return tuple(
        order for order in get(ORDERS) if matches(get, order.number, order.customer, order.product, order.status)
    )


@fa.selector
def recent_orders(get: fa.Get) -> tuple[Order, ...]:
    return in_order(get, "recent", get(matching_orders)[:5])


@fa.selector
def found_orders(get: fa.Get) -> tuple[Order, ...]:
    status = get(STATUS)
    return in_order(get, "orders", (each for each in get(matching_orders) if status in ("All", each.status)))


@fa.selector
def found_users(get: fa.Get) -> tuple[User, ...]:
    return in_order(get, "users", (user for user in get(USERS) if matches(get, user.name, user.mail, user.role)))


@fa.selector
def found_questions(get: fa.Get) -> tuple[Question, ...]:
    return tuple(each for each in QUESTIONS if matches(get, each.title, each.answer))
