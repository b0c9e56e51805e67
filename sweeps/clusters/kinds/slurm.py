"""Jobs of SLURM."""

import getpass
import math
import re
import shutil
from pathlib import Path
from typing import Any, ClassVar, Literal

from ..batch import BatchJobs
from ..readings import Reading, hms
from ..script import theirs
from ..spec import Line
from ..system import PENDING, RUNNING, JobState, System

_WAITS = ("PENDING", "CONFIGURING", "REQUEUED", "SUSPENDED")
# Reasons of `squeue` for jobs that request more than is allowed, or something that does not exist.
_HOPELESS = re.compile(
    r"BadConstraints|Invalid\w+|Partition(Config|NodeLimit|TimeLimit)|AccountNotAllowed|QOSNotAllowed|JobHeld\w+"
    r"|DependencyNeverSatisfied|QOSMin\w+|(Assoc|QOS)Max\w+PerJob\w*|QOSUsageThreshold"
)


class SlurmSystem(System):
    """sbatch, squeue, scancel."""

    name = "slurm"
    job = "dask_jobqueue.slurm:SLURMJob"
    directive = "#SBATCH"
    submit_command = "sbatch"
    cancel_command = "scancel"
    hint = (
        "Check `queue`, `account`, `constraint`, `walltime` and `memory` of the cluster file; `sinfo` lists queues."
    )
    taken = ("CANCELLED", "PREEMPTED", "NODE_FAIL", "REVOKED")
    reading = Reading("sbatch", number_s=60, pair="MM:SS", number_bytes=2**20)

    def states(self, ids: list[str]) -> dict[str, JobState] | None:
        """From squeue."""
        done = self.run(["squeue", "--noheader", "--format=%i|%T|%r", f"--user={getpass.getuser()}"])
        if done.returncode:
            return None
        out = {}
        for line in done.stdout.splitlines():
            job, _, rest = line.strip().partition("|")
            word, _, reason = rest.partition("|")
            if job in ids:
                phase = PENDING if word in _WAITS else RUNNING
                hopeless = phase == PENDING and _HOPELESS.fullmatch(reason) is not None
                out[job] = JobState(phase, f"{word} ({reason})" if reason not in ("None", "") else word, hopeless)
        return out

    def story(self, job: str) -> str:
        """From scontrol, which keeps a job for a few minutes, else from sacct."""
        done = self.run(["scontrol", "show", "job", "--oneliner", job])
        found = dict(re.findall(r"(JobState|Reason|ExitCode)=(\S+)", done.stdout))
        if found:
            reason = found.get("Reason", "None")
            return str(found["JobState"]) + (f" ({reason})" if reason != "None" else "")
        if shutil.which("sacct"):
            done = self.run(["sacct", "--noheader", "--parsable2", "--allocations", "--format=State", "-j", job])
            lines: list[str] = done.stdout.split()
            return lines[0] if lines and not done.returncode else ""
        return ""

    def offers(self, queue: str | None) -> str:
        """From sinfo: cores, memory and time of the queue's nodes."""
        only = [f"--partition={queue}"] if queue else []
        done = self.run(["sinfo", "--noheader", "--format=%P|%c|%m|%l", *only])
        rows = [line.strip().split("|") for line in done.stdout.splitlines() if line.count("|") == 3]
        words = [
            f"{name.rstrip('*')}: nodes of {cores} cores and {memory} MB, at most {time}"
            for name, cores, memory, time in rows
        ]
        return "; ".join(words[:5])

    def walltime(self, seconds: float) -> str:
        """D-HH:MM:SS for a day or more."""
        days, left = divmod(int(seconds), 86400)
        return f"{days}-{hms(left)}" if days else hms(seconds)

    def options(self, spec: Any, cores: int, memory: int) -> dict[str, Any]:
        """Account, cores and memory of the job; a site's own `job_cpu` and `job_mem` take precedence."""
        return {
            "account": spec.account,
            "job_cpu": theirs(spec, "job_cpu") or cores,
            "job_mem": theirs(spec, "job_mem") or f"{math.ceil(memory / 2**20)}M",
        }

    def driver_lines(self, log: Path) -> list[str]:
        """A minute's notice, for the driver to save finished points and cancel its workers."""
        return [f"#SBATCH -o {log}", "#SBATCH --signal=B:TERM@60"]


class Slurm(BatchJobs):
    """Jobs of SLURM.

    Args:
        constraint: Features that a node must have.
    """

    system: ClassVar[System] = SlurmSystem()

    kind: Literal["slurm"]
    constraint: Line = None

    def own_directives(self) -> list[str]:
        """Directives of the keys that only this kind has."""
        features = [f"--constraint={self.constraint}"] if self.constraint else []
        return [*features, *([f"--gres=gpu:{self.gpus}"] if self.gpus else [])]


KIND = Slurm
