"""From a user's config to a plan: axes, labels, and the identity of each point."""
