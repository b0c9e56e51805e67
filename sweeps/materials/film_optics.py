"""A film in equilibrium between a cover and a substrate, for `photogap optics`."""

import copy

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...core.equilibrium import Equilibrium, solve_equilibrium
from ...core.material import Material
from ...core.optics.indices import Index, Medium, index_at, transparent_index_at
from ...core.optics.response import FilmResponse, OpticalResponse, film_response, optical_response
from ...core.thermal import fermi


class FilmOptics:
    """A material's film at a temperature, between a cover and a substrate."""

    def __init__(
        self, material: Material, T: float, *, thickness: float | None, substrate: Index, cover: Index,
        scattering_rate: float | None, near: Equilibrium | None = None,
    ) -> None:  # fmt: skip
        state = self.state = solve_equilibrium(material, T, near=near)
        self.material, self.T, self.Tc, self.gap = material, T, state.Tc, state.gap
        self.f = fermi(state.E, T)
        self.h, self.top = state.coupling.lattice.h, state.coupling.lattice.window - state.coupling.lattice.h
        self.thickness = material.thickness if thickness is None else thickness
        self.substrate, self.cover, self.scattering_rate = substrate, cover, scattering_rate

    @property
    def edge(self) -> float:
        """Gap edge, meV."""
        return self.gap.edge

    def holds(self, omega: float) -> bool:
        """True if this photon energy (meV) is inside the lattice."""
        return self.h <= omega <= self.top

    def normal(self, omega: ArrayLike) -> FilmResponse:
        """Response of the normal film at photon energies omega (meV), inside the lattice or not."""
        photon = np.asarray(omega, dtype=float)
        drude = 1.0 if self.scattering_rate is None else 1 / (1 - 1j * photon / self.scattering_rate)
        sigma = drude / self.material.rho_N + 0 * photon
        n_substrate, n_cover = self._surroundings(photon)
        return film_response(sigma, photon, self.thickness, n_substrate, n_cover, self.material.eps_infinity)

    def superconducting(self, omega: ArrayLike) -> FilmResponse:
        """Response in equilibrium at T, at photon energies omega (meV) inside the lattice."""
        return self._both(omega).superconducting

    @property
    def bare(self) -> "FilmOptics":
        """The same film in vacuum; sigma does not depend on the surroundings."""
        bare = copy.copy(self)
        bare.substrate = bare.cover = 1.0
        return bare

    def surroundings_known(self, omega: ArrayLike) -> NDArray[np.bool_]:
        """Mask of photon energies omega (meV) at which the indices of substrate and cover are known."""
        known = np.ones(np.shape(omega), dtype=bool)
        for index in (self.substrate, self.cover):
            if isinstance(index, Medium):
                known &= index.holds(omega)
        return known

    def _surroundings(self, omega: ArrayLike) -> tuple[NDArray[np.complex128], NDArray[np.float64]]:
        """Indices of substrate and cover at photon energies omega (meV)."""
        key = "substrate"
        try:
            below = index_at(self.substrate, omega)
            key = "cover"
            return below, transparent_index_at(self.cover, omega)
        except ValueError as error:
            raise ValueError(f"`--{key}`: {error}") from None

    def _both(self, omega: ArrayLike) -> OpticalResponse:
        n_substrate, n_cover = self._surroundings(omega)
        return optical_response(
            self.material, self.gap.Delta, self.f, self.h, omega, thickness=self.thickness,
            n_substrate=n_substrate, n_cover=n_cover, eps_infinity=self.material.eps_infinity,
            scattering_rate=self.scattering_rate, Z=self.gap.Z if self.scattering_rate else 1.0,
        )  # fmt: skip
