"""Workers as jobs of a batch system: the base of all such kinds."""

from contextlib import AbstractContextManager
from typing import Any

from .dask_pool import DaskPool
from .script import oversubscription, processes_of, retirement
from .spec import Jobs
from .survey import oversubscribed
from .visit import Visit


class BatchJobs(Jobs):
    """Opens a pool of jobs from the keys of `Jobs`. A kind adds its `system`, its `kind` and its own keys."""

    def open(self, visit: Visit) -> AbstractContextManager[DaskPool]:
        """Pool of jobs: lost ones are replaced, and all are cancelled at the end."""
        # Only a run needs it: it imports distributed, which takes most of a command's start.
        from .jobs import open_jobs

        return open_jobs(self, visit)

    def one_job(self) -> "BatchJobs":
        """One job."""
        return self.model_copy(update={"jobs": 1, "adapt": None})

    def size(self) -> tuple[int, int | None]:
        """Largest number of jobs, and worker processes per job."""
        return self.jobs or (self.adapt.maximum if self.adapt else 1), processes_of(self)

    def advice(self, seen: dict[str, Any]) -> list[str]:
        """Advice from the cores, threads and processes of a worker's node."""
        processes, retire = processes_of(self), retirement(self)
        seen["retires_after_s"] = None if retire is None else retire[0]
        change = [text for text in (oversubscribed(seen, processes), oversubscription(self)) if text]
        if not self.tls:
            change.append("set `tls: true`: every user of the network can run code as you")
        if seen["cores"] < processes:
            change.append(f"ask for {processes} cores, or set `processes: {seen['cores']}`")
        return change
