"""A real SLURM of two nodes on this machine, brought up for the session, and short ways to run sweeps on it."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

SWEEPS = Path(__file__).parents[1] / "sweeps"
sys.path.insert(0, str(SWEEPS))
sys.path.insert(0, str(Path(__file__).parent))
os.environ["PYTHONPATH"] = os.pathsep.join([str(SWEEPS), *filter(None, [os.environ.get("PYTHONPATH")])])

from batch import Slurm, lacking  # noqa: E402
from fake_config import AXES  # noqa: E402

CONF = """
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CredType=cred/munge
SlurmctldPort={port}
SlurmctldPidFile={folder}/run/slurmctld.pid
SlurmdPidFile={folder}/run/slurmd-%n.pid
StateSaveLocation={folder}/ctld
SlurmdSpoolDir={folder}/spool/%n
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/log/jobcomp.txt
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,bf_interval=1
SlurmdParameters=config_overrides
KillWait=2
MinJobAge=600
CompleteWait=0
InactiveLimit=0
SlurmctldTimeout=60
SlurmdTimeout=60
OverTimeLimit=0
DefMemPerCPU=500
{nodes}
PartitionName=main Nodes=n[1-2] Default=YES MaxTime=INFINITE DefaultTime=10 State=UP
"""


def _free(count: int) -> int:
    """First of a run of ports nobody uses."""
    for base in range(20000 + os.getpid() % 500 * 20, 32000, 20):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for port in range(base, base + count):
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
            return base
    raise RuntimeError("no free ports")


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
        _up(folder)
        yield Slurm(folder)
    finally:
        _down(folder)
        shutil.rmtree(folder, ignore_errors=True)
        os.environ.pop("SLURM_CONF") if before is None else os.environ.update(SLURM_CONF=before)


def _up(folder: Path) -> None:
    for name in ("munge", "ctld", "spool/n1", "spool/n2", "log", "run"):
        (folder / name).mkdir(parents=True)
    (folder / "munge" / "key").write_bytes(os.urandom(1024))
    (folder / "munge" / "key").chmod(0o400)
    host, port = socket.gethostname().split(".")[0], _free(3)
    nodes = "\n".join(
        f"NodeName=n{i} NodeHostname={host} NodeAddr=127.0.0.1 Port={port + i} Sockets=1 CoresPerSocket=2 "
        "ThreadsPerCore=1 RealMemory=4000 State=UNKNOWN"
        for i in (1, 2)
    )
    conf = folder / "slurm.conf"
    conf.write_text(CONF.format(host=host, folder=folder, port=port, nodes=nodes))
    os.environ["SLURM_CONF"] = str(conf)
    munge = folder / "munge"
    _start("munged", "--force", f"--key-file={munge / 'key'}", f"--socket={munge / 'socket'}",
           f"--pid-file={folder / 'run' / 'munged.pid'}", f"--log-file={folder / 'log' / 'munged.log'}",
           f"--seed-file={munge / 'seed'}", "--num-threads=2")  # fmt: skip
    _start("slurmctld", "-c")
    for node in ("n1", "n2"):
        _start("slurmd", "-N", node)
    end = time.monotonic() + 30
    while time.monotonic() < end:
        idle = subprocess.run(["sinfo", "-h", "-t", "idle", "-o", "%D"], capture_output=True, text=True, timeout=30)
        if idle.stdout.strip() == "2":
            return
        time.sleep(0.2)
    raise RuntimeError(f"SLURM did not come up: {(folder / 'log' / 'slurmctld.log').read_text()[-2000:]}")


def _start(*command: str) -> None:
    # A daemon must not keep the pipes of the test run open.
    subprocess.run(
        command,
        check=True,
        timeout=30,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _down(folder: Path) -> None:
    subprocess.run(["scancel", "--user=root"], capture_output=True, timeout=30, check=False)
    end = time.monotonic() + 20
    while time.monotonic() < end:
        left = subprocess.run(["squeue", "-h"], capture_output=True, text=True, timeout=30, check=False)
        if not left.stdout.strip():
            break
        time.sleep(0.3)
    pids = []
    for path in [*folder.glob("run/slurmd-*.pid"), folder / "run/slurmctld.pid", folder / "run/munged.pid"]:
        with contextlib.suppress(OSError, ValueError):
            pids.append(int(path.read_text()))
            os.kill(pids[-1], signal.SIGTERM)
    # They write their state once more before they end.
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < end + 10:
        time.sleep(0.1)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders of the user: own clusters, certificates; commands are started in it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("PHOTOGAP_TEST_TALLY", str(tmp_path / "tally.txt"))
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
        tree = {"name": "test", "model": "fake_model:MODEL", "axes": AXES | (axes or {})} | more
        path.write_text(yaml.safe_dump(tree))
        return path

    return write


@pytest.fixture
def tally(home: Path) -> Callable[[], list[str]]:
    """Points that were computed, one line each, by whatever process."""
    path = home / "tally.txt"
    return lambda: path.read_text().splitlines() if path.exists() else []


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
        process.communicate(timeout=20)
