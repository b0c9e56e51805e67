"""A soft mode that a setting adds to a material."""

import dataclasses

import numpy as np
import pytest

from photogap.core.settings import Point, Settings
from photogap.core.simulate import build_coupling, check
from photogap.core.soft_mode import softened


def point(material):
    return Point(material=material, F0=0.1, omega_pump=170.0, T=30.0, tau_esc=0.02)


def test_no_soft_mode_leaves_the_point(k3c60):
    given = point(k3c60)
    assert softened(given, Settings(soft_energy=12.0)) is given


def test_soft_mode_adds_its_lambda_at_its_energy(k3c60):
    new = softened(point(k3c60), Settings(soft_lambda=0.05, soft_energy=5.0)).material
    assert new.spectrum.coupling_lambda == pytest.approx(k3c60.spectrum.coupling_lambda + 0.05)
    omega, alpha2F, _ = new.spectrum.on_lattice(0.25)
    low = omega[1:] < 15.0
    assert 2 * 0.25 * np.sum((alpha2F[1:] / omega[1:])[low]) == pytest.approx(0.05, rel=1e-3)


def test_mu_star_is_calibrated_again(k3c60):
    """More coupling needs a larger mu_star for the same Tc0."""
    new = softened(point(k3c60), Settings(soft_lambda=0.2, soft_energy=12.0)).material
    assert new.mu_star is None
    assert new.Tc0 == k3c60.Tc0
    before, after = (build_coupling(m, 1.0, 600.0, "real").mu_star for m in (k3c60, new))
    assert after > before


def test_soft_mode_is_refused_for_unsuitable_materials(k3c60):
    settings = Settings(soft_lambda=0.05)
    stated = dataclasses.replace(k3c60, mu_star=0.1)
    with pytest.raises(ValueError, match="`soft_lambda` needs a material whose `mu_star`"):
        check(point(stated), settings)
    own = k3c60.spectrum.with_phonons([0.0, 250.0], [1.0, 1.0])
    with pytest.raises(ValueError, match="given by `peaks` alone"):
        check(point(dataclasses.replace(k3c60, spectrum=own)), settings)
    with pytest.raises(ValueError, match="`soft_energy` must be below the highest mode"):
        check(point(k3c60), Settings(soft_lambda=0.05, soft_energy=300.0))
