"""The paper's statements beside what this code gives: `python -m photogap.sweeps.reproduction` writes the table."""
