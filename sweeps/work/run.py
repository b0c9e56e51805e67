"""Run a batch by its backend."""

from ..model import resolve
from . import task
from .batched import run_batched
from .task import Batch


def run_batch(batch: Batch) -> int:
    """Compute and write each point of the batch that is not yet written; return the number computed.

    Raises:
        ImportError: The points need a library that this process lacks.
    """
    model = resolve(batch.model)
    for job in batch.jobs:
        model.libraries(job.settings)
    return run_batched(batch) if batch.backend == "gpu" else task.run_batch(batch)
