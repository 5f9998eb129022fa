"""This library beside its peers and its floors, measured in turn within one run.

    python -m tests.benchmarks [--json FILE] [--rounds N] [--quick]

`scenarios` says what is done and how each peer does it, `__main__` measures. The figures
are for comparing columns of one run with each other; between machines only ratios mean
anything.
"""
