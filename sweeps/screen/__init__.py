"""Screening: a folder or a database of spectra becomes one sweep, a ranked table and a picture."""
