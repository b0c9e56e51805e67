"""Refractive indices of common substrates and covers, each number with its source and its range."""
