"""An HTTP server on real sockets that answers what the test says, when the test says it.

    with Server() as server:
        request = server.take("/profiles/Alice")    # waits for it
        request.answer({"name": "Alice"})           # or .fail(503), .drop(), .send(...), or nothing

It runs in a thread. Each connection is for one request, so that who cancels a request is
seen to hang up: `request.wait_gone()`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Callable
from http import HTTPStatus
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

__all__ = ("Request", "Server")

PATIENCE = 20.0
"""Seconds after which what does not come is missing."""


class Request:
    """One request, and what becomes of it."""

    def __init__(self, server: Server, method: str, target: str, body: bytes, writer: asyncio.StreamWriter) -> None:
        parts = urlsplit(target)
        self.method = method
        self.path = unquote(parts.path)
        self.query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.body = body
        self.is_ended = False
        """Whether the server has ended it, by a whole answer or by hanging up."""
        self._gone = threading.Event()
        self._has_begun = False
        self._server = server
        self._writer = writer

    @property
    def json(self) -> Any:
        """What its body says."""
        return json.loads(self.body)

    def answer(self, value: object = None, status: int = 200) -> None:
        """Answer it, with a value as JSON."""
        body = json.dumps(value).encode()
        self._end(lambda: self._write(_head(status, f"Content-Length: {len(body)}") + body, close=True))

    def fail(self, status: int) -> None:
        """Answer that it could not be done."""
        self.answer(status=status)

    def send(self, value: object) -> None:
        """Send a line of JSON, with more to come; the first one begins the answer."""
        line = json.dumps(value).encode() + b"\n"
        head = b"" if self._has_begun else _head(200, "Transfer-Encoding: chunked")
        self._has_begun = True
        self._server.call(lambda: self._write(head + b"%x\r\n%s\r\n" % (len(line), line)))

    def drop(self) -> None:
        """Cut the connection, in the middle of whatever it was."""
        self._end(self._writer.transport.abort)

    def wait_gone(self) -> None:
        """Wait until the client has hung up, without an answer."""
        assert self._gone.wait(PATIENCE), f"{self} is still waited for"
        assert not self.is_ended, f"{self} was answered"

    @property
    def is_gone(self) -> bool:
        """Whether the client has hung up, or got its answer."""
        return self._gone.is_set()

    def closed(self) -> None:
        """The connection has ended, from whichever side."""
        self._gone.set()

    def __repr__(self) -> str:
        return f"{self.method} {self.path} {self.query or ''}".strip()

    def _end(self, end: Callable[[], object]) -> None:
        assert not self.is_ended, f"{self} has had its answer"
        assert not self.is_gone, f"{self} is not waited for any more"
        self.is_ended = True
        self._server.call(end)

    def _write(self, data: bytes, *, close: bool = False) -> None:
        self._writer.write(data)
        if close:
            self._writer.close()


class Server:
    """The server. `url` is where it is; `requests` are all that it was sent, in order."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[Request] = []
        self._untaken: list[Request] = []
        self._news = threading.Condition()
        self._is_up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="server of the test")

    def take(self, path: str, **query: str) -> Request:
        """The first request for a path, and with these parts of a query, that was not taken yet; wait for it."""

        def find() -> Request | None:
            fits = (each for each in self._untaken if each.path == path and query.items() <= each.query.items())
            return next(fits, None)

        with self._news:
            found = self._news.wait_for(find, PATIENCE)
            assert found is not None, f"nobody asks for {path} {query or ''}; asked was {self.requests}"
            self._untaken.remove(found)
            return found

    def call(self, function: Callable[[], object]) -> None:
        """Do something on the loop of the server, and wait until it is done."""

        async def do() -> None:
            function()

        asyncio.run_coroutine_threadsafe(do(), self._loop).result(PATIENCE)

    def __enter__(self) -> Server:
        self._thread.start()
        assert self._is_up.wait(PATIENCE), "the server does not start"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.call(self._stop.set)
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the server does not stop"

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        listening = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        self._is_up.set()
        await self._stop.wait()
        listening.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            method, target, _ = first.split(" ")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            request = Request(self, method, target, body, writer)
            with self._news:
                self.requests.append(request)
                self._untaken.append(request)
                self._news.notify_all()
            try:
                await reader.read()  # until the client hangs up
            finally:
                request.closed()
                writer.transport.abort()


def _head(status: int, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode()
