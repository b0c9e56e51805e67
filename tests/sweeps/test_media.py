"""Substrates and covers by number, name and file: what they are, what is refused, that no file is needed again."""

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from photogap.core.optics.indices import Medium, index_at
from photogap.core.simulate import simulate
from photogap.sweeps.ask.axes import union
from photogap.sweeps.ask.config import parse
from photogap.sweeps.ask.plan import resolve
from photogap.sweeps.drive.flow import job_of
from photogap.sweeps.drive.sweep import plan_of, prepare
from photogap.sweeps.errors import ConfigError, ContradictionError
from photogap.sweeps.files import Files
from photogap.sweeps.materials import media
from photogap.sweeps.store.cube import Cube
from photogap.sweeps.store.place import place

CSV = "energy_meV,n,k\n" + "".join(f"{5 * 1.5**i:.6g},{2 + 0.01 * i},0.001\n" for i in range(16))


@pytest.mark.parametrize(
    ("name", "wavelength_um", "index"),
    [
        # published values: n_d of fused silica, and the ordinary ray of sapphire, n of diamond and of silicon
        ("fused_silica", 0.5876, 1.45846),
        ("sapphire", 1.52952, 1.74660),
        ("diamond", 0.5893, 2.41726),
        ("silicon", 1.55, 3.4777),
        ("silicon", 1.239841984 / 1.5, 3.673 + 0.005j),
    ],
)
def test_media_have_the_published_index(name: str, wavelength_um: float, index: complex) -> None:
    """1e-4: the sapphire value is of another sample, 4 K warmer."""
    assert complex(index_at(media.load(name), 1239.841984 / wavelength_um)) == pytest.approx(index, abs=1e-4)


@pytest.mark.parametrize("name", media.names())
def test_every_part_of_a_medium_says_where_it_comes_from(name: str) -> None:
    spec = media.describe(name)
    assert spec.name == name
    assert spec.description
    for part in spec.parts:
        assert any(year in part.source for year in ("19", "20"))


def test_a_medium_survives_the_record() -> None:
    for index in (*map(media.load, media.names()), 1.5, 2 + 0.1j):
        assert media.restore(json.loads(json.dumps(media.dump(index)))) == index


def test_table_in_wavelengths_is_reversed(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("wavelength_um,k,n\n1.0,0.1,1.5\n1.5,0.2,1.6\n")
    found = media.load("a.csv", Files(tmp_path))
    assert complex(index_at(found, 1239.841984)) == pytest.approx(1.5 + 0.1j)
    assert complex(index_at(found, 1239.841984 / 1.5)) == pytest.approx(1.6 + 0.2j)


BROKEN = [
    ("omega,n,k\n1,2,0\n", "columns must be n, k and one of energy_meV, .* Got 'omega, n, k'"),
    ("energy_meV,n\n1,2\n", "columns must be n, k and one of"),
    ("", "columns must be n, k and one of"),
    ("energy_meV,n,k\n", "an index table needs one `n` and one `k`"),
    ("energy_meV,n,k\n4,2,0\n# later\n3,2,0\n", "line 4: `energy_meV` must increase; sort the rows. Got 3 after 4"),
    ("energy_meV,n,k\n4,2,-0.1\n", "line 2: `k` must be zero or positive.* Got -0.1"),
    ("energy_meV,n,k\n4,,0\n", "line 2: must contain three numbers. Got '4,,0'"),
    ("energy_meV,n,k\n4,nan,0\n", "line 2: numbers must be finite; fill the gap"),
    ("energy_meV,n,k\n4,2,0\n5,0,0\n", "row 2 of the index table must have photon energy > 0, n > 0"),
    (
        "energy_meV,n,k\n4,2,0\n40,2,0\n",
        "the index table has a gap between 4 and 40 meV: neighbours must lie within a factor of 2. Add rows",
    ),
]


def config(folder: Path, axes: dict[str, Any] | None = None, **settings: Any) -> Any:
    first = {"material": ["K3C60"], "F0": 0.1, "omega_pump": 170, "T": 30, "tau_esc": 0.02}
    few = {"spacing": 2.0, "n_times": 3, "thickness": 20.0, "omega_probe": 20.0}
    return parse({"name": "x", "axes": first | (axes or {}), "settings": few | settings}, folder=str(folder))


@pytest.mark.parametrize(("text", "message"), BROKEN, ids=[b[1][:30] for b in BROKEN])
def test_a_bad_table_is_refused_before_the_first_task(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "glass.csv").write_text(text)
    with pytest.raises(ConfigError, match=rf"`settings.substrate`: .*glass.csv: {message}"):
        resolve(config(tmp_path, substrate="glass.csv"))


@pytest.mark.parametrize(
    ("axes", "settings", "message"),
    [
        (
            {},
            {"substrate": "saphire"},
            r"`settings.substrate`: must be a number such as 1.5.*sapphire.*Got 'saphire'",
        ),
        ({}, {"substrate": True}, r"`settings.substrate`: must be a number.*Got True"),
        ({}, {"substrate": "absent.csv"}, r"`settings.substrate`: the file of a refractive index must exist"),
        ({}, {"substrate": -1}, r"`settings`: `substrate` must be an index with Re n > 0"),
        ({}, {"cover": "2+1j"}, r"`cover` at `omega_pump`: the light comes through it.* Got 2\+1j"),
        (
            {},
            {"substrate": "sapphire"},
            r"`substrate` at `omega_pump`: the index of 'sapphire' is known from 247.* Got 170",
        ),
        (
            {"omega_pump": 2000},
            {"substrate": "sapphire"},
            r"`settings.substrate`: `substrate` at `omega_probe`: .*Got 20 meV; give",
        ),
        ({"substrate": [1, "glas"]}, {}, r"`axes.substrate`: must be a number"),
        ({"n_substrate": [1.5]}, {}, r"`axes.n_substrate`: unknown key. Did you mean `substrate`\?"),
        # each value alone is fine beside the first of the other axis
        (
            {"omega_pump": [2000, 170], "substrate": [1, "sapphire"]},
            {"omega_probe": 500.0},
            r"`axes.omega_pump and axes.substrate`: `substrate` at `omega_pump`: .*Got 170 meV",
        ),
    ],
)
def test_unknown_index_is_refused_before_the_first_task(
    tmp_path: Path, axes: dict[str, Any], settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        resolve(config(tmp_path, axes, **settings))


def test_identity_depends_on_content_not_path(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    for path in ("glass.csv", "elsewhere/glass.csv"):
        (tmp_path / path).write_text(CSV)
    here, there = (resolve(config(tmp_path, substrate=p)) for p in ("glass.csv", "elsewhere/glass.csv"))
    labels = here.grid.labels((0,) * 5)
    assert here.point_id(labels) == there.point_id(labels)
    (tmp_path / "glass.csv").write_text(CSV.replace("0.001", "0.002", 1))
    assert resolve(config(tmp_path, substrate="glass.csv")).point_id(labels) != here.point_id(labels)
    assert resolve(config(tmp_path)).point_id(labels) != here.point_id(labels)


def test_an_axis_of_media_reaches_the_task_without_its_file(tmp_path: Path) -> None:
    """The job of a name equals that of the same number, on a worker that sees no file."""
    (tmp_path / "flat.csv").write_text(
        "energy_meV,n,k\n10,1.5,0\n20,1.5,0\n40,1.5,0\n80,1.5,0\n160,1.5,0\n320,1.5,0\n"
    )
    plan = resolve(config(tmp_path, {"substrate": ["flat.csv", 1.5, "3.4+0.1j"]}))
    assert plan.grid.axes[-1].values == ("flat", "1.5", "3.4+0.1j")
    (tmp_path / "flat.csv").unlink()
    found = []
    for index in plan.grid.indices():
        labels = plan.grid.labels(index)
        job = pickle.loads(pickle.dumps(job_of(plan, labels, plan.point_id(labels))))
        found.append(simulate(plan.point(labels), job.settings).data["T_film"][0])
    assert found[0] == pytest.approx(found[1], rel=1e-12)
    assert found[2] != pytest.approx(found[1], rel=0.05)
    assert len({plan.point_id(plan.grid.labels(index)) for index in plan.grid.indices()}) == 3


def test_a_store_keeps_what_its_files_held(tmp_path: Path) -> None:
    """Retry and replay, here or on another host, find the index in the record; another content is refused."""
    (tmp_path / "glass.csv").write_text(CSV)
    where = place("memory://media")
    plan = resolve(config(tmp_path, {"substrate": ["glass.csv", "silicon"], "omega_pump": 800}, omega_probe=8.0))
    prepare(plan, where)
    ids = [plan.point_id(plan.grid.labels(index)) for index in plan.grid.indices()]
    (tmp_path / "glass.csv").unlink()
    again = plan_of(Cube(where))
    assert [again.point_id(again.grid.labels(index)) for index in again.grid.indices()] == ids
    # a later config that names neither
    grown = resolve(config(tmp_path, {"substrate": ["2.5+0.1j"], "omega_pump": 800}, omega_probe=8.0))
    prepare(grown, where)
    later = plan_of(Cube(where))
    assert [later.point_id(later.grid.labels(index)) for index in later.grid.indices()][:2] == ids
    assert isinstance(later.settings_at(later.grid.labels((0,) * 6)).substrate, Medium)
    (tmp_path / "glass.csv").write_text(CSV.replace("0.001", "0.002", 1))
    changed = resolve(config(tmp_path, {"substrate": ["glass.csv"], "omega_pump": 800}, omega_probe=8.0))
    with pytest.raises(
        ContradictionError, match="`substrate` 'glass' has other numbers than when the store was created"
    ):
        prepare(changed, where)


def test_numbers_and_words_do_not_mix_in_a_store(tmp_path: Path) -> None:
    numbers, words = (resolve(config(tmp_path, {"substrate": v})) for v in ([1, 1.5], [1, "1.5+0.1j"]))
    assert numbers.grid.axes[-1].values == (1.0, 1.5)
    with pytest.raises(ContradictionError, match="axis `substrate` holds numbers in the store and words"):
        union(numbers.grid, words.grid)
