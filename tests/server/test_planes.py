"""Planes for the page's map: bytes that equal the cube, in the order of the labels, within the server's limits."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import matplotlib as mpl
import numpy as np
import pytest

from photogap.core.result import OUTPUTS
from photogap.sweeps.client import RefusedError
from photogap.sweeps.figures.style import MAP
from photogap.sweeps.figures.words import marked
from photogap.sweeps.server import planes
from photogap.sweeps.server.api import STATIC
from photogap.sweeps.server.options import RequestLimits
from photogap.sweeps.server.planes import READ
from support.fake_config import tree
from support.patience import PATIENCE
from support.serving import serving


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    limits = RequestLimits(values=40)
    with serving(tmp_path_factory.mktemp("planes"), limits=limits) as client:
        client.submit(tree({"F0": [3.0, 1.0], "T": [60, 30], "fault": ["no", "raise"]}, name="s"))
        client.wait("s", PATIENCE)
        # A cube that grew has its labels in the order in which they came.
        client.submit(tree({"F0": [2.0], "T": [60, 30], "fault": ["no", "raise"]}, name="s"))
        client.wait("s", PATIENCE)
        yield client


def plane(client: Any, **query: Any) -> tuple[dict[str, Any], Any, Any]:
    data = client._bytes("GET", f"sweeps/s/plane?{urlencode(query, doseq=True)}")
    (size,) = struct.unpack("<I", data[:4])
    head = json.loads(data[4 : 4 + size])
    assert (4 + size) % 8 == 0
    count = int(np.prod(head["shape"]))
    end = 4 + size + 4 * count * bool(head["variable"])
    values = np.frombuffer(data[4 + size : end], "<f4").reshape(head["shape"]) if head["variable"] else None
    return head, values, np.frombuffer(data[end:], np.uint8).reshape(head["shape"])


@pytest.mark.parametrize("variable", ["Delta0_peak", "Delta0"])
def test_a_plane_equals_the_cube_in_the_order_of_its_labels(client: Any, variable: str) -> None:
    head, values, codes = plane(client, variable=variable, x="F0", y="T", panels="fault")
    assert (head["panels"], head["y"], head["x"]) == ("fault", "T", "F0")
    assert head["x_values"] == [1, 2, 3]
    assert head["y_values"] == [30, 60]
    assert head["printed"] == "meV"
    assert head["over"] == (["time"] if variable == "Delta0" else [])
    cube = client.slice("s", "Delta0_peak").Delta0_peak.squeeze(["material", "omega_pump", "tau_esc"])
    expected = cube.transpose("fault", "T", "F0").sortby(["T", "F0"])
    assert head["panels_values"] == [str(v) for v in expected.fault.values]
    np.testing.assert_allclose(values, expected.values, rtol=1e-6)
    failed = np.array(head["kinds"])[codes] == "error"
    assert (failed == np.isnan(values)).all()
    assert failed.sum() == 6


def test_status_alone_and_the_driver_s_own_numbers(client: Any) -> None:
    head, values, codes = plane(client, at="fault=raise")
    assert values is None
    assert set(np.array(head["kinds"])[codes].ravel()) == {"error"}
    _, values, _ = plane(client, at="fault=raise", variable="wall_time")
    assert np.isfinite(values).all(), "a failed point has taken time too"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"variable": "status"}, "`variable` must be a numeric variable"),
        ({"panels": "F0", "x": "F0"}, "`panels` must differ from `x` and `y`"),
        ({"panels": "time"}, "must name axes"),
        ({"at": "T=31"}, "must be one of 60, 30|must be one of 30, 60"),
    ],
)
def test_a_wrong_plane_is_refused(client: Any, query: dict[str, str], message: str) -> None:
    with pytest.raises(RefusedError, match=message):
        plane(client, **query)


def test_large_planes_are_refused_before_they_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(tmp_path, limits=RequestLimits(values=40)) as client:
        client.submit(tree({"F0": list(map(float, range(1, 7))), "T": list(range(10, 17))}, name="s"))
        client.wait("s", PATIENCE)
        monkeypatch.setattr(planes.Plane, "read", lambda *args: pytest.fail("read"))
        with pytest.raises(RefusedError, match="42 points, over the limit of 40"):
            plane(client, variable="Delta0_peak")
        monkeypatch.setattr(planes.Cube, "own_shape", lambda self, name: (7000,))
        with pytest.raises(RefusedError, match=f"need 49000 numbers .* over the limit of {READ * 40}"):
            plane(client, variable="Delta0", at="F0=1")


def test_the_page_draws_in_the_colours_of_the_figures() -> None:
    text = (STATIC / "colours.js").read_text()
    written = json.loads("[" + text.partition("export const MAP = [")[2].partition("]")[0] + "]")
    colours = mpl.colormaps[MAP](np.linspace(0, 1, len(written)))
    assert written == [mpl.colors.to_hex(c) for c in colours]


def test_every_symbol_is_read_without_tex() -> None:
    for name in (v.name for outputs in OUTPUTS for v in outputs.variables):
        text = marked(name)
        assert not set("$\\") & set(text), text
        assert text.count("{") == text.count("}") == text.count("_{") + text.count("^{"), text
    assert (marked("Delta0"), marked("tau_esc"), marked("dR_R0")) == ("Δ_{0}", "τ_{esc}", "ΔR/R_{0}")
