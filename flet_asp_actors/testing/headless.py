"""A Flet app without a screen: the real page and session, and a client that is a mirror of what was sent to it.

    async with HeadlessApp(main) as app:
        await app.click("Increment")
        assert app.texts() == ["1"]

Flet's own are the page, the session, the difference, the encoding, the dispatch of events
and the running of `main`. Ours are the wire and the client at its end.

Two facts shape it. A connection has to encode what it is given: it is the encoder that
notes down what the client has, and without that Flet finds no difference later on. And a
page is weak to its session: the app here holds it.

It works in virtual time as well (`virtual_backend`): what a handler waits for costs nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import dataclasses
import enum
import importlib
import weakref
from collections.abc import Callable, Coroutine, Iterator, MutableSequence, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from threading import get_ident
from types import TracebackType
from typing import Any, NamedTuple, TypeAlias, cast

import flet as ft
from flet.messaging import connection, protocol, session
from flet.pubsub.pubsub_hub import PubSubHub

from ..ui.frame import UIActor

__all__ = ("Client", "Frame", "HeadlessApp", "Node", "Op", "Target", "difference", "number")

Node: TypeAlias = dict[str, Any]
"""A control as the client has it: its properties, with `_c` its type and `_i` its id."""

Target: TypeAlias = "ft.BaseControl | Node | str"
"""A control: itself, as the client has it, or words on it that no other control has."""

PATIENCE = 30.0
"""After how many seconds a handler that does not end is called stuck."""

_TURNS = 10_000
"""After how many turns of the loop an app is called restless."""

_WORDS = ("key", "content", "label", "text", "value", "tooltip")
"""The properties by which words name a control."""

_READING = ("appbar", "leading", "title", "subtitle", "content", "controls")
"""The properties that hold controls which come first; Flet sends them in an order that changes from run to run."""

# What has no types, or is private to Flet, with the type that it has.
_msgpack: Any = importlib.import_module("msgpack")
_flet_app: Any = importlib.import_module("flet.app")
_protocol: Any = protocol
_encode: Callable[[Any], Any] = _protocol.configure_encode_object_for_msgpack(ft.BaseControl)


def number(control: ft.BaseControl) -> int:
    """The id of a control on the wire."""
    found: int = cast(Any, control)._i
    return found


# ------------------------------------------------------------------ the wire


class Op(NamedTuple):
    """One change: "replace", "add", "remove" or "move", where, and to what ("move": to which path)."""

    op: str
    path: str
    value: Any


@dataclasses.dataclass(frozen=True)
class Frame:
    """One message to the client, as it was on the wire."""

    action: protocol.MessageAction
    body: dict[str, Any]
    size: int
    thread: int
    """The thread that sent it."""

    @property
    def target(self) -> int | None:
        """The id of the control that it is for."""
        return self.body.get("id", self.body.get("control_id"))

    @property
    def ops(self) -> list[Op]:
        """The changes, if it is a patch."""
        if self.action is not protocol.MessageAction.PATCH_CONTROL:
            return []
        table, *changes = self.body["patch"]
        paths = dict(_paths(table))

        def path(place: int, name: object) -> str:
            return ".".join(map(str, (*paths[place], name)))

        return [
            Op(
                ("replace", "add", "remove", "move")[kind],
                path(place, name),
                path(*rest) if kind == 3 else rest[0] if rest else None,
            )
            for kind, place, name, *rest in changes
        ]


def _paths(table: list[Any], path: tuple[Any, ...] = ()) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """The path behind each number that the changes of a patch use instead of it."""
    yield table[0], path
    children: Node = table[1] if len(table) > 1 else {}
    for name, child in children.items():
        yield from _paths(child, (*path, name))


class _Wire(connection.Connection):
    """A connection that encodes as Flet's own do, and hands on what was decoded again."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, executor: ThreadPoolExecutor, on_frame: Callable[[Frame], None]
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Flet's has no types
        self.loop = loop
        self.executor = executor
        self.pubsubhub = PubSubHub(loop=loop, executor=executor)
        self.page_url = "http://headless.test"
        self._on_frame = on_frame

    def send_message(self, message: protocol.Message) -> None:
        raw = _msgpack.packb([message.action, message.body], default=_encode)
        action, body = _msgpack.unpackb(raw, ext_hook=_protocol.decode_ext_from_msgpack, strict_map_key=False)
        self._on_frame(Frame(protocol.MessageAction(action), body, len(raw), get_ident()))


class _Session(session.Session):
    """A session whose crashes are seen even when no client is there to be told."""

    def __init__(self, wire: _Wire, crashes: list[str]) -> None:
        super().__init__(wire)
        self._crashes = crashes

    def error(self, message: str) -> None:
        self._crashes.append(message)
        super().error(message)


# ------------------------------------------------------------------ the client


class Client:
    """What the person has on the screen, made of nothing but the frames."""

    def __init__(self) -> None:
        self.page: Node = {}
        self.nodes: dict[int, Node] = {}
        self.lost: list[Frame] = []
        """Patches for controls that the client does not have; it ignores them."""

    def register(self, page: Node) -> None:
        """Begin anew, with the page as it is now."""
        self.page = {"_i": 1, "_c": "Page", **copy.deepcopy(page)}
        self._index()

    def patch(self, frame: Frame) -> None:
        """Apply a patch."""
        root = self.nodes.get(frame.body["id"])
        if root is None:
            self.lost.append(frame)
            return
        # A copy, because what is applied now is edited by what is applied later.
        table, *changes = copy.deepcopy(frame.body["patch"])
        paths = dict(_paths(table))
        is_structural = False
        for kind, place, name, *rest in changes:
            owner = _at(root, paths[place])
            if kind == 0:
                with contextlib.suppress(KeyError):
                    is_structural = is_structural or isinstance(owner[name], (dict, list))
                owner[name] = rest[0]
            elif kind == 1:
                _put(owner, name, rest[0])
            elif kind == 2:
                owner.pop(name)
            else:
                moved = owner.pop(name)
                _put(_at(root, paths[rest[0]]), rest[1], moved)
            is_structural = is_structural or kind != 0 or isinstance(rest[0], (dict, list))
        if is_structural:
            self._index()

    def walk(self, *, hidden: bool = False) -> Iterator[Node]:
        """The controls in the order of the tree; those that cannot be seen only if asked for."""
        return _walk(self.page, hidden)

    def find(self, kind: str | None = None, *, hidden: bool = False, **properties: Any) -> list[Node]:
        """The controls of a type that have these properties."""
        return [
            node
            for node in self.walk(hidden=hidden)
            if kind in (None, node["_c"]) and all(_said(node.get(name)) == it for name, it in properties.items())
        ]

    def node(self, target: Target, event: str = "") -> Node:
        """The control that is meant; if words fit several, the one that listens to the event."""
        if isinstance(target, str):
            found = [node for node in self.walk() if any(_said(node.get(name)) == target for name in _WORDS)]
            found = [node for node in found if node.get(f"on_{event}")] or found
            assert len(found) == 1, f"{len(found)} controls say {target!r}. {self}"
            return found[0]
        wanted = target["_i"] if isinstance(target, dict) else number(target)
        assert wanted in self.nodes, f"The client has no control {wanted}: {target}. {self}"
        return self.nodes[wanted]

    def texts(self) -> list[str]:
        """What can be read in Text and TextSpan controls."""
        said = (
            node.get("value" if node["_c"] == "Text" else "text")
            for node in self.walk()
            if node["_c"] in ("Text", "TextSpan")
        )
        return [str(each).lower() if isinstance(each, bool) else str(each) for each in said if each not in (None, "")]

    def _index(self) -> None:
        self.nodes = {node["_i"]: node for node in self.walk(hidden=True)}

    def __str__(self) -> str:
        shown = (
            " ".join([node["_c"], *(repr(node[name]) for name in _WORDS if isinstance(node.get(name), str))])
            for node in self.walk()
        )
        return f"On the screen: {', '.join(shown)}."


def _walk(value: Any, hidden: bool) -> Iterator[Node]:
    if isinstance(value, list):
        for each in cast(Sequence[Any], value):
            yield from _walk(each, hidden)
    elif isinstance(value, dict):
        node = cast(Node, value)
        kind = node.get("_c")
        if kind is not None:
            if node.get("visible") is False and not hidden:
                return
            yield node
        for name, child in sorted(node.items(), key=_reading_order):
            if not hidden and (kind, name) == ("Page", "views"):
                child = _top(child)
            elif not hidden and (kind, name) == ("Dialogs", "controls"):
                child = [dialog for dialog in child if dialog.get("open")]
            yield from _walk(child, hidden)


def _top(views: Any) -> Any:
    """The view that is on top, which covers the others; components may stand for views."""
    if isinstance(views, list):
        return [_top(each) for each in cast(Sequence[Any], views)[-1:]]
    if isinstance(views, dict) and "_b" in views:
        component = cast(Node, views)
        return {**component, "_b": _top(component["_b"])}
    return cast(Any, views)


def _reading_order(item: tuple[str, Any]) -> tuple[bool, int, str]:
    name = item[0]
    return name.startswith("_"), _READING.index(name) if name in _READING else len(_READING), name


def _said(value: Any) -> Any:
    """A property, or the words in it if it holds a Text."""
    if isinstance(value, dict):
        node = cast(Node, value)
        return node.get("value") if node.get("_c") == "Text" else node
    return value


def _at(root: Any, path: tuple[Any, ...]) -> Any:
    for name in path:
        root = root[name]
    return root


def _put(owner: Any, name: Any, value: Any) -> None:
    if isinstance(owner, list):
        cast(MutableSequence[Any], owner).insert(name, value)
    else:
        owner[name] = value


# ------------------------------------------------------------------ the app


class HeadlessApp:
    """An app, from its start to the close of its session.

    Args:
        main: What `ft.run` would be given.
        allow_crash: Whether an error in `main` or in a handler may pass. If not, leaving fails.
        page: What the client says of itself when it registers: `route="/login"`, `width=400`.
    """

    def __init__(self, main: Callable[[ft.Page], Any], *, allow_crash: bool = False, **page: Any) -> None:
        self.client = Client()
        self.frames: list[Frame] = []
        self.crashes: list[str] = []
        self.answers: dict[str, Any] = {}
        """What the client answers when a method of a control is invoked, by its name; None if not here."""
        self._main = main
        self._allow_crash = allow_crash
        self._said_at_start = {"route": "/", "width": 800, "height": 600, **page}
        self._taken = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False

    async def __aenter__(self) -> HeadlessApp:
        self._loop = asyncio.get_running_loop()
        self._context = copy_context()  # every event begins with this one, as on a connection
        self._executor = ThreadPoolExecutor(max_workers=4)
        wire = self._wire()
        self.session: session.Session = _Session(wire, self.crashes)
        self.page: ft.Page = self.session.page
        self.session.apply_page_patch(self._said_at_start)
        self._register(wire, cast(Any, self.session).get_page_patch())
        # As a string, because in a class the name would be mangled.
        start = getattr(_flet_app, "__get_on_session_created")(self._main)
        try:
            await self._finish(self._spawn(start(self.session)), "main")
        except BaseException:
            await self._leave()
            raise  # pragma: no cover - a test comes by, and the tracer does not see it
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._leave()
        if not self._allow_crash and self.crashes and (error is None or isinstance(error, Exception)):
            raise AssertionError("The session crashed:\n" + "\n".join(self.crashes)) from error

    async def _leave(self) -> None:
        await self.close()
        for task in list(self._tasks):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._executor.shutdown(wait=False, cancel_futures=True)

    # ---- what can be seen

    def texts(self) -> list[str]:
        """What can be read in Text and TextSpan controls, from top to bottom."""
        return self.client.texts()

    def find(self, kind: str | None = None, *, hidden: bool = False, **properties: Any) -> list[Node]:
        """The controls of the client that have these properties."""
        return self.client.find(kind, hidden=hidden, **properties)

    def one(self, kind: str | None = None, *, hidden: bool = False, **properties: Any) -> Node:
        """The only control of the client that has these properties."""
        found = self.find(kind, hidden=hidden, **properties)
        assert len(found) == 1, f"{len(found)} controls are {kind} {properties}. {self.client}"
        return found[0]

    def hears(self, target: Target, event: str) -> bool:
        """Whether the client would send this event: it has been told that there is a handler."""
        return self.client.node(target, event).get(f"on_{event}") is True

    def take(self) -> list[Frame]:
        """The frames since the last take."""
        taken, self._taken = self.frames[self._taken :], len(self.frames)
        return taken

    def mirror_diff(self) -> list[str]:
        """Where the client and the server differ, a line each: controls, and their plain properties."""
        return difference(self.client, self.page)

    # ---- what a person does

    async def click(self, target: Target) -> None:
        """Click a control, and wait for what comes of it."""
        await self.fire(target, "click")

    async def type(self, target: Target, text: str) -> None:
        """Enter text in a field."""
        await self.enter(target, text)

    async def enter(self, target: Target, value: Any, *, prop: str = "value", event: str = "change") -> None:
        """Change a property of a control as a person does: first the property, then, if it is heard, the event."""
        node = self.client.node(target, event)
        self.set_props(node, **{prop: value})
        if node.get(f"on_{event}"):
            await self.fire(node, event, value)
        await self.settle()

    def set_props(self, target: Target, **properties: Any) -> None:
        """Have the client change properties of a control, without an event."""
        node = self.client.node(target)
        node.update(properties)
        self.session.apply_patch(node["_i"], properties)

    async def navigate(self, route: str) -> None:
        """Enter another route in the address bar."""
        self.set_props(self.page, route=route)
        await self.fire(self.page, "route_change", {"route": route}, force=True)

    async def fire(self, target: Target, event: str, data: Any = None, *, force: bool = False) -> None:
        """Send an event, and wait for its handler and for what comes of it."""
        await self._finish(self.start_event(target, event, data, force=force), f"on_{event}")

    def start_event(self, target: Target, event: str, data: Any = None, *, force: bool = False) -> asyncio.Task[None]:
        """Send an event and return the task in which its handler runs.

        Args:
            target: The control.
            event: Its name, without `on_`.
            data: What comes with it.
            force: Send it even if the client has not been told of a handler.
        """
        node = self.client.node(target, event)
        assert self.session.connection is not None, "The client is disconnected."
        assert force or node.get(f"on_{event}") is True, f"{node['_c']} does not listen to {event!r}: {node}"
        assert force or not node.get("disabled"), f"{node['_c']} is disabled: {node}"
        return self._spawn(self.session.dispatch_event(node["_i"], event, data))

    # ---- the connection

    async def disconnect(self, timeout: int = 3600) -> None:
        """Lose the connection; the session goes on for `timeout` seconds."""
        await self._finish(self._spawn(self.session.disconnect(timeout)), "on_disconnect")

    async def reconnect(self, **page: Any) -> None:
        """Come back to the session, as after a reload: the page is sent whole."""

        async def connect() -> None:
            wire = self._wire()
            self.session.apply_page_patch({**self._said_at_start, "route": self.page.route, **page})
            self._register(wire, self.page)
            await self.session.connect(wire)

        await self._finish(self._spawn(connect()), "on_connect")

    async def close(self) -> None:
        """Close the session, as happens when its time is over."""
        if not self._is_closed:
            self._is_closed = True
            cast(Any, self.session).close()
            await self.settle()

    async def settle(self) -> None:
        """Let the loop run until nothing is left to do but to wait, and every change has been pushed.

        It waits for no timer but that of the next frame, and for no thread.
        """
        before = -1
        for _ in range(_TURNS):
            await self._quiet()
            if len(self.frames) == before:
                return
            before = len(self.frames)
            for ui in vars(self.page).values():
                if isinstance(ui, UIActor):  # made by the library when it is first needed
                    await ui.flushed()
        raise AssertionError(f"The app does not come to rest: {len(self.frames)} frames. {self.client}")

    # ---- within

    async def _quiet(self) -> None:
        ready = getattr(self._loop, "_ready", None)  # asyncio's own loops have it; of others we cannot know
        quiet = 0
        for _ in range(20 if ready is None else _TURNS):
            await asyncio.sleep(0)
            quiet = quiet + 1 if not ready and ready is not None else 0
            if quiet == 3:
                return
        assert ready is None, "The loop does not come to rest: some task never waits."

    async def _finish(self, task: asyncio.Task[None], what: str) -> None:
        await asyncio.wait({task}, timeout=PATIENCE)
        assert task.done(), (
            f"{what} has not ended in {PATIENCE:.0f} s. If it is to go on, use start_event. {self.client}"
        )
        if not task.cancelled():
            task.result()
        await self.settle()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._context.copy().run(self._loop.create_task, work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _wire(self) -> _Wire:
        receive = weakref.WeakMethod(self._receive)  # the app holds the session, and that the wire

        def on_frame(frame: Frame) -> None:
            to = receive()
            if to is not None:  # pragma: no branch - else the app was collected before its session
                to(frame)

        return _Wire(self._loop, self._executor, on_frame)

    def _register(self, wire: _Wire, page: Any) -> None:
        body = protocol.RegisterClientResponseBody(session_id=self.session.id, page_patch=page, error="")
        wire.send_message(protocol.Message(protocol.MessageAction.REGISTER_CLIENT, body))

    def _receive(self, frame: Frame) -> None:
        self.frames.append(frame)
        if frame.action is protocol.MessageAction.REGISTER_CLIENT:
            self.client.register({**self._said_at_start, **frame.body["page_patch"]})
        elif frame.action is protocol.MessageAction.PATCH_CONTROL:
            self.client.patch(frame)
        elif frame.action is protocol.MessageAction.INVOKE_METHOD:
            self._loop.call_soon_threadsafe(self._answer, frame.body)

    def _answer(self, call: dict[str, Any]) -> None:
        """Do what the client does when the server invokes a method of a control."""
        name = call["name"]
        self.session.handle_invoke_method_results(call["control_id"], call["call_id"], self.answers.get(name), None)
        if name == "push_route":
            route: str = call["args"]["route"]
            if route != self.client.page.get("route"):  # where it is already it does not go
                self.set_props(self.page, route=route)
                self.start_event(self.page, "route_change", {"route": route}, force=True)


def difference(client: Client, page: ft.Page) -> list[str]:
    """Where a client and the page that it is a client of differ, a line each: controls, and their plain properties."""
    here = {number(control): control for control in _controls(page, set())}
    found = [f"{node['_c']} {it}: only on the client" for it, node in client.nodes.items() if it not in here]
    for it, control in here.items():
        kind = type(control).__name__
        node = client.nodes.get(it)
        if node is None:
            found.append(f"{kind} {it}: only on the server")
            continue
        for name in sorted({*node, *cast(Any, control)._values} - {"_c"}):
            there, own = node.get(name), getattr(control, name, None)
            if name.startswith("on_"):
                there, own = there is True, own is not None
            there, own = _plain(there), _plain(own)
            if name not in node and own == _plain(getattr(type(control), "_root_defaults", {}).get(name)):
                own = None  # pragma: no cover - a default is not sent, and not kept by every Flet
            if there != own:
                found.append(f"{kind} {it}.{name}: client {there!r}, server {own!r}")
    return found


def _controls(value: Any, seen: set[int]) -> Iterator[ft.BaseControl]:
    """The controls that the server would send."""
    if isinstance(value, (list, tuple, dict)):
        values = cast(Any, value)
        for each in values.values() if isinstance(value, dict) else values:
            yield from _controls(each, seen)
    elif dataclasses.is_dataclass(value) and id(value) not in seen:
        seen.add(id(value))
        if isinstance(value, ft.BaseControl):
            yield value
        for field in dataclasses.fields(value):
            if not field.metadata.get("skip"):
                yield from _controls(getattr(value, field.name, None), seen)


def _plain(value: Any) -> Any:
    """A value that can be compared as it is on the wire, or None."""
    value = value.value if isinstance(value, enum.Enum) else value
    return value if isinstance(value, (bool, int, float, str)) else None
