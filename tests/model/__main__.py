"""Run random programs against the model.

python -m tests.model [--programs 10000] [--first 0]
python -m tests.model --seed 1234
"""

from __future__ import annotations

import argparse
import logging
from time import perf_counter

from .driving import Tally, drive, explain


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.model", description=__doc__)
    parser.add_argument("--programs", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="the seed of the first one")
    parser.add_argument("--seed", type=int, help="have the program of this seed again")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)  # of what fails asyncio tells as well, once for each way of making it short
    if options.seed is not None:
        said = explain(options.seed)
        if " fails. " in said:
            raise SystemExit(said)
        print(said)
        return
    begun = perf_counter()

    def tell(tally: Tally) -> None:
        print(f"{perf_counter() - begun:8.1f} s  {tally.programs:,} programs", flush=True)

    try:
        tally = drive(range(options.first, options.first + options.programs), tell)
    except AssertionError as error:
        raise SystemExit(str(error)) from error
    print(f"{tally}: all as the model says.")


if __name__ == "__main__":
    main()
