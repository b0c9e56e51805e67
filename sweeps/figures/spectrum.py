"""The Eliashberg spectrum next to a map: of a known material, of a cube's material, or the user's own."""

from pathlib import Path

import xarray as xr

from ...core.material import Material
from ..ask.config import parse
from ..ask.plan import resolve
from ..errors import SweepError
from ..materials.library import load
from ..store.cube import Cube
from ..store.place import Place


def alpha2F_of(name: str | Path) -> xr.DataArray:
    """alpha2F of a material over `frequency` (meV), dimensionless, on the material's own lattice."""
    return spectrum_array(load(name))


def alpha2F_in(cube: Place, label: str) -> xr.DataArray | None:
    """alpha2F of a cube's material, from the file that the cube's config names; None if the file no longer exists.

    Args:
        cube: Place of the cube.
        label: The material's label in the cube.
    """
    material = material_in(cube, label)
    return None if material is None else spectrum_array(material)


def material_in(cube: Place, label: str) -> Material | None:
    """A cube's material, from the file that the cube's config names; None if the file no longer exists."""
    record = Cube(cube, read_only=True).record
    tree = {key: value for key, value in record["config"].items() if value is not None}
    try:
        material = resolve(parse(tree, folder=record["folder"])).materials.get(label)
    except (SweepError, KeyError):
        return None
    return material if isinstance(material, Material) else None


def found(ds: xr.Dataset, given: xr.DataArray | None) -> xr.DataArray | None:
    """The given spectrum, or that of the cube's one material if the name is known; None otherwise."""
    if given is not None or "material" not in ds.coords or ds["material"].size != 1:
        return given
    try:
        return alpha2F_of(str(ds["material"].values.item()))
    except (ValueError, FileNotFoundError):
        return None


def spectrum_array(material: Material) -> xr.DataArray:
    """alpha2F of a material over `frequency` (meV), on its own lattice."""
    Omega, alpha2F, _ = material.spectrum.on_lattice(material.spacing)
    frequency = ("frequency", Omega, {"units": "meV", "long_name": "phonon energy"})
    attrs = {"units": "1", "long_name": "Eliashberg spectral function"}
    return xr.DataArray(alpha2F, dims="frequency", coords={"frequency": frequency}, attrs=attrs, name="alpha2F")
