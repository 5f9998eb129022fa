"""A long way between a client and a server: what is sent arrives later, in both directions, and in order."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from types import TracebackType

__all__ = ("Proxy",)

PATIENCE = 30.0
"""Seconds after which what does not come is missing."""

_CHUNK = 65_536


class Proxy:
    """A TCP proxy, in a thread of its own.

    Args:
        url: The address of the server.
    """

    def __init__(self, url: str) -> None:
        self.delay = 0.0
        """Seconds on the way, each way. May be changed at any time; nothing overtakes what was sent before."""
        self._target = int(url.rstrip("/").rsplit(":", 1)[1])
        self._last = 0.0
        self._up = threading.Event()
        self._pipes: set[asyncio.Task[None]] = set()
        self._ends: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="proxy")

    def wait_quiet(self, seconds: float = 1.0) -> None:
        """Wait until nothing has come or gone for so many seconds."""
        until = time.monotonic() + PATIENCE
        while (rest := self._last + seconds - time.monotonic()) > 0:
            assert time.monotonic() < until, "it does not become quiet"
            time.sleep(rest)

    def cut(self) -> None:
        """Break all connections, as a tunnel does."""
        self._loop.call_soon_threadsafe(self._abort)

    def __enter__(self) -> Proxy:
        self._thread.start()
        assert self._up.wait(PATIENCE), "the proxy does not start"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the proxy does not stop"

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        listening = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/"
        self._up.set()
        await self._stop.wait()
        listening.close()
        self._abort()
        for pipe in list(self._pipes):
            pipe.cancel()
        await asyncio.gather(*self._pipes, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        for source, sink in ((reader, back), (there, writer)):
            self._ends.add(sink)
            pipe = asyncio.create_task(self._pipe(source, sink))
            self._pipes.add(pipe)
            pipe.add_done_callback(self._pipes.discard)

    async def _pipe(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        """Pass on what comes, each piece after its delay; many may be on the way at once."""
        way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def arrive() -> None:
            while True:
                due, data = await way.get()
                await asyncio.sleep(max(0.0, due - self._loop.time()))
                if not data:
                    return
                self._last = time.monotonic()
                sink.write(data)
                await sink.drain()

        arriving = asyncio.create_task(arrive())
        try:
            with contextlib.suppress(ConnectionError):
                while data := await source.read(_CHUNK):
                    self._last = time.monotonic()
                    way.put_nowait((self._loop.time() + self.delay, data))
            way.put_nowait((self._loop.time() + self.delay, b""))
            with contextlib.suppress(ConnectionError):
                await arriving
        finally:
            arriving.cancel()
            self._ends.discard(sink)
            sink.close()

    def _abort(self) -> None:
        for sink in list(self._ends):
            sink.transport.abort()
