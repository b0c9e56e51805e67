"""No figure of any size has an artist outside its canvas or texts that overlap, whatever its lines are called."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from photogap.sweeps.figures import FIGURES, STYLES, draw, equilibrium, optics
from photogap.sweeps.figures.pictures import _figure, _maps, curves, maps
from photogap.sweeps.figures.style import styled
from photogap.sweeps.materials.film_optics import FilmOptics
from photogap.sweeps.materials.library import load
from photogap.sweeps.materials.media import load as load_medium
from support.canvas import complete, faults

SIZES = [("screen", 0), ("paper", 1), ("paper", 2), ("slides", 0)]
CHANNELS = ["scattering", "scattering+pair-breaking"]
ONE = complete({})
WORDS = complete({"T": [30.0, 60.0], "damping": ["full", "real"], "pump_channels": CHANNELS})
"""Lines with long names."""
ZIPPED = complete(
    {"F0": [0.1, 1.0, 10.0], "omega_pump": [50.0, 79.0, 170.0]}, {"T": ("omega_pump", [60.0, 120.0, 30.0])}
)
MANY = complete({"F0": list(np.geomspace(0.01, 10, 9)), "tau_esc": [0.001, 0.1, 1.0, np.inf]})
PLANE = complete(
    {"F0": list(np.geomspace(0.01, 10, 5)), "tau_esc": [0.01, 0.1, np.inf], "damping": ["full", "real"],
     "stimulated_emission": [True, False]}
)  # fmt: skip
RECOVERING = complete({"T": [30.0, 60.0, 90.0], "F0": [0.1, 1.0]})
_time = RECOVERING["time"]
RECOVERING["dT_T0"] = RECOVERING["dT_T0"].copy(
    data=(RECOVERING["dT_T0"] * 0 - (_time > 0) * np.exp(-_time * RECOVERING["T"] / 30)).transpose(
        *RECOVERING["dT_T0"].dims
    )
)
"""Transmission that recovers faster where it is warmer."""
CUBES = {
    "phase_diagram": (PLANE, MANY, ZIPPED),
    "fig8": (ZIPPED, MANY, WORDS),
    "fig3": (ZIPPED.isel(F0=0), WORDS, MANY.isel(tau_esc=[0])),
    "fig2c": (WORDS, MANY.isel(tau_esc=[0])),
    "fig2d": (ZIPPED.isel(F0=0),),
    "fig6": (WORDS.isel(time=[0]), ONE),
    "fig7a": (WORDS,),
    "fig7b": (MANY.isel(F0=0),),
    "pulse_length": (complete({"tau_pump": [0.1, 0.3, 1.0, 3.0], "T": [30.0, 60.0]}),),
    "recovery": (RECOVERING,),
    "resonance": (complete({"omega_pump": [50.0, 79.0, 170.0], "damping": ["full", "real"]}),),
}
"""Cubes of figures that show more than one point; any other figure is drawn of one point."""

INVERTS = {"optical_saturation"}
"""Figures that invert a measured reflection, of which this stand-in holds none that is physical."""


@pytest.mark.parametrize(("style", "columns"), SIZES)
@pytest.mark.parametrize("name", sorted({*{row.draws: name for name, row in FIGURES.items()}.values()} - INVERTS))
def test_figures_fit_their_canvas(name, style, columns):
    options = {"x": "omega_pump", "y": "F0"} if name == "phase_diagram" else {}
    for ds in CUBES.get(name, (ONE,)):
        chosen = options if ds is ZIPPED else {}
        figure = draw(ds, name, style=style, columns=columns, **chosen)
        assert faults(figure) == []
        if columns:
            assert figure.get_figwidth() == {1: 3.37, 2: 6.9}[columns]


@pytest.mark.parametrize(("style", "columns"), SIZES)
def test_plots_and_maps_fit_their_canvas(style, columns):
    with styled(style, columns):
        for ds, x, hue, y in (
            (ZIPPED, "F0", "omega_pump", "Delta0"),
            (ZIPPED, "omega_pump", "F0", "f_pump"),
            (WORDS.isel(T=[0], pump_channels=[1]), "time", "damping", "f_gap"),
            (MANY, "F0", "tau_esc", "dR_R0_seen"),
            (MANY.isel(tau_esc=[0]), "time", "F0", "absorbed_energy_density_slab"),
        ):
            if y == "absorbed_energy_density_slab":
                x = "depth"
            values = curves(ds, x, hue, y, {})
            assert faults(_figure(ds, values, x, {})) == []
        assert faults(_maps(*maps(MANY, "F0", "tau_esc", "Delta0", {}))) == []
        assert faults(_maps(*maps(ZIPPED, "omega_pump", "F0", "chi", {}))) == []


@pytest.fixture(scope="module")
def film():
    """Pb on a coarse lattice, on silicon."""
    pb = replace(load("Pb"), spacing=0.2, window=40.0)
    return FilmOptics(pb, 4.0, thickness=10.0, substrate=load_medium("silicon"), cover=1.0, scattering_rate=20.0)


@pytest.mark.parametrize(("style", "columns"), SIZES)
def test_pictures_of_equilibrium_fit_their_canvas(film, style, columns):
    with styled(style, columns):
        assert faults(optics._figure(film, 5.0)) == []
        assert faults(equilibrium._state("Pb", film.state)) == []
        assert faults(equilibrium._temperatures("K3C60", [film.state])) == []


def test_pictures_of_equilibrium_say_what_they_show(film):
    figure = optics._figure(film, 5.0)
    heading = figure.get_suptitle()
    assert all(text in heading for text in ("Pb, 10 nm on silicon", "$T$ = 4 K", r"$\hbar/\tau$ = 20 meV"))
    labels = [ax.get_ylabel() for ax in figure.axes]
    assert labels[2:] == ["$R$", r"$\mathcal{T}$", r"$\chi = 1 - R - \mathcal{T}$"]
    R, T, chi = (ax.lines[0].get_ydata() for ax in figure.axes[2:])
    known = np.isfinite(R)
    assert known.any()
    np.testing.assert_allclose((R + T + chi)[known], 1.0, rtol=1e-12)
    density = equilibrium._state("Pb", film.state).axes[2]
    x, y = density.lines[0].get_data()
    edge = film.state.gap.edge
    assert density.get_ylabel() == "$N(E)/N(0)$"
    assert ((x > edge) & (x < 1.5 * edge)).sum() > 100  # four points at this spacing
    assert y[x < 0.8 * edge].max() < 0.1


def test_faults_are_found():
    figure = Figure(figsize=(3, 2))
    ax = figure.subplots()
    ax.set_xlabel("a name that is much longer than the figure is wide, which no layout mends by itself")
    figure.text(0.5, 0.5, "one")
    figure.text(0.51, 0.5, "two")
    found = " ".join(faults(figure))
    assert "leaves the canvas" in found
    assert "'one' overlaps 'two'" in found


def test_styles_are_those_of_the_help():
    assert set(STYLES) == {"screen", "paper", "slides"}
    with pytest.raises(ValueError, match=r"`style` must be one of screen, paper, slides\. Got 'poster'"):
        draw(ONE, "fig3", style="poster")
    with pytest.raises(ValueError, match=r"`columns` must be 1 or 2\. Got 3"):
        draw(ONE, "fig3", style="paper", columns=3)
