"""The paper's statements compared with the results of this code: `python -m photogap.sweeps.reproduction` writes
the table."""
