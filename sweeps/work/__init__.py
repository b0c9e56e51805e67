"""Work on one point: the task, its limits and the pool that runs it."""
