"""A real SLURM of two nodes on this machine, brought up for the session, and short ways to run sweeps on it."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.batch import Slurm, lacking
from support.daemons import guarded, up
from support.fake_config import AXES
from support.patience import PATIENCE


@pytest.fixture(scope="session")
def slurm() -> Iterator[Slurm]:
    for command in ("munged", "slurmctld", "slurmd", "sbatch"):
        if shutil.which(command) is None:
            lacking(f"SLURM ({command})")
    if os.geteuid() != 0:
        lacking("root, which SLURM's daemons need,")
    # The path of munge's socket must be short.
    folder = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))
    folder.chmod(0o755)
    before = os.environ.get("SLURM_CONF")
    try:
        with guarded(folder):
            up(folder)
            yield Slurm(folder)
    finally:
        os.environ.pop("SLURM_CONF") if before is None else os.environ.update(SLURM_CONF=before)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders of the user: own clusters, certificates; commands are started in it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config" / "photogap" / "clusters").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def cluster(home: Path) -> Callable[..., Path]:
    """Write one of the user's own cluster files, small jobs on loopback unless told."""

    def write(name: str = "slurm", **more: Any) -> Path:
        tree: dict[str, Any] = {
            "kind": "slurm",
            "jobs": 2,
            "cores": 1,
            "memory": "600MB",
            "walltime": "00:05:00",
            "queue": "main",
            "interface": "lo",
            "poll": "1s",
            "python": sys.executable,
        } | more
        path = home / "config" / "photogap" / "clusters" / f"{name}.yaml"
        path.write_text(yaml.safe_dump({k: v for k, v in tree.items() if v is not None}))
        return path

    return write


@pytest.fixture
def sweep(home: Path) -> Callable[..., Path]:
    """Write a sweep of the fake model."""

    def write(name: str = "sweep.yaml", axes: dict[str, Any] | None = None, **more: Any) -> Path:
        path = home / name
        tree = {"name": "test", "model": "support.fake_model:MODEL", "axes": AXES | (axes or {})} | more
        path.write_text(yaml.safe_dump(tree))
        return path

    return write


@pytest.fixture
def photogap(home: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Start the command line as a process of its own."""
    started: list[subprocess.Popen[str]] = []

    def start(*args: object) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", "photogap.sweeps.cli", *map(str, args)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=home,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=PATIENCE)
