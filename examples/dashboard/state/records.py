"""What a shop has: orders, users, notices, questions; and some of each to begin with."""

from dataclasses import dataclass

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
PRICES = {"Compass": 89.0, "Lantern": 45.5, "Rope, 50 m": 120.0, "Sextant": 640.0, "Raincoat": 159.9}


@dataclass(frozen=True)
class Order:
    number: int
    customer: str
    product: str
    total: float
    day: int
    status: str = "Paid"


@dataclass(frozen=True)
class User:
    name: str
    mail: str
    role: str = "Customer"


@dataclass(frozen=True)
class Profile:
    name: str
    mail: str


@dataclass(frozen=True)
class Notice:
    number: int
    """Of the order that it is about."""
    text: str
    is_read: bool = False


PEOPLE = ("Ada Marsh", "Ben Okafor", "Clara Voss", "Dario Lindt", "Elif Kaya", "Finn Aalto", "Greta Holm", "Hugo Prat")
ROLES = ("Admin", "Editor", "Customer", "Customer", "Editor", "Customer", "Customer", "Customer")
USERS = tuple(
    User(name, f"{name.split()[0].lower()}@harbour.example", role) for name, role in zip(PEOPLE, ROLES, strict=True)
)


def _order(place: int) -> Order:
    product = tuple(PRICES)[place * 7 % 5]
    status = {3: "Refunded", 5: "Pending"}.get(place % 9, "Paid")
    quantity = 1 + place % 3
    return Order(1001 + place, PEOPLE[place * 5 % 8], product, PRICES[product] * quantity, place * 7 // 18, status)


ORDERS = tuple(_order(place) for place in reversed(range(18)))  # the latest first
NOTICES = tuple(
    Notice(order.number, f"{order.customer} bought {order.product}") for order in ORDERS if order.total > 600
)[:3]
