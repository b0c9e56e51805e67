"""Orchestration: axes, point identities, clusters, the cube, the command line, pictures. No physics."""

if __name__ != "photogap.sweeps":
    raise ImportError(
        f"import this package as `photogap.sweeps`, not as `{__name__}`: a second copy breaks identity"
    )
