"""Materials, media and spectra: libraries and file formats."""
