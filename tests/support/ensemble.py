"""Random spectra against the imaginary axis: `make ensemble` writes the table of docs/accuracy.md.

Each spectrum has one to six Gaussian modes, widths 0.02 to 0.5 of their centres and lambda 0.3 to 5; every second
one has weight below 5 meV. mu_star is drawn below 0.25 and below the value at which kB Tc falls to `LOWEST`
of the highest phonon; one in four is zero. The solver is given what is known of a material, its Tc (that of the
imaginary axis): a cut of the Coulomb sum in energy is not one in Matsubara frequency, so the two mu_star differ.
Where mu_star is zero, both axes solve the same equations, and the solver has to find Tc too. `real` damping has no
reference: there a lattice of an eighth of the cells shows whether a gap is found.
"""

import argparse
import json
import math
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from scipy.optimize import brentq

from photogap.core.accuracy import AccuracyError, spacing_order
from photogap.core.constants import KB
from photogap.core.equilibrium import solve_to_accuracy
from photogap.core.material import Material
from photogap.core.pairing.eliashberg import Coupling
from photogap.core.pairing.tc import critical_temperature
from photogap.core.pairing.tracking import GapError, GapTracker
from photogap.core.settings import Damping
from photogap.core.simulate import build_film
from photogap.core.spectra import Peak, Spectrum
from photogap.sweeps.work.limits import one_thread
from support import matsubara

COUNT = 300
REDUCED = (0.05, 0.5, 0.9, 0.95, 0.99)
"""Temperatures, relative to Tc."""
ABOVE = 1.01
RTOL = 3e-3
"""Accuracy asked of the solver, relative to the largest gap of the temperatures."""
UNCONVERGED = 1e-7
"""Residual of the continued reference from which it is none."""
LOWEST, CUTOFF = 0.006, 48.0
"""Lowest kB Tc, and the cut-off of mu_star, relative to the highest phonon.

Cut off at 12 instead, the two axes differ by 1e-2 of the edge near Tc of strong couplers: a cut in energy is one in
Matsubara frequency up to (highest phonon / cut-off)^2.
"""


@dataclass(frozen=True, kw_only=True)
class Member:
    """A spectrum, its mu_star and its Tc (K) on the imaginary axis."""

    spectrum: Spectrum
    mu_star: float
    Tc: float

    @property
    def cutoff(self) -> float:
        """Cut-off of mu_star, meV."""
        return CUTOFF * float(self.spectrum.omega[-1])


@dataclass(frozen=True, kw_only=True)
class Case:
    """One temperature of one member: edges and Delta0 in meV, NaN where there is none to compare with.

    `outcome` is `solved`, `normal`, `refused` (with `reason`) or `no Tc`.
    """

    index: int
    damping: str
    reduced: float
    outcome: str
    reason: str = ""
    edge: float = math.nan
    Delta0: float = math.nan
    exact_edge: float = math.nan
    exact_Delta0: float = math.nan
    largest: float = math.nan
    largest_Delta0: float = math.nan
    mu_star: float = math.nan
    Tc_error: float = math.nan
    cells: int = 0
    seconds: float = 0.0

    @property
    def wrong(self) -> bool:
        """Whether there is no gap below Tc, or one above it."""
        return self.outcome in ("solved", "normal") and (self.outcome == "normal") != (self.reduced > 1.0)

    @property
    def edge_error(self) -> float:
        """Error of the edge relative to the largest edge; NaN where both are gapless."""
        either = self.edge > 0.0 or self.exact_edge > 0.0
        return abs(self.edge - self.exact_edge) / self.largest if either else math.nan

    @property
    def Delta0_error(self) -> float:
        """Error of Delta0 relative to the largest Delta0."""
        return abs(self.Delta0 - self.exact_Delta0) / self.largest_Delta0


def draw(index: int) -> Member:
    """A member of the ensemble: the same for every run."""
    rng = np.random.default_rng([12, index])
    modes = int(rng.integers(1, 7))
    centres = np.sort(rng.uniform(5.0, 40.0, modes))
    if index % 2:
        centres[0] = rng.uniform(1.0, 5.0)
    widths = centres * np.exp(rng.uniform(np.log(0.02), np.log(0.5), modes))
    shares = np.maximum(rng.dirichlet(np.ones(modes)), 1e-3)
    total = np.exp(rng.uniform(np.log(0.3), np.log(5.0)))
    spectrum = Spectrum.from_peaks(
        [
            Peak(centre=c, width=w, lambda_=total * s)
            for c, w, s in zip(centres, widths, shares / shares.sum(), strict=True)
        ]
    )
    share = rng.random() if index % 4 else 0.0
    cutoff = CUTOFF * float(spectrum.omega[-1])

    lowest = LOWEST * float(spectrum.omega[-1]) / KB

    def excess(mu_star: float) -> float:
        return matsubara.eigenvalue(spectrum, lowest, mu_star, cutoff, reach=CUTOFF) - 1.0

    highest = 0.25
    if share and excess(highest) < 0.0:
        highest = float(brentq(excess, 0.0, highest, xtol=1e-3)) if excess(0.0) > 0.0 else 0.0
    mu_star = share * highest if share * highest > 0.01 else 0.0
    coarse, fine = (
        matsubara.critical_temperature(spectrum, mu_star, cutoff, reach=CUTOFF, h=h) for h in spacings(spectrum)
    )
    return Member(spectrum=spectrum, mu_star=mu_star, Tc=2 * fine - coarse)


def spacings(spectrum: Spectrum) -> tuple[float, float]:
    """The reference's two spacings, meV, from which its numbers are extrapolated to zero in the first order.

    Finer ones for peaks that reach zero energy: there alpha2F on a lattice, and with it Tc, errs in that order too.
    """
    h = matsubara.lattice(spectrum, None)[2]
    return (h, h / 2) if spacing_order(spectrum, h, RTOL) == 1.0 else (2 * h, h)


def exact(member: Member, reduced: float) -> tuple[float, float]:
    """Edge (0 where gapless) and Delta0, meV, of the imaginary axis; NaN where that did not converge."""
    coarse, fine = (
        matsubara.real_axis(member.spectrum, reduced * member.Tc, member.mu_star, member.cutoff, reach=CUTOFF, h=h)
        for h in spacings(member.spectrum)
    )
    if not max(coarse.residual, fine.residual) < UNCONVERGED:
        return math.nan, math.nan
    Delta0 = 2 * _Delta0(fine) - _Delta0(coarse)
    if math.isnan(fine.edge):
        return 0.0, Delta0
    return (fine.edge if math.isnan(coarse.edge) else 2 * fine.edge - coarse.edge), Delta0


def _Delta0(found: matsubara.RealAxis) -> float:
    return float((found.Z[0] * found.Delta[0]).real / found.Z[0].real)


def cases(index: int, rtol: float = RTOL) -> Iterator[Case]:
    """Both dampings of a member at every temperature, and just above Tc."""
    member = draw(index)
    top = float(member.spectrum.omega[-1])
    material = Material(
        name=f"member {index}", spectrum=member.spectrum, N_ion=1.0, N0=1.0, rho_N=1.0, Tc0=member.Tc,
        cutoff=member.cutoff, window=4 * top, spacing=top / 100, tau_pump=1.0, omega_pump=top,
    )  # fmt: skip
    mu_star = None if member.mu_star else 0.0
    begun = time.process_time()
    try:
        accurate = solve_to_accuracy(material, [t * member.Tc for t in REDUCED], rtol=rtol, mu_star=mu_star)
    except (AccuracyError, GapError, ValueError) as error:
        seconds = (time.process_time() - begun) / len(REDUCED)
        for t in REDUCED:
            yield Case(
                index=index, damping="full", reduced=t, outcome="refused", reason=str(error), seconds=seconds
            )
        return
    seconds = (time.process_time() - begun) / len(REDUCED)
    references = [exact(member, t) for t in REDUCED]
    largest, largest_Delta0 = (float(np.nanmax(column)) for column in zip(*references, strict=True))
    for t, state, (edge, Delta0) in zip(REDUCED, accurate.states, references, strict=True):
        yield Case(
            index=index, damping="full", reduced=t, outcome="normal" if state.gap.is_normal else "solved",
            edge=state.gap.edge, Delta0=state.gap.Delta0, exact_edge=edge, exact_Delta0=Delta0, largest=largest,
            largest_Delta0=largest_Delta0, mu_star=member.mu_star,
            Tc_error=state.Tc / member.Tc - 1, cells=accurate.choice.cells, seconds=seconds,
        )  # fmt: skip
    state = accurate.states[0]
    yield _alone(index, state.coupling, "full", ABOVE, state.Tc)
    film = build_film(material, 2 * accurate.choice.spacing, accurate.choice.window / 4)
    coupling = replace(state.coupling, lattice=film.lattice, alpha2F=film.alpha2F)
    try:
        Tc = critical_temperature(coupling, "real", guess=state.Tc)
    except ValueError as error:
        yield Case(index=index, damping="real", reduced=math.nan, outcome="no Tc", reason=str(error))
        return
    for t in (*REDUCED, ABOVE):
        yield _alone(index, coupling, "real", t, Tc)


def _alone(index: int, coupling: Coupling, damping: Damping, reduced: float, Tc: float) -> Case:
    """A temperature that has no reference."""
    begun = time.process_time()
    try:
        gap = GapTracker(coupling, damping, 1e-6).solve_equilibrium(reduced * Tc)
    except GapError as error:
        return Case(
            index=index, damping=damping, reduced=reduced, outcome="refused", reason=str(error),
            seconds=time.process_time() - begun,
        )  # fmt: skip
    return Case(
        index=index, damping=damping, reduced=reduced, outcome="normal" if gap.is_normal else "solved",
        edge=gap.edge, Delta0=gap.Delta0, cells=gap.rho.size, seconds=time.process_time() - begun,
    )  # fmt: skip


def table(found: Iterable[Case]) -> str:
    """Markdown: errors by temperature, refusals by reason, CPU seconds."""
    found = list(found)
    rows = [
        f"{len({case.index for case in found})} of {COUNT} spectra.",
        "",
        "| damping | T / Tc | cases | solved | gapless | wrong | refused | compared | median error of the edge "
        "| worst | worst of Delta0 | CPU s, median | worst |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for damping in ("full", "real"):
        for t in (*REDUCED, ABOVE):
            here = [case for case in found if case.damping == damping and case.reduced == t]
            outcomes = Counter(case.outcome for case in here)
            edges = [case.edge_error for case in here if case.edge_error == case.edge_error]
            heights = [case.Delta0_error for case in here if case.Delta0_error == case.Delta0_error]
            seconds = [case.seconds for case in here] or [0.0]
            gapless = sum(case.outcome == "solved" and case.edge == 0.0 for case in here)
            numbers = [f"{x:.1e}" if x == x else "" for x in (_median(edges), _worst(edges), _worst(heights))]
            counts = (len(here), outcomes["solved"], gapless, sum(case.wrong for case in here), outcomes["refused"])
            cells = [damping, f"{t:g}", *map(str, counts), str(len(heights)), *numbers]
            rows.append(f"| {' | '.join(cells)} | {np.median(seconds):.2f} | {max(seconds):.1f} |")
    Tc_errors = [abs(case.Tc_error) for case in found if case.mu_star == 0.0]
    rows += ["", f"Tc where mu_star is zero: median error {_median(Tc_errors):.1e}, worst {_worst(Tc_errors):.1e}."]
    rows += [f"CPU time of the solver: {sum(case.seconds for case in found):.0f} s.", ""]
    reasons = Counter((case.damping, _kind(case.reason)) for case in found if case.outcome in ("refused", "no Tc"))
    rows += [f"- {damping}, {count} times: {reason}" for (damping, reason), count in sorted(reasons.items())]
    return "\n".join(rows) + "\n"


def _kind(reason: str) -> str:
    """A reason without its numbers."""
    return "no Tc" if "no Tc" in reason else reason.split(":")[0]


def _median(values: list[float]) -> float:
    return float(np.median(values)) if values else math.nan


def _worst(values: list[float]) -> float:
    return max(values, default=math.nan)


def main() -> None:
    """Members that a file of cases lacks are computed and added to it; the table is printed."""
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--cases", type=Path, default=Path("results/ensemble.jsonl"), help="lines of cases, resumed"
    )
    parser.add_argument("--members", type=int, nargs=2, default=(0, COUNT), help="first, and one past the last")
    parser.add_argument("--page", type=Path, help="page whose table is replaced")
    options = parser.parse_args()
    options.cases.parent.mkdir(parents=True, exist_ok=True)
    options.cases.touch()
    lines = [json.loads(line) for line in options.cases.read_text().splitlines()]
    done = {line["index"] for line in lines}
    for index in range(*options.members):
        if index not in done:
            with one_thread():
                new = [asdict(case) for case in cases(index)]
            with options.cases.open("a") as file:
                file.writelines(json.dumps(line) + "\n" for line in new)
            lines += new
    text = table(Case(**line) for line in lines)
    print(text)
    if options.page is not None:
        before, rest = options.page.read_text().split("<!-- ensemble -->\n")
        after = rest.split("<!-- end of ensemble -->\n")[1]
        options.page.write_text(f"{before}<!-- ensemble -->\n{text}<!-- end of ensemble -->\n{after}")


if __name__ == "__main__":
    main()
