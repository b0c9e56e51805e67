"""Processes of the kinetic equations, one term each; `core.processes` lists them."""
