"""Cases of a screening: each candidate at each photon energy, and variations of the best of them, as one config."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from ...core.accuracy import first_lattice
from ...core.equilibrium import solve_equilibrium
from ...core.material import Material
from ...core.pairing.allen_dynes import weak_coupling_gap
from ...core.pairing.tracking import GapError
from ...core.settings import Damping
from ...core.spectra import Spectrum
from ..errors import ConfigError
from .sources import Candidate, LeftOut

LOWEST_TC: Final = 0.5
"""Transition temperature, K, below which a material is left out: its gap needs too fine a lattice."""
FLUENCES: Final = (0.01, 0.025, 0.06, 0.15, 0.4, 1.0, 2.5, 6.0)
"""Fluences of a screening, mJ/cm^2."""
NEAR: Final = 0.05
"""Photon energies of one material within this share of each other are one."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Choices of a screening that spectra do not state.

    Args:
        T_over_Tc: Temperature, in units of each material's Tc0.
        F0: Fluences, mJ/cm^2.
        pumps: Photon energies: numbers in meV, `strongest` (maximum of alpha2F) or `highest` (end of alpha2F).
        mu_star: Coulomb pseudopotential, which gives Tc0.
        N0: Electron density of states per spin, 1/(eV nm^3).
        N_ion: Atoms per nm^3, for spectra without a crystal.
        rho_N: Normal-state resistivity, ohm nm.
        tau_pump: Duration of the pump (FWHM), ps.
        tau_esc: Escape time of phonons, ps.
    """

    T_over_Tc: float = 2.0
    F0: tuple[float, ...] = FLUENCES
    pumps: tuple[str, ...] = ("strongest", "highest")
    mu_star: float = 0.1
    N0: float = 10.0
    N_ion: float = 60.0
    rho_N: float = 2000.0
    tau_pump: float = 0.3
    tau_esc: float = 0.1

    def __post_init__(self) -> None:
        """Refuse values without meaning."""
        for name in ("T_over_Tc", "N0", "N_ion", "rho_N", "tau_pump"):
            if not 0 < getattr(self, name) < np.inf:
                raise ConfigError(f"`--{name.replace('_', '-')}` must be positive. Got {getattr(self, name)!r}.")
        if self.T_over_Tc <= 1:
            raise ConfigError(
                f"`--T-over-Tc` must exceed 1: a gap below Tc0 is not photo-induced. Got {self.T_over_Tc!r}."
            )


@dataclass(frozen=True, kw_only=True)
class Variation:
    """One change of a case, to see whether its rank depends on it."""

    name: str
    mu_star: float = 0.0
    N0: float = 1.0
    damping: Damping = "full"
    pair_breaking_share: float = 0.0


NONE: Final = Variation(name="")
VARIATIONS: Final = (
    Variation(name="mu_star + 0.03", mu_star=0.03),
    Variation(name="N0 / 2", N0=0.5),
    Variation(name="N0 x 2", N0=2.0),
    Variation(name="damping real", damping="real"),
    Variation(name="pair breaking 0.003", pair_breaking_share=0.003),
)
"""`mu_star` is added to the screening's, `N0` multiplies it."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One label of the cube's axis `material`.

    Args:
        candidate: The material.
        pump: Photon energy, meV.
        variation: Change with respect to the screening's choice.
        Tc0: Transition temperature with this mu_star and damping, K.
        spacing, window: Lattice, meV.
        mu_star: Coulomb pseudopotential.
        N0: Electron density of states per spin, 1/(eV nm^3).
    """

    candidate: Candidate
    pump: float
    variation: Variation = NONE
    Tc0: float
    spacing: float
    window: float
    mu_star: float
    N0: float

    @property
    def label(self) -> str:
        """Label of the cube's axis `material`."""
        text = f"{self.candidate.name}@{self.pump:.4g}"
        return f"{text}:{self.variation.name.replace(' ', '')}" if self.variation.name else text

    @property
    def stem(self) -> str:
        """Name of the material's file: cases that differ in settings alone share it."""
        varied = (
            self.variation.name
            if self.variation.mu_star or self.variation.N0 != 1 or self.variation.damping == "real"
            else ""
        )
        return _safe(self.candidate.name) + (f"__{_safe(varied)}" if varied else "")


@dataclass
class Cases:
    """Cases of a screening, and the candidates left out of it.

    Args:
        choice: The screening's choices.
        base: Cases without variation.
        left: Candidates left out.
    """

    choice: Choice
    base: list[Case] = field(default_factory=list)
    left: list[LeftOut] = field(default_factory=list)

    @classmethod
    def of(cls, candidates: Iterable[Candidate], choice: Choice) -> "Cases":
        """Cases of all candidates that superconduct."""
        out = cls(choice)
        for candidate in candidates:
            try:
                out.base += _cases(candidate, choice, NONE)
            except (ValueError, GapError) as error:
                out.left.append(LeftOut(name=candidate.name, reason=str(error)))
        return out

    def varied(self, best: Sequence[Case]) -> list[Case]:
        """Variations of some cases; one in which a material no longer superconducts is left out."""
        out = []
        for case in best:
            for variation in VARIATIONS:
                try:
                    found = _cases(case.candidate, self.choice, variation)
                except (ValueError, GapError) as error:
                    self.left.append(LeftOut(name=f"{case.label}: {variation.name}", reason=str(error)))
                    continue
                out += [c for c in found if c.pump == case.pump]
        return out


def _cases(candidate: Candidate, choice: Choice, variation: Variation) -> list[Case]:
    """Cases of one candidate, one for each photon energy.

    Raises:
        ValueError: It does not superconduct, or no lattice resolves it.
        GapError: The gap equation does not converge.
    """
    mu_star = choice.mu_star + variation.mu_star
    spectrum = candidate.spectrum
    guess = spectrum.allen_dynes_Tc(mu_star)
    if guess < LOWEST_TC / 2:
        raise ValueError(f"Tc0 must be at least {LOWEST_TC} K at mu_star {mu_star:.3g}. Got about {guess:.2g} K.")
    spacing, window = first_lattice(spectrum, weak_coupling_gap(guess))
    probe = _material(candidate, choice, mu_star, guess, spacing, window)
    Tc0 = float(f"{solve_equilibrium(probe, 2 * guess, damping=variation.damping).Tc:.4g}")
    if Tc0 < LOWEST_TC:
        raise ValueError(f"Tc0 must be at least {LOWEST_TC} K at mu_star {mu_star:.3g}. Got {Tc0:.2g} K.")
    return [
        Case(
            candidate=candidate, pump=pump, variation=variation, Tc0=Tc0, spacing=spacing,
            window=max(window, 3 * pump), mu_star=mu_star, N0=choice.N0 * variation.N0,
        )
        for pump in _pumps(spectrum, choice.pumps)
    ]  # fmt: skip


def _pumps(spectrum: Spectrum, wanted: Sequence[str]) -> list[float]:
    """Photon energies, meV, without those that are nearly equal."""
    known = {"strongest": float(spectrum.omega[np.argmax(spectrum.alpha2F)]), "highest": spectrum.omega_max}
    out: list[float] = []
    for word in wanted:
        try:
            pump = float(f"{known[word] if word in known else float(word):.4g}")
        except ValueError:
            raise ConfigError(
                f"`--omega-pump` must be numbers in meV, strongest or highest. Got {word!r}."
            ) from None
        if not any(abs(pump / other - 1) < NEAR for other in out):
            out.append(pump)
    return out


def _material(
    candidate: Candidate, choice: Choice, mu_star: float, Tc0: float, spacing: float, window: float
) -> Material:
    end = float(candidate.spectrum.omega[-1])
    return Material(
        name=candidate.name, spectrum=candidate.spectrum, N_ion=candidate.N_ion or choice.N_ion,
        N0=choice.N0 / 1000, rho_N=choice.rho_N, Tc0=Tc0, cutoff=4 * end, window=window, spacing=spacing,
        tau_pump=choice.tau_pump,
        omega_pump=end, mu_star=mu_star,
    )  # fmt: skip


def write(folder: Path, cases: Sequence[Case], choice: Choice) -> Path:
    """Write the config of a screening, its materials and their spectra; return the config's path.

    The config is an ordinary one: `photogap run`, `submit` and `status` work with it.
    """
    (folder / "materials").mkdir(parents=True, exist_ok=True)
    files: dict[str, str] = {}
    for case in cases:
        if case.stem not in files:
            files[case.stem] = f"materials/{case.stem}.yaml"
            _write_material(folder / "materials", case, choice)
    path = folder / "screen.yaml"
    path.write_text(_yaml(_config(cases, choice, files)), encoding="utf-8")
    return path


def _config(cases: Sequence[Case], choice: Choice, files: dict[str, str]) -> dict[str, Any]:
    return {
        "name": "screen",
        "axes": {
            "material": [c.label for c in cases],
            "F0": list(choice.F0),
            "omega_pump": [c.pump for c in cases],
            "T": [float(f"{choice.T_over_Tc * c.Tc0:.4g}") for c in cases],
            "tau_esc": [choice.tau_esc],
            "damping": [c.variation.damping for c in cases],
            "pair_breaking_share": [c.variation.pair_breaking_share for c in cases],
        },
        "zip": [["material", "omega_pump", "T", "damping", "pair_breaking_share"]],
        "materials": {c.label: files[c.stem] for c in cases},
        "settings": {
            "t_start": -2.0 * choice.tau_pump, "t_stop": 2.5 * choice.tau_pump, "n_times": 28,
            "pump_rate": "envelope", "stimulated_emission": False,
        },
    }  # fmt: skip


def _write_material(folder: Path, case: Case, choice: Choice) -> None:
    """A material's YAML and, next to it, its spectrum as columns in meV."""
    candidate, source = case.candidate, "chosen for the screening"
    spectrum = candidate.spectrum
    columns = np.column_stack([spectrum.omega, spectrum.alpha2F, spectrum.F])
    header = f"omega (meV)  alpha2F  F\nlambda = {spectrum.coupling_lambda:.6g}"
    name = f"{_safe(candidate.name)}.a2f"
    np.savetxt(folder / name, columns, fmt="%.10g", header=header)
    material = _material(candidate, choice, case.mu_star, case.Tc0, case.spacing, case.window)
    numbers: dict[str, Any] = {
        "N_ion": material.N_ion, "N0_per_eV_nm3": case.N0, "rho_N": material.rho_N, "Tc0": case.Tc0,
        "cutoff": material.cutoff, "window": case.window, "spacing": case.spacing, "tau_pump": material.tau_pump,
        "omega_pump": case.pump, "mu_star": case.mu_star,
    }  # fmt: skip
    tree = {"name": case.stem} | {k: {"value": v, "source": source} for k, v in numbers.items()}
    tree["spectrum"] = {"file": name, "format": "columns", "source": f"{candidate.name}, as screened"}
    (folder / f"{case.stem}.yaml").write_text(_yaml(tree), encoding="utf-8")


def _yaml(tree: dict[str, Any]) -> str:
    """Block of YAML, a line for each key of the first two levels; values are written as JSON, which YAML reads."""
    lines = []
    for key, value in tree.items():
        if isinstance(value, dict):
            lines += [f"{key}:", *(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in value.items())]
        else:
            lines.append(f"{key}: {json.dumps(value)}")
    return "\n".join(lines) + "\n"


def _safe(name: str) -> str:
    """A name in a form that fits into a file name."""
    return re.sub(r"[^\w.+-]+", "_", name)


def with_names_apart(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Candidates renamed where two names would give the same file name."""
    seen: dict[str, int] = {}
    out = []
    for c in candidates:
        key = _safe(c.name).lower()
        seen[key] = seen.get(key, 0) + 1
        out.append(c if seen[key] == 1 else replace(c, name=f"{c.name}_{seen[key]}"))
    return out
