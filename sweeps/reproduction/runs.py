"""Sweeps behind the table: each config under the presets that apply to it."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..ask.config import read
from ..ask.plan import Plan, resolve
from ..drive.sweep import Report, run
from ..errors import ContradictionError
from ..store.place import Place, place
from .rows import ALL, ANY, BOTH


@dataclass(frozen=True)
class PaperSweep:
    """A config and the presets it runs under; "" leaves the config's own settings."""

    config: str
    presets: tuple[str, ...] = BOTH


SWEEPS = (
    PaperSweep("fig6_equilibrium", ANY),
    PaperSweep("headline", ALL),
    PaperSweep("fig3_k3c60", ALL),
    PaperSweep("fig3_cac6", ALL),
    PaperSweep("fig8_fluence", ALL),
    PaperSweep("fig4_populations", ALL),
    PaperSweep("fig9_gap_function", ALL),
    PaperSweep("fig11_cac6"),
    PaperSweep("phonon_pump", ("paper",)),
    PaperSweep("paper_variants", ANY),
    PaperSweep("cac6_spins", ("paper",)),
    PaperSweep("phase_diagram", ("paper",)),
    PaperSweep("phase_assumptions", ANY),
    PaperSweep("pair_breaking", ("paper",)),
    PaperSweep("electron_scattering", ("paper",)),
    PaperSweep("resonance", ("paper",)),
    PaperSweep("seven_mev", ("paper",)),
    PaperSweep("soft_spectra", ("paper",)),
    PaperSweep("fig7a_lah10", ("paper",)),
    PaperSweep("fig7b_k3c60", ("paper", "undamped")),
    PaperSweep("fig2c_pb"),
    PaperSweep("pb_recovery", ("paper",)),
    PaperSweep("fig2d_lah10"),
    PaperSweep("lah10_bottleneck", ANY),
    PaperSweep("lah10_depth", ANY),
)


@dataclass(frozen=True)
class Cubes:
    """Folder of the cubes."""

    root: Path

    def path(self, config: str, preset: str = "") -> Path:
        """Cube of a config under a preset."""
        return self.root / f"{config}{f'_{preset}' if preset else ''}.zarr"


def compute(configs: Path, cubes: Cubes, workers: int | None) -> Iterator[str]:
    """Run missing points, with one line of progress per sweep; missing configs are skipped."""
    for sweep in SWEEPS:
        path = configs / f"{sweep.config}.yaml"
        if not path.is_file():
            yield f"{sweep.config}: no such config, skipped"
            continue
        for preset in sweep.presets:
            plan = resolve(read(path, (f"preset={preset}",) if preset else ()))
            target = cubes.path(sweep.config, preset)
            start = time.perf_counter()
            counts = _run(plan, place(str(target)), workers).counts
            seconds = time.perf_counter() - start
            yield f"{target.name}: {counts.done} ok, {counts.failed} failed of {counts.total}, {seconds:.0f} s"


def _run(plan: Plan, target: Place, workers: int | None) -> Report:
    """Resume a cube; if its config has changed, start it again, since a cube of the page holds no other points."""
    try:
        return run(plan, target, workers=workers)
    except ContradictionError:
        return run(plan, target, workers=workers, recompute=True)
