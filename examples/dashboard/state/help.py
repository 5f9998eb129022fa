"""What is asked most."""

from typing import NamedTuple


class Question(NamedTuple):
    title: str
    answer: str


QUESTIONS = (
    Question(
        "Where do the figures come from?",
        "From the orders and the visitors. Each card follows them by itself, and so do the charts and the tables.",
    ),
    Question(
        "What does Reconnecting mean?",
        "The line to the shop was cut. It is taken up again by itself, after two seconds at first, later after up to "
        "half a minute. What you see meanwhile is what came last.",
    ),
    Question(
        "Why does the line rest when I am elsewhere?",
        "Orders are asked for while something on the screen is made of them, and not for nobody.",
    ),
    Question(
        "How do I get the orders into a spreadsheet?",
        "Search, filter and sort them on the page Orders, then press Export: the file has what the table shows.",
    ),
    Question(
        "Who else sees my colours and my name?",
        "Nobody. Each session has a store of its own; open a second window and see.",
    ),
)
