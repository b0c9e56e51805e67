"""The driver of a sweep: run, refine, estimate, converge, report."""
