"""This library beside its peers and its floors, measured in turn within one run.

    python -m tests.benchmarks [--json FILE] [--rounds N] [--quick] [--only PATTERN]

`primitives` is what a peer is asked for, `peers` how each does it, `floors` the same by hand
and what is right; `shapes` are the scenarios, `awaiting` those that wait, `memory` what is
weighed; `measuring` checks and times, `report` writes, `depth` looks how deep a chain can be,
`guard` compares with what was recorded; `frames` is about pages.
Between machines only ratios mean anything.
"""
