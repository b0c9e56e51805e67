"""Helpers of the tests: fake models and their configs, references, servers, batch systems."""
