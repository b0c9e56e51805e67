"""Many trajectories at once (`core.batched`, here on JAX's CPU) against the scalar solver.

The equations stand twice, for rows and for one state: the same random states go through both. A whole batch then
goes through openings, widenings and all, with and without damping, and is held to the scalar solver, the energy
ledger and detailed balance.
"""

import os

# compile fast rather than well, for arrays this small
os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_backend_optimization_level=0".strip()

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from photogap.core.batched import gap as rows_gap
from photogap.core.batched import programs, trajectories
from photogap.core.batched import row_kinetics as rows
from photogap.core.batched.chunks import Kind
from photogap.core.batched.control import coefficients, stages
from photogap.core.batched.device import jax, jnp
from photogap.core.batched.device_tables import film_tables, gap_tables
from photogap.core.batched.machine import Machines
from photogap.core.batched.pairs import Pair
from photogap.core.batched.phases import STRIDES, Phase
from photogap.core.batched.programs import CONTINUE, DONE
from photogap.core.batched.scope import TERMS, refusal
from photogap.core.batched.trajectories import Batch, Key, Scalar, Trial, simulate_all
from photogap.core.batched.weights import linear_pair_amplitude, spectral_weights
from photogap.core.equations import Equations
from photogap.core.integrators.rkc import RungeKuttaChebyshev
from photogap.core.kinetics import Setup
from photogap.core.lattice import Array
from photogap.core.material import Material
from photogap.core.pairing import coherence
from photogap.core.pairing.gap import gap_map
from photogap.core.pairing.tc import LinearGap
from photogap.core.processes import slab_terms
from photogap.core.result import Outcome, Result
from photogap.core.settings import Point, Settings
from photogap.core.simulate import build_coupling, build_film, simulate
from photogap.core.terms.pump import Pump
from photogap.core.thermal import bose, fermi
from photogap.core.windows import window_ladder
from photogap.sweeps.files import ANYWHERE
from photogap.sweeps.materials import library

SPACING, WINDOW, PHOTON = 4.0, 300.0, 170.0
ROUNDING = 1e-10
"""Relative to the largest value: round-off of transforms of some hundred points."""
EXPANSION = 3e-8
"""Far from the gap the scalar weights take two Gauss points, rows three; they differ most at the 20th cell."""


@pytest.fixture(scope="module")
def material() -> Material:
    return replace(library.load("K3C60", ANYWHERE), window=WINDOW, spacing=SPACING)


def random_dressing(rng: np.random.Generator, E: Array, B: int) -> tuple[Array, Array]:
    """W and phi of B rows: damped and not, gapped and not, one normal."""
    W = (1.5 + 0.5 * rng.random((B, 1))) * E + 1j * rng.random((B, 1)) * np.exp(-E / 50)
    phi = 12 * rng.random((B, 1)) / (1 + (E / 60) ** 2) * (1 + 0.2j)
    W[0], phi[0] = W[0].real, phi[0].real
    phi[1] = 0.0
    return W, phi


def pair(z: Array) -> Pair:
    return Pair(jnp.asarray(z.real), jnp.asarray(z.imag))


def close(found: Array, expected: Array, error: float = ROUNDING) -> None:
    scale = np.abs(expected).max()
    assert np.abs(np.asarray(found) - expected).max() <= error * scale


@pytest.fixture(scope="module")
def state(material: Material) -> dict[str, Array]:
    """Five random states on a lattice."""
    rng = np.random.default_rng(3)
    lattice = build_film(material, SPACING, WINDOW).lattice
    f = fermi(lattice.E, 40.0) + 0.3 * rng.random((5, lattice.N)) * np.exp(-lattice.E / 100)
    n = bose(lattice.Omega, 60.0) + 0.2 * rng.random((5, lattice.M + 1))
    n[:, 0] = 0.0
    W, phi = random_dressing(rng, lattice.E, 5)
    weights = [coherence.spectral_weights(w, x) for w, x in zip(W, phi, strict=True)]
    return {
        "f": f, "n": n, "W": W, "phi": phi,
        "rho": np.stack([w[0] for w in weights]), "p": np.stack([w[1] for w in weights]),
    }  # fmt: skip


def test_spectral_weights(state: dict[str, Array]) -> None:
    weights = jax.jit(spectral_weights, static_argnums=2)
    for near in (None, 40):
        rho, p, fits = weights(pair(state["W"]), pair(state["phi"]), near)
        assert np.all(fits)
        close(rho, state["rho"], EXPANSION)
        close(p, state["p"], EXPANSION)


def test_spectral_weights_say_where_a_gap_is_too_large_for_them(state: dict[str, Array]) -> None:
    W, phi = state["W"], 150.0 * state["phi"]
    rho, _, fits = jax.jit(spectral_weights, static_argnums=2)(pair(W), pair(phi), 25)
    assert 0 < np.sum(fits) < 5
    for i in np.flatnonzero(fits):
        close(rho[i], coherence.spectral_weights(W[i], phi[i])[0], EXPANSION)


def test_linear_pair_amplitude(state: dict[str, Array]) -> None:
    found = jax.jit(linear_pair_amplitude)(pair(state["W"]), pair(state["phi"]))
    close(
        found, np.stack([coherence.linear_pair_amplitude(*z) for z in zip(state["W"], state["phi"], strict=True)])
    )


@pytest.mark.parametrize("damping", ["full", "real"])
def test_gap_map(material: Material, state: dict[str, Array], damping: str) -> None:
    coupling = build_coupling(material, SPACING, WINDOW, "full")
    size, c = gap_tables(coupling)
    mine = jnp.full(5, coupling.mu_star), jnp.full(5, float(damping == "full"))
    f, n, rho, p = (jnp.asarray(state[name]) for name in ("f", "n", "rho", "p"))
    both = jax.jit(lambda: rows_gap.gap_map(size, c, rows_gap.kernel(size, c, n), mine, rho, p, f))()
    for i in range(5):
        image = gap_map(coupling.kernel(state["n"][i]), state["f"][i], damping, state["rho"][i], state["p"][i])
        close(both[i], np.stack([image.omegaZ.real, image.omegaZ.imag, image.phi.real, image.phi.imag]))


def test_largest_eigenvalue(material: Material, state: dict[str, Array]) -> None:
    coupling = build_coupling(material, SPACING, WINDOW, "full")
    size, c = gap_tables(coupling)
    mine = jnp.full(5, coupling.mu_star), jnp.ones(5)
    f, n = jnp.asarray(state["f"]), jnp.asarray(state["n"])
    step = jax.jit(lambda v: rows_gap.growth(size, c, rows_gap.kernel(size, c, n), mine, f, v))
    vector = jnp.asarray(np.tile(np.exp(-8 * coupling.lattice.E / WINDOW) / coupling.lattice.E, (5, 1)))
    for _ in range(12):
        _, eigenvalue, vector, _ = step(vector)
    expected = [
        LinearGap.around(coupling.kernel(n), f, "full").largest_eigenvalue()[0]
        for f, n in zip(state["f"], state["n"], strict=True)
    ]
    assert np.asarray(eigenvalue) == pytest.approx(expected, rel=1e-6)


CHOICES: dict[str, tuple[Settings, float]] = {
    "escape": (Settings(), 0.02),
    "no escape": (Settings(), float("inf")),
    "phonons leave at once": (Settings(), 0.0),
    "pair breaking": (Settings(pump_channels="scattering+pair-breaking"), 0.5),
    "half of it, absorption alone": (Settings(pair_breaking_share=0.5, stimulated_emission=False), 0.5),
}


@pytest.mark.parametrize(
    ("choice", "photon"), [*((choice, PHOTON) for choice in CHOICES), ("pair breaking", 171.3)]
)
def test_derivative(material: Material, state: dict[str, Array], choice: str, photon: float) -> None:
    settings, tau_esc = CHOICES[choice]
    film = build_film(material, SPACING, WINDOW)
    point = Point(material=material, F0=1.0, omega_pump=photon, T=30.0, tau_esc=tau_esc)
    pump = Pump(
        omega_pump=photon, tau_pump=0.3, U=10.0, channels=settings.pump_channels,
        pair_breaking_share=settings.pair_breaking_share, stimulated_emission=settings.stimulated_emission,
    )  # fmt: skip
    n_eq = bose(film.lattice.Omega, 30.0)

    def gamma(t: float, unit: float) -> float:
        return pump.U * pump.rate(t) / unit

    terms = slab_terms(Setup(point=point, settings=settings, film=film, pump=pump, gamma=gamma, n_eq=n_eq))
    assert {type(term) for term in terms} <= set(TERMS)
    equations = Equations(film=film, terms=terms)
    size, k = film_tables(film, photon, film.lattice.N)
    one = jnp.ones(5)
    mine = rows.Rows(
        power=one * pump.U * pump.rate(0.05), saturated=one, pairs=one * pump.pairs,
        emission=one * float(settings.stimulated_emission),
        escape=one * (1.0 / tau_esc if tau_esc > 0 else 0.0), free=one * float(tau_esc > 0),
        n_eq=jnp.asarray(np.tile(n_eq, (5, 1))),
    )  # fmt: skip
    y = np.concatenate([np.zeros((5, 2)), state["n"], state["f"]], axis=1)
    found, _ = jax.jit(partial(rows.derivative, size))(k, mine, y, state["rho"], state["p"])
    radius = rows.fastest_rate(k, mine, jnp.asarray(state["n"]), one)
    for i in range(5):
        packed = equations.pack(state["f"][i], state["n"][i])
        rate = equations.derivative(0.05, packed, state["rho"][i], state["p"][i])
        N = film.lattice.N
        for part, expected in (
            (found[i, 2 + film.lattice.M + 1 :], rate[:N]), (found[i, 2 : 2 + film.lattice.M + 1], rate[N:-2]),
            (found[i, :2], rate[-2:]),
        ):  # fmt: skip
            if np.any(expected):
                close(part, expected)
            else:
                assert not np.any(part)
    assert np.all(radius > 0)


def test_fermi_and_bose_functions_of_one_temperature_are_a_fixed_point(material: Material) -> None:
    """Detailed balance term by term, relative to the gross rates."""
    film = build_film(material, SPACING, WINDOW)
    size, k = film_tables(film, PHOTON, film.lattice.N)
    f, n = fermi(film.lattice.E, 300.0), bose(film.lattice.Omega, 300.0)
    rho, p = coherence.spectral_weights(film.lattice.E.astype(complex), np.full(film.lattice.N, 7.0 + 0j))
    found = rows.collisions(size, k, *(jnp.asarray(x[None]) for x in (rho, p, f, n)))
    f_gain, f_loss, n_gain, n_loss = (np.asarray(x) for x in found)
    assert np.abs(f_gain - f_loss).max() < 1e-10 * f_loss.max()
    assert np.abs(n_gain - n_loss)[:, 1:].max() < 1e-10 * n_loss.max()


@pytest.mark.parametrize("reach", [0.5, 8.0, 12.0, 40.0, 500.0, 1988.0])
def test_stages(reach: float) -> None:
    """Stages of rows are those of the method, and their coefficients integrate t and t^2 exactly."""
    method = RungeKuttaChebyshev()
    s, damping = stages(np.array([reach]))
    assert int(s[0]) == method.stages(1.0, reach)[0]
    y = now = before = 0.0
    F = F0 = 0.0  # of y' = 2 t
    for j in range(1, int(s[0]) + 1):
        a, b, c, d, e, t = coefficients(s, damping, np.array([j]))[0]
        now, before = a * y + b * now + c * before + d * F + e * F0, now
        F = 2 * t
    assert now == pytest.approx(1.0, abs=1e-9)


FEW: dict[str, Any] = {"chunks": (2,), "rows": 3}
"""Rows that begin in two chunks, of which one is not full."""


def trial(material: Material, F0: float, T: float, **settings: object) -> Trial:
    point = Point(material=material, F0=F0, omega_pump=PHOTON, T=T, tau_esc=0.02)
    return Trial(point, Settings(**({"n_times": 14} | settings)))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def trials(material: Material) -> list[Trial]:
    """A gap that light opens, one that it closes, strong pulses that need wider lattices, recorded fields.

    More times while rows run, then fewer in a row that had more; too few steps.
    """
    return [
        trial(material, 0.2, 30.0, damping="real"),
        trial(material, 5.0, 30.0, damping="real"),
        trial(material, 0.2, 10.0, damping="full"),
        trial(material, 5.0, 10.0, damping="full", n_times=20),
        trial(
            material, 1.0, 10.0, energies=(5.0, 20.0), frequencies=(30.0,), omega_probe=20.0,
            times=(-0.5, -0.2, 0.1, 0.35),
        ),
        trial(material, 1.0, 10.0, tau_ee=0.1),
        trial(material, 1.0, 10.0, slabs=2, thickness=100.0),
        trial(material, 1.0, 10.0, max_steps=20),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def found(trials: list[Trial]) -> dict[int, Result | Scalar]:
    return dict(simulate_all(trials, **FEW))


@pytest.fixture(scope="module")
def scalar(trials: list[Trial], found: dict[int, Result | Scalar]) -> dict[int, Result]:
    return {i: simulate(*each) for i, each in enumerate(trials) if isinstance(found[i], Result)}


def test_trajectories_are_the_scalar_solver_s(found: dict[int, Result | Scalar], scalar: dict[int, Result]) -> None:
    """To what solutions of the gap equation within its tolerance, 1e-5, differ by; a step's is 1e-2.

    Both come to a solution on paths of their own: the scalar solver's differ as much between tolerances.
    """
    assert sorted(scalar) == [0, 1, 2, 3, 4]
    for i, one in scalar.items():
        other = found[i]
        assert isinstance(other, Result)
        assert one.outcome is other.outcome is Outcome.OK
        assert one.data.keys() == other.data.keys()
        for name in ("steps", "evaluations"):
            assert other.diagnostics[name] == pytest.approx(one.diagnostics[name], rel=0.1), (i, name)
        for name, expected in one.data.items():
            # the ledger's error is itself a difference, close to zero
            scale = 1.0 if name == "ledger_error" else float(np.abs(expected).max())
            assert np.abs(other.data[name] - expected).max() <= 1e-4 * max(scale, 1e-9), (i, name)


def test_light_opens_a_gap(found: dict[int, Result | Scalar]) -> None:
    """Above Tc without damping: no gap before the pulse, one after it."""
    one = found[0]
    assert isinstance(one, Result)
    assert one.data["Delta0"][0] == 0.0
    assert one.data["Delta0_peak"] > 1.0


def test_ledger_closes(found: dict[int, Result | Scalar]) -> None:
    """As the scalar solver's: the trapezoidal rule of a moving gap is all that is left."""
    for one in found.values():
        if isinstance(one, Result):
            assert one.data["ledger_error"] < 1e-5


def test_wider_lattices_are_used(material: Material, trials: list[Trial]) -> None:
    batch = Batch(Key.of(trials[1]), [trials[1]], **FEW)
    narrowest = batch.machines.begin
    for _ in batch.pool.run(batch.machines, batch._refill):
        narrowest = min(narrowest, int(batch.machines.rung[0]))
    assert narrowest < batch.machines.begin


def test_a_row_depends_on_no_other_and_on_nothing_it_held_before(
    trials: list[Trial], found: dict[int, Result | Scalar], monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the bit, in chunks of one size: a point that ended in NaN leaves none to the next one in its row."""

    def fail(*given: object) -> None:
        raise ValueError("no signal")

    monkeypatch.setattr(trajectories, "observe_probe", fail)
    order = [4, 2, 0]
    batch = Batch(Key.of(trials[0]), [trials[i] for i in order], **FEW)
    batch.pool.arrays = {name: jnp.full(a.shape, jnp.nan) for name, a in batch.pool.arrays.items()}
    again = dict(batch.run())
    assert again[0] == Scalar("no signal")
    for place in (1, 2):
        one, other = found[order[place]], again[place]
        assert isinstance(one, Result)
        assert isinstance(other, Result)
        assert one.diagnostics == other.diagnostics
        for name, expected in one.data.items():
            assert np.array_equal(other.data[name], expected), name


def test_tc0_out_of_reach_stops_no_batch(material: Material) -> None:
    """Only the points whose damping has no mu_star are left to the scalar solver, which refuses them."""
    beyond = replace(material, Tc0=5000.0)
    for damping in ("full", "real"):
        ((_, reason),) = simulate_all([trial(beyond, 1.0, 10.0, damping=damping)], **FEW)
        assert isinstance(reason, Scalar)
        assert reason.reason.startswith("`Tc0` ")


def test_kinds_of_programs_have_codes_of_their_own() -> None:
    """On the ladder of a photon far above the window too."""
    windows, _ = window_ladder(10.0, 1e6)
    kinds = {
        Kind(phase, rung, stages, ends)
        for phase in Phase for rung in range(len(windows)) for stages in (0, *STRIDES) for ends in (True, False)
    }  # fmt: skip
    assert {Kind.of(kind.code) for kind in kinds} == kinds
    assert len({kind.code for kind in kinds}) == len(kinds)


def test_other_points_name_their_reason(found: dict[int, Result | Scalar]) -> None:
    assert found[5] == Scalar("`tau_ee`")
    assert found[6] == Scalar("`slabs`")
    assert found[7] == Scalar("too many steps")


def test_a_setting_unknown_to_batches_is_refused(material: Material) -> None:
    """Any setting but those listed sends a point to the scalar solver: a new one does so by itself."""
    assert refusal(*trial(material, 1.0, 10.0)) is None
    for name, value in {"coherence": "printed", "renormalised_rates": True, "integrator": "dopri5"}.items():
        assert refusal(*trial(material, 1.0, 10.0, **{name: value})) == f"`{name}`"


def test_a_row_whose_weights_are_not_right_is_given_up_once_it_has_converged() -> None:
    """On the way trials may be wild: only a solution, or the start of a step, must have right weights."""
    given_up: list[int] = []
    machines = Machines(
        4, 1.0, 2, 0, finish=lambda row: None, give_up=lambda row, why: given_up.append(row), record=lambda *_: None
    )
    at = np.arange(4)
    machines.dt[:], machines.tau_pump[:], machines.rtol[:] = 0.1, 1.0, 1e-2
    # how it ended, residual, growth, Re phi0, Re W0, whether its weights are right
    found = np.array([[DONE, DONE, CONTINUE, CONTINUE], [0.1] * 4, [1.0] * 4, [0.0] * 4, [1.0] * 4, [1, 0, 1, 0]])
    machines.after_iterate(at, found)
    assert given_up == [1]
    machines.after_first(np.array([2, 3]), np.array([[0.1, 0.1], [1.0, 1.0], [1.0, 0.0]]))
    assert given_up == [1, 3]
    assert machines.phase.tolist() == [Phase.SETTLE, Phase.IDLE, Phase.STAGE, Phase.IDLE]


def test_no_occupation_beyond_the_lattice_at_the_photon_s_energy(
    material: Material, state: dict[str, Array]
) -> None:
    film = build_film(material, SPACING, WINDOW)
    gap, c = gap_tables(build_coupling(material, SPACING, WINDOW, "full"))
    size, k = film_tables(film, 290.0, gap.N)
    one, E = jnp.ones(5), film.lattice.E
    mine = rows.Rows(one, one, one, one, one, one, jnp.zeros((5, gap.M + 1)))
    f = 0.1 + 1e-3 * E * np.ones((5, 1))
    W, phi = state["W"], state["phi"]
    a = {
        "y": jnp.asarray(np.concatenate([np.zeros((5, 2)), state["n"], f], axis=1)),
        "gap": jnp.asarray(np.stack([W.real, W.imag, phi.real, phi.imag], axis=1)),
        "rho": jnp.asarray(state["rho"]),
        "p": jnp.asarray(state["p"]),
    }
    Delta0 = jnp.asarray([0.0, 5.0, 7.9, 8.1, 20.0])
    seen = dict(zip(programs.SEEN, programs._seen(a, mine, Delta0, c, k, size, gap.N), strict=True))
    assert E[-1] == 298.0
    expected = np.where(290.0 + Delta0 > 298.0, 0.0, 0.1 + 1e-3 * (290.0 + Delta0))
    assert np.asarray(seen["f_pump"]) == pytest.approx(expected, rel=1e-12)
