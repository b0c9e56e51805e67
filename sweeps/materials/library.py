"""Materials from YAML: packaged ones, and user files, which may extend them.

A quantity is a number, or `{value: number, source: "its origin"}`. A file:

    name: my film
    extends: K3C60                  # optional: a known material or another YAML file
    Tc0: {value: 18.0, source: "measured"}
    spectrum: {file: k3c60.a2f, format: epw, column: 1}

For peaks, and files without a phonon density of states F, F is proportional to alpha2F: all modes couple equally.
Where only a few modes do, give F (omega in meV, F in any unit, linear between the points):

    spectrum: {phonons: {omega: [0, 5, 206], F: [0, 1, 1], source: "where from"}}

A `spectrum` without `file` and `peaks` alters that of the extended material, such as `spectrum: {scale: 1.1}`.
"""

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from ...core.declaration import choices, declarations, nearest
from ...core.material import Material, MuStarAt
from ...core.spectra import Peak, Spectrum
from ..ask.identity import digest
from ..errors import ConfigError
from ..files import ANYWHERE, Files
from ..text import load_yaml, rule, suggest
from . import spectra as spectrum_files

_STATED: Final = {"N0": ("N0_per_eV_nm3", "eV^-1 nm^-3")}
"""Quantities that a file states in another unit, which is part of the key."""
UNITS: Final = dict(
    _STATED.get(name, (name, quantity.unit))
    for name, quantity in declarations(Material).items()
    if not choices(Material, name)
)
"""Quantities of a material and the unit of each in its file, in the order of their description."""

CHOSEN: Final = "chosen for an accuracy of 1e-3 in equilibrium from 0.1 to 0.9 Tc0"
FOUR_TIMES: Final = "default: four times the end of the spectrum"
UNSOURCED: Final = "stated without a source"
MAX_DEPTH: Final = 8


class _Strict(BaseModel):
    """A part of a material's file: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Quantity(_Strict):
    """A number and its source."""

    value: float
    source: str = UNSOURCED


class OptionalQuantity(_Strict):
    """A number, or null, and its source."""

    value: float | None
    source: str = UNSOURCED


class PaperValue(_Strict):
    """A number that the paper used with a material."""

    value: float | str | list[float]
    unit: str
    source: str = UNSOURCED


class PeakSpec(_Strict):
    """One Gaussian peak, in meV.

    Args:
        centre: Energy of the peak, meV.
        width: Its standard deviation, meV.
        lambda: Its share of the coupling lambda.
        mode: Its vibration, in words.
        source: Origin of its numbers.
    """

    centre: float = Field(gt=0)
    width: float = Field(gt=0)
    lambda_: float = Field(gt=0, alias="lambda")
    mode: str = ""
    source: str = UNSOURCED


class PhononSpec(_Strict):
    """Phonon density of states as points of a curve: energies in meV, values in any unit, normalised."""

    omega: list[float]
    F: list[float]
    source: str = UNSOURCED

    @model_validator(mode="after")
    def _paired(self) -> "PhononSpec":
        if len(self.omega) != len(self.F):
            raise ValueError(f"`phonons` needs one F per omega. Got {len(self.omega)} and {len(self.F)}")
        return self


class SpectrumSpec(_Strict):
    """Where alpha2F and F come from: a table of peaks or a file.

    Args:
        source: Origin of the spectrum.
        scale: Factor of alpha2F.
        peaks: Gaussian peaks, instead of a file: `centre` and `width` in meV, `lambda`, `mode`, `source`.
        file: File of alpha2F.
        format: Its format; None recognises it.
        units: Unit of its frequencies; None takes the one that the file or its format states.
        column: Its column of alpha2F, for formats with several.
        F_file: File of the phonon density of states; None takes F proportional to alpha2F, unless `file` has F.
        F_format: Format of that file.
        F_units: Unit of its frequencies.
        phonons: Density of states as points, instead of a file: `omega` in meV, `F` in any unit, `source`.
    """

    source: str = UNSOURCED
    scale: float = Field(default=1.0, gt=0)
    peaks: list[PeakSpec] = []
    file: Path | None = None
    format: str | None = None
    units: str | None = None
    column: int | None = None
    F_file: Path | None = None
    F_format: str | None = None
    F_units: str | None = None
    phonons: PhononSpec | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> "SpectrumSpec":
        if bool(self.peaks) == (self.file is not None):
            raise ValueError("give either `peaks` or `file`, not both")
        given = [
            k
            for k in ("format", "units", "column", "F_file", "F_format", "F_units")
            if getattr(self, k) is not None
        ]
        if self.peaks and given:
            raise ValueError(f"`{given[0]}` is for a `file`; peaks are in meV")
        if self.phonons is not None and self.F_file is not None:
            raise ValueError("give either `phonons` or `F_file`, not both")
        return self

    def build(self, files: Files = ANYWHERE) -> Spectrum:
        """The spectrum itself, alpha2F times `scale`; reads the file if there is one."""
        if self.phonons is not None:
            return self._alpha2F(files).with_phonons(self.phonons.omega, self.phonons.F)
        return self._alpha2F(files)

    def _alpha2F(self, files: Files) -> Spectrum:
        if self.file is None:
            peaks = [Peak(centre=p.centre, width=p.width, lambda_=p.lambda_) for p in self.peaks]
            return Spectrum.from_peaks(peaks).scaled(self.scale)
        spectrum = spectrum_files.read(
            self.file,
            format=self.format,
            units=self.units,
            column=self.column,
            F_path=self.F_file,
            F_format=self.F_format,
            F_units=self.F_units,
            files=files,
        )
        return spectrum.scaled(self.scale)


def _quantity(given: object) -> object:
    """A bare number as a quantity without a source."""
    return given if isinstance(given, dict) else {"value": given}


Number = Annotated[Quantity, BeforeValidator(_quantity)]
NumberOrNone = Annotated[OptionalQuantity, BeforeValidator(_quantity)]


class MaterialSpec(_Strict):
    """A material's file, checked.

    Args:
        name: Label on the axis `material`.
        description: The film in words.
        extends: A material or YAML file whose numbers apply unless this file states them.
        spectrum: alpha2F and F.
        paper: Numbers that the paper used with this material, for its description only.
    """

    name: str = Field(min_length=1)
    description: str = ""
    N_ion: Number
    N0_per_eV_nm3: Number
    rho_N: Number
    Tc0: Number
    cutoff: NumberOrNone = OptionalQuantity(value=None, source=FOUR_TIMES)
    window: NumberOrNone = OptionalQuantity(value=None, source=CHOSEN)
    spacing: NumberOrNone = OptionalQuantity(value=None, source=CHOSEN)
    tau_pump: Number
    omega_pump: Number
    eps_infinity: Number = Quantity(
        value=1.0, source="arXiv:2603.18182, main text: n = sqrt(1 + i sigma / (eps0 omega))"
    )
    thickness: Number = Quantity(value=math.inf, source="default: much thicker than the penetration depth")
    mu_star: NumberOrNone = OptionalQuantity(value=None, source="calibrated to Tc0")
    mu_star_at: MuStarAt = "cutoff"
    spectrum: SpectrumSpec
    paper: dict[str, PaperValue] = {}

    def build(self, files: Files = ANYWHERE) -> Material:
        """The material in the solver's units."""
        numbers = {key: getattr(self, key).value for key in UNITS}
        N0 = numbers.pop("N0_per_eV_nm3") / 1000.0
        spectrum = self.spectrum.build(files)
        four = 4.0 * float(spectrum.omega[-1])
        spacing, window = numbers.pop("spacing"), numbers.pop("window")
        numbers["cutoff"] = numbers["cutoff"] or four
        material = Material(
            name=self.name, spectrum=spectrum, N0=N0, mu_star_at=self.mu_star_at, spacing=spacing or four / 1000,
            window=window or four, **numbers,
        )  # fmt: skip
        return material if spacing and window else _on_a_lattice(material, spacing, window)

    def convention(self) -> "tuple[SourcedValue, ...]":
        """Convention of mu_star, if not this code's own."""
        if self.mu_star_at == "cutoff":
            return ()
        return (SourcedValue(key="mu_star_at", value=self.mu_star_at, unit="1", source=self.mu_star.source),)


@dataclass(frozen=True, kw_only=True)
class SourcedValue:
    """One number of a material, its unit and its provenance."""

    key: str
    value: float | str | list[float] | None
    unit: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Description:
    """A material in words: every number with its unit and source."""

    name: str
    description: str
    parameters: tuple[SourcedValue, ...]
    spectrum: tuple[SourcedValue, ...]
    peaks: tuple[PeakSpec, ...]
    paper: tuple[SourcedValue, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain dictionaries, lists and numbers, ready for JSON."""
        entries = {k: [vars(e) for e in getattr(self, k)] for k in ("parameters", "spectrum", "paper")}
        peaks = [p.model_dump(by_alias=True) for p in self.peaks]
        return {"name": self.name, "description": self.description, **entries, "peaks": peaks}


def names() -> list[str]:
    """Names of the built-in materials, sorted."""
    return sorted(_packaged())


def load(name_or_path: str | Path, files: Files = ANYWHERE) -> Material:
    """Material by its name, or from a user's YAML file.

    Raises:
        ValueError: The name is unknown, or the file breaks a rule; the message names it.
        FileNotFoundError: The file does not exist.
    """
    spec = _spec(name_or_path, files)
    try:
        return spec.build(files)
    except ValueError as error:
        raise ValueError(f"{name_or_path}: {error}") from error


def describe(name_or_path: str | Path) -> Description:
    """A material's numbers with their units and provenance, and the moments of its spectrum."""
    spec = _spec(name_or_path, ANYWHERE)
    built = spec.build()
    spectrum = built.spectrum
    file = "" if spec.spectrum.file is None else f" ({spec.spectrum.file.name})"
    moments = {
        "lambda": spectrum.coupling_lambda,
        "omega_log": spectrum.omega_log,
        "omega_2": spectrum.omega_2,
    }
    return Description(
        name=spec.name,
        description=spec.description,
        parameters=(
            *(
                SourcedValue(key=k, value=_value(spec, built, k), unit=unit, source=getattr(spec, k).source)
                for k, unit in UNITS.items()
            ),
            *spec.convention(),
        ),
        spectrum=(
            *(
                SourcedValue(
                    key=k, value=v, unit="1" if k == "lambda" else "meV", source=spec.spectrum.source + file
                )
                for k, v in moments.items()
            ),
            _origin_of_F(spec.spectrum, spectrum),
        ),
        peaks=tuple(spec.spectrum.peaks),
        paper=tuple(
            SourcedValue(key=k, value=f.value, unit=f.unit, source=f.source) for k, f in spec.paper.items()
        ),
    )


def _value(spec: MaterialSpec, built: Material, key: str) -> float | None:
    """A number stated in the file, or the default chosen instead."""
    stated: float | None = getattr(spec, key).value
    if stated is None and key in ("cutoff", "window", "spacing"):
        return float(getattr(built, key))
    return stated


def _origin_of_F(spec: SpectrumSpec, spectrum: Spectrum) -> SourcedValue:
    """Description and source of the phonon density of states."""
    if spec.phonons is not None:
        return SourcedValue(key="F", value="given as points", unit="1/meV per atom", source=spec.phonons.source)
    if spectrum.one_matrix_element:
        source = "chosen here: the same matrix element for all modes, since no density of states is known"
        return SourcedValue(key="F", value="proportional to alpha2F", unit="1/meV per atom", source=source)
    return SourcedValue(key="F", value="from a file", unit="1/meV per atom", source=spec.source)


_CHOSEN: dict[tuple[str, float | None, float | None], tuple[float, float]] = {}


def _on_a_lattice(material: Material, spacing: float | None, window: float | None) -> Material:
    """The material with a lattice on which its equilibrium is accurate to 1e-3 from 0.1 to 0.9 Tc0."""
    from ...core.equilibrium import solve_to_accuracy

    key = digest(material), spacing, window
    if key not in _CHOSEN:
        temperatures = [t * material.Tc0 for t in (0.1, 0.5, 0.9)]
        choice = solve_to_accuracy(material, temperatures, spacing=spacing, window=window).choice
        _CHOSEN[key] = choice.spacing, choice.window
    h, top = _CHOSEN[key]
    return replace(material, spacing=h, window=top)


@functools.cache
def _packaged() -> dict[str, str]:
    """Text of each packaged material's file, by name."""
    files = (f for f in resources.files("photogap.core.data").iterdir() if f.name.endswith(".yaml"))
    texts = (f.read_text(encoding="utf-8") for f in files)
    return {load_yaml(text, "a material")["name"]: text for text in texts}


def _spec(name_or_path: str | Path, files: Files) -> MaterialSpec:
    """A material's checked file."""
    raw = _raw(name_or_path, files, depth=0)
    try:
        return MaterialSpec.model_validate(raw)
    except ValidationError as error:
        raise ValueError(f"{name_or_path}: " + "; ".join(_complaints(error))) from error


def _complaints(error: ValidationError) -> Iterator[str]:
    """Key, rule and value of each pydantic error."""
    for item in error.errors():
        key = ".".join(str(part) for part in item["loc"]) or "file"
        unknown = item["type"] == "extra_forbidden"
        remedy = suggest(str(item["loc"][-1]), _keys(item["loc"][:-1])) if unknown else ""
        got = "" if item["type"] == "missing" else f" Got {item['input']!r}."
        yield f"`{key}`: {'unknown key.' if unknown else rule(item)}{remedy}{got}"


def _keys(loc: tuple[int | str, ...]) -> list[str]:
    """Keys known at a place of the file."""
    part: type[BaseModel] = Quantity if loc else MaterialSpec
    if loc[:1] == ("spectrum",):
        inner: dict[int | str, type[BaseModel]] = {"peaks": PeakSpec, "phonons": PhononSpec}
        part = inner.get(loc[1], SpectrumSpec) if loc[1:] else SpectrumSpec
    return [*(f.alias or name for name, f in part.model_fields.items()), *(["extends"] if not loc else [])]


def _raw(name_or_path: str | Path, files: Files, depth: int) -> dict[str, Any]:
    """A material's file as plain data, with `extends` merged in and absolute paths."""
    if depth > MAX_DEPTH:
        raise ValueError(
            f"`extends` may nest at most {MAX_DEPTH} files deep; is there a cycle? Got {name_or_path}."
        )
    path, text = _text(name_or_path, files)
    try:
        raw = load_yaml(text, str(name_or_path))
    except ConfigError as error:
        raise ValueError(str(error)) from error
    if not isinstance(raw, dict):
        raise ValueError(f"{name_or_path}: a material must be a mapping of keys to values. Got {raw!r}.")
    spectrum = raw.get("spectrum")
    if isinstance(spectrum, dict):
        for key in ("file", "F_file"):
            if isinstance(spectrum.get(key), str):
                spectrum[key] = str(files.at(spectrum[key], path.parent))
    base = raw.pop("extends", None)
    if base is None:
        return raw
    if not isinstance(base, str):
        raise ValueError(f"{name_or_path}: `extends` must be a material's name or a YAML file. Got {base!r}.")
    if "name" not in raw:
        raise ValueError(
            f"{name_or_path}: `name` must be given: a material that extends {base} needs its own name."
        )
    below = _raw(files.at(base, path.parent) if _is_path(base) else base, files, depth + 1)
    if isinstance(spectrum, dict) and not {"peaks", "file"} & spectrum.keys():
        # Only an alteration of the base spectrum, such as a scale.
        raw["spectrum"] = {**below.get("spectrum", {}), **spectrum}
    return {**below, **raw}


def _is_path(name_or_path: str | Path) -> bool:
    """True if this is a file rather than the name of a material."""
    return isinstance(name_or_path, Path) or str(name_or_path).endswith((".yaml", ".yml"))


def _text(name_or_path: str | Path, files: Files) -> tuple[Path, str]:
    """Path and text of a material's file."""
    if _is_path(name_or_path):
        path = Path(name_or_path)
        return path, files.text(path, what="`material` file")
    known = _packaged()
    if name_or_path not in known:
        raise ValueError(
            f"`material` must be one of {', '.join(sorted(known))}, or a path to a .yaml file."
            f"{nearest(name_or_path, known)} Got {str(name_or_path)!r}."
        )
    return Path(), known[str(name_or_path)]
