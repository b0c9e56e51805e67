"""A sweep as its user asks for it: config, axes, labels, the plan of its points and their identity."""
