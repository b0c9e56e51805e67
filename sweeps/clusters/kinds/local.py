"""Worker processes of this machine."""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from ..spec import Spec, no_bool

if TYPE_CHECKING:
    from ..dask_pool import DaskPool
    from ..visit import Visit


class Local(Spec):
    """Worker processes of this machine.

    Args:
        workers: Their number; if None, the run's, else the machine's cores.
    """

    here: ClassVar[bool] = True

    kind: Literal["local"]
    workers: Annotated[int | None, BeforeValidator(no_bool)] = Field(default=None, ge=0, le=4096)

    @property
    def own_workers(self) -> int | None:
        """Number of workers that the file sets."""
        return self.workers

    def open(self, visit: "Visit") -> AbstractContextManager["DaskPool"]:
        """Pool of processes, which end when it closes."""
        from dask.system import CPU_COUNT

        from ..local_pool import open_local

        count = visit.workers or self.workers or int(CPU_COUNT)
        return open_local(count, visit.memory, dashboard=visit.dashboard)


KIND = Local
