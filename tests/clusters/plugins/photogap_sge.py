"""Jobs of SGE: all that this kind of cluster needs."""

from typing import Any, ClassVar, Literal

from photogap.sweeps.clusters.batch import BatchJobs
from photogap.sweeps.clusters.readings import Reading
from photogap.sweeps.clusters.system import JobState, System, states_by_letter


class SgeSystem(System):
    """qsub, qstat, qdel."""

    name, job, directive = "sge", "dask_jobqueue.sge:SGEJob", "#$"
    submit_command, cancel_command, spools = "qsub", "qdel", True
    hint = "`qconf -sql` lists queues."
    reading = Reading("qsub", number_s=1)

    def states(self, ids: list[str]) -> dict[str, JobState] | None:
        done = self.run(["qstat"])
        rows = [(words[0], words[4]) for words in map(str.split, done.stdout.splitlines()) if len(words) > 4]
        return None if done.returncode else states_by_letter(ids, rows, running="r t hr", ended="z")

    def options(self, spec: Any, cores: int, memory: int) -> dict[str, Any]:
        return {"project": spec.account, "resource_spec": f"h_vmem={memory // cores}"}


class Sge(BatchJobs):
    """Jobs of SGE."""

    system: ClassVar[System] = SgeSystem()
    kind: Literal["sge"]
