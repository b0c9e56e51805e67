"""Damage of a store: never another number in silence, one message everywhere, and repair."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
import zarr.codecs
from typer.testing import CliRunner

from photogap.sweeps.analysis import open_cube
from photogap.sweeps.cli.main import app
from photogap.sweeps.drive.sweep import run
from photogap.sweeps.drive.verify import verify
from photogap.sweeps.errors import StoreError
from photogap.sweeps.store import cube
from photogap.sweeps.store.cube import Cube
from photogap.sweeps.store.place import place
from support.cubes import physics
from support.driving import go, plan_of

AXES = {"F0": [1.0, 2.0, 3.0, 4.0], "damping": ["full", "real"]}
MORE = {"settings": {"energies": [1.0, 2.0]}}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    go(folder, "a.zarr", AXES, **MORE)
    return folder / "a.zarr"


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path / "a.zarr")
    shutil.copytree(f"{whole}.state", tmp_path / "a.zarr.state")
    return tmp_path / "a.zarr"


def chunks(store: Path, name: str) -> list[Path]:
    return sorted(p for p in (store / name).rglob("*") if p.is_file() and p.name != "zarr.json")


def flip(path: Path, bit: int) -> None:
    data = bytearray(path.read_bytes())
    data[bit // 8 % len(data)] ^= 1 << bit % 8
    path.write_bytes(bytes(data))


def read(store: Path) -> xr.Dataset:
    """As a user reads a cube: `photogap.open`, all numbers loaded."""
    return open_cube(store, chunks=None).load().drop_attrs(deep=False)


@pytest.mark.parametrize("how", ["cut", "text", "removed", "a folder", "a link to itself"])
@pytest.mark.parametrize("array", ["T", "time", "damping"])
def test_a_damaged_chunk_that_opening_reads_ends_in_one_message(copy: Path, array: str, how: str) -> None:
    chunk = chunks(copy, array)[0]
    if how in ("cut", "text"):
        chunk.write_bytes(chunk.read_bytes()[:5] if how == "cut" else b"hello, this is text")
    else:
        chunk.unlink()
    if how == "a folder":
        chunk.mkdir()
    elif how == "a link to itself":
        chunk.symlink_to(chunk)
    with pytest.raises(StoreError, match=r"the cube .*a\.zarr (is damaged|cannot be read)"):
        open_cube(copy, chunks=None).load()


def test_every_array_has_a_checksum_and_the_root_a_seal(whole: Path) -> None:
    cube = Cube(place(whole), read_only=True)
    root = json.loads((whole / "zarr.json").read_text())
    for name in root["consolidated_metadata"]["metadata"]:
        assert "crc32c" in json.dumps(cube.array(name).metadata.to_dict()["codecs"]), name
    assert verify(place(whole))["problems"] == []


def test_no_flipped_bit_reads_as_another_number(whole: Path, tmp_path: Path) -> None:
    """Flips in any file of the cube: an error, or the same data."""
    expected = read(whole)
    rng = random.Random(5)
    files = sorted(p.relative_to(whole) for p in whole.rglob("*") if p.is_file())
    seen = 0
    for _ in range(60):
        shutil.rmtree(tmp_path / "b.zarr", ignore_errors=True)
        shutil.copytree(whole, tmp_path / "b.zarr")
        path = tmp_path / "b.zarr" / rng.choice(files)
        flip(path, rng.randrange(8 * path.stat().st_size))
        try:
            found = read(tmp_path / "b.zarr")
        except Exception:
            seen += 1
        else:
            xr.testing.assert_identical(found, expected)
    assert seen > 20


@pytest.mark.parametrize(
    "name", ["Delta0", "Delta0_peak", "f", "status", "point_id", "wall_time", "F0", "time", "damping"]
)
def test_repair_of_a_damaged_array(copy: Path, whole: Path, name: str) -> None:
    target = place(copy)
    for path in chunks(copy, name):
        flip(path, 8 * (path.stat().st_size // 2) + 3)
    found = verify(target)
    assert found["problems"], name
    before = {p: p.read_bytes() for p in copy.rglob("*") if p.is_file()}
    assert verify(target)["problems"] == found["problems"]
    assert {p: p.read_bytes() for p in copy.rglob("*") if p.is_file()} == before, "a look changes nothing"
    assert verify(target, repair=True)["repaired"]
    assert verify(target)["problems"] == []
    report = run(plan_of(AXES, **MORE), target, workers=0)
    assert report.counts.done == 8
    assert report.counts.computed == found["bad_points"]
    assert (report.counts.computed == 0) == (name in ("status", "wall_time", "F0", "time", "damping"))
    xr.testing.assert_identical(physics(copy), physics(whole))


@pytest.mark.parametrize("name", ["Delta0", "Delta0_peak", "status", "point_id"])
def test_repair_of_missing_chunks(copy: Path, whole: Path, name: str) -> None:
    for path in chunks(copy, name):
        path.unlink()
    verify(place(copy), repair=True)
    assert run(plan_of(AXES, **MORE), place(copy), workers=0).counts.done == 8
    xr.testing.assert_identical(physics(copy), physics(whole))


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


HARM: dict[str, Callable[[Path], Any]] = {
    "root is text": lambda s: (s / "zarr.json").write_text("no json"),
    "root is empty": lambda s: (s / "zarr.json").write_bytes(b""),
    "root is a list": lambda s: (s / "zarr.json").write_text("[]"),
    "root has no attributes": lambda s: (s / "zarr.json").write_text('{"zarr_format": 3, "node_type": "group"}'),
    "a number of the record": lambda s: _edit(s / "zarr.json", "4.0", "5.0"),
    "a unit": lambda s: _edit(s / "zarr.json", '"meV"', '"eV"'),
    "an array's metadata": lambda s: (s / "Delta0" / "zarr.json").write_text("{}"),
    "the status's metadata": lambda s: (s / "status" / "zarr.json").write_bytes(b"\xff"),
    "status": lambda s: [flip(p, 99) for p in chunks(s, "status")],
    "a series": lambda s: [flip(p, 99) for p in chunks(s, "Delta0")],
    "a label": lambda s: [flip(p, 20) for p in chunks(s, "F0")],
    "the log": lambda s: Path(f"{s}.state/log.sqlite").write_bytes(b"\xff" * 5000),
    "a part": lambda s: place(s).blobs.put("parts/00", b"torn"),
    "the lock": lambda s: Path(f"{s}.state/lock").write_bytes(b"\xff{"),
    "the claim": lambda s: place(s).blobs.put("driver", b"[1]"),
}
COMMANDS = (
    ["status"],
    ["show"],
    ["plot", "--at", "damping=full"],
    ["retry", "--failed"],
    ["replay", "F0=1,damping=full"],
    ["verify"],
    ["verify", "--repair"],
    ["cancel"],
)


@pytest.mark.parametrize("how", HARM)
def test_no_damage_ends_a_command_in_a_traceback(
    copy: Path, how: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("photogap.sweeps.store.lock.WATCH_S", 0.1)
    HARM[how](copy)
    for words in COMMANDS:
        told = CliRunner().invoke(app, [words[0], str(copy), *words[1:]])
        clean = told.exception is None or isinstance(told.exception, SystemExit)
        assert clean, (words, told.exception)
        assert told.exit_code in (0, 1, 2, 3, 5), (words, told.output)
        lines = [line for line in told.stderr.splitlines() if line.strip() and not line.startswith("computing")]
        assert len(lines) <= 2, (words, told.stderr)


def test_parts_and_points_are_found_by_verification(copy: Path) -> None:
    cube = Cube(place(copy))
    ids = cube.array("point_id")
    ids[0, 1, 0, 0, 0, 0] = ids[0, 0, 0, 0, 0, 0]
    cube.array("Delta0_peak")[0, 2, 0, 0, 0, 1] = np.nan
    place(copy).blobs.put("parts/00", b"torn")
    found = verify(place(copy))
    assert found["bad_points"] == 2
    assert found["ok"] == 6
    assert [p.split(":")[0] for p in found["problems"]] == [
        "point_id",
        "1 points are `ok` and have no numbers",
        "parts/00",
    ]


@pytest.mark.parametrize("how", ["root is text", "a number of the record", "gone"])
def test_root_is_restored_from_its_copy_or_refused(copy: Path, whole: Path, how: str) -> None:
    (copy / "zarr.json").unlink() if how == "gone" else HARM[how](copy)
    assert "an intact copy is in" in verify(place(copy))["problems"][0]
    verify(place(copy), repair=True)
    assert (copy / "zarr.json").read_bytes() == (whole / "zarr.json").read_bytes()
    place(copy).blobs.delete(["root"])
    HARM["a number of the record"](copy)
    for repair in (False, True):
        with pytest.raises(StoreError, match=r"metadata of .*a\.zarr \(zarr\.json\) are damaged"):
            verify(place(copy), repair=repair)


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cube as it was made before chunks had checksums and the root a seal."""
    with monkeypatch.context() as then:
        then.setattr(cube, "_COMPRESSORS", (zarr.codecs.ZstdCodec(level=0),))
        then.setattr(cube, "sealed", unsealed)
        go(tmp_path, "old.zarr", AXES, **MORE)
    (tmp_path / "old.zarr.state" / "root").unlink()
    assert "photogap_seal" not in (tmp_path / "old.zarr" / "zarr.json").read_text()
    return tmp_path / "old.zarr"


def unsealed(root: bytes, **attributes: Any) -> bytes:
    tree = json.loads(root)
    tree["attributes"] |= attributes
    return json.dumps(tree).encode()


def test_cubes_from_before_checksums_are_read_and_grow(old: Path) -> None:
    assert read(old).status.size == 8
    assert run(plan_of(AXES | {"F0": [1.0, 9.0]}, **MORE), place(old), workers=0).counts.computed == 2
    assert "photogap_seal" in json.loads((old / "zarr.json").read_text())["attributes"]


@pytest.mark.parametrize("grown", [False, True])
def test_no_point_of_a_cube_without_checksums_counts_as_ok(old: Path, grown: bool) -> None:
    if grown:
        run(plan_of(AXES | {"F0": [1.0, 9.0]}, **MORE), place(old), workers=0)
    found = verify(place(old))
    ended = 10 if grown else 8
    assert (found["ok"], found["unchecksummed"], found["bad_points"], found["problems"]) == (0, ended, 0, [])
    assert any("Delta0" in note and "before chunks had checksums" in note for note in found["notes"])
    told = CliRunner().invoke(app, ["verify", str(old)])
    assert told.exit_code == 0
    assert f"points ok, {ended} unchecksummed, 0 bad" in told.stdout


@pytest.mark.parametrize("how", ["a chunk cut off", "an array that is a group", "an array without metadata"])
def test_a_damaged_cube_hides_no_other_in_a_list(copy: Path, whole: Path, how: str) -> None:
    shutil.copytree(whole, copy.with_name("b.zarr"))
    if how == "a chunk cut off":
        chunk = chunks(copy, "status")[0]
        chunk.write_bytes(chunk.read_bytes()[:5])
    elif how == "an array that is a group":
        (copy / "status" / "zarr.json").write_text('{"zarr_format": 3, "node_type": "group"}')
    else:
        (copy / "status" / "zarr.json").unlink()
    listed = CliRunner().invoke(app, ["list", str(copy.parent), "--json"])
    assert listed.exit_code == 0, listed.exception
    rows = {Path(row["store"]).name: row for row in json.loads(listed.stdout)["cubes"]}
    assert "is damaged" in rows["a.zarr"]["error"]
    assert rows["b.zarr"]["ok"] == 8
    for command in ("info", "status", "verify"):
        done = CliRunner().invoke(app, [command, str(copy)])
        assert isinstance(done.exception, SystemExit), (command, done.exception)
