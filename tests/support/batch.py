"""Looking at a real batch system, and waiting for it."""

import contextlib
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from photogap.sweeps.ask.config import read
from photogap.sweeps.ask.plan import resolve
from photogap.sweeps.drive.sweep import run
from photogap.sweeps.store.place import place
from support.cubes import physics
from support.patience import PATIENCE


def lacking(what: str) -> None:
    """Skip where a part is missing; in CI that is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing in CI")
    pytest.skip(f"{what} is missing")


@dataclass(frozen=True)
class Slurm:
    folder: Path

    def queue(self) -> list[tuple[str, str, str]]:
        """Id, name and state of all jobs."""
        out = subprocess.run(
            ["squeue", "--noheader", "--format=%i|%j|%T"],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        )
        return [tuple(line.strip().split("|")) for line in out.stdout.splitlines()]  # type: ignore[misc]

    def workers(self, state: str = "RUNNING") -> list[str]:
        """Ids of worker jobs in a state."""
        return [i for i, name, s in self.queue() if name.startswith("photogap-") and s == state]

    def ended(self) -> list[str]:
        """What SLURM wrote of ended jobs, a line each."""
        path = self.folder / "log" / "jobcomp.txt"
        return path.read_text().splitlines() if path.exists() else []


def address_in(path: Path) -> str | None:
    """Address in a scheduler's file, once it is there and whole."""
    with contextlib.suppress(OSError, ValueError):
        return str(json.loads(path.read_text())["address"])
    return None


def finish(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """Report of a `photogap run --json` that is awaited."""
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    return dict(json.loads(out.splitlines()[-1]))


def local(config: Path, store: Path) -> xr.Dataset:
    """Numbers of a config, computed in this process."""
    run(resolve(read(config)), place(store), workers=0)
    return physics(store)
