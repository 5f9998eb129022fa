"""Loops that die, forks, and the end of the interpreter: what was acknowledged is there, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing import Failures
from tests.kit.actions import forever
from tests.kit.threads import in_thread

ROOT = Path(__file__).parents[1]
N = fa.Key("n", 0)
M = fa.Key("m", 0)


@fa.family
def double(get: fa.Get, item: int) -> int:
    return get(N[item]) * 2


@pytest.fixture
def anyio_backend(fa_virtual_backend: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    return fa_virtual_backend


async def nothing() -> None: ...


def plus_one(n: int) -> int:
    return n + 1


async def later_plus_one(n: int) -> int:
    await anyio.lowlevel.checkpoint()
    return n + 1


# ------------------------------------------------------------------ threads that go on while a loop dies


@pytest.fixture
def many_switches() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


class Hammer(threading.Thread):
    """Writes, and waits for each write, until it is told to stop or the store says that it is closed."""

    def __init__(self, state: fa.StateManager, item: int, how: str) -> None:
        super().__init__()
        self.state = state
        self.item = item
        self.how = how
        self.acknowledged = 0
        self.refused = 0
        self.stopped = threading.Event()
        self.found: list[BaseException] = []

    def run(self) -> None:
        try:
            while not self.stopped.is_set() and not self.refused:
                try:
                    self.acknowledged += self.write()
                except (fa.ClosedError, fa.RunCancelled, fa.NotRunningError):
                    self.refused += 1
        except BaseException as error:
            self.found.append(error)

    def write(self) -> int:
        state, key = self.state, N[self.item]
        if self.how == "batches":
            with state.batch():
                state.update(key, plus_one)
                receipt = state.update(key, plus_one)
            receipt.wait(30)
            return 2
        if self.how == "async updates":
            state.update(key, later_plus_one).wait(30)
            return 1
        receipt = state.update(key, plus_one)
        if self.how == "reads":
            assert state.get(double(self.item)) >= 2 * self.acknowledged
        receipt.wait(30)
        return 1


@pytest.mark.usefixtures("many_switches")
@pytest.mark.parametrize("end", ["its loop ends", "its loop is closed", "it is closed", "its block is left"])
@pytest.mark.parametrize("how", ["updates", "batches", "reads", "async updates"])
def test_what_a_thread_was_told_is_written_is_there(how: str, end: str) -> None:
    """Twice, so that there is a new loop after the first; then without any, unless the store has ended."""
    for _ in range(3):
        hammer_a_store(how, end)


def hammer_a_store(how: str, end: str) -> None:
    state = fa.StateManager()
    state.on_error = lambda failure: None
    seen: list[int] = []
    hammers = [Hammer(state, item, how) for item in range(3)]

    def more() -> Callable[[], bool]:
        goals = [each.acknowledged + 3 for each in hammers]
        return lambda: all(
            each.acknowledged >= goal or not each.is_alive() for each, goal in zip(hammers, goals, strict=True)
        )

    async def live() -> None:
        state.listen(N[0], seen.append)
        for each in hammers:
            if each.ident is None:
                each.start()
        is_enough = more()
        while not is_enough():
            await anyio.lowlevel.checkpoint()
        if end == "it is closed":
            await state.aclose()

    async def live_in_a_block() -> None:
        async with state:
            await live()

    has_ended = end in ("it is closed", "its block is left")
    for _ in range(1 if has_ended else 2):
        if end == "its loop is closed":
            loop = asyncio.new_event_loop()
            loop.run_until_complete(live())
            loop.close()
        else:
            asyncio.run(live_in_a_block() if end == "its block is left" else live())
    if not has_ended and how != "async updates":
        is_enough = more()
        while not is_enough():
            threading.Event().wait(0.001)  # they need the interpreter, too
    for each in hammers:
        if not has_ended:
            each.stopped.set()
        each.join(60)
        assert not each.is_alive()
        assert each.found == []
    assert [state.get(N[each.item]) for each in hammers] == [each.acknowledged for each in hammers]
    assert seen == sorted(seen)


class Slow:
    """An item whose name takes as long as one likes: between the look at the home of a store and the post to it."""

    def __init__(self) -> None:
        self.is_asked = threading.Event()
        self.go_on = threading.Event()

    def __repr__(self) -> str:
        self.is_asked.set()
        self.go_on.wait(30)
        return "slow"


def write_slowly(state: fa.StateManager) -> tuple[Slow, threading.Thread, list[fa.Receipt]]:
    item = Slow()
    receipts: list[fa.Receipt] = []
    thread = threading.Thread(target=lambda: receipts.append(state.set(N[item], 7)))
    thread.start()
    item.is_asked.wait(30)
    return item, thread, receipts


async def have_home(state: fa.StateManager) -> None:
    state.listen(M, lambda _: None)


def test_a_write_that_is_posted_when_others_have_left_the_dead_loop() -> None:
    state = fa.StateManager()
    loop = asyncio.new_event_loop()
    loop.run_until_complete(have_home(state))
    item, thread, receipts = write_slowly(state)
    loop.close()
    in_thread(lambda: state.set(M, 1).wait(30))  # who leaves it
    item.go_on.set()
    thread.join()
    in_thread(lambda: receipts[0].wait(5))
    assert state.get(N[item]) == 7


def test_a_write_that_is_posted_to_a_loop_that_the_store_has_left_for_another() -> None:
    state = fa.StateManager()
    first = asyncio.new_event_loop()
    first.run_until_complete(have_home(state))
    item, thread, receipts = write_slowly(state)

    async def second() -> None:
        async with state:
            item.go_on.set()
            while not receipts:
                await anyio.lowlevel.checkpoint()
            with anyio.fail_after(5):
                await receipts[0]
            assert state.get(N[item]) == 7

    asyncio.run(second())
    thread.join()
    first.run_until_complete(nothing())
    first.close()
    assert state.get(N[item]) == 7


def test_a_write_that_is_posted_when_the_store_has_ended() -> None:
    state = fa.StateManager()
    loop = asyncio.new_event_loop()
    loop.run_until_complete(have_home(state))
    item, thread, receipts = write_slowly(state)
    loop.run_until_complete(state.aclose())
    item.go_on.set()
    thread.join()
    with pytest.raises(fa.ClosedError):
        in_thread(lambda: receipts[0].wait(5))
    loop.close()
    assert state.get(N[item]) == 0


def test_a_store_whose_loop_is_closed_while_it_ends_has_ended() -> None:
    state = fa.StateManager()
    state.on_error = lambda failure: None  # nobody awaits the update
    loop = asyncio.new_event_loop()

    async def begin() -> object:
        state.update(M, later_plus_one)
        ending = asyncio.create_task(state.aclose())
        await asyncio.sleep(0)
        return ending

    ending = loop.run_until_complete(begin())
    assert repr(state) == "<StateManager closing>"
    loop.close()
    asyncio.run(state.aclose())
    assert repr(state) == "<StateManager closed>"
    assert isinstance(ending, asyncio.Task), "kept until here, as a loop does not"


def test_a_block_that_is_left_on_another_loop_is_left() -> None:
    state = fa.StateManager()

    async def enter() -> None:
        await state.__aenter__()
        await state.set(M, 1)

    async def leave() -> None:
        await state.__aexit__(None, None, None)

    asyncio.run(enter())
    asyncio.run(leave())
    assert repr(state) == "<StateManager closed>"


def test_a_thread_goes_on_waiting_for_a_loop_that_is_busy_for_long() -> None:
    state = fa.StateManager()
    is_asked, is_looked_after = threading.Event(), threading.Event()
    got: list[int] = []

    class Watched(asyncio.SelectorEventLoop):
        def call_soon_threadsafe(self, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]  # passes it all on
            is_asked.set()
            return super().call_soon_threadsafe(*args, **kwargs)

        def is_closed(self) -> bool:
            if is_asked.is_set():
                is_looked_after.set()
            return super().is_closed()

    async def be_busy() -> None:
        await have_home(state)
        state.set(N[3], 3)
        thread = threading.Thread(target=lambda: got.append(state.get(double(3))))
        thread.start()
        assert is_looked_after.wait(30)
        while thread.is_alive():
            await anyio.lowlevel.checkpoint()

    loop = Watched()
    loop.run_until_complete(be_busy())
    loop.run_until_complete(state.aclose())
    loop.close()
    assert got == [6]


def test_a_wait_for_a_write_that_another_thread_applies_just_now() -> None:
    state = fa.StateManager()
    loop = asyncio.new_event_loop()
    loop.run_until_complete(have_home(state))
    begun, go_on = threading.Event(), threading.Event()
    receipts: list[fa.Receipt] = []

    def slow(_: int) -> None:
        begun.set()
        go_on.wait(30)

    loop.run_until_complete(asyncio.to_thread(lambda: state.listen(N, slow, immediate=False)))
    in_thread(lambda: receipts.append(state.set(N, 7)))
    loop.close()
    leaves = threading.Thread(target=lambda: state.set(M, 1))
    leaves.start()
    begun.wait(30)
    waits = threading.Thread(target=lambda: in_thread(lambda: receipts[0].wait(30)))
    waits.start()
    go_on.set()
    waits.join()
    leaves.join()
    in_thread(lambda: receipts[0].wait(5))
    assert (state.get(N), state.get(M)) == (7, 1)


# ------------------------------------------------------------------ tasks that never begin


@pytest.mark.parametrize("is_block", [True, False])
def test_a_task_that_the_ending_loop_cancels_before_its_first_step(is_block: bool) -> None:
    """As `asyncio.run` does at its end; to wait for such a task would be to wait for ever."""
    state = fa.StateManager()
    failures = Failures.of(state)
    runs: list[fa.Run[None]] = []
    loop = asyncio.new_event_loop()

    async def main() -> None:
        if is_block:
            async with state:
                await asyncio.sleep(1000)
        state.action(forever)()
        await asyncio.sleep(0)

    task = loop.create_task(main())
    last = loop.create_future()

    def start() -> None:
        runs.append(state.action(forever)())

    def end() -> None:
        last.set_result(None)  # which stops the loop with its next step, ...
        loop.call_soon(start)  # ... the one in which this is called

    loop.call_later(0.01, end)
    loop.run_until_complete(last)
    too_late: list[object] = []
    loop.call_later(3, too_late.append, None)
    tasks = asyncio.all_tasks(loop)
    for each in tasks:
        each.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    assert not too_late
    loop.close()
    assert task.done()
    assert runs[0].state == "cancelled"
    assert state.get(fa.Key("n", 0)) == 0
    failures.assert_none()


def test_a_task_that_was_asked_for_in_the_last_step_of_a_loop_warns_nobody() -> None:
    state = fa.StateManager()
    runs: list[fa.Run[None]] = []

    async def main() -> None:
        runs.append(state.action(forever)())

    loop = asyncio.new_event_loop()
    loop.run_until_complete(main())

    def start() -> None:
        runs.append(state.action(forever)())
        loop.stop()

    loop.call_soon(start)
    loop.run_forever()
    tasks = asyncio.all_tasks(loop)
    loop.close()
    asyncio.run(state.aclose())
    assert [run.state for run in runs] == ["cancelled"] * 2
    for task in tasks:  # what asyncio says of tasks that a closed loop leaves behind is not ours
        vars_of: Any = task
        vars_of._log_destroy_pending = False


# ------------------------------------------------------------------ forks, and the end of the interpreter

PRELUDE = """
import asyncio, os, signal, sys, threading
import anyio
import flet_asp_actors as fa
N = fa.Key("n", 0)
M = fa.Key("m", 0)
state = fa.StateManager()

@fa.selector
def double(get):
    return get(N) * 2

@fa.selector
async def slow(get):
    get(N)
    await anyio.sleep(1000)

@fa.family(keep_for=1000)
def kept(get, item):
    get.on_cleanup(lambda: None)
    return item

@fa.action
async def forever(get, set):
    set(M, 1)
    try:
        await anyio.sleep(1000)
    finally:
        set(M, 0)

async def feed(get, set):
    while True:
        await set(N, get(N) + 1)
        await anyio.sleep(0)

async def wait(n):
    await anyio.sleep(1000)

def populate(state):
    state.service(feed)
    state.action(forever)()
    state.get(kept(1))
    state.effect(lambda get: get(double))
    for key, callback in ((slow, lambda _: None), (double, lambda _: None), (N, wait)):
        state.listen(key, callback)
    return state.watch(N)

async def some_steps():
    for _ in range(20):
        await anyio.lowlevel.checkpoint()
"""


def outcome(program: str) -> tuple[int, str, str]:
    """Run a program in an interpreter of its own."""
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-W", "ignore::DeprecationWarning", "-c", PRELUDE + program],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout.strip(), done.stderr.strip()


FORK = """
def in_child(work):
    pid = os.fork()
    if pid == 0:
        try:
            print(work(), flush=True)
            os._exit(0)
        finally:
            os._exit(1)
    while True:
        found, status = os.waitpid(pid, 0)
        return os.waitstatus_to_exitcode(status)
"""

FORKS = {
    "on the thread of the loop": """
async def work():
    await state.update(N, lambda n: n + 1)
    return await state.action(answer)()

@fa.action
async def answer(get, set):
    await anyio.sleep(0)
    return get(N)

def child():
    state.set(N, 5)
    return state.get(double), asyncio.run(work()), run.state

async def main():
    global run
    async with state:
        run = state.action(forever)()
        state.listen(double, lambda _: None)
        await some_steps()
        assert in_child(child) == 0
        assert (state.get(N), run.state) == (0, "running")
        assert await state.action(answer)() == 0

asyncio.run(main())
""",
    "on another thread": """
def child():
    state.set(N, 5).wait(5)
    state.set(N, 6)
    return state.get(N), state.get(double)

async def main():
    state.listen(double, lambda _: None)
    assert await asyncio.to_thread(in_child, child) == 0
    assert state.get(N) == 0

asyncio.run(main())
""",
    "while another thread writes": """
inside, go_on = threading.Event(), threading.Event()

def hold(_):
    inside.set()
    go_on.wait(30)

def child():
    go_on.set()
    state.update(N, lambda n: n + 1)
    return state.get(N)

state.listen(N, hold, immediate=False)
thread = threading.Thread(target=lambda: state.set(N, 1))
thread.start()
inside.wait()
assert in_child(child) == 0
go_on.set()
thread.join()
""",
}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("on the thread of the loop", "(10, 6, 'cancelled')"),
        ("on another thread", "(6, 12)"),
        ("while another thread writes", "2"),
    ],
)
def test_a_fork_leaves_the_child_a_store_of_its_own(where: str, says: str) -> None:
    assert outcome(FORK + FORKS[where]) == (0, says, "")


ENDS = {
    "it never had a loop": """
state.service(feed)
state.get(kept(1))
state.effect(lambda get: get(double))
state.listen(slow, lambda _: None)
state.listen(N, wait)
watch = state.watch(N)
""",
    "asyncio.run, and nothing closed": """
async def main():
    global watch
    watch = populate(state)
    await some_steps()
asyncio.run(main())
""",
    "asyncio.run, and the store goes with it": """
async def main():
    store = fa.StateManager()
    watch = populate(store)
    await some_steps()
asyncio.run(main())
""",
    "a block": """
async def main():
    async with fa.StateManager() as store:
        watch = populate(store)
        await some_steps()
asyncio.run(main())
""",
    "a loop that is closed": """
async def main():
    global watch
    watch = populate(state)
    await some_steps()
loop = asyncio.new_event_loop()
loop.run_until_complete(main())
for task in asyncio.all_tasks(loop):
    task._log_destroy_pending = False
loop.close()
""",
    "a daemon thread that writes": """
def write():
    while True:
        state.update(M, lambda m: m + 1)
async def main():
    watch = populate(state)
    threading.Thread(target=write, daemon=True).start()
    await state.wait_for(M, lambda m: m > 10)
asyncio.run(main())
""",
    "a loop in a daemon thread": """
ready = threading.Event()
async def main():
    watch = populate(state)
    ready.set()
    await anyio.sleep(1000)
threading.Thread(target=asyncio.run, args=(main(),), daemon=True).start()
ready.wait()
state.set(M, 5).wait(30)
unheard = state.update(M, lambda m: 1 // 0)
""",
    "a thread that waits for a write": """
async def main():
    state.update(M, wait)
    writes = threading.Event()
    def write():
        receipt = state.set(M, 1)
        writes.set()
        try:
            receipt.wait()
        except fa.ClosedError:
            pass
    threading.Thread(target=write).start()
    await asyncio.to_thread(writes.wait)
state.on_error = lambda failure: None
asyncio.run(main())
""",
    "what is called at the very end": """
import atexit
class Last:
    def __del__(self):
        state.set(M, 8)
        state.get(kept(2))
last = Last()
atexit.register(lambda: state.set(M, 7))
async def main():
    populate(state)
    await some_steps()
asyncio.run(main())
""",
    "a key that goes when the modules have gone": """
import functools
class Last:
    def __init__(self):
        self.modules = dict(sys.modules)
        self.kept = [state, fa.Key("late", 0)]
        state.set(self.kept[1], 1)
    def __del__(self):
        while self.kept:
            self.kept.pop()
functools.last = Last()
del state
""",
    "an interrupt": """
async def main():
    populate(state)
    await some_steps()
    signal.raise_signal(signal.SIGINT)
    await some_steps()
try:
    asyncio.run(main())
except KeyboardInterrupt:
    pass
""",
    "trio": """
async def main():
    global watch
    watch = populate(state)
    await some_steps()
anyio.run(main, backend="trio")
""",
}


@pytest.mark.parametrize("end", ENDS)
def test_an_interpreter_that_ends_has_nothing_to_complain_about(end: str) -> None:
    assert outcome(ENDS[end]) == (0, "", "")


EXITS = {
    "an action": "state.action(lambda get, set: sys.exit(3))()",
    "an action in a block": "state.action(lambda get, set: sys.exit(3))()",
    "an action on uvloop": "state.action(lambda get, set: sys.exit(3))()",
    "a service": "async def leave(get, set): sys.exit(3)\n    state.service(leave)",
    "a listener": "state.listen(N, lambda _: sys.exit(3))",
    "an async listener": "async def leave(_): sys.exit(3)\n    state.listen(N, leave)",
    "an async selector": "async def leave(get): sys.exit(3)\n    state.listen(fa.selector(leave), lambda _: None)",
    "an async effect": "async def leave(get): sys.exit(3)\n    state.effect(leave)",
    "an update": "async def leave(n): sys.exit(3)\n    state.update(M, leave); state.set(M, 1)",
}


@pytest.mark.parametrize("who", EXITS)
def test_to_exit_is_to_exit(who: str) -> None:
    """`sys.exit` in whatever a store calls ends the program, with that code and without a word."""
    if "uvloop" in who and sys.platform == "win32":
        pytest.skip("there is no uvloop here")
    block = "async with state: await exit()" if "block" in who else "await exit()"
    run = "import uvloop; uvloop.run(main())" if "uvloop" in who else "asyncio.run(main())"
    program = f"""
async def exit():
    populate(state)
    await some_steps()
    {EXITS[who]}
    await anyio.sleep(1000)
async def main():
    {block}
{run}
"""
    assert outcome(program) == (3, "", "")


def test_any_number_of_runs_may_be_queued_when_the_loop_ends() -> None:
    state = fa.StateManager()
    runs: list[fa.Run[None]] = []

    @fa.action(policy="sequential")
    async def save(get: fa.Get, set: fa.Set, is_done: bool) -> None:
        if not is_done:
            await anyio.sleep_forever()

    async def first() -> None:
        runs.extend(state.action(save)(False) for _ in range(1000))
        await anyio.wait_all_tasks_blocked()

    async def second() -> None:
        await state.action(save)(True)

    asyncio.run(first())
    asyncio.run(second())
    assert {run.state for run in runs} == {"cancelled"}
