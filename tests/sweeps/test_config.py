"""What a user may get wrong in a config, each with the message that says so, before any task."""

import contextlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from photogap.sweeps.ask.config import axis_values, override, parse, read
from photogap.sweeps.ask.plan import resolve
from photogap.sweeps.errors import ConfigError
from photogap.sweeps.files import Files
from photogap.sweeps.model import DEFAULT
from photogap.sweeps.text import load_yaml
from support.fake_config import tree

WRONG: list[tuple[dict[str, Any], str]] = [
    (tree(colour="red"), r"`colour`: unknown key.*Got 'red'"),
    (tree(setings={}), r"`setings`: unknown key. Did you mean `settings`\?"),
    (tree(limits={"tme_s": 3}), r"`limits.tme_s`: unknown key. Did you mean `time_s`\?"),
    (tree(limits={"time_s": -1}), r"`limits.time_s`: Input should be greater than 0. Got -1"),
    (
        tree(limits={"memory": "2 cows"}),
        r"`limits.memory`: must be `auto` or a size such as 2GiB. Got '2 cows'",
    ),
    (tree(settings={"dampng": "full"}), r"`settings.dampng`: unknown key. Did you mean `damping`\?"),
    (tree(settings={"damping": "half"}), r"`settings`: `damping` must be one of full, real. Got 'half'"),
    (tree(settings={"rtol": "small"}), r"`settings.rtol`: Input should be a valid number.*Got 'small'"),
    (
        tree(settings={"stimulated_emission": 1}),
        r"`settings.stimulated_emission` must be true or false. Got 1",
    ),
    (tree({"T": [30, -5]}), r"`axes.T`: `T` must be positive, in K. Got -5.0"),
    (tree({"T": -5}), r"`axes.T`: `T` must be positive, in K. Got -5.0"),
    (tree({"T": ["warm"]}), r"`axes.T` must contain numbers, in K. Got 'warm'"),
    (tree({"T": []}), r"`axes.T` must have at least one value"),
    (tree({"T": [30, 30]}), r"`axes.T` must have distinct values. Got 30.0 twice"),
    (tree({"T": {"values": [3], "units": "F"}}), r"`axes.T.units` must be one of K, mK. Got 'F'"),
    (tree({"T": {"values": [3], "units": [1]}}), r"`axes.T.units` must be one of K, mK. Got \[1\]"),
    (tree({"F0": {"linspce": [1, 2, 3]}}), r"`axes.F0.linspce`: unknown key. Did you mean `linspace`\?"),
    (
        tree({"F0": {"geomspace": [0, 2, 3]}}),
        r"`axes.F0.geomspace` must be .* positive ends. Got \[0, 2, 3\]",
    ),
    (tree({"F0": {"linspace": [1, 2]}}), r"`axes.F0.linspace` must be \[start, stop, number of values\]"),
    (tree({"F0": {"linspace": [1, 2, 2.5]}}), r"the number of values is a whole number of at least 1"),
    (tree({"F0": {"csv": "absent.csv"}}), r"`axes.F0.csv` must be a readable CSV file. Got 'absent.csv'"),
    (tree({"material": ["C"]}), r"`axes.material`: 'C' cannot be loaded. unknown material. Known: A, B, N"),
    (tree({"fluence": [1]}), r"`axes.fluence`: unknown key"),
    (
        tree({"n_times": [3, 4]}),
        r"`axes.n_times`: this setting is the same for all points of a cube; move it to `settings`",
    ),
    (tree(zip=[["F0", "Q"]]), r"`zip` names `Q`, which is not an axis"),
    (tree(plot={"x": "F0", "hue": "F0"}), r"`plot.hue` must differ from `plot.x`. Got 'F0'"),
    (tree(plot={"x": "fluence"}), r"`plot.x`: unknown name.*Got 'fluence'"),
    (tree(model="nowhere:MODEL"), r"`model` must be `module:attribute`.*Got 'nowhere:MODEL'"),
    (tree(name="../x"), r"`name`: must be letters, digits, .* it becomes a file name. Got '../x'"),
    (tree({"tau_esc": ["inf"]}), r"`axes.tau_esc` must contain numbers, in ps. Infinity is .inf. Got 'inf'"),
    (tree(settings=3), r"`settings`: must be a mapping of keys. Got 3"),
    ({"name": "x"}, r"`axes`: required key is missing"),
]


@pytest.mark.parametrize(("given_tree", "message"), WRONG, ids=lambda v: v[:40] if isinstance(v, str) else None)
def test_wrong_config_raises(given_tree: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        resolve(parse(given_tree))


def test_values_come_from_lists_generators_units_and_tables(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("# LaH10\nF0,tau_esc\n2.6, 0.05\n4.5, 0.2\n")
    assert axis_values("F0", 3, Files(), "mJ cm^-2") == (3,)
    assert axis_values("F0", {"geomspace": [0.01, 1, 3]}, Files(), "mJ cm^-2") == (0.01, 0.1, 1.0)
    assert axis_values("F0", {"linspace": [0, 0.3, 4]}, Files(), "mJ cm^-2") == (0.0, 0.1, 0.2, 0.3)
    assert axis_values("tau_esc", {"values": [50, 200], "units": "fs"}, Files(), "ps") == (0.05, 0.2)
    assert axis_values("F0", {"csv": "t.csv"}, Files(tmp_path), "mJ cm^-2") == (2.6, 4.5)
    assert axis_values("F0", {"csv": "t.csv", "column": "tau_esc"}, Files(tmp_path), "mJ cm^-2") == (0.05, 0.2)


def test_overrides_replace_and_add(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("name: x\naxes: {T: [1]}\n")
    config = read(path, ("axes.T=[20,30]", "limits.time_s=1e2", "settings.damping=real"))
    assert config.axes["T"] == [20, 30]
    assert config.limits.time_s == 100
    assert config.settings == {"damping": "real"}
    with pytest.raises(ConfigError, match=r"`--set` must be KEY.KEY=VALUE.*Got 'T'"):
        override({}, "T")
    with pytest.raises(ConfigError, match=r"`--set axes.T.x`: `T` holds \[1\], not keys"):
        read(path, ("axes.T.x=1",))


@pytest.mark.parametrize(
    ("axes", "place"),
    [
        ({"omega_pump": [0.17]}, "axes.omega_pump"),
        ({"omega_pump": [170, 0.6], "spacing": [0.5, 1.0]}, "axes.omega_pump and axes.spacing"),
    ],
)
def test_photon_below_the_spacing_is_refused(axes: dict[str, Any], place: str) -> None:
    """Most often eV for meV: it would move quasiparticles by one step of the lattice all the same."""
    with pytest.raises(ConfigError, match=rf"`{place}`: `omega_pump` must be at least the lattice spacing.*meV\?"):
        resolve(parse(tree({"material": ["K3C60"]} | axes, model=DEFAULT)))


def test_duplicate_key_raises(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("name: x\naxes:\n  T: [30]\n  F0: [1]\n  T: [60]\n")
    with pytest.raises(ConfigError, match=r"c.yaml must be YAML. Line 5: the key `T` is given twice."):
        read(tmp_path / "c.yaml")
    merged = "a: &a {x: 1}\nb: {<<: *a, x: 2}\n"
    assert load_yaml(merged, "text")["b"] == {"x": 2}
    inner = "a: &a {x: 1}\np: {q: &b {<<: *a, x: 2}}\nc: {<<: *b}\n"
    assert load_yaml(inner, "text")["c"] == {"x": 2}, "a merged mapping that says a key anew, merged in its turn"


def test_spreadsheet_table_is_read(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("\ufeffF0,T\r\n0.1,30\r\n0.3,60\r\n", encoding="utf-8")
    assert axis_values("F0", {"csv": "f.csv"}, Files(tmp_path), "mJ cm^-2") == (0.1, 0.3)


def test_invalid_yaml_file_raises(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("name: [")
    with pytest.raises(
        ConfigError, match=r"must be YAML. Line 1, column 8: .*, while parsing a flow node from line 1\."
    ):
        read(path)
    with pytest.raises(ConfigError, match=r"CONFIG must be a readable YAML file. Got .*absent"):
        read(tmp_path / "absent.yaml")


A2F = "\n".join(f"{omega} {0.1 * omega * (10 - omega)}" for omega in range(11))
BROKEN: list[tuple[str, str, str, str]] = [
    ("Pbb", "", "", r"`material` must be one of .*Did you mean `Pb`\? Got 'Pbb'."),
    ("mine", "spectrum: {file: absent.a2f, units: meV}", A2F, r"the spectrum's file must exist. Got .*absent.a2f"),
    (
        "mine",
        "spectrum: {file: a.a2f, units: meV}",
        "\x00\x01\x02 no numbers",
        r"a.a2f.* Got a binary .*no numbers",
    ),
    ("mine", "spectrum: {file: a.a2f, units: meV}", "1 0.1\n2 nan\n", r"a.a2f, line 2: numbers must be finite"),
    ("mine", "spectrum: {file: a.a2f, units: meV}", "1 0.1\n1 0.2\n", r"line 2: frequencies must increase"),
    ("mine", "spectrum: {file: a.a2f, units: furlong}", A2F, r"a.a2f.*`units` must be one of meV.* Got 'furlong'"),
    ("mine", "spectrum: {file: a.a2f}", A2F, r"a.a2f.*`units` must be one of meV"),
    ("mine", "Tc: 3", A2F, r"mine.yaml: `Tc`: unknown key. Did you mean `Tc0`\? Got 3"),
    ("mine", "Tc0: cold", A2F, r"`Tc0.*Got 'cold'"),
]


@pytest.mark.parametrize(("label", "line", "spectrum", "message"), BROKEN, ids=[b[1] or b[0] for b in BROKEN])
def test_unloadable_material_raises(tmp_path: Path, label: str, line: str, spectrum: str, message: str) -> None:
    (tmp_path / "mine.yaml").write_text(f"name: my film\nextends: Pb\n{line}\n")
    (tmp_path / "a.a2f").write_text(spectrum)
    given_tree = tree({"material": [label]}, model=DEFAULT, materials={"mine": "mine.yaml"})
    with pytest.raises(ConfigError, match=rf"`axes.material`: '{label}' cannot be loaded. .*{message}"):
        resolve(parse(given_tree, folder=str(tmp_path)))


def test_material_file_is_loaded_under_the_name_in_the_config(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("name: my film\nextends: Pb\nspectrum: {file: a.a2f, units: THz}\n")
    (tmp_path / "a.a2f").write_text(A2F)
    given_tree = tree({"material": ["mine", "Pb"]}, model=DEFAULT, materials={"mine": "mine.yaml"})
    plan = resolve(parse(given_tree, folder=str(tmp_path)))
    assert plan.materials["mine"].name == "mine"
    assert plan.materials["mine"].spectrum.omega[-1] == pytest.approx(10 * 4.135667696)
    assert len(set(plan.material_digests.values())) == 2


words = st.sampled_from(["F0", "T", "linspace", "values", "csv", "A", "", "full", "damping", "axes", "units", "K"])
leaves = st.one_of(st.none(), st.booleans(), st.integers(-3, 9), st.floats(), words)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=3)),
    max_leaves=8,
)
keys = st.sampled_from(
    ["zip", "settings", "materials", "limits", "plot", "refine", "name", "workers", "model", "axes"]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(keys, trees, max_size=2), st.dictionaries(words, trees, max_size=2))
def test_a_fuzzed_config_is_a_plan_or_a_clear_error(top: dict[str, Any], more: dict[str, Any]) -> None:
    fuzzed = tree(more) | top
    try:
        plan = resolve(parse(fuzzed))
    except ConfigError:
        return
    assert plan.grid.size >= 1


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_fuzzed_text_is_a_plan_or_a_clear_error(text: str) -> None:
    with contextlib.suppress(ConfigError):
        override(tree(), f"axes={text}")


def test_an_infinite_escape_time_stays_one_in_a_record() -> None:
    found = parse(tree({"tau_esc": [0.02, float("inf")]})).model_dump(mode="json")
    assert found["axes"]["tau_esc"] == [0.02, float("inf")]
