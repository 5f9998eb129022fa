"""The process of one peer: `python -m tests.benchmarks.worker PEER`. See `workers` for the other side.

It runs in the environment of its peer, too, so it imports nothing but what is there: the
core of this library, which needs no Flet.
"""

from __future__ import annotations

import dataclasses
import gc
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from . import awaiting, growth, memory
from .measuring import NO_SUCH_THING, Verdict, check, timed
from .peers import PEERS, Peer
from .primitives import Kit, Missing
from .shapes import SCENARIOS, Scenario, chain

ALL: dict[str, Scenario | awaiting.Waiting] = {
    **{each.name: each for each in (*SCENARIOS, *growth.SCENARIOS)},
    **{each.name: each for each in awaiting.SCENARIOS},
}


class Desk:
    """Where the questions are answered: each is a method."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._kit: Kit | None = None
        self._timed: Callable[[int], float] | None = None

    def check(self, scenario: str) -> dict[str, str]:
        """Say what the peer gets wrong."""
        self._clear()
        each = ALL[scenario]
        if isinstance(each, Scenario):
            verdict = check(each.build, self._peer)
        elif self._peer.name in each.columns:
            verdict = awaiting.check(each.columns[self._peer.name])
        else:
            verdict = Verdict(NO_SUCH_THING)
        self._clear()
        return dataclasses.asdict(verdict)

    def open(self, scenario: str) -> None:
        """Build what is then to be timed."""
        self._clear()
        each = ALL[scenario]
        if isinstance(each, Scenario):
            self._kit = self._peer.kit()
            self._timed = partial(timed, self._peer, each.build(self._kit))
            self._kit.ready()
        else:
            self._timed = partial(awaiting.timed, each.columns[self._peer.name])
        gc.collect()

    def time(self, n: int) -> float:
        """Do it n times; gives the seconds."""
        assert self._timed is not None
        return self._timed(n)

    def weigh(self, what: str, n: int) -> dict[str, float] | None:
        """See `memory`; None if the peer has no such thing."""
        self._clear()
        try:
            return memory.weigh(self._peer, what, n)
        except Missing:
            return None

    def chain(self, length: int, most: int) -> bool | None:
        """Whether the peer survives a chain that long, in so many bytes, and gets it right."""
        if sys.platform != "win32":
            import resource

            resource.setrlimit(resource.RLIMIT_AS, (most, most))
        try:
            return bool(chain(self._peer.kit(), length)(3) == length + 3)
        except Missing:
            return None

    def _clear(self) -> None:
        if self._kit is not None:
            self._kit.close()
        self._kit = self._timed = None
        gc.collect()


def _end_with(parent: int) -> None:
    """End with who has started this, even in the middle of an answer."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def main(name: str) -> None:
    threading.Thread(target=_end_with, args=[os.getppid()], daemon=True).start()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a peer prints is no answer
    desk = Desk(next(peer for peer in PEERS if peer.name == name))
    for line in sys.stdin:
        question: dict[str, Any] = json.loads(line)
        try:
            answer = {"answer": getattr(desk, question.pop("do"))(**question)}
        except Exception as error:  # it is the peer's
            answer = {"error": type(error).__name__}
        print(json.dumps(answer), file=answers, flush=True)
    os._exit(0)  # some threads of a peer would be waited for


if __name__ == "__main__":
    main(sys.argv[1])
