"""Put a server under load, wave after wave, and say what came of it.

    python -m tests.load [--people 300] [--waves 3] [--steps 8] [--think 2.0]

Each wave is so many people at once, half of whom leave and come back on the way. At its end
every client has to have what the server has; then all leave, their sessions expire, and
nothing of them may be left: no session, task, binding, control or store. The first wave warms
up; after the others the memory has to be what it was after the first, within a tenth. The
last run is one without a pause: nobody thinks.
"""

from __future__ import annotations

import argparse
import asyncio

from .server import ServerProcess
from .waves import Wave, wave

GROWTH = 0.10


async def run(people: int, waves: int, steps: int, think: float) -> list[str]:
    """Run the waves and print each; gives what is wrong."""
    server = ServerProcess()
    try:
        wrong: list[str] = []
        await wave(server, 1, 2, 0.0)  # what is made only once
        before = await server.ask("census")
        memory: list[int] = []
        for n in range(waves + 1):
            is_saturated = n == waves
            found: Wave = await wave(server, people, steps, 0.0 if is_saturated else think, is_swept=n == 0)
            print(f"{'saturated' if is_saturated else f'wave {n + 1}'}: {found}", flush=True)
            wrong += found.wrong
            left = {kind: many - before.get(kind, 0) for kind, many in found.census.items()}
            wrong += [f"{many} {kind} left" for kind, many in left.items() if many > 0]
            memory.append(found.memory)
        wrong += [
            f"memory has grown from {memory[0]:,} to {each:,} bytes"
            for each in memory[1:]
            if each > memory[0] * (1 + GROWTH)
        ]
    finally:
        server.stop()
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--people", type=int, default=300)
    parser.add_argument("--waves", type=int, default=3)
    parser.add_argument("--steps", type=int, default=8, help="what each of them does")
    parser.add_argument("--think", type=float, default=2.0, help="seconds between, on average")
    options = parser.parse_args()
    wrong = asyncio.run(run(options.people, options.waves, options.steps, options.think))
    if wrong:
        raise SystemExit("\n".join(["Wrong:", *wrong]))
    print("Everything was right: all mirrors equal, nothing left, no growth.")


if __name__ == "__main__":
    main()
