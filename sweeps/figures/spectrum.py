"""The Eliashberg spectrum beside a map: of a known material, or the user's own array."""

from pathlib import Path

import xarray as xr

from ..materials import load


def alpha2F_of(name: str | Path) -> xr.DataArray:
    """alpha2F of a material over `frequency` (meV), dimensionless, on the material's own lattice."""
    material = load(name)
    Omega, alpha2F, _ = material.spectrum.on_lattice(material.spacing)
    frequency = ("frequency", Omega, {"units": "meV", "long_name": "phonon energy"})
    attrs = {"units": "1", "long_name": "Eliashberg spectral function"}
    return xr.DataArray(alpha2F, dims="frequency", coords={"frequency": frequency}, attrs=attrs, name="alpha2F")


def found(ds: xr.Dataset, given: xr.DataArray | None) -> xr.DataArray | None:
    """The given spectrum, or that of the cube's one material if the name is known; None otherwise."""
    if given is not None or "material" not in ds.coords or ds["material"].size != 1:
        return given
    try:
        return alpha2F_of(str(ds["material"].values.item()))
    except (ValueError, FileNotFoundError):
        return None
