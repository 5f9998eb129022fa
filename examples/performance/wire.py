"""The wire to the client: how many messages have gone over it, and how long they were."""

import importlib
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

import flet as ft
from flet.messaging import protocol

_msgpack: Any = importlib.import_module("msgpack")  # it has no types
_protocol: Any = protocol
_encode = _protocol.configure_encode_object_for_msgpack(ft.BaseControl)

processor_time: Callable[[], float] = getattr(time, "thread_time", time.process_time)
"""Seconds that the processor was at work for this thread; in a browser there are no others."""


class Wire:
    """Counts what a page sends, as long as its block lasts.

    Each message is encoded once more to know its length; `spent` is what that took, in seconds.
    """

    def __init__(self, page: ft.Page) -> None:
        self.messages, self.size, self.spent = 0, 0, 0.0
        self._connection = page.session.connection

    def __enter__(self) -> "Wire":
        send = self._connection.send_message

        def counted(message: protocol.Message) -> None:
            send(message)
            begun = processor_time()
            self.messages += 1
            self.size += len(_msgpack.packb([message.action, message.body], default=_encode))
            self.spent += processor_time() - begun

        vars(self._connection)["send_message"] = counted  # of this one alone
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        del vars(self._connection)["send_message"]
