"""Random graphs and random writes against a naive oracle that recomputes everything each time."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

import flet_asp_actors as fa


@dataclass
class Graph:
    """Cells by number: the first `atoms` are atoms, each later one adds cells before it.

    A cell with a `switch` adds only the first half of its sources when the switch is odd: its
    dependencies change as it runs. One with a `modulus` often comes to the same result.
    """

    atoms: int
    sources: list[list[int]]
    switches: list[int | None]
    moduli: list[int]

    def compute(self, index: int, read: dict[int, int] | None, get: fa.Get | None, keys: list[fa.Readable[int]]) -> int:
        def value(of: int) -> int:
            if get is not None:
                return get(keys[of])
            assert read is not None
            return read[of]

        at = index - self.atoms
        sources, switch = self.sources[at], self.switches[at]
        if switch is not None and value(switch) % 2:
            sources = sources[: len(sources) // 2]
        return sum(value(source) for source in sources) % self.moduli[at]

    def oracle(self, atoms: list[int]) -> list[int]:
        values = dict(enumerate(atoms))
        for index in range(self.atoms, self.atoms + len(self.sources)):
            values[index] = self.compute(index, values, None, [])
        return [values[index] for index in sorted(values)]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    atoms = draw(st.integers(1, 4))
    derived = draw(st.integers(1, 10))
    sources = [draw(st.lists(st.integers(0, atoms + each - 1), min_size=1, max_size=5)) for each in range(derived)]
    switches = [draw(st.none() | st.integers(0, atoms + each - 1)) for each in range(derived)]
    moduli = [draw(st.sampled_from([2, 3, 1000])) for _ in range(derived)]
    return Graph(atoms, sources, switches, moduli)


Write = tuple[str, list[tuple[int, int]]]


@settings(max_examples=300, deadline=None)
@given(
    graph=graphs(),
    watched=st.lists(st.integers(0, 13), max_size=6),
    writes=st.lists(
        st.tuples(
            st.sampled_from(["set", "batch", "unwatch", "watch", "read"]),
            st.lists(st.tuples(st.integers(0, 13), st.integers(0, 5)), min_size=1, max_size=4),
        ),
        max_size=12,
    ),
)
def test_values_turns_and_runs_are_those_of_the_oracle(graph: Graph, watched: list[int], writes: list[Write]) -> None:
    state = fa.StateManager()
    failures: list[fa.Failure] = []
    state.on_error = failures.append
    keys: list[fa.Readable[int]] = [fa.Key(f"atom{each}", 0) for each in range(graph.atoms)]
    runs: dict[int, int] = {}

    def derived(index: int) -> fa.SelectorKey[int]:
        def function(get: fa.Get) -> int:
            runs[index] = runs.get(index, 0) + 1
            return graph.compute(index, None, get, keys)

        return fa.selector(f"cell{index}")(function)

    keys.extend(derived(graph.atoms + each) for each in range(len(graph.sources)))
    atoms = [0] * graph.atoms
    subscriptions: dict[int, fa.Subscription] = {}
    shown: dict[int, int] = {}
    told: list[int] = []

    def watch(index: int) -> None:
        def callback(value: int) -> None:
            told.append(index)
            shown[index] = value
            # Law 3: whatever is read in a listener agrees with everything else.
            now = graph.oracle(atoms)
            assert [state.get(key) for key in keys] == now
            assert value == now[index]

        if index not in subscriptions:
            subscriptions[index] = state.listen(keys[index], callback)

    for index in watched:
        watch(index % len(keys))
    for verb, steps in writes:
        before = dict(shown)
        told.clear()
        runs.clear()
        targets = [(where, value) for where, value in steps]
        if verb in ("set", "batch"):
            for at, value in targets:
                if verb == "batch":
                    atoms[at % graph.atoms] = value
            if verb == "batch":
                with state.batch():
                    for at, value in targets:
                        atom = keys[at % graph.atoms]
                        assert isinstance(atom, fa.Key)
                        state.set(atom, value)
                assert all(count == 1 for count in runs.values()), "at most once a turn"
            else:
                for at, value in targets:
                    atoms[at % graph.atoms] = value
                    runs.clear()
                    atom = keys[at % graph.atoms]
                    assert isinstance(atom, fa.Key)
                    state.set(atom, value)
                    assert all(count == 1 for count in runs.values()), "at most once a turn"
        elif verb == "unwatch":
            for at, _ in targets:
                subscription = subscriptions.pop(at % len(keys), None)
                if subscription is not None:
                    subscription.close()
                    del shown[at % len(keys)]
        elif verb == "watch":
            for at, _ in targets:
                watch(at % len(keys))
        else:
            now = graph.oracle(atoms)
            for at, _ in targets:
                assert state.get(keys[at % len(keys)]) == now[at % len(keys)]
        now = graph.oracle(atoms)
        assert shown == {index: now[index] for index in subscriptions}
        if verb == "batch":
            changed = {index for index in before if index in shown and before[index] != shown[index]}
            assert len(told) == len(set(told)), "told once"
            written = {at % graph.atoms for at, _ in targets}  # set there and back counts as a change
            assert changed <= set(told) <= changed | written, "and only of a change"
    assert [state.get(key) for key in keys] == graph.oracle(atoms)
    assert failures == []
    for subscription in subscriptions.values():
        subscription.close()
    assert state.statistics().observed == 0
