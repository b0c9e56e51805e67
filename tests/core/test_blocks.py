"""Collisions above the gap equation's window in blocks: equal to the whole axis on one ring, and to direct sums."""

from dataclasses import replace

import numpy as np
import pytest

from photogap.core import simulate as model
from photogap.core.constants import KB
from photogap.core.kinetics import Change, Film, State, Weights
from photogap.core.lattice import Lattice
from photogap.core.pairing.coherence import spectral_weights
from photogap.core.settings import Point, Settings
from photogap.core.terms import blocks
from photogap.core.terms.collisions import Collisions, collision_rates
from photogap.core.thermal import bose, fermi
from photogap.core.windows import fill_above, window_ladder
from photogap.sweeps.materials import library
from support import direct

RATES = ("f_gain", "f_loss", "n_gain", "n_loss")
GAP, M = 100, 40
"""Cells of the gap equation's window and of the phonons."""
SHAPES = {
    "one cell above the low ring": (GAP + 2 * M + 1, 400, 4.0),
    "one block": (GAP + M + 280, 400, 4.0),
    "whole blocks": (GAP + M + 3 * 280, 400, 4.0),
    "one cell more than whole blocks": (GAP + M + 3 * 280 + 1, 400, 4.0),
    "one cell less than whole blocks": (GAP + M + 3 * 280 - 1, 400, 4.0),
    "last block shorter than its margins": (GAP + M + 2 * 280 + 10, 400, 4.0),
    "blocks as long as their margins": (GAP + M + 777, 160, 4.0),
    "blocks shorter than the phonons": (GAP + M + 777, 140, 3.5),
    "blocks of one cell": (GAP + M + 60, 121, 3.025),
    "blocks left empty": (GAP + M + 60, 130, 3.25),
}
"""Cells, and the two limits that set the length of a block (`blocks`)."""


@pytest.fixture(params=SHAPES)
def film(request, monkeypatch):
    """A made-up spectrum on a lattice beyond its gap equation's window."""
    N, points, least = SHAPES[request.param]
    monkeypatch.setattr(blocks, "POINTS", points)
    monkeypatch.setattr(blocks, "LEAST", least)
    lattice = Lattice(h=0.5, N=N, M=M)
    x = lattice.Omega / lattice.Omega[-1]
    made_up = Film(lattice, x**2 * (1.2 - x), 3.0 * x**2 + 0.01, 0.02, 50.0, gap_cells=GAP)
    assert made_up.blocks is not None
    return made_up


@pytest.fixture
def rng():
    return np.random.default_rng(15)


def on_one_ring(film):
    """The same film with the whole axis on one ring."""
    return replace(film, gap_cells=None)


def weights(film, Delta=2.0, Gamma=0.2):
    """Weights of a damped superconductor in the gap equation's window, of a normal metal above it."""
    E = film.lattice.E[: film.gap_cells]
    found = spectral_weights(E + 1j * Gamma, np.full(E.size, Delta, dtype=complex))
    return fill_above(*found, film.lattice.N)


def arbitrary(film, rng, decay=0.3):
    """Random occupations, f falling off by exp(1 / decay) over the lattice."""
    f = rng.random(film.lattice.N) * np.exp(-film.lattice.E / (decay * film.lattice.window))
    n = rng.random(film.lattice.M + 1)
    n[0] = 0.0
    return f, n


def assert_equal(found, expected, bound):
    for name in RATES:
        a, b = getattr(found, name), getattr(expected, name)
        assert np.abs(a - b).max() < bound * np.abs(b).max(), name


@pytest.mark.parametrize("decay", [0.05, np.inf])
@pytest.mark.parametrize("coherence", ["averaged", "printed"])
def test_blocks_equal_one_ring(film, coherence, decay, rng):
    """1e-13 of the largest gross rate: round-off leaves 5e-15."""
    state = (*weights(film), *arbitrary(film, rng, decay))
    found = collision_rates(film, *state, coherence)
    assert_equal(found, collision_rates(on_one_ring(film), *state, coherence), 1e-13)


def test_blocks_equal_direct_sums(film, rng):
    """1e-12 of the largest gross rate, against sums over all pairs of cells."""
    state = (*weights(film), *arbitrary(film, rng))
    assert_equal(collision_rates(film, *state), direct.collision_rates(film, *state), 1e-12)


def test_relaxation_equals_that_of_one_ring(film, rng):
    """1e-13 of the largest rate; phonons' rates are differences of larger ones."""
    rho, p = weights(film)
    f, n = arbitrary(film, rng)
    found = []
    for one in (film, on_one_ring(film)):
        rates = Change(np.zeros(f.size), np.zeros(n.size), np.zeros(2))
        Collisions().relaxation(0.0, State(one, Weights(rho, p), f, n), rates)
        found.append(rates)
    assert np.abs(found[0].f - found[1].f).max() < 1e-13 * found[1].f.max()
    gross = collision_rates(film, rho, p, f, n).n_loss.max()
    assert np.abs(found[0].n - found[1].n).max() < 1e-13 * max(gross, np.abs(found[1].n).max())


@pytest.mark.parametrize("reduced", [0.03, 0.5, 5.0])
def test_one_temperature_is_a_fixed_point(film, reduced):
    """Net rates below 1e-12 of the fastest quasiparticle's and of the largest gross rate of phonons."""
    T = reduced * film.lattice.Omega[-1] / KB
    rho, p = weights(film)
    f, n = fermi(film.lattice.E, T), bose(film.lattice.Omega, T)
    rates = collision_rates(film, rho, p, f, n)
    fastest = collision_rates(film, rho, p, np.full_like(f, 0.5), n).f_loss.max()
    assert np.abs(rates.f_gain - rates.f_loss).max() < 1e-12 * fastest
    assert np.abs(rates.n_gain - rates.n_loss).max() < 1e-12 * rates.n_loss.max()


@pytest.mark.parametrize("decay", [0.05, np.inf])
def test_collisions_keep_energy(film, decay, rng):
    rho, p = weights(film)
    rates = collision_rates(film, rho, p, *arbitrary(film, rng, decay))
    gained = film.quasiparticle_energy(rho, rates.f_gain - rates.f_loss)
    given = film.phonon_energy(rates.n_gain - rates.n_loss)
    gross = film.quasiparticle_energy(rho, rates.f_gain) + film.phonon_energy(rates.n_gain)
    assert abs(gained + given) < 1e-13 * gross


def test_round_off_stays_within_a_block(film):
    """A hot cell at the top leaves exactly nothing in blocks beyond its reach, and its equal share within it."""
    rho, p = weights(film)
    f, n, hot = np.zeros(film.lattice.N), np.zeros(M + 1), film.lattice.N - 1
    f[hot] = 0.5
    found, expected = (collision_rates(one, rho, p, f, n).f_gain for one in (film, on_one_ring(film)))
    first, beyond = film.blocks.first, hot - M - film.blocks.cells
    assert not found[first : max(first, beyond)].any()
    assert found[first:] == pytest.approx(expected[first:], abs=1e-13 * expected.max())


def test_lattices_that_hardly_exceed_the_window_keep_their_ring(rng):
    """To the bit: up to twice the phonons' cells above the window there are no blocks."""
    lattice = Lattice(h=0.5, N=GAP + 2 * M, M=M)
    film = Film(lattice, lattice.Omega**2, np.ones(M + 1), 1.0, 1.0, gap_cells=GAP)
    state = (*weights(film), *arbitrary(film, rng))
    found, expected = (collision_rates(one, *state) for one in (film, on_one_ring(film)))
    for name in RATES:
        assert np.array_equal(getattr(found, name), getattr(expected, name))


@pytest.mark.parametrize("name", ["Pb", "LaH10", "K3C60", "CaC6"])
def test_widest_lattices_of_materials(name, rng):
    """1e-13 on every rung for a pulse of 1.5 eV, with blocks as they are in use."""
    material = library.load(name)
    h = 4 * material.spacing
    windows, _ = window_ladder(material.window, 1500.0)
    films = [model.build_rung(material, h, window, material.window) for window in windows]
    assert films[0].blocks is not None
    assert films[-1].blocks is None
    for film in films:
        state = (*weights(film, 5.0), *arbitrary(film, rng))
        assert_equal(collision_rates(film, *state), collision_rates(on_one_ring(film), *state), 1e-13)


TRAJECTORIES = {
    "lead": ("Pb", {"F0": 5e-7, "omega_pump": 300.0, "T": 5.0, "tau_esc": 500.0},
             {"spacing": 0.2, "times": tuple(np.linspace(-5.0, 1.0, 121)), "atol": 1e-6}),
    "implicit": ("Pb", {"F0": 5e-7, "omega_pump": 300.0, "T": 5.0, "tau_esc": 500.0},
                 {"spacing": 0.5, "times": (-6.0, 0.0, 2.0), "integrator": "rosenbrock"}),
    "fulleride": ("K3C60", {"F0": 1.0, "omega_pump": 1500.0, "T": 30.0, "tau_esc": 0.05}, {"spacing": 2.0}),
    "divided by Z": ("K3C60", {"F0": 1.0, "omega_pump": 1500.0, "T": 30.0, "tau_esc": 0.05},
                     {"spacing": 2.0, "renormalised_rates": True}),
}  # fmt: skip


@pytest.mark.parametrize("name", TRAJECTORIES)
def test_trajectories_equal_those_on_one_ring(name, monkeypatch):
    """1e-9 of each output's largest value, and the same steps."""
    material, point, settings = TRAJECTORIES[name]
    where, how = Point(material=library.load(material), **point), Settings(**settings)
    found = model.simulate(where, how)
    used, build = [], model.build_rung
    monkeypatch.setattr(model, "build_rung", lambda *key: used.append(build(*key)) or on_one_ring(used[-1]))
    expected = model.simulate(where, how)
    assert any(film.blocks is not None for film in used)
    assert found.diagnostics["steps"] == expected.diagnostics["steps"]
    for key, values in expected.data.items():
        # shares of the absorbed energy, of which nothing but round-off may be left
        scale = 1.0 if key in ("ledger_error", "overrun") else np.abs(values).max()
        assert np.abs(found.data[key] - values).max() <= 1e-9 * scale, key
