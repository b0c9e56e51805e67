"""Functions of the package `photogap`: run a sweep, open its cube, or compute one state or one trajectory."""

import contextlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import xarray as xr

from ..core.material import Material
from ..core.settings import Damping, Point, Settings
from . import accessor as accessor
from .analysis.loading import open_cube
from .analysis.uncertain import with_errors
from .ask.config import Override, parse, read
from .ask.plan import resolve
from .drive import sweep
from .drive.progress import Bar
from .errors import SweepError
from .results import EquilibriumState, Simulation
from .store.archive import WEB
from .store.place import SCHEMES, Place, place
from .work.limits import one_thread


def run(
    config: str | Path | Mapping[str, object],
    store: str | Path | None = None,
    *,
    set: Mapping[str, object] | Iterable[str] = (),
    full: bool = False,
    workers: int | None = None,
    cluster: str | None = None,
    progress: bool = True,
) -> xr.Dataset:
    """Compute the missing points of a sweep, then open its cube.

    >>> import photogap
    >>> axes = {"material": ["Pb"], "F0": [0.0], "T": [4.0], "tau_esc": [100.0]}
    >>> settings = {"n_times": 2, "spacing": 0.5, "window": 60.0}
    >>> cube = photogap.run({"name": "first", "axes": axes, "settings": settings}, "memory://first", workers=0)
    >>> dict(cube.sizes)
    {'material': 1, 'F0': 1, 'omega_pump': 1, 'T': 1, 'tau_esc': 1, 'time': 2}

    Args:
        config: YAML file of the sweep, or a mapping (with paths relative to the working folder).
        store: Path or URL of the cube; None is `results/NAME.zarr`.
        set: Overrides of the config, `{"axes.T": [20, 30]}` or `["axes.T=[20,30]"]`.
        full: Use the config's `full` variant.
        workers: Worker processes; 0 computes in this process, None uses every core.
        cluster: `local`, the name or file of a cluster, or the address of a Dask scheduler; None uses the config's.
        progress: Show a progress bar, on a terminal and in a notebook.

    Returns:
        The cube, as `open` returns it. Failed points do not stop a run: they are NaN, and the attrs count them.

    Raises:
        SweepError: The config breaks a rule or contradicts the store, or the sweep stopped early.
    """
    changes: tuple[Override, ...] = tuple(set.items()) if isinstance(set, Mapping) else tuple(set)
    if isinstance(config, Mapping):
        found = parse(dict(config), changes, full=full)
    else:
        found = read(config, changes, full=full)
    if cluster is not None:
        found = found.model_copy(update={"cluster": cluster})
    target = place(str(store or f"results/{found.name}{'_full' if full else ''}.zarr"))
    with _script_kept_out_of_workers(), Bar(silent=not progress) as bar:
        watch = sweep.Watch(tell=bar.update, opened=bar.opened)
        report = sweep.run(resolve(found), target, workers=workers, watch=watch)
    if report.reason is not None:
        raise SweepError(f"the sweep into {target.url} stopped: {report.reason}. Run the sweep again to continue.")
    return open(target)


def open(store: str | Path | Place, *, chunks: Mapping[str, int] | str | None = None) -> xr.Dataset:
    """Open a cube with sorted axes; points that are not `ok` are NaN, and the attrs count them.

    >>> import photogap
    >>> photogap.open("no.zarr")
    Traceback (most recent call last):
        ...
    photogap.sweeps.errors.StoreError: ...

    Args:
        store: Path or URL of the cube.
        chunks: None reads arrays on first use; `stored` or a mapping gives Dask arrays.

    Returns:
        The dataset; its accessor `.gap` offers the analysis functions (`sweeps.accessor`).

    Raises:
        StoreError: No cube exists at `store`, or it is damaged or cannot be read.
    """
    ds = open_cube(store, chunks=chunks)
    known = (
        isinstance(store, Place) or str(store).partition("://")[0] in (*SCHEMES, *WEB) or "://" not in str(store)
    )
    return with_errors(ds, store if isinstance(store, Place) else place(store)) if known else ds


def material(name: str | Path) -> Material:
    """Packaged material, or one read from a YAML file.

    >>> import photogap
    >>> photogap.material("Pb").Tc0
    8.0

    Args:
        name: Name such as `K3C60`, or path of a YAML file.

    Raises:
        ConfigError: The name is unknown, or the file breaks a rule.
    """
    from .materials.library import load

    return load(str(name))


def equilibrium(
    material: str | Path | Material,
    T: float,
    *,
    mu_star: float | None = None,
    spacing: float | None = None,
    window: float | None = None,
    damping: Damping = "full",
) -> EquilibriumState:
    """Tc, gap function and renormalisation of a material in thermal equilibrium.

    >>> import photogap
    >>> photogap.equilibrium("Pb", T=2.0)
    EquilibriumState(T=2 K, Tc=8.00 K, Delta0=1.5... meV, edge=1.6... meV, mu_star=0.093..., N=1200)

    Args:
        material: Name, YAML file or `Material`.
        T: Temperature, K, > 0.
        mu_star: Coulomb pseudopotential; None uses the material's value, or calibrates it to Tc0.
        spacing, window: Lattice of quasiparticle energies, meV; None uses the material's.
        damping: `full`, or `real` for self-energies without lifetimes.

    Returns:
        The state. Its `gap.Delta0` = Re phi(0) / Re Z(0) is NaN, and its repr says so, where there is a gap but
        Re Z(0) is below 0.1, as for strong, narrow modes near Tc; `gap.edge` remains.

    Raises:
        ValueError: A value breaks its rule, or no mu_star gives Tc0.
        GapError: The gap equation does not converge.
    """
    from ..core.equilibrium import solve_equilibrium

    with one_thread():
        solved = solve_equilibrium(
            _material(material), T, mu_star=mu_star, spacing=spacing, window=window, damping=damping
        )
    return EquilibriumState.of(solved)


def simulate(point: Point, settings: Settings | None = None) -> Simulation:
    """Simulate one film and one pulse in this process.

    >>> import photogap
    >>> lead = photogap.material("Pb")
    >>> point = photogap.Point(material=lead, F0=0.0, omega_pump=1500.0, T=4.0, tau_esc=100.0)
    >>> photogap.simulate(point, photogap.Settings(n_times=2, spacing=0.5, window=60.0))
    Simulation(Pb, F0=0 mJ cm^-2, omega_pump=1500 meV, T=4 K, tau_esc=100 ps: ok, 18 outputs, 2 times)

    Args:
        point: Material, F0 (mJ/cm^2), omega_pump (meV), T (K), tau_esc (ps).
        settings: Model and numerics; None uses the defaults.

    Returns:
        Outcome and outputs; `to_xarray()` labels them.

    Raises:
        ValueError: Point and settings contradict each other.
    """
    from ..core.simulate import simulate as solve

    chosen = settings or Settings()
    with one_thread():
        return Simulation.of(point, chosen, solve(point, chosen))


def _material(given: str | Path | Material) -> Material:
    return given if isinstance(given, Material) else material(given)


@contextlib.contextmanager
def _script_kept_out_of_workers() -> Iterator[None]:
    """Keep worker processes from importing the user's script.

    A spawned process imports the main module again, and a script without `if __name__ == "__main__"` would run its
    sweep in each worker. Workers do not need that script: models are imported by name.
    """
    script = sys.modules["__main__"]
    kept = {name: getattr(script, name) for name in ("__file__", "__spec__") if hasattr(script, name)}
    script.__spec__ = None
    vars(script).pop("__file__", None)
    try:
        yield
    finally:
        vars(script).update(kept)
