"""Controls with state of their own: each instance has its atoms, and they go with it.

Make one wherever a page is being served, and reach its state by its handles:
`counter.count.value += 1`, `state.listen(counter.count, print)`, `lambda get: get(counter.count)`.
"""

from examples.reactive.counter import ReactiveCounter
from examples.reactive.field import ReactiveInput
from examples.reactive.form import ReactiveForm
from examples.reactive.progress import ReactiveProgress
from examples.reactive.stat_card import ReactiveStatCard
from examples.reactive.text import ReactiveText

__all__ = (
    "ReactiveCounter",
    "ReactiveForm",
    "ReactiveInput",
    "ReactiveProgress",
    "ReactiveStatCard",
    "ReactiveText",
)
