"""Sources of workers: batch systems, schedulers by address, gateways; their certificates and checks."""

if __name__ != "photogap.sweeps.clusters":
    raise ImportError(
        f"import this package as `photogap.sweeps.clusters`, not as `{__name__}`: a second copy breaks identity"
    )
