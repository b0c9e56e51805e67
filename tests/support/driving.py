"""A driver to be killed: a process of its own that computes in itself and packs all the time."""

import json
from pathlib import Path
from typing import Any

from photogap.sweeps.ask.config import parse
from photogap.sweeps.ask.plan import Plan, resolve
from photogap.sweeps.drive import flow
from photogap.sweeps.drive.sweep import Report, run
from photogap.sweeps.store import layout
from photogap.sweeps.store.place import place
from support.fake_config import tree


def drive(config: dict[str, Any], url: str, report: str) -> None:
    """Run a sweep in small shards, each of them written again for every few points."""
    layout.SHARD_POINTS = layout.SUMMARY_POINTS = 8
    flow.BATCH_POINTS, flow.PACK_S = 3, 0.0
    found = run(resolve(parse(config)), place(url), workers=0)
    Path(report).write_text(json.dumps({"done": found.counts.done, "failed": found.counts.failed}))


def plan_of(axes: dict[str, Any] | None = None, **more: Any) -> Plan:
    """Plan of the fake model over some axes."""
    return resolve(parse(tree(axes, **more)))


def go(folder: Path, name: str, axes: dict[str, Any] | None = None, *, workers: int = 0, **more: Any) -> Report:
    """Run the fake model into a store of a folder."""
    return run(plan_of(axes, **more), place(folder / name), workers=workers)
