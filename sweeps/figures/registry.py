"""The figures, one row each, from which `plot --figure`, its help, `photogap.figures` and REPRODUCTION.md derive.

A new figure is its file and its row here (and, for a figure of the paper, a `Picture` in `reproduction.page` that
names its cube). The module of a figure, and Matplotlib, are imported when it is drawn.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class FigureRow:
    """One figure.

    Args:
        draws: `module:function` of this package; the function takes a dataset and returns a Matplotlib figure.
        shows: Contents in a few words, as a caption.
        config: Sweep in `configs/` whose cube it shows, for the gallery; empty if there is none.
        at: Labels to select of that cube.
        pane: Panel in the paper; empty if the paper has none.
        material: Material of the paper's panel, selected by default if the cube has it.
        needs: Keyword of the function for the material itself or its spectrum, from the cube's config.
        options: Keywords of the function that are options of `photogap plot` too.
        given: Keywords of the function that the figure fixes.
    """

    draws: str
    shows: str
    config: str = ""
    at: Mapping[str, Any] = field(default_factory=dict)
    pane: str = ""
    material: str | None = None
    needs: Literal["", "material", "alpha2F"] = ""
    options: frozenset[str] = frozenset()
    given: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a function with the name of its module, which would hide it in `photogap.figures`."""
        module, _, function = self.draws.partition(":")
        if module == function:
            raise ValueError(
                f"`draws` must be module:function with two different names; rename one of them. Got {self.draws!r}."
            )

    def __call__(self, ds: "xr.Dataset", **options: Any) -> "Figure":
        """Draw the figure of a dataset."""
        module, _, function = self.draws.partition(":")
        figure: Figure = getattr(importlib.import_module(f".{module}", __package__), function)(
            ds, **self.given, **options
        )
        return figure


def _spectra(pane: str, material: str) -> FigureRow:
    shows = f"alpha2F and F of {material} as shipped"
    draws = "spectrum_lines:spectra"
    return FigureRow(
        draws=draws, shows=shows, config="fig6_equilibrium", pane=pane, material=material, needs="material"
    )


def _depth(pane: str, config: str, material: str, shows: str) -> FigureRow:
    shows = f"{material} {shows}, minus that of the pump in equilibrium"
    draws = "depth:depth_difference"
    return FigureRow(draws=draws, shows=shows, config=config, pane=pane, material=material, needs="material")


def _life(config: str, axis: str, words: str, **at: Any) -> FigureRow:
    shows = f"largest gap, and time with a gap, against {words}"
    return FigureRow(draws="lives:gap_and_life", shows=shows, config=config, at=at, given={"x": axis})


def _populations(pane: str, config: str, material: str) -> FigureRow:
    shows = f"f(E, t), n(omega, t), alpha2F of {material}"
    at = {"material": material}
    return FigureRow(draws="maps:populations", shows=shows, config=config, at=at, pane=pane, needs="alpha2F")


FIGURES: Final[dict[str, FigureRow]] = {
    "fig1c": _spectra("Fig. 1c", "K3C60"),
    "fig2a": _spectra("Fig. 2a", "Pb"),
    "fig2b": _spectra("Fig. 2b", "LaH10"),
    "fig2c": FigureRow(
        draws="probe:probe_traces",
        shows="-dT/T0 as measured (left) and the film's own (right)",
        config="fig2c_pb",
        pane="Fig. 2c",
    ),
    "fig2d": FigureRow(
        draws="probe:probe_traces",
        shows="dR/R0 as measured (left) and the magnitude of the film's own (right)",
        config="fig2d_lah10",
        at={"spacing": 1.6},
        pane="Fig. 2d",
    ),
    "fig3": FigureRow(
        draws="curves:gap_traces", shows="gap against time", config="fig3_k3c60", at={"F0": 1}, pane="Fig. 3"
    ),
    "fig4": _populations("Fig. 4", "fig4_populations", "K3C60-all-modes"),
    "fig5": _spectra("Fig. 5", "CaC6"),
    "fig6": FigureRow(
        draws="curves:equilibrium_gap",
        shows="Delta(E) at the captions' temperatures",
        config="fig6_equilibrium",
        pane="Fig. 6",
    ),
    "fig7a": _depth("Fig. 7a", "fig7a_lah10", "LaH10", "at 6.2 mJ/cm2: depth of the 1.5 eV probe"),
    "fig7b": _depth("Fig. 7b", "fig7b_k3c60", "K3C60", "at 30 K and 1 mJ/cm2: depth of a 10 meV probe"),
    "fig8": FigureRow(
        draws="curves:gap_fluence", shows="peak gap of K3C60 against fluence", config="fig8_fluence", pane="Fig. 8"
    ),
    "fig9": FigureRow(
        draws="maps:gap_evolution",
        shows="Re Delta(E, t) of K3C60, before and after the pulse's maximum",
        config="fig9_gap_function",
        at={"F0": 1},
        pane="Fig. 9",
    ),
    "fig10": _populations("Fig. 10", "fig4_populations", "K3C60"),
    "fig11": _populations("Fig. 11", "fig11_cac6", "CaC6-all-modes"),
    "gap_function": FigureRow(
        draws="maps:gap_function",
        shows="real and imaginary part of Delta(E, t) as maps",
        config="fig9_gap_function",
        at={"F0": 1},
    ),
    "phase_diagram": FigureRow(
        draws="phase:phase_diagram",
        shows="where a gap exists, over two axes",
        config="phase_diagram",
        options=frozenset({"x", "y"}),
    ),
    "resonance": FigureRow(
        draws="lives:resonance",
        shows="largest gap against the photon energy of the pump, alpha2F in grey",
        config="resonance",
        at={"T": 30},
        needs="alpha2F",
    ),
    "pair_breaking": _life("pair_breaking", "pair_breaking_share", "the share of pair breaking"),
    "electron_scattering": _life("electron_scattering", "tau_ee", "the time of electron-electron scattering"),
    "soft_modes": _life("soft_modes", "soft_lambda", "the coupling of a soft mode", soft_energy=5),
    "optical_saturation": FigureRow(
        draws="saturation:optical_saturation",
        shows="conductivity of the topmost slab (solid), and inferred from r with an exponential profile (dashed)",
        config="optical_saturation",
        needs="material",
    ),
    "pulse_length": _life("pulse_length", "tau_pump", "the pulse's duration"),
    "recovery": FigureRow(
        draws="recovery:recovery_time",
        shows="recovery time of lead, and energy of quasiparticles over that of phonons, against temperature",
        config="fig2c_pb",
    ),
    "choices": FigureRow(
        draws="choices:largest_gaps",
        given={"paper": 7.0},
        shows="2 Delta0 with one choice changed at a time; dashed: the paper's",
        config="seven_mev",
    ),
}
"""Figures by name, as for `photogap plot STORE --figure NAME`."""
