"""This library beside its peers and its floors, measured in turn within one run.

    python -m tests.benchmarks [PART ...] [--all] [--quick] [--only PATTERN] [--json FILE]
    python -m tests.benchmarks --check [--record]
    python -m tests.benchmarks --docs

`primitives` is what a peer is asked for, `peers` how each does it, `floors` the same by hand
and what is right; `shapes` are the scenarios, `awaiting` those that wait. `measuring` checks
and times them, each peer in a process of its own (`workers` on this side of it, `worker` on
the other). `memory` is what is weighed, `depth` looks how deep a chain can be, `growth` how
the cost grows with the size, `frames` what a click costs. `report` prints, `documents` writes
what the docs say, `plots` draws; `guard` compares with what was recorded.
Between machines only ratios mean anything.
"""
