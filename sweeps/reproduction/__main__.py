"""Command behind `make reproduce`: run the sweeps, write REPRODUCTION.md and its pictures."""

import argparse
from pathlib import Path

from .page import write
from .runs import Cubes, compute


def main(arguments: list[str] | None = None) -> None:
    """Run what is missing and write the page."""
    parser = argparse.ArgumentParser(prog="photogap-reproduce", description=__doc__)
    parser.add_argument("--configs", type=Path, default=Path("configs"))
    parser.add_argument("--cubes", type=Path, default=Path("results/reproduction"))
    parser.add_argument("--out", type=Path, default=Path("REPRODUCTION.md"))
    parser.add_argument("--pictures", type=Path, default=Path("docs/figures/reproduction"))
    parser.add_argument("--workers", type=int, default=None)
    parser.add_argument("--page-only", action="store_true", help="compute nothing, write the page from the cubes")
    given = parser.parse_args(arguments)
    cubes = Cubes(given.cubes)
    if not given.page_only:
        for line in compute(given.configs, cubes, given.workers):
            print(line, flush=True)
    print(write(given.out, cubes, given.pictures))


if __name__ == "__main__":
    main()
