"""SLURM's daemons on this machine: up in a folder, down with those who started them, killed or not."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from support.patience import PATIENCE

CONF_NAME = "slurm.conf"
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
KillWait=10
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


def free_ports(count: int) -> int:
    """First of a run of ports that nobody uses, below those that systems give to whoever asks for any."""
    for base in range(20000 + os.getpid() % 500 * 20, 32000, 20):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for port in range(base, base + count):
                stack.enter_context(socket.create_server(("", port)))
            return base
    raise RuntimeError("no free ports")


@contextlib.contextmanager
def guarded(folder: Path) -> Iterator[None]:
    """Have another process take the daemons down when this one leaves, or is killed: then its pipe closes."""
    environment = os.environ | {"SLURM_CONF": str(folder / CONF_NAME)}
    with subprocess.Popen(
        [sys.executable, __file__, folder], stdin=subprocess.PIPE, start_new_session=True, env=environment
    ):
        yield


def up(folder: Path) -> None:
    """Start munge, a controller and two nodes in a folder; `SLURM_CONF` leads its commands there."""
    for name in ("munge", "ctld", "spool/n1", "spool/n2", "log", "run"):
        (folder / name).mkdir(parents=True)
    (folder / "munge" / "key").write_bytes(os.urandom(1024))
    (folder / "munge" / "key").chmod(0o400)
    host, port = socket.gethostname().split(".")[0], free_ports(3)
    nodes = "\n".join(
        f"NodeName=n{i} NodeHostname={host} NodeAddr=127.0.0.1 Port={port + i} Sockets=1 CoresPerSocket=2 "
        "ThreadsPerCore=1 RealMemory=4000 State=UNKNOWN"
        for i in (1, 2)
    )
    conf = folder / CONF_NAME
    conf.write_text(CONF.format(host=host, folder=folder, port=port, nodes=nodes))
    os.environ["SLURM_CONF"] = str(conf)
    munge = folder / "munge"
    _start("munged", "--force", f"--key-file={munge / 'key'}", f"--socket={munge / 'socket'}",
           f"--pid-file={folder / 'run' / 'munged.pid'}", f"--log-file={folder / 'log' / 'munged.log'}",
           f"--seed-file={munge / 'seed'}", "--num-threads=2")  # fmt: skip
    _start("slurmctld", "-c")
    for node in ("n1", "n2"):
        _start("slurmd", "-N", node)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        idle = subprocess.run(
            ["sinfo", "-h", "-t", "idle", "-o", "%D"], capture_output=True, text=True, timeout=PATIENCE
        )
        if idle.stdout.strip() == "2":
            return
        time.sleep(0.2)
    raise RuntimeError(f"SLURM did not come up: {(folder / 'log' / 'slurmctld.log').read_text()[-2000:]}")


def _start(*command: str) -> None:
    # A daemon must not keep the pipes of the test run open.
    subprocess.run(
        command,
        check=True,
        timeout=PATIENCE,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def down(folder: Path) -> None:
    """Cancel what runs, end the daemons and remove their folder."""
    subprocess.run(["scancel", "--user=root"], capture_output=True, timeout=PATIENCE, check=False)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        left = subprocess.run(["squeue", "-h"], capture_output=True, text=True, timeout=PATIENCE, check=False)
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
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.stdin.read()
    down(Path(sys.argv[1]))
