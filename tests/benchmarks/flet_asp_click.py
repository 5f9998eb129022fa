"""A click in flet-asp, timed. Runs in the environment that `workers` makes for it, not in this one.

Reads a question a line ({"size": 10, "dirty": 1}, {"clicks": 100} or {"plain": 100}: by hand,
without flet-asp), and answers in a line.
"""

# mypy: ignore-errors
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false, reportCallIssue=false

import asyncio
import gc
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from time import process_time

import flet as ft
import flet_asp as fa
from flet.core.event import Event
from flet.core.local_connection import LocalConnection
from flet.core.page import Page
from flet.core.protocol import (
    ClientActions,
    ClientMessage,
    CommandEncoder,
    PageCommandResponsePayload,
    PageCommandsBatchResponsePayload,
)


class Sink(LocalConnection):
    """A connection that encodes as Flet's own do, and counts what it is given."""

    frames = 0
    last = ""

    def send_command(self, session_id, command):
        result, message = self._process_command(command)
        if message:
            self._send(message)
        return PageCommandResponsePayload(result=result, error="")

    def send_commands(self, session_id, commands):
        done = [(command, *self._process_command(command)) for command in commands]
        messages = [message for _, _, message in done if message]
        if messages:
            self._send(ClientMessage(ClientActions.PAGE_CONTROLS_BATCH, messages))
        results = [result for command, result, _ in done if command.name in ("add", "get")]
        return PageCommandsBatchResponsePayload(results=results, error="")

    def _send(self, message):
        self.last = json.dumps(message, cls=CommandEncoder, separators=(",", ":"))
        self.frames += 1


class App:
    """A page with two buttons and so many texts, the last so many of them bound, and as many more by hand."""

    def __init__(self, size, dirty, loop, executor):
        self.sink = Sink()
        page = self.page = Page(self.sink, "session", loop=loop, executor=executor)
        state = fa.get_state_manager(page)
        keys = [f"count {n}" for n in range(dirty)]
        shown = [ft.Ref() for _ in keys]
        for key in keys:
            state.atom(key, 0)

        async def add(event):  # a plain function would run in a thread; this is the faster way there
            for key in keys:
                state.set(key, state.get(key) + 1)

        count = 0

        async def add_by_hand(event):
            nonlocal count
            count += 1
            for text in plain:
                text.value = count
            page.update(*plain)

        self.button = ft.ElevatedButton("Add", on_click=add)
        self.plain_button = ft.ElevatedButton("Add by hand", on_click=add_by_hand)
        plain = [ft.Text() for _ in keys]
        rows = [ft.Text(f"row {n}") for n in range(size - dirty)]
        page.add(self.button, self.plain_button, *plain, ft.Column([*rows, *(ft.Text(ref=ref) for ref in shown)]))
        for key, ref in zip(keys, shown, strict=True):
            state.bind(key, ref)

    async def click(self, n, button):
        loop, sink, dispatch, button = asyncio.get_running_loop(), self.sink, self.page.on_event_async, button.uid
        start = process_time()
        for _ in range(n):
            before = sink.frames
            await loop.create_task(dispatch(Event(button, "click", "")))
            while sink.frames == before:  # noqa: ASYNC110  # an event would cost, and would be ours
                await asyncio.sleep(0)
        await asyncio.sleep(0)
        return process_time() - start


async def answer(question, app, executor):
    if "size" in question:
        app = App(question["size"], question["dirty"], asyncio.get_running_loop(), executor)
        for button in (app.button, app.plain_button):
            for expected in (1, 2, 3):
                await app.click(1, button)
                if f'"value":"{expected}"' not in app.sink.last:
                    return app, {"wrong": f"after {expected} clicks the client is sent {app.sink.last}"}
        gc.collect()
        gc.freeze()
        return app, {}
    gc.disable()
    clicks, button = (question["plain"], app.plain_button) if "plain" in question else (question["clicks"], app.button)
    seconds = await app.click(clicks, button)
    gc.enable()
    return app, {"seconds": seconds}


async def main():
    app = None
    with ThreadPoolExecutor(1) as executor:
        for line in sys.stdin:  # nothing else is to happen on this loop
            app, reply = await answer(json.loads(line), app, executor)
            print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
