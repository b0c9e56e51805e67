"""Eliashberg functions: placeholder to be written."""

from dataclasses import dataclass
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Spectrum:
    """alpha2F (dimensionless) and F (1/meV per atom) on an increasing grid omega (meV)."""

    omega: Array
    alpha2F: Array
    F: Array
