"""Many trajectories of one material at once, as rows of arrays: compiled JAX programs, for a GPU.

The equations are those of `kinetics` and `pairing`, written for rows; `tests/core/test_batched.py` holds both
against each other. Nothing else in `core` imports this room: it needs JAX (`pip install 'photogap[gpu]'`).

A row is one trajectory with its own time, step, stages and gap. A batch whose rows all do the same at a time waits
for the slowest one in each step; here each row is a small machine of its own (`machine`) that waits for its next
program, and whatever program most rows wait for runs on a chunk of them (`chunks`). A row that ends makes room for
the next point.
"""
