"""Atoms: one writer, one message at a time, and the order of the mailbox."""

import copy
import dataclasses
import enum
import threading
from collections.abc import Callable
from typing import Any, cast

import pytest

import flet_asp_actors as fa
from tests.kit.failures import collect

N = fa.Key("n", 0)
CART = fa.Key[list[int]]("cart", factory=list)


@pytest.fixture
def state() -> fa.StateManager:
    return fa.StateManager()


def test_a_typed_key_needs_no_declaration(state: fa.StateManager) -> None:
    assert not state.has(N)
    assert state.get(N) == 0
    state.set(N, 5)
    assert state.get(N) == 5
    assert state.has(N)


def test_identity_is_the_object_not_the_name(state: fa.StateManager) -> None:
    other = fa.Key("n", 7)
    state.set(N, 1)
    assert state.get(other) == 7


def test_two_sets_of_get_plus_one_end_at_two(state: fa.StateManager) -> None:
    state.set(N, state.get(N) + 1)
    state.set(N, state.get(N) + 1)
    assert state.get(N) == 2


def test_stores_never_share_a_mutable_default() -> None:
    shared = fa.Key("shared", [1])
    one, two = fa.StateManager(), fa.StateManager()
    one.mutate(shared, lambda each: each.append(2))
    assert two.get(shared) == [1]
    one.reset(shared)
    assert one.get(shared) == [1]


def test_a_default_edited_by_its_maker_afterwards_changes_nothing(state: fa.StateManager) -> None:
    default = {"a": 1}
    key = fa.Key("settings", default)
    default["a"] = 2
    assert state.get(key) == {"a": 1}


def test_a_default_that_cannot_be_copied_is_refused_where_it_is_made() -> None:
    with pytest.raises(TypeError, match=r"Key\('lock'\).*cannot be copied.*factory="):
        fa.Key("lock", [threading.Lock()])


def test_a_key_takes_a_default_or_a_factory() -> None:
    make = cast("Callable[..., Any]", fa.Key)
    with pytest.raises(TypeError, match="either a default or a factory="):
        make("n")
    with pytest.raises(TypeError, match="either a default or a factory="):
        make("n", 1, factory=int)


def test_a_key_per_item(state: fa.StateManager) -> None:
    done = fa.Key("done", False)
    state.set(done[7], True)
    assert state.get(done[7])
    assert not state.get(done[8])
    assert done[7] == done[7] != done[8]
    assert repr(done[7]) == "Key('done[7]')"
    assert state.get(done["a"]["b"]) is False
    with pytest.raises(TypeError, match="must be hashable, and list is not"):
        done[[1]]  # type: ignore[index]  # the mistake under test


def test_equal_but_other_is_stored_and_told_to_nobody(state: fa.StateManager) -> None:
    seen: list[list[int]] = []
    first, second = [1], [1]
    state.set(CART, first)
    state.listen(CART, seen.append, immediate=False)
    state.set(CART, second)
    assert seen == []
    assert state.get(CART) is second
    state.set(CART, second)
    assert seen == [second], "the same mutable object again counts as edited"


@pytest.mark.parametrize(("before", "after"), [(1, True), (True, 1), (1, 1.0), (0, False), ([1], (1,)), (None, 0)])
def test_another_type_is_a_change(state: fa.StateManager, before: object, after: object) -> None:
    key = fa.Key[object]("any", before)
    seen: list[object] = []
    state.listen(key, seen.append, immediate=False)
    state.set(key, after)
    assert [(type(each), each) for each in seen] == [(type(after), after)]


def test_comparisons_that_misbehave_count_as_a_change(state: fa.StateManager) -> None:
    class Raises:
        def __eq__(self, other: object) -> bool:
            raise RuntimeError("cannot compare")

        __hash__ = object.__hash__

    class Array:
        def __eq__(self, other: object) -> Any:
            return [True]

        __hash__ = object.__hash__

    for kind in (Raises, Array):
        key = fa.Key[object]("odd", factory=kind)
        seen: list[object] = []
        state.listen(key, seen.append, immediate=False)
        state.set(key, kind())
        assert len(seen) == 1


def test_equals_of_the_key_decides(state: fa.StateManager) -> None:
    key = fa.Key("x", 0.0, equals=lambda old, new: abs(old - new) < 0.5)
    seen: list[float] = []
    state.listen(key, seen.append, immediate=False)
    state.set(key, 0.2)
    state.set(key, 0.9)
    assert seen == [0.9]


def test_an_equals_that_raises_leaves_the_value(state: fa.StateManager) -> None:
    def equals(old: int, new: int) -> bool:
        raise ValueError("no idea")

    key = fa.Key("n", 0, equals=equals)
    with pytest.raises(ValueError, match="no idea"):
        state.set(key, 1)
    assert state.get(key) == 0


def test_set_never_calls_a_callable(state: fa.StateManager) -> None:
    key = fa.Key[Callable[[], int] | None]("callback", None)
    state.set(key, lambda: 1 // 0)
    assert callable(state.get(key))


def test_update_stores_what_the_function_returns(state: fa.StateManager) -> None:
    state.update(N, lambda n: n + 5)
    assert state.get(N) == 5


def test_an_update_that_raises_leaves_the_value_and_tells_the_caller(state: fa.StateManager) -> None:
    with pytest.raises(ZeroDivisionError):
        state.update(N, lambda n: 1 // n)
    assert state.get(N) == 0
    state.update(N, lambda n: n + 1)
    assert state.get(N) == 1


def test_a_mutate_that_raises_tells_the_dependents_what_was_edited(state: fa.StateManager) -> None:
    size = fa.selector(lambda get: len(get(CART)))
    seen: list[int] = []
    state.listen(size, seen.append)

    def edit(cart: list[int]) -> None:
        cart.append(1)
        raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        state.mutate(CART, edit)
    assert seen == [0, 1]


def test_mutate_refuses_what_cannot_change_in_place(state: fa.StateManager) -> None:
    with pytest.raises(TypeError, match=r"mutate edits in place, and Key\('n'\) holds 0.*Use update"):
        state.mutate(N, lambda n: n + 1)


def test_reset_goes_back_to_the_default(state: fa.StateManager) -> None:
    state.set(N, 5)
    state.reset(N)
    assert state.get(N) == 0
    state.mutate(CART, lambda cart: cart.append(1))
    state.reset(CART)
    assert state.get(CART) == []


def test_writes_inside_an_update_of_the_same_atom_wait_for_their_turn(state: fa.StateManager) -> None:
    order: list[object] = []

    def step(n: int) -> int:
        receipt = state.set(N, 100)
        order.append((receipt.is_done, state.get(N)))
        return n + 1

    state.listen(N, order.append, immediate=False)
    state.update(N, step)
    assert state.get(N) == 100
    assert order == [(False, 0), 100], "one turn: the listener sees the value current at its call"


def test_a_failing_message_in_the_mailbox_reaches_on_error(state: fa.StateManager) -> None:
    found = collect(state)

    def fail(_: int) -> int:
        raise ValueError("no")

    def step(n: int) -> int:
        state.update(N, fail)
        state.set(N, 7)
        return 1

    state.update(N, step)
    assert state.get(N) == 7
    assert [str(each) for each in found] == ["atom at Key('n'): ValueError: no"]


def test_a_handle_reads_and_writes(state: fa.StateManager) -> None:
    count = state.atom("count", 0)
    count.value += 1
    count.update(lambda n: n + 1)
    assert count.value == state.get("count") == state.get(count) == 2
    count.reset()
    assert count.value == 0
    items = state.atom(CART)
    items.mutate(lambda cart: cart.append(3))
    items.set([*items.value, 4])
    assert items.value == [3, 4]
    assert repr(items) == "<Atom Key('cart') = [3, 4]>"
    assert state.atom(CART) is items


def test_a_handle_works_in_another_store(state: fa.StateManager) -> None:
    shared = fa.StateManager().atom("shared", 1)
    own = fa.Key("own", 10)
    total = fa.selector(lambda get: get(shared) + get(own))
    seen: list[int] = []
    state.listen(total, seen.append)
    shared.value = 2
    state.set(own, 20)
    state.set(shared, 3)
    assert seen == [11, 12, 22, 23]


def test_assigning_a_busy_atom_is_refused(state: fa.StateManager) -> None:
    count = state.atom("count", 0)

    def step(n: int) -> int:
        with pytest.raises(fa.BusyError, match=r"'count' is in the middle of an update.*Use update"):
            count.value = 5
        return n + 1

    count.update(step)
    assert count.value == 1


# ------------------------------------------------------------------ names


def test_an_unknown_name_suggests_the_closest(state: fa.StateManager) -> None:
    state.atom("counter", 0)
    with pytest.raises(KeyError, match="'countr' is not declared in this store. Did you mean 'counter'?") as caught:
        state.get("countr")
    assert isinstance(caught.value, fa.UnknownKeyError)
    with pytest.raises(fa.UnknownKeyError, match=r"Declare it with state\.atom"):
        state.set("zzz", 1)
    assert not state.has("zzz")


@pytest.mark.parametrize("name", ["text", 7, ("a", 1), fa.Key])
def test_names_of_every_hashable_kind(state: fa.StateManager, name: Any) -> None:
    state.atom(name, 1)
    state.set(name, 2)
    assert state.get(name) == 2


def test_a_key_that_is_not_hashable_is_named(state: fa.StateManager) -> None:
    bad: Any = ["list"]
    with pytest.raises(TypeError, match="a key must be hashable, and list is not"):
        state.get(bad)


def test_atom_is_get_or_create(state: fa.StateManager) -> None:
    assert state.atom("n", 1) is state.atom("n", 2)
    assert state.get("n") == 1
    assert state.atom("none").value is None


def test_a_name_is_of_one_kind(state: fa.StateManager) -> None:
    state.atom("a", 1)

    @state.selector("double")
    def double(get: fa.Get) -> int:
        return int(get("a")) * 2

    assert state.get("double") == state.get(double) == 2
    with pytest.raises(fa.KeyConflictError, match="'double' is already a selector"):
        state.atom("double", 0)
    with pytest.raises(ValueError, match="'a' is already an atom"):
        state.add_selector("a", lambda get: 1)
    handle = state.add_selector("double", lambda get: -1)
    assert handle.value == 2, "the first declaration counts"


def test_a_selector_is_read_only(state: fa.StateManager) -> None:
    double = fa.selector("double")(lambda get: get(N) * 2)
    write: Any = state.set
    with pytest.raises(fa.ReadOnlyError, match="selector double is a selector, and its value is computed"):
        write(double, 1)
    for verb in (state.update, state.mutate):
        call: Any = verb
        with pytest.raises(fa.ReadOnlyError):
            call(double, abs)


def test_a_default_that_cannot_be_copied_serves_until_the_reset(state: fa.StateManager) -> None:
    lock = [threading.Lock()]
    state.atom("lock", lock)
    assert state.get("lock") is lock
    with pytest.raises(TypeError, match=r"'lock' cannot be reset: .*\(list cannot be copied: cannot pickle.*factory"):
        state.reset("lock")


def test_reset_to_a_value_as_flet_asp_has_it(state: fa.StateManager) -> None:
    state.atom("n", 1)
    state.reset("n", 9)
    assert state.get("n") == 9
    state.reset("n")
    assert state.get("n") == 1


# ------------------------------------------------------------------ delete, clear, overrides


def test_a_deleted_name_is_unknown_until_it_is_declared_again(state: fa.StateManager) -> None:
    found = collect(state)
    state.atom("a", 1)
    double = fa.selector(lambda get: int(get("a")) * 2)
    unobserved = fa.selector(lambda get: int(get("a")) * 3)
    seen: list[int] = []
    direct: list[int] = []
    state.listen(double, seen.append)
    state.listen("a", direct.append)
    assert state.get(unobserved) == 3
    state.delete("a")
    with pytest.raises(fa.UnknownKeyError):
        state.get("a")
    with pytest.raises(fa.UnknownKeyError):
        state.get(unobserved)
    assert [type(each.error) for each in found] == [fa.UnknownKeyError]
    state.atom("a", 5)
    assert (seen, direct) == ([2, 10], [1, 5])
    assert state.get(unobserved) == 15
    state.set("a", 6)
    assert (seen, direct) == ([2, 10, 12], [1, 5, 6])


def test_a_selector_may_be_watched_before_its_atoms_are_declared(state: fa.StateManager) -> None:
    found = collect(state)
    state.add_selector("full", lambda get: f"{get('first')} {get('last')}")
    seen: list[str] = []
    state.listen("full", seen.append)
    assert isinstance(found[0].error, fa.UnknownKeyError)
    state.atom("first", "A")
    state.atom("last", "B")
    assert seen == ["A B"]


def test_deleting_a_typed_key_gives_its_default_back(state: fa.StateManager) -> None:
    seen: list[int] = []
    state.set(N, 5)
    state.listen(N, seen.append)
    state.delete(N)
    assert (state.get(N), seen) == (0, [5, 0])
    state.set(CART, [1])
    state.delete(CART)
    assert not state.has(CART)
    assert state.get(CART) == []


def test_clear_resets_and_keeps_listeners(state: fa.StateManager) -> None:
    state.atom("user", "guest")
    double = fa.selector(lambda get: get(N) * 2)
    seen: list[object] = []
    state.listen("user", seen.append, immediate=False)
    state.listen(double, seen.append, immediate=False)
    state.set("user", "ann")
    state.set(N, 2)
    seen.clear()
    state.clear()
    assert (state.get("user"), state.get(N)) == ("guest", 0)
    assert sorted(map(str, seen)) == ["0", "guest"]
    state.set("user", "bob")
    assert seen[-1] == "bob"


def test_overrides_stand_in_for_defaults_and_functions() -> None:
    double = fa.selector(lambda get: get(N) * 2)
    triple = fa.selector(lambda get: get(N) * 3)
    cart = [1]

    def one_more(get: fa.Get) -> int:
        return get(N) + 1

    state = fa.StateManager(overrides={N: 5, double: 99, triple: one_more, "name": "x", CART: cart})
    assert (state.get(N), state.get(double), state.get(triple)) == (5, 99, 6)
    assert state.atom("name", "y").value == "x"
    state.mutate(CART, lambda each: each.append(2))
    assert cart == [1]
    state.reset(N)
    state.reset(CART)
    assert (state.get(N), state.get(CART)) == (5, [1])


def test_a_method_is_a_function_and_stays_that_of_its_object() -> None:
    """A fake that a test puts in place of a server: the test asks it afterwards what it was told."""

    class Server:
        def __init__(self) -> None:
            self.told: list[int] = []

        def tell(self, number: int) -> None:
            self.told.append(number)

    real, fake = Server(), Server()
    key = fa.Key[Callable[[int], None]]("server", real.tell)
    fa.StateManager().get(key)(1)
    state = fa.StateManager(overrides={key: fake.tell})
    state.get(key)(2)
    state.restore(state.snapshot())
    state.get(key)(3)
    assert (real.told, fake.told) == ([1], [2, 3])


# ------------------------------------------------------------------ batch


def test_a_batch_is_one_turn_and_get_is_fresh_inside(state: fa.StateManager) -> None:
    total = fa.selector(lambda get: get(N) + len(get(CART)))
    seen: list[int] = []
    state.listen(total, seen.append)
    with state.batch():
        state.set(N, 1)
        with state.batch():
            state.mutate(CART, lambda cart: cart.append(1))
        assert state.get(total) == 2
        state.set(N, 2)
    assert seen == [0, 3]


def test_a_batch_that_raises_keeps_what_was_written(state: fa.StateManager) -> None:
    seen: list[int] = []
    state.listen(N, seen.append)
    with pytest.raises(ValueError, match="no"), state.batch():
        state.set(N, 1)
        raise ValueError("no")
    assert seen == [0, 1]


def test_values_are_copied_deeply(state: fa.StateManager) -> None:
    nested = fa.Key("nested", {"a": [1]})
    state.get(nested)["a"].append(2)
    state.reset(nested)
    assert state.get(nested) == {"a": [1]}
    assert copy.copy(N) is not None


# ------------------------------------------------------------------ mistakes, and names of all kinds


def test_a_listener_that_cannot_be_hashed_is_one_all_the_same() -> None:
    class Ear:
        __hash__ = None  # type: ignore[assignment]  # what a class with an `__eq__` has

        def __init__(self) -> None:
            self.heard: list[int] = []

        def __call__(self, n: int) -> None:
            self.heard.append(n)

    state = fa.StateManager()
    ear, other = Ear(), Ear()
    first = state.listen(N, ear)
    assert state.listen(N, ear) is first
    state.listen(N, other)
    state.set(N, 1)
    assert (ear.heard, other.heard) == ([0, 1], [0, 1])
    state.unlisten(N, ear)
    state.set(N, 2)
    assert (ear.heard, other.heard) == ([0, 1], [0, 1, 2])


def test_names_of_all_kinds_are_read_by_selectors() -> None:
    state = fa.StateManager()
    names: list[Any] = [7, ("seat", 1), "x"]
    for number, name in enumerate(names):
        state.atom(name, number)
    total = fa.selector(lambda get: get(7) + get(("seat", 1)) + get("x"))
    assert state.get(total) == 3
    state.set(("seat", 1), 10)
    assert state.get(total) == 12


def test_what_only_says_that_it_can_be_read_is_told_so() -> None:
    with pytest.raises(TypeError, match="cannot be read from this store"):
        fa.StateManager().get(fa.Readable[int]())


def test_what_is_no_function_makes_no_selector_and_no_family() -> None:
    anything: Any = fa
    with pytest.raises(TypeError, match="a selector is made of a function of get, not of 5"):
        anything.StateManager().add_selector("five", 5)
    with pytest.raises(TypeError, match="a family is made of a function of get and its parameters, not of 5"):
        anything.family(5)


def test_a_selector_without_a_name_is_known_by_its_key() -> None:
    state = fa.StateManager()

    @state.selector
    def double(get: fa.Get) -> int:
        return get(N) * 2

    @state.selector(equals=lambda a, b: a // 10 == b // 10)
    def tens(get: fa.Get) -> int:
        return get(N)

    seen: list[int] = []
    state.listen(tens, seen.append)
    for n in (4, 11, 12):
        state.set(N, n)
    assert (state.get(double), seen) == (24, [0, 11])
    with pytest.raises(fa.UnknownKeyError):
        state.get("double")


def test_a_selector_that_is_deleted_twice_is_deleted() -> None:
    state = fa.StateManager()
    handle = state.add_selector("double", lambda get: get(N) * 2)
    assert handle.value == 0
    for _ in range(2):
        state.delete(handle)
        assert not state.has("double")


def test_a_receipt_that_is_done_calls_at_once() -> None:
    state = fa.StateManager()
    called: list[str] = []
    state.set(N, 1).on_done(lambda: called.append("sync"))
    assert called == ["sync"]


# ------------------------------------------------------------------ what cannot change in place


class Color(enum.Enum):
    RED = 1


@dataclasses.dataclass(frozen=True)
class Line:
    items: Any


FIXED = [Color.RED, int, (1, (2, "x")), frozenset({1}), Line((1, 2)), len, None, 1.5]
LOOSE = [[1], (1, [2]), (Color.RED, [1]), Line([1]), {1: 2}]


@pytest.mark.parametrize("value", FIXED, ids=repr)
def test_what_cannot_change_in_place_is_not_edited_and_not_copied(value: Any) -> None:
    key = fa.Key("key", value)
    state = fa.StateManager()
    assert state.get(key) is value
    with pytest.raises(TypeError, match="cannot change in place"):
        state.mutate(key, lambda _: None)
    heard: list[Any] = []
    state.listen(key, heard.append, immediate=False)
    state.set(key, value)
    assert heard == []


@pytest.mark.parametrize("value", LOOSE, ids=repr)
def test_what_may_change_in_place_is_edited_and_never_shared(value: Any) -> None:
    key = fa.Key("key", value)
    one, two = fa.StateManager(), fa.StateManager()
    held, other = one.get(key), two.get(key)
    assert held == other == value
    assert held is not other
    assert held is not value
    heard: list[Any] = []
    one.listen(key, heard.append, immediate=False)
    one.mutate(key, lambda _: None)
    one.set(key, held)
    assert heard == [held, held]


def test_what_a_value_holds_many_times_is_looked_at_once() -> None:
    value: tuple[Any, ...] = ()
    for _ in range(60):  # seen as a tree it has more leaves than anybody can count
        value = (value, value)
    assert fa.StateManager().get(fa.Key("key", value)) is value


def test_every_write_answers_with_a_receipt(state: fa.StateManager) -> None:
    assert state.set(N, 1).is_done
    state.listen(N, lambda _: None)
    atom = state.atom(N)
    for receipt in (state.set(N, 2), atom.set(3), state.update(N, lambda n: n + 1), state.reset(N)):
        assert receipt.is_done
    assert state.mutate(CART, lambda cart: cart.append(1)).is_done


def test_a_write_that_takes_away_what_somebody_looks_at_as_it_goes_is_seen(state: fa.StateManager) -> None:
    heard: list[object] = []
    key = fa.Key[Any]("key", None)

    class Last:
        def __del__(self) -> None:
            state.listen(key, heard.append, immediate=False)

    state.set(key, Last())
    assert state.set(key, 2).is_done
    assert state.set(key, 3).is_done
    assert heard[-1] == 3


def test_what_is_equal_is_no_change_though_it_is_another_object(state: fa.StateManager) -> None:
    heard: list[object] = []
    pairs: list[tuple[fa.Key[Any], object]] = [
        (fa.Key("text", "ab"), "".join(["a", "b"])),
        (fa.Key("pair", (1, "ab")), (1, "".join(["a", "b"]))),
    ]
    for key, given in pairs:
        state.listen(key, heard.append, immediate=False)
        state.set(key, given)
    assert heard == []


def test_what_equals_nothing_is_told_once_a_write(state: fa.StateManager) -> None:
    key = fa.Key[list[int]]("key", factory=list, equals=lambda old, new: False)
    heard: list[list[int]] = []
    state.listen(key, heard.append, immediate=False)
    state.set(key, state.get(key))
    assert heard == [[]]


def test_a_handle_that_is_read_in_a_selector_is_read_by_it(state: fa.StateManager) -> None:
    atom = state.atom(N)
    double = fa.selector(lambda get: atom.value * 2)
    for value in (1, 2):
        state.set(N, value)
        assert state.get(double) == value * 2


def test_update_says_that_it_takes_a_function(state: fa.StateManager) -> None:
    with pytest.raises(TypeError, match=r"update takes a function of the value, and 5 is none; Key\('n'\) is set with"):
        state.update(N, cast("Any", 5))
    assert state.get(N) == 0


async def test_an_async_edit_passes_through_what_is_made_of_it(state: fa.StateManager) -> None:
    same = fa.selector(lambda get: get(CART))
    heard: list[list[int]] = []

    async def add(cart: list[int]) -> None:
        cart.append(1)

    async with state:
        state.listen(same, lambda cart: heard.append([*cart]), immediate=False)
        await state.mutate(CART, add)
        await state.mutate(CART, add)
    assert heard == [[1], [1, 1]]


def test_what_is_meant_for_the_interpreter_passes_through_a_comparison() -> None:
    class Odd:
        def __eq__(self, other: object) -> bool:
            raise KeyboardInterrupt

        __hash__ = object.__hash__

    state = fa.StateManager()
    key = fa.Key[Odd]("key", factory=Odd)
    before = state.get(key)
    state.listen(key, lambda _: None)
    with pytest.raises(KeyboardInterrupt):
        state.set(key, Odd())
    assert state.get(key) is before


def test_a_value_that_is_copied_holds_the_same_keys() -> None:
    """What is shown, and in which order, may be a value: keys, selectors, families and actions stay themselves."""
    count = fa.Key("count", 1)

    @fa.selector
    def double(get: fa.Get) -> int:
        return get(count) * 2

    @fa.family
    def times(get: fa.Get, factor: int) -> int:
        return get(count) * factor

    @fa.action
    async def add(get: fa.Get, set: fa.Set) -> None:
        set.update(count, lambda n: n + 1)

    shown = fa.Key[list[Any]]("shown", default=[count, count[7], double, times(3), times, add, add.status])
    state = fa.StateManager(overrides={double: 10})
    first = list(state.get(shown))
    state.reset(shown)
    assert all(one is other for one, other in zip(state.get(shown), first, strict=True)), "copied once more"
    assert [first[place] is one for place, one in ((0, count), (2, double), (4, times), (5, add))] == [True] * 4
    assert [state.get(key) for key in first[:4]] == [1, 1, 10, 3]
    handles = [state.atom(count), state.action(add)]
    assert all(one is other for one, other in zip(copy.deepcopy(handles), handles, strict=True))
    assert copy.copy(double) is double
    assert all(copy.copy(one) is one for one in (*handles, times, add))
