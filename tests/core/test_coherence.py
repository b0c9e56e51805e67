"""Weights of rho and p against quadrature and their limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photogap.core.pairing.coherence import gap_edge, linear_pair_amplitude, pair_ratio, spectral_weights

h, N = 0.25, 400
E = (np.arange(N) + 0.5) * h


def quadrature(omegaZ, phi, g):
    """Int_0 dE of rho g_even and p g_odd with W, phi and g piecewise linear, by midpoints."""
    x = np.linspace(0, E[-1], 4_000_001)
    x = 0.5 * (x[1:] + x[:-1])
    nodes = np.concatenate([-E[:1], E])
    W = np.interp(x, nodes, np.concatenate([-omegaZ[:1].conj(), omegaZ]).real) + 1j * np.interp(x, E, omegaZ.imag)
    F = np.interp(x, E, phi.real) + 1j * np.interp(x, nodes, np.concatenate([phi[:1].conj(), phi]).imag)
    Q = W * W - F * F
    R = np.where(Q.real > 0, np.sqrt(Q), 1j * np.sqrt(-Q))
    weight = x[1] - x[0]
    g_odd = np.interp(x, nodes, np.concatenate([-g[:1], g]))
    return np.sum((W / R).real * np.interp(x, E, g)) * weight, np.sum((F / R).real * g_odd) * weight


@pytest.mark.parametrize("Gamma", [0.0, 0.01, 0.3, 3.0])
@pytest.mark.parametrize("Delta", [0.03, 0.4, 1.3, 5.125])
def test_sums_are_the_integrals(Delta, Gamma):
    phi = 1.5 * Delta * (1.0 - 0.003 * E) + 0.1j * Gamma * np.tanh(E)
    omegaZ = 1.5 * E + 1j * Gamma
    if Gamma == 0.0:
        phi, omegaZ = phi.real + 0j, omegaZ.real + 0j
    g = np.exp(-E / 8.0) * (1 - np.exp(-E / 2.0))
    rho, p = spectral_weights(omegaZ, phi)
    # 3e-3: what midpoints leave of an inverse square root at 4e6 points
    for sum_, integral in zip((h * rho @ g, h * p @ g), quadrature(omegaZ, phi, g), strict=True):
        assert sum_ == pytest.approx(integral, rel=3e-3)


@settings(max_examples=60, deadline=None)
@given(
    st.floats(1e-4, 30.0), st.floats(0.0, 20.0), st.floats(-0.5, 0.5), st.floats(0.3, 3.0), st.floats(-0.02, 0.02)
)  # fmt: skip
def test_p_never_exceeds_rho(Delta, Gamma, tilt, Z, slope):
    phi = Delta * Z * (1 + slope * E) + 1j * tilt * Delta * np.tanh(E)
    rho, p = spectral_weights(Z * E + 1j * Gamma, phi)
    assert np.all(np.isfinite(rho))
    assert np.all(rho >= 0)
    assert np.all(np.abs(p) <= rho)


def test_weights_are_continuous_as_the_edge_crosses_the_lattice():
    """Without that the gap equation need not have a discrete solution: steps of 1e-4 h move no weight by 1e-2."""
    before = None
    for Delta in np.arange(1.0, 1.3, 1e-4 * h):
        rho, p = spectral_weights(E + 0j, np.full(N, Delta + 0j))
        if before is not None:
            assert np.abs(rho - before[0]).max() < 1e-2
            assert np.abs(p - before[1]).max() < 1e-2
        before = rho, p


def test_normal_state():
    rho, p = spectral_weights(E + 0.1j, np.zeros(N, dtype=complex))
    assert np.abs(rho - 1).max() < 1e-12
    assert not p.any()
    assert not pair_ratio(rho, p).any()


@pytest.mark.parametrize("Gamma", [0.0, 0.05, 2.0])
def test_linear_amplitude_is_the_limit(Gamma):
    omegaZ = 1.4 * E + 1j * Gamma
    phi = (1 + 0.1j * np.tanh(E) * (Gamma > 0)) * np.exp(-E / 50) + 0j
    small = 1e-5
    _, p = spectral_weights(omegaZ, small * phi)
    # second order in phi / h = 4e-5, with a logarithm
    assert np.abs(p / small - linear_pair_amplitude(omegaZ, phi)).max() < 1e-3 * np.abs(p / small).max()


def test_ratio_inside_the_gap_is_one():
    rho, p = spectral_weights(E + 0j, np.full(N, 2.0 + 0j))
    assert rho[0] == 0.0
    assert pair_ratio(rho, p)[0] == 1.0


def test_gap_edge_is_the_last_fall_through_the_diagonal():
    Delta = 3.0 * np.tanh(E / 0.1) * np.exp(-E / 100) + 0j
    edge = gap_edge(Delta, h)
    assert edge == pytest.approx(np.exp(-edge / 100) * 3.0, abs=1e-3)
    assert gap_edge(0.05 * E + 0j, h) == 0.0


@pytest.mark.parametrize("Gamma", [0.0, 2.0])
def test_states_remain_where_the_dressed_energy_is_negative(Gamma):
    """Inverted occupations of a strong coupler may turn Re W: R ~ W there too. 5e-3: points beside hats' means."""
    omegaZ = E - 50.0 * np.exp(-(((E - 40.0) / 6.0) ** 2)) + 1j * Gamma
    phi = np.full(N, 0.5 + 0j)
    rho, p = spectral_weights(omegaZ, phi)
    root = np.sqrt(1 - (phi / omegaZ) ** 2)
    smooth = np.abs(omegaZ) > 3.0
    smooth[1:-1] &= smooth[:-2] & smooth[2:]
    assert (omegaZ.real[smooth & (np.abs(omegaZ) < 15.0)] < 0).sum() > 10
    assert np.abs(rho - (1 / root).real)[smooth].max() < 5e-3
    assert np.abs(p - (phi / omegaZ / root).real)[smooth].max() < 5e-3


def test_trial_that_crosses_zero_energy_has_finite_weights():
    """W < 0 in the first cell, as an extrapolated trial may have it: the closed form divides by zero there."""
    omegaZ = np.array([-0.03132137, 0.88523131, 4.84091213, 11.17649835], dtype=complex)
    phi = np.array([3.45e-10, 7.34e-10, 9.32e-10, 8.70e-10], dtype=complex)
    assert np.isfinite(spectral_weights(omegaZ, phi)).all()
