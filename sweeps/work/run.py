"""Run a batch by its backend."""

from .batched import run_batched
from .task import Batch, run_batch


def run(batch: Batch) -> int:
    """Compute and write each point of the batch that is not yet written; return the number computed."""
    return run_batched(batch) if batch.backend == "gpu" else run_batch(batch)
