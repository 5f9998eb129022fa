"""The test kit's time: hours in milliseconds, threads waited for, a deadlock that says where it is."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import anyio.from_thread
import anyio.lowlevel
import anyio.to_thread
import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing import VirtualLoop, virtual_backend, virtual_backends

HOUR = 3600.0


@pytest.fixture(params=virtual_backends())
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return virtual_backend(request.param)


@pytest.fixture
def in_no_time() -> Any:
    """Fails if the test takes real time worth speaking of."""
    begin = time.perf_counter()
    yield
    assert time.perf_counter() - begin < 5


def run(main: Callable[[], Awaitable[object]]) -> object:
    name, options = virtual_backend()
    return anyio.run(main, backend=name, backend_options=options)


pytestmark = pytest.mark.usefixtures("in_no_time")


async def test_an_hour_passes_at_once() -> None:
    begin = anyio.current_time()
    await anyio.sleep(HOUR)
    assert anyio.current_time() - begin == pytest.approx(HOUR)


async def test_timeouts_fire_at_their_time_and_in_their_order() -> None:
    begin = anyio.current_time()
    with anyio.move_on_after(HOUR) as outer:
        with pytest.raises(TimeoutError):
            with anyio.fail_after(60):
                await anyio.sleep_forever()
        assert anyio.current_time() - begin == pytest.approx(60)
        await anyio.sleep_forever()
    assert outer.cancelled_caught
    assert anyio.current_time() - begin == pytest.approx(HOUR)


async def test_tasks_that_sleep_wake_in_the_order_of_time() -> None:
    woken: list[float] = []

    async def sleeper(seconds: float) -> None:
        await anyio.sleep(seconds)
        woken.append(seconds)

    async with anyio.create_task_group() as tasks:
        for seconds in (3 * HOUR, 0.001, HOUR, 90):
            tasks.start_soon(sleeper, seconds)
    assert woken == [0.001, 90, HOUR, 3 * HOUR]


async def test_an_action_times_out_after_its_own_seconds() -> None:
    @fa.action(timeout=HOUR)
    async def slow(get: fa.Get, set: fa.Set) -> None:
        await anyio.sleep(2 * HOUR)

    async with fa.StateManager() as state:
        begin = anyio.current_time()
        with pytest.raises(TimeoutError):
            await state.action(slow)()
        assert anyio.current_time() - begin == pytest.approx(HOUR)


def test_each_test_has_a_clock_of_its_own() -> None:
    first, second = virtual_backend(), virtual_backend()
    times: list[float] = []

    async def main() -> None:
        times.append(anyio.current_time())
        await anyio.sleep(HOUR)

    for name, options in (first, second, first):
        anyio.run(main, backend=name, backend_options=options)
    assert times == [0, 0, 0]


def test_backends_that_there_are_not() -> None:
    with pytest.raises(ValueError, match="not on 'curio'"):
        virtual_backend("curio")
    with pytest.raises(ValueError, match="seed"):
        virtual_backend("trio", seed=1)


# ------------------------------------------------------------------ asyncio's own


def test_call_later_and_call_at() -> None:
    told: list[tuple[str, float]] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        done = asyncio.Event()
        loop.call_later(HOUR, lambda: told.append(("later", loop.time())))
        loop.call_at(loop.time() + 60, lambda: told.append(("at", loop.time())))
        loop.call_later(10, lambda: told.append(("never", 0))).cancel()
        loop.call_later(2 * HOUR, done.set)
        await asyncio.wait_for(done.wait(), 3 * HOUR)

    run(main)
    assert told == [("at", 60), ("later", HOUR)]


def test_a_timer_too_near_to_make_a_difference_is_no_endless_loop() -> None:
    async def main() -> None:
        await asyncio.sleep(1e9)  # so late that a nanosecond is less than the smallest step of the clock
        for _ in range(10):
            await asyncio.sleep(1e-9)

    run(main)


def test_more_than_a_day_at_once() -> None:
    async def main() -> float:
        await asyncio.sleep(40 * 24 * HOUR)  # asyncio itself waits for a day at most
        return asyncio.get_running_loop().time()

    assert run(main) == pytest.approx(40 * 24 * HOUR)


# ------------------------------------------------------------------ threads


@pytest.mark.parametrize("how", ["anyio", "anyio, limited", "executor", "to_thread"])
def test_no_time_is_jumped_over_while_a_thread_is_at_work(how: str) -> None:
    def work() -> str:
        end = time.monotonic() + 0.05
        while time.monotonic() < end:
            pass
        return "worked"

    async def main() -> None:
        loop = asyncio.get_running_loop()
        with anyio.fail_after(0.001):
            if how == "executor":
                assert await loop.run_in_executor(None, work) == "worked"
            elif how == "to_thread":
                assert await asyncio.to_thread(work) == "worked"
            else:
                limiter = anyio.CapacityLimiter(1) if "limited" in how else None
                assert await anyio.to_thread.run_sync(work, limiter=limiter) == "worked"
        assert loop.time() == 0
        await anyio.sleep(HOUR)  # and the thread that now waits for work is in nobody's way

    run(main)


def test_a_thread_of_ones_own_is_waited_for() -> None:
    async def main() -> None:
        loop, woken = asyncio.get_running_loop(), asyncio.Event()

        def work() -> None:
            end = time.monotonic() + 0.05
            while time.monotonic() < end:
                pass
            loop.call_soon_threadsafe(woken.set)

        thread = threading.Thread(target=work)
        thread.start()
        with anyio.fail_after(HOUR):
            await woken.wait()
        assert loop.time() == 0
        thread.join()

    run(main)


def test_a_thread_writes_to_a_store() -> None:
    count = fa.Key("count", 0)

    async def main() -> None:
        async with fa.StateManager() as state:

            def work() -> int:
                state.set(count, 1).wait()
                return state.get(count)

            with anyio.fail_after(1):
                assert await anyio.to_thread.run_sync(work) == 1
            assert anyio.current_time() == 0

    run(main)


def test_a_thread_that_waits_for_a_later_time_of_the_loop_is_served() -> None:
    async def main() -> None:
        await anyio.to_thread.run_sync(lambda: anyio.from_thread.run(anyio.sleep, HOUR))
        assert anyio.current_time() == HOUR

    run(main)


def test_a_thread_that_waits_for_what_comes_later_is_served() -> None:
    async def main() -> None:
        gate = threading.Event()
        asyncio.get_running_loop().call_later(HOUR, gate.set)
        await anyio.to_thread.run_sync(gate.wait)
        assert anyio.current_time() == HOUR

    run(main)


@pytest.mark.parametrize("is_busy", [True, False])
def test_a_thread_that_was_there_before_is_not_waited_for(is_busy: bool) -> None:
    stop = threading.Event()

    def spin() -> None:
        while not stop.is_set():
            if not is_busy:
                stop.wait()

    async def main() -> None:
        for _ in range(100):
            await anyio.sleep(HOUR)

    thread = threading.Thread(target=spin)
    thread.start()
    try:
        begin = time.perf_counter()
        run(main)
        assert time.perf_counter() - begin < 4, "not a quarter of a second for each"
        with pytest.raises(fa.DeadlockError):
            run(anyio.sleep_forever)
    finally:
        stop.set()
        thread.join()


def test_a_pool_that_was_there_before_is_waited_for() -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(int).result()

        async def main() -> None:
            gate = threading.Event()
            loop = asyncio.get_running_loop()
            loop.call_later(HOUR, gate.set)
            assert await loop.run_in_executor(pool, gate.wait)
            with anyio.fail_after(0.001):
                await loop.run_in_executor(pool, time.sleep, 0.02)

        run(main)


# ------------------------------------------------------------------ deadlocks


def test_when_everything_waits_for_ever_the_loop_says_so_and_where() -> None:
    ended: list[str] = []

    async def waits_for_nobody() -> None:
        try:
            await anyio.Event().wait()
        finally:
            ended.append("cleaned up")

    with pytest.raises(fa.DeadlockError, match=r"no timer is set(.|\n)*test_testing_clock\.py:\d+: await anyio\.Event"):
        run(waits_for_nobody)
    assert ended == ["cleaned up"]


def test_what_waits_in_no_code_of_python_is_said_to_be_at_an_unknown_place() -> None:
    class Native(Coroutine[Any, Any, None]):
        def __init__(self) -> None:
            self._work = asyncio.Event().wait()

        def send(self, value: Any) -> Any:
            return self._work.send(value)

        def throw(self, *error: Any) -> Any:
            return self._work.throw(*error)

        def close(self) -> None:
            self._work.close()

        def __await__(self) -> Any:
            return self

    async def waits() -> None:
        await asyncio.create_task(Native(), name="native")

    with pytest.raises(fa.DeadlockError, match="native at an unknown place"):
        run(waits)


def test_a_store_that_is_idle_while_the_test_goes_on_is_no_deadlock() -> None:
    async def main() -> None:
        async with fa.StateManager() as state:
            await state.settled()
            await anyio.lowlevel.checkpoint()

    run(main)


def test_a_loop_that_is_not_strict_waits_for_a_thread_that_it_knows_nothing_of() -> None:
    loop = VirtualLoop(strict=False)
    # It is there, and busy, before the loop.
    go = threading.Event()
    future: asyncio.Future[str] = loop.create_future()

    def wake() -> None:
        go.wait()
        loop.call_soon_threadsafe(future.set_result, "woken")

    thread = threading.Thread(target=wake)
    thread.start()
    loop.call_soon(go.set)
    try:
        assert loop.run_until_complete(future) == "woken"
    finally:
        thread.join()
        loop.close()


def test_sockets_are_served() -> None:
    async def main() -> bytes:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write((await reader.readline()).upper())
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"hello\n")
        got = await reader.readline()
        writer.close()
        server.close()
        return got

    assert run(main) == b"HELLO\n"


def test_it_is_a_loop_like_any_other() -> None:
    """Whoever runs it: asyncio alone says of no task between two steps that it is the current one."""

    async def main() -> float:
        await asyncio.sleep(HOUR)
        await anyio.to_thread.run_sync(time.sleep, 0.05)
        return asyncio.get_running_loop().time()

    loop = VirtualLoop()
    try:
        assert loop.run_until_complete(main()) == pytest.approx(HOUR)
    finally:
        loop.close()


def test_a_loop_that_is_not_strict_waits_for_a_signal_of_the_system() -> None:
    loop = VirtualLoop(strict=False)
    future: asyncio.Future[str] = loop.create_future()
    loop.add_signal_handler(signal.SIGALRM, future.set_result, "woken")
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        assert loop.run_until_complete(future) == "woken"
    finally:
        loop.close()
