"""Selectors of the shop's numbers: all of them follow from the orders, the users and the visitors."""

from collections import defaultdict

import flet_asp_actors as fa
from examples.dashboard.state.keys import IS_ACTIVE, METRIC, ORDERS, USERS, VISITORS
from examples.dashboard.state.records import Order

LAST_WEEK = {"Revenue": 6480.0, "Orders": 15.0, "Visitors": 377.0, "Conversion": 0.0401}


@fa.selector
def kept(get: fa.Get) -> tuple[Order, ...]:
    return tuple(order for order in get(ORDERS) if order.status != "Refunded")


@fa.selector
def figures(get: fa.Get) -> dict[str, float]:
    orders, visitors = get(kept), get(VISITORS)
    revenue = sum(order.total for order in orders)
    return {
        "Revenue": revenue,
        "Orders": len(orders),
        "Visitors": visitors,
        "Conversion": len(orders) / visitors,
    }


@fa.selector
def trends(get: fa.Get) -> dict[str, float]:
    return {name: now / LAST_WEEK[name] - 1 for name, now in get(figures).items()}


def worth(get: fa.Get, order: Order) -> float:
    return order.total if get(METRIC) == "Revenue" else 1


@fa.family
def sums(get: fa.Get, field: str) -> dict[object, float]:
    """What the orders are worth together, by one of their fields."""
    found: defaultdict[object, float] = defaultdict(float)
    for order in get(ORDERS if field == "status" else kept):
        found[getattr(order, field)] += worth(get, order)
    return dict(found)


@fa.family
def share(get: fa.Get, field: str, value: object) -> float:
    """How long the bar of a value is: 1 for the greatest."""
    found = get(sums(field))
    return found.get(value, 0) / max(found.values())


@fa.selector
def active_users(get: fa.Get) -> int:
    return sum(get(IS_ACTIVE[user.name]) for user in get(USERS))
