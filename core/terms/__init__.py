"""Processes of the kinetic equations, a term each; `core.processes` lists them."""
