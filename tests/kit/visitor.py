"""A client of a Flet web server without a browser: a websocket, and a mirror of what came through it.

    visitor = Visitor(url)
    await visitor.come()
    await visitor.click("Increment")
    await visitor.until(lambda: "1" in visitor.screen.texts())

It speaks Flet's protocol as the browser's client does: it registers, applies each patch in
the order of arrival, answers calls of methods, and sends events.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from typing import Any, cast

import anyio
from flet.messaging import protocol
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from flet_asp_actors.testing.headless import Client, Frame, Target

__all__ = ("PATIENCE", "Crashed", "Visitor")

PATIENCE = 60.0
"""Seconds after which what does not come is missing."""

_msgpack: Any = importlib.import_module("msgpack")  # it has no types
_ext_hook: Any = cast(Any, protocol).decode_ext_from_msgpack
Action = protocol.MessageAction


class Crashed(Exception):
    """The server said that the session has crashed."""


class Visitor:
    """A person with a client: comes, sees, clicks, types, leaves and comes back.

    Args:
        url: The address of the app: `http://127.0.0.1:8550/`.
        page: What the client says of itself when it registers.
    """

    def __init__(self, url: str, **page: Any) -> None:
        self.screen = Client()
        self.session_id = ""
        self.frames = 0
        self._url = url
        self._page = {"route": "/", "width": 800.0, "height": 600.0, "web": True, "platform": "linux", **page}
        self._socket: ClientConnection | None = None
        self._reading: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._open = asyncio.Event()
        self._open.set()

    async def come(self) -> None:
        """Connect, and come back to the session if there was one; returns when the page is there."""
        self.screen = Client()
        self._socket = await self.connect()
        self._reading = asyncio.create_task(self._read(self._socket))
        await self._send(Action.REGISTER_CLIENT, session_id=self.session_id or None, page_name="", page=self._page)
        await self.until(lambda: bool(self.screen.page))

    async def connect(self) -> ClientConnection:
        """Make the connection."""
        url = self._url.replace("http", "ws", 1) + "ws"
        return await connect(
            url, compression=None, max_size=None, ping_interval=None, open_timeout=PATIENCE, proxy=None
        )

    async def leave(self) -> None:
        """Close the connection; the session stays until its time is over."""
        if self._socket is None or self._reading is None:
            return
        self._open.set()
        await self._socket.close()
        self._socket = None
        await self._reading

    def look_away(self) -> None:
        """Read nothing more from the connection: what the server sends piles up on the way."""
        self._open.clear()

    def look(self) -> None:
        """Read on."""
        self._open.set()

    async def click(self, target: Target) -> None:
        """Click a control."""
        await self.fire(target, "click")

    async def type(self, target: Target, text: str) -> None:
        """Enter text in a field: first the property, then the event, as the browser's client does."""
        node = self.screen.node(target, "change")
        node["value"] = text
        await self._send(Action.UPDATE_CONTROL_PROPS, id=node["_i"], props={"value": text})
        if node.get("on_change"):
            await self.fire(node, "change", text)

    async def fire(self, target: Target, event: str, data: Any = None) -> None:
        """Send an event of a control."""
        node = self.screen.node(target, event)
        assert node.get(f"on_{event}") is True, f"{node['_c']} does not listen to {event!r}"
        await self._send(Action.CONTROL_EVENT, target=node["_i"], name=event, data=data)

    async def until(self, condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
        """Wait until something is so on the screen."""
        with anyio.fail_after(seconds):
            while not condition():
                assert self._reading is not None, "the visitor has not come"
                if self._reading.done():
                    self._reading.result()
                    raise Crashed("the connection was lost")
                self._news.clear()
                await self._news.wait()

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for raw in socket:
                await self._open.wait()
                assert isinstance(raw, bytes)
                if raw[:1] != b"\0":
                    continue  # a data channel
                kind, body = _msgpack.unpackb(raw[1:], ext_hook=_ext_hook, strict_map_key=False)
                await self._apply(Frame(Action(kind), body, len(raw), 0))
                self.frames += 1
                self._news.set()
        except ConnectionClosed:
            pass
        finally:
            self._news.set()

    async def _apply(self, frame: Frame) -> None:
        if frame.action is Action.REGISTER_CLIENT:
            assert not frame.body["error"], frame.body["error"]
            self.session_id = frame.body["session_id"]
            self.screen.register({**self._page, **frame.body["page_patch"]})
        elif frame.action is Action.PATCH_CONTROL:
            self.screen.patch(frame)
        elif frame.action is Action.INVOKE_METHOD:
            call = frame.body
            await self._send(
                Action.INVOKE_METHOD, control_id=call["control_id"], call_id=call["call_id"], result=None, error=None
            )
        elif frame.action is Action.SESSION_CRASHED:
            raise Crashed(frame.body["message"])

    async def _send(self, action: protocol.MessageAction, **body: Any) -> None:
        assert self._socket is not None, "the visitor has not come"
        await self._socket.send(b"\0" + _msgpack.packb([action.value, body]))
