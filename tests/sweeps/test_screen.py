"""`photogap screen`: spectra become one sweep, a ranked table and a picture."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

from photogap.core.pairing.allen_dynes import weak_coupling_gap
from photogap.core.spectra import Spectrum
from photogap.sweeps.ask.config import read
from photogap.sweeps.ask.plan import resolve
from photogap.sweeps.cli.main import app
from photogap.sweeps.errors import ConfigError
from photogap.sweeps.screen.cases import VARIATIONS, Case, Cases, Choice, Variation, with_names_apart, write
from photogap.sweeps.screen.ranking import rank
from photogap.sweeps.screen.sources import Candidate, candidates
from support.made_up import database, record
from support.written_spectra import ALPHA2F, OMEGA, rows

NUMBERS = (1, 2, 9, 19, 29)
"""Records of the made-up database: three shapes, and bad ones with each fault."""
OPTIONS = ("--F0", "0.15,1", "--omega-pump", "highest", "--T-over-Tc", "1.5", "--vary", "1", "--workers", "0")


def written(path: Path, records: list[dict[str, Any]]) -> Path:
    path.write_text(json.dumps(records))
    return path


@pytest.fixture(scope="module")
def screened(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Folder of a finished screening of a few records, and its JSON."""
    folder = tmp_path_factory.mktemp("screen")
    return folder, screen(folder)


def screen(folder: Path, *options: str) -> dict[str, Any]:
    source = written(folder / "db.json", [record(n) for n in NUMBERS])
    places = ("--store", str(folder / "screen.zarr"), "--folder", str(folder / "out"))
    done = CliRunner().invoke(app, ["screen", str(source), *places, *OPTIONS, *options, "--json"])
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_table_is_ranked_by_the_relative_gap(screened: tuple[Path, dict[str, Any]]) -> None:
    folder, found = screened
    relative = [row["relative"] for row in found["ranking"]]
    assert relative == sorted(relative, reverse=True)
    assert relative[0] > 0.1
    best = found["ranking"][0]
    assert best["gap"] == pytest.approx(best["relative"] * weak_coupling_gap(best["Tc0"]))
    assert best["T"] == pytest.approx(1.5 * best["Tc0"], rel=1e-3)
    assert best["F0"] in (0.15, 1.0)
    assert best["lambda_"] == pytest.approx(best["lambda_stated"], rel=0.05)
    assert set(found["kendall_tau"]) == set()
    assert best["highest"] == best["lowest"] == 1
    table = (folder / "out" / "ranking.csv").read_text().splitlines()
    assert table[0].startswith(
        "rank,material,lambda,lambda_stated,omega_log_meV,Tc0_K,T_K,gap_meV,relative,F0_mJ_cm2"
    )
    assert len(table) == 1 + len(found["ranking"])
    assert (folder / "out" / "ranking.png").stat().st_size > 10_000


def test_bad_spectra_are_named_and_left_out(screened: tuple[Path, dict[str, Any]]) -> None:
    folder, found = screened
    left = {x["name"]: x["reason"] for x in found["left_out"]}
    assert {row["material"] for row in found["ranking"]}.isdisjoint(left)
    assert len(left) + len(found["ranking"]) == len(NUMBERS)
    words = " ".join(left.values())
    assert "lambda of alpha2F must agree with the file's own lambda within 5%" in words
    assert "MADE" in (folder / "out" / "left_out.csv").read_text()


def test_screening_is_resumed_by_an_ordinary_run(screened: tuple[Path, dict[str, Any]]) -> None:
    """The config that it writes is an ordinary one, with the variations in the same cube."""
    folder, found = screened
    plan = resolve(read(folder / "out" / "screen.yaml"))
    assert plan.grid.size == found["points"]
    again = screen(folder)
    assert again["ranking"] == found["ranking"]
    done = CliRunner().invoke(
        app,
        ["run", str(folder / "out" / "screen.yaml"), "--store", str(folder / "screen.zarr"), "-n", "0", "--json"],
    )
    assert json.loads(done.stdout.splitlines()[-1])["computed"] == 0


def test_folder_of_files(tmp_path: Path) -> None:
    (tmp_path / "good.dat").write_text("# omega (meV) a2F\n" + rows(OMEGA, ALPHA2F))
    (tmp_path / "bare.dat").write_text(rows(OMEGA, ALPHA2F))
    (tmp_path / "cut.dat").write_text("# omega (meV) a2F\n" + rows(OMEGA[:100], ALPHA2F[:100]))
    (tmp_path / "README.md").write_text("not a spectrum")
    found, left = candidates(tmp_path)
    assert [c.name for c in found] == ["good"]
    assert [x.name for x in left] == ["bare.dat", "cut.dat"]
    assert left[0].reason.startswith("`units` must be one of")
    found, left = candidates(tmp_path, units="meV")
    assert [c.name for c in found] == ["bare", "good"]
    assert "must vanish at the highest frequency" in left[0].reason


def test_database_states_lambda_and_the_unit_by_wlog(tmp_path: Path) -> None:
    records = [r for i, r in enumerate(database(30)) if i % 10 != 9]
    found, left = candidates(written(tmp_path / "db.json", records))
    assert not left
    assert len(found) == 27
    for candidate in found:
        assert candidate.spectrum.coupling_lambda == pytest.approx(candidate.stated, rel=0.05)
        assert candidate.N_ion is not None


@pytest.mark.parametrize("text", ["[]", "3", "{", '{"a": 1}'])
def test_other_json_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "db.json").write_text(text)
    with pytest.raises(ConfigError, match=r"db.json: (a database must be|the file must be complete JSON)"):
        candidates(tmp_path / "db.json")


def made(name: str, Tc0: float = 10.0, variation: Variation | None = None) -> Case:
    spectrum = Spectrum.from_columns(OMEGA, ALPHA2F, units="meV")
    candidate = Candidate(name=name, spectrum=spectrum, stated=1.2)
    return Case(
        candidate=candidate, pump=10.0, variation=variation or Variation(name=""), Tc0=Tc0, spacing=0.1,
        window=50.0, mu_star=0.1, N0=10.0,
    )  # fmt: skip


def cube(cases: list[Case], peaks: list[list[float]]) -> xr.Dataset:
    """A cube of two fluences with given peak gaps, meV."""
    labels, values = [c.label for c in cases], np.array(peaks)
    dims = ("material", "F0")
    status = np.where(np.isnan(values), "failed", "ok").astype(object)
    data = {"Delta0_peak": (dims, values), "gap_duration": (dims, 0 * values + 0.2), "status": (dims, status)}
    T = ("material", [2 * c.Tc0 for c in cases])
    return xr.Dataset(data, {"material": labels, "F0": [0.1, 1.0], "T": T})


def test_rank_of_given_gaps() -> None:
    """Ranks follow the gap relative to Tc0; a gap below the lattice spacing is none; failed points are counted."""
    cases = [made("a", 10.0), made("b", 5.0), made("c"), made("d")]
    nan = float("nan")
    ranking = rank(cube(cases, [[0.5, 0.9], [0.6, 0.2], [0.05, 0.05], [nan, 0.0]]), cases)
    assert [(row.material, row.rank) for row in ranking.rows] == [("b", 1), ("a", 2), ("c", 3), ("d", 3)]
    assert ranking.rows[0].F0 == 0.1
    assert ranking.rows[0].F0_least == 0.1
    assert ranking.rows[3].failed == 1
    assert np.isnan(ranking.rows[2].F0)


def test_ranks_under_variations() -> None:
    base = [made("a"), made("b"), made("c")]
    same, reverse = VARIATIONS[:2]
    varied = [made(n, 10.0, v) for v in (same, reverse) for n in ("a", "b", "c")]
    peaks = [[0.0, 0.9], [0.0, 0.6], [0.0, 0.3]]
    ranking = rank(cube([*base, *varied], [*peaks, *peaks, *peaks[::-1]]), base, varied)
    assert ranking.tau[same.name] == pytest.approx(1.0)
    assert ranking.tau[reverse.name] == pytest.approx(-1.0)
    assert [(row.highest, row.lowest) for row in ranking.rows] == [(1, 3), (2, 2), (1, 3)]


def test_cases_do_not_depend_on_their_order(tmp_path: Path) -> None:
    """Names that differ only as files do not overwrite each other."""
    spectrum = Spectrum.from_columns(OMEGA, ALPHA2F, units="meV")
    names = ("x/y", "x y", "X:Y")
    apart = with_names_apart(Candidate(name=n, spectrum=spectrum, stated=None) for n in names)
    cases = Cases.of(apart, Choice(pumps=("highest", "strongest", "40")))
    assert len(cases.base) == 9
    plan = resolve(read(write(tmp_path, cases.base, cases.choice)))
    assert len(plan.materials) == 9
    assert len(list((tmp_path / "materials").glob("*.a2f"))) == 3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--T-over-Tc", "0.9"), "`--T-over-Tc` must exceed 1"),
        (("--F0", "a"), "`--F0` must be numbers"),
        (("--omega-pump", "loudest"), "`--omega-pump` must be numbers in meV, strongest or highest. Got 'loudest'"),
        (("--N0", "-1"), "`--N0` must be positive"),
    ],
)
def test_options_are_checked(options: tuple[str, ...], words: str, tmp_path: Path) -> None:
    source = written(tmp_path / "db.json", [record(0)])
    done = CliRunner().invoke(app, ["screen", str(source), "--folder", str(tmp_path / "out"), *options])
    assert done.exit_code == 2
    assert words in " ".join(done.output.split())
