"""A driver to be killed: a process of its own that computes in itself and packs all the time."""

import json
from pathlib import Path
from typing import Any

from photogap.sweeps.ask.config import parse
from photogap.sweeps.ask.plan import resolve
from photogap.sweeps.drive import flow
from photogap.sweeps.drive.sweep import run
from photogap.sweeps.store import layout
from photogap.sweeps.store.place import place


def drive(tree: dict[str, Any], url: str, report: str) -> None:
    """Run a sweep in small shards, each of them written again for every few points."""
    layout.SHARD_POINTS = layout.SUMMARY_POINTS = 8
    flow.BATCH_POINTS, flow.PACK_S = 3, 0.0
    found = run(resolve(parse(tree)), place(url), workers=0)
    Path(report).write_text(json.dumps({"done": found.counts.done, "failed": found.counts.failed}))
