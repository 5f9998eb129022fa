"""The supervision tree as data, and as something to print: what is alive in a store just now, and who is its parent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..core.values import is_a
from ..owner import Job
from ..run import Run
from ..service import Service
from ..supervisor import Supervisor

__all__ = ("Supervision", "describe_store")


@dataclass(frozen=True)
class Supervision:
    """One node of the supervision tree. `print(state.supervision())` shows the tree."""

    kind: str
    """`store`, `supervisor`, `service`, `action`, `selector`, `update`, `listener` or `effect`."""
    name: str
    """What messages call it."""
    state: str
    """`running`, or what else its status says."""
    detail: str = ""
    """Such as the strategy of a supervisor, or the error of a service."""
    children: tuple[Supervision, ...] = ()
    """The nodes below it."""

    def __iter__(self) -> Iterator[Supervision]:
        """This node and all below it, from the top."""
        yield self
        for child in self.children:
            yield from child

    def __str__(self) -> str:
        return "\n".join(self._lines("", ""))

    def _lines(self, here: str, below: str) -> Iterator[str]:
        detail = f" ({' '.join(self.detail.split())})" if self.detail else ""
        yield f"{here}{self.kind} {self.name}: {self.state}{detail}"
        for child in self.children:
            is_last = child is self.children[-1]
            yield from child._lines(below + ("└─ " if is_last else "├─ "), below + ("   " if is_last else "│  "))


def describe_store(name: str, state: str, services: Supervisor, jobs: Iterable[Job]) -> Supervision:
    """The tree of a store: its services as they are supervised, then whatever runs otherwise."""
    all_jobs = list(jobs)
    runs: list[Run[Any]] = [job for job in all_jobs if is_a(job, Run)]  # type: ignore[misc]  # they are
    below = {id(child) for run in runs for child in run.children}
    others = tuple(
        _run(job) if is_a(job, Run) else Supervision(job.kind, job.name, "running")
        for job in all_jobs
        if not job.is_service and id(job) not in below
    )
    return Supervision("store", name, state, children=_supervisor(services).children + others)


def _supervisor(supervisor: Supervisor) -> Supervision:
    error = f": {supervisor.error}" if supervisor.error is not None else ""
    return Supervision(
        "supervisor",
        supervisor.name,
        supervisor.state,
        f"{supervisor.strategy}{error}",
        tuple(
            _supervisor(child) if isinstance(child, Supervisor) else _service(child)
            for child in supervisor.children
            if isinstance(child, (Supervisor, Service))
        ),
    )


def _service(service: Service) -> Supervision:
    status = service.current
    again = f"start {status.attempt}" if status.attempt > 1 else ""
    return Supervision("service", service.name, status.state, ", ".join(filter(None, [again, status.message])))


def _run(run: Any) -> Supervision:
    return Supervision("action", run.name, run.state, children=tuple(_run(child) for child in run.children))
