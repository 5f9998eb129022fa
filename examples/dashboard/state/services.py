"""The service: live orders, as long as somebody looks at what is made of them."""

import flet_asp_actors as fa
from examples.dashboard.state import shop
from examples.dashboard.state.keys import NOTICES, ORDERS, TELLS_OF_LARGE, VISITORS
from examples.dashboard.state.records import Notice, Order

LARGE = 600.0


async def feed(get: fa.Get, set: fa.Set) -> None:
    while True:
        order = await shop.next_order(max(each.number for each in get(ORDERS)) + 1)
        take(get, set, order, await shop.new_visitors())


def take(get: fa.Get, set: fa.Set, order: Order, visitors: int) -> None:
    with fa.current().batch():  # nobody sees the order without the visitors
        set.update(ORDERS, lambda orders: (order, *orders))
        set.update(VISITORS, lambda before: before + visitors)
        if get(TELLS_OF_LARGE) and order.total >= LARGE:
            notice = Notice(order.number, f"{order.customer} bought {order.product}")
            set.update(NOTICES, lambda notices: (notice, *notices))


def start(state: fa.StateManager) -> fa.Service:
    return state.service(while_watched=ORDERS, retry=fa.Retry(attempts=None, base=2, cap=30))(feed)


def line(get: fa.Get, service: fa.Service) -> str:
    """How the line is, in a word."""
    state = get(service.status).state
    return {"running": "Live", "failed": "Reconnecting", "cancelled": "Paused"}.get(state, "Connecting")
