"""The fault table of docs/reliability.md: `make faults`, which continues where it was stopped.

Each row harms a store or its driver many times at random moments, completes the sweep, and compares the cube with
one without faults. Columns: faults tried; points without a result in the end; points that were begun again although
their result had been kept; points that read as `ok` with other numbers. Results are kept in `results/faults.jsonl`,
a line for each part of a row; `--only` and `--seconds` run parts of it, `--again` starts anew.
"""

import argparse
import contextlib
import dataclasses
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks")]

from fault_campaigns import CAMPAIGNS  # noqa: E402
from fault_tools import Row  # noqa: E402

from photogap.sweeps.drive import flow  # noqa: E402
from photogap.sweeps.store import layout  # noqa: E402


def small() -> None:
    """Small shards, packed all the time: many moments at which a kill could hurt."""
    layout.SHARD_POINTS = layout.SUMMARY_POINTS = 8
    flow.BATCH_POINTS, flow.PACK_S = 3, 0.0


def within(row: Row, tries: int, seconds: float) -> Iterator[int]:
    """Numbers of tries, until the row has enough faults or its time is over.

    A try whose fault came too late counts as none; there are twice as many tries as faults at most.
    """
    end = time.monotonic() + seconds
    many = itertools.takewhile(lambda number: number == 0 or time.monotonic() < end, range(2 * tries))
    return itertools.takewhile(lambda number: row.tried < tries, many)


def campaign(name: str, tries: int, folder: Path, seed: int, seconds: float = float("inf")) -> Row:
    """Part of a row."""
    row = Row(name)
    os.environ["TMPDIR"] = str(folder)
    try:
        CAMPAIGNS[name][0](row, within(row, tries, seconds), folder, random.Random(seed))
    except (subprocess.CalledProcessError, PermissionError):
        row.remark = "needs the right to mount and to unshare"
    return row


def table(rows: list[Row]) -> str:
    """Markdown."""
    head = "| Fault | tried | lost | computed twice | silently wrong | |\n|---|---|---|---|---|---|"
    return "\n".join(
        [head, *(f"| {r.name} | {r.tried} | {r.lost} | {r.twice} | {r.wrong} | {r.remark} |" for r in rows)]
    )


def kept(path: Path) -> tuple[list[Row], dict[str, int]]:
    """Sums of a file's parts in the table's order, and the number of parts of each row."""
    rows, parts = {name: Row(name) for name in CAMPAIGNS}, dict.fromkeys(CAMPAIGNS, 0)
    for line in path.read_text().splitlines() if path.exists() else ():
        part = Row(**json.loads(line))
        if part.name in rows:
            row = rows[part.name]
            for key in ("tried", "lost", "twice", "wrong"):
                setattr(row, key, getattr(row, key) + getattr(part, key))
            row.remark = part.remark or row.remark
            parts[part.name] += 1
    return list(rows.values()), parts


def measure(path: Path, scale: float, only: str, seconds: float) -> None:
    """Run what the file lacks, and append it."""
    os.environ["PYTHONPATH"] = str(ROOT / "tests")
    small()
    rows, parts = kept(path)
    for row in rows:
        wanted = max(1, round(scale * CAMPAIGNS[row.name][1])) - row.tried
        if only not in row.name or wanted <= 0:
            continue
        begin = time.monotonic()
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            found = campaign(row.name, wanted, Path(folder), 7 + parts[row.name], seconds)
        with path.open("a") as file:
            file.write(json.dumps(dataclasses.asdict(found)) + "\n")
        print(f"{found} in {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)


def main() -> None:
    """Print the table, or write it into docs/reliability.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="part of the tries")
    parser.add_argument("--only", default="", help="rows with this in their name")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="longest time of a row")
    parser.add_argument("--again", action="store_true", help="forget earlier results")
    parser.add_argument("--kept", type=Path, default=ROOT / "results" / "faults.jsonl", help="file of the results")
    parser.add_argument("--write", type=Path, help="file with the markers of the table")
    options = parser.parse_args()
    options.kept.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        if options.again:
            options.kept.unlink()
    measure(options.kept, options.scale, options.only, options.seconds)
    rows = [row for row in kept(options.kept)[0] if row.tried or row.remark]
    text = table(rows)
    print(text)
    if options.write:
        before, _, rest = options.write.read_text().partition("<!-- faults -->\n")
        _, _, after = rest.partition("<!-- end -->")
        options.write.write_text(f"{before}<!-- faults -->\n{text}\n<!-- end -->{after}")
    sys.exit(any(r.lost or r.twice or r.wrong for r in rows))


if __name__ == "__main__":
    main()
