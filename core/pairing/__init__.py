"""Pairing: Eliashberg's equations, the gap equation and its solvers, Tc."""
