"""How deep a chain may be: `python -m tests.benchmarks.depth [PEER LENGTH]`; each try is a process of its own."""

from __future__ import annotations

import subprocess
import sys

from .peers import PEERS
from .shapes import chain

__all__ = ("deepest",)

LENGTHS = (100, 1_000, 10_000, 100_000)
MEMORY = 2 << 30
SECONDS = 60


def deepest(peer: str) -> int:
    """Find the longest chain, of these, that a peer survives and gets right."""
    longest = 0
    for length in LENGTHS:
        try:
            done = subprocess.run(
                [sys.executable, "-m", "tests.benchmarks.depth", peer, str(length)],
                capture_output=True,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            break
        if done.returncode:
            break
        longest = length
    return longest


def _try(name: str, length: int) -> None:
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    peer = next(peer for peer in PEERS if peer.name == name)
    if chain(peer.kit(), length)(3) != length + 3:
        sys.exit("wrong")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        _try(sys.argv[1], int(sys.argv[2]))
    else:
        for each in PEERS:
            if each.is_installed:
                print(f"{each.name}: {deepest(each.name):,}")
