"""Jobs of LSF: all that this kind of cluster needs."""

from typing import Any, ClassVar, Literal

from photogap.sweeps.clusters.batch import BatchJobs
from photogap.sweeps.clusters.readings import Reading
from photogap.sweeps.clusters.system import JobState, System, states_by_letter


class LsfSystem(System):
    """bsub, bjobs, bkill."""

    name, job, directive = "lsf", "dask_jobqueue.lsf:LSFJob", "#BSUB"
    submit_command, cancel_command, by_stdin = "bsub", "bkill", True
    hint = "`bqueues` lists queues."
    reading = Reading("bsub", number_s=60, pair="HH:MM")

    def states(self, ids: list[str]) -> dict[str, JobState] | None:
        done = self.run(["bjobs", "-noheader", "-o", "jobid stat"])
        rows = [(words[0], words[1]) for words in map(str.split, done.stdout.splitlines()) if len(words) == 2]
        return None if done.returncode else states_by_letter(ids, rows, running="RUN", ended="DONE EXIT")

    def walltime(self, seconds: float) -> str:
        return f"{int(seconds) // 3600:02}:{int(seconds) % 3600 // 60:02}"

    def options(self, spec: Any, cores: int, memory: int) -> dict[str, Any]:
        return {"project": spec.account, "ncpus": cores, "mem": memory, "lsf_units": "mb"}


class Lsf(BatchJobs):
    """Jobs of LSF."""

    system: ClassVar[System] = LsfSystem()
    kind: Literal["lsf"]
