"""The physics of a driven superconductor: arrays in, arrays out.

Units inside: energy meV, time ps, length nm, temperature K. `photogap.core` does not use Dask, Zarr, files, clocks
or the environment; `photogap.sweeps` builds on it, never the reverse.
"""

if __name__ != "photogap.core":
    raise ImportError(f"import this package as `photogap.core`, not as `{__name__}`: a second copy breaks identity")
