"""Materials: the paper's numbers, each with its origin; a user's own file; what is refused."""

import dataclasses
import json
import math
import re
from pathlib import Path

import pytest
import yaml

from photogap.core.declaration import declarations
from photogap.core.equilibrium import solve_equilibrium
from photogap.core.material import Material
from photogap.sweeps.materials import library as materials

# Table 1 of arXiv:2603.18182: N_ion (nm^-3), N(0) (eV^-1 nm^-3), rho_N (ohm nm), Tc0 (K); pump (meV).
TABLE_1 = {
    "Pb": (33, 5.895, 350, 8, 1500),
    "LaH10": (350, 10, 3000, 250, 2000),
    "K3C60": (87, 5.2, 20000, 15, 170),
    "CaC6": (95, 20.5, 460, 11, 57),
}
ORIGINS = (
    "arXiv:2603.18182, ",
    "read in a source",
    "from memory of the literature",
    "fitted here",
    "fitted or chosen here",
    "chosen here",
)


def write(tmp_path, **content):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def test_names():
    assert materials.names() == sorted(TABLE_1)


@pytest.mark.parametrize("name", TABLE_1)
def test_table_1(name):
    material = materials.load(name)
    N_ion, N0, rho_N, Tc0, pump = TABLE_1[name]
    assert material.name == name
    assert (material.N_ion, material.rho_N, material.Tc0, material.omega_pump) == (N_ion, rho_N, Tc0, pump)
    assert pytest.approx(N0 / 1000, rel=1e-15) == material.N0
    assert material.thickness == math.inf
    assert material.mu_star is None
    # A spacing that divides the window, and that the narrowest peak resolves.
    assert material.window / material.spacing == pytest.approx(round(material.window / material.spacing))
    assert material.spacing < min(p.width for p in material.spectrum.peaks)


@pytest.mark.parametrize("name", TABLE_1)
def test_every_number_has_its_unit_and_origin(name):
    record = materials.describe(name)
    entries = [*record.parameters, *record.spectrum, *record.paper]
    for entry in entries:
        assert entry.unit
        assert any(origin in entry.source for origin in (*ORIGINS, "calibrated to Tc0")), entry
    for peak in record.peaks:
        assert any(origin in peak.source for origin in ORIGINS), peak
    assert json.loads(json.dumps(record.as_dict()))["peaks"][0]["lambda"] == record.peaks[0].lambda_


def test_spin_ambiguity_of_cac6_is_stated():
    source = {e.key: e.source for e in materials.describe("CaC6").parameters}["N0_per_eV_nm3"]
    assert "both spins" in source


def test_material_without_a_lattice_gets_an_accurate_one(tmp_path):
    numbers = {"N_ion": 33.0, "N0_per_eV_nm3": 5.9, "rho_N": 350.0, "Tc0": 8.0, "tau_pump": 2.0, "omega_pump": 20.0}
    peaks = [{"centre": 4.0, "width": 0.7, "lambda": 1.0}, {"centre": 8.0, "width": 0.4, "lambda": 0.5}]
    path = write(tmp_path, name="bare", spectrum={"peaks": peaks}, **numbers)
    bare = materials.load(path)
    assert materials.load(path).spacing == bare.spacing
    found, finer = (
        solve_equilibrium(film, 4.0).gap.edge
        for film in (bare, dataclasses.replace(bare, spacing=bare.spacing / 2, window=2 * bare.window))
    )
    assert found == pytest.approx(finer, rel=1e-3)
    entries = {e.key: e for e in materials.describe(path).parameters}
    assert entries["spacing"].value == bare.spacing
    assert "accuracy of 1e-3" in entries["window"].source
    assert entries["cutoff"].value == 4 * bare.spectrum.omega[-1]
    half = materials.load(write(tmp_path, name="half", spectrum={"peaks": peaks}, window=60.0, **numbers))
    assert half.window == 60.0
    assert half.spacing <= 0.2


def test_a_users_material_extends_another(tmp_path):
    path = write(
        tmp_path, name="better K3C60", extends="K3C60", Tc0={"value": 19.0, "source": "measured"}, mu_star=0.2
    )
    mine, base = materials.load(path), materials.load("K3C60")
    assert (mine.name, mine.Tc0, mine.mu_star) == ("better K3C60", 19.0, 0.2)
    assert (mine.N_ion, mine.window) == (base.N_ion, base.window)
    sources = {e.key: e.source for e in materials.describe(path).parameters}
    assert sources["Tc0"] == "measured"
    assert sources["mu_star"] == materials.UNSOURCED
    assert "Table 1" in sources["N_ion"]


def test_a_file_may_extend_a_file(tmp_path):
    (tmp_path / "base.yaml").write_text("name: base\nextends: Pb\nTc0: 7.2\n")
    assert materials.load(write(tmp_path, name="thin", extends="base.yaml", thickness=20.0)).Tc0 == 7.2


def test_scale_of_the_coupling(tmp_path):
    """alpha2F times a number, lambda with it, F as before."""
    mine = materials.load(write(tmp_path, name="stronger", extends="CaC6", spectrum={"scale": 1.2})).spectrum
    base = materials.load("CaC6").spectrum
    assert mine.coupling_lambda == pytest.approx(1.2 * base.coupling_lambda, rel=1e-14)
    assert mine.on_lattice(0.25)[1] == pytest.approx(1.2 * base.on_lattice(0.25)[1], rel=1e-12)
    assert mine.F.tobytes() == base.F.tobytes()


def test_spectrum_file_is_relative_to_the_yaml(tmp_path):
    rows = [(0.1 * i, math.exp(-((0.1 * i - 5) ** 2))) for i in range(1, 100)]
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a2f.dat").write_text("\n".join(f"{w} {a}" for w, a in rows))
    spectrum = {"file": "data/a2f.dat", "format": "columns", "units": "THz", "source": "our run"}
    path = write(tmp_path, name="mine", extends="Pb", spectrum=spectrum, window=200.0)
    assert materials.load(path).spectrum.omega[-1] == pytest.approx(9.9 * 4.135667697)
    entry = materials.describe(path).spectrum[0]
    assert (entry.key, entry.source) == ("lambda", "our run (a2f.dat)")


REFUSED = [
    ({"name": "x", "extends": "K3C60", "Tc": 3}, r"mine.yaml: `Tc`: unknown key. Did you mean `Tc0`\? Got 3"),
    (
        {"name": "x", "extends": "K3C60", "Tc0": "15 K"},
        r"`Tc0.value`: Input should be a valid number.* Got '15 K'",
    ),
    ({"name": "x", "extends": "K3C60", "Tc0": -3}, r"`Tc0` of material 'x' must be positive, in K. Got -3.0"),
    (
        {"name": "x", "extends": "K3C60", "window": 100.0},
        r"`window` of material 'x' must exceed its highest phonon",
    ),
    ({"name": "x", "extends": "K3C6"}, r"must be one of CaC6, K3C60, LaH10, Pb, .* Did you mean `K3C60`\?"),
    ({"name": "x", "extends": "mine.yaml"}, r"is there a cycle"),
    ({"extends": "K3C60"}, r"`name` must be given"),
    ({"name": "x", "extends": 3}, r"`extends` must be a material's name or a YAML file. Got 3"),
    ({"name": "x"}, r"`N_ion`: Field required"),
    ({"name": "x", "spectrum": {}}, r"`spectrum`: .*either `peaks` or `file`"),
    ({"name": "x", "extends": "Pb", "spectrum": {"scale": 0}}, r"`spectrum.scale`: Input should be greater than 0"),
    ({"name": "x", "extends": "Pb", "spectrum": {"file": "a", "peaks": []}}, r"spectrum's file must exist"),
    (
        {"name": "x", "extends": "Pb", "spectrum": {"file": "a", "format": "vasp"}},
        r"spectrum's file must exist",
    ),
    (
        {"name": "x", "extends": "Pb", "spectrum": {"peaks": [{"centre": 3, "width": 1, "lambda": -1}]}},
        r"`spectrum.peaks.0.lambda`: Input should be greater than 0",
    ),
    (
        {
            "name": "x",
            "extends": "Pb",
            "spectrum": {"units": "THz", "peaks": [{"centre": 3, "width": 1, "lambda": 1}]},
        },
        r"`units` is for a `file`; peaks are in meV",
    ),
]


@pytest.mark.parametrize(("content", "message"), REFUSED)
def test_refusals(tmp_path, content, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        materials.load(write(tmp_path, **content))


def test_unknown_material():
    with pytest.raises(ValueError, match=r"`material` must be one of .* Did you mean `Pb`\? Got 'pb'."):
        materials.load("pb")


def test_not_a_mapping(tmp_path):
    path = tmp_path / "list.yaml"
    path.write_text("- 1\n")
    with pytest.raises(ValueError, match="must be a mapping"):
        materials.load(path)
    path.write_text("a: [1\n")
    with pytest.raises(ValueError, match="must be YAML"):
        materials.load(path)
    with pytest.raises(FileNotFoundError, match=r"absent.yaml"):
        materials.load(tmp_path / "absent.yaml")


def test_separate_phonons(tmp_path):
    phonons = {"omega": [0, 2, 206.1], "F": [0, 1, 1], "source": "a guess"}
    path = write(tmp_path, name="all modes", extends="K3C60", spectrum={"phonons": phonons})
    material, base = materials.load(path), materials.load("K3C60")
    assert not material.spectrum.one_matrix_element
    assert material.spectrum.coupling_lambda == base.spectrum.coupling_lambda
    entry = materials.describe(path).spectrum[-1]
    assert (entry.key, entry.source) == ("F", "a guess")
    assert materials.describe("K3C60").spectrum[-1].value == "proportional to alpha2F"
    path = write(tmp_path, name="x", extends="K3C60", spectrum={"phonons": phonons | {"F": [1]}})
    with pytest.raises(ValueError, match=r"needs one F per omega. Got 3 and 1"):
        materials.load(path)


def test_materials_next_to_the_configs_build():
    folder = Path(__file__).parents[2] / "configs" / "materials"
    for path in sorted(folder.glob("*.yaml")):
        material = materials.load(path)
        assert material.spectrum.on_lattice(material.spacing)[2].sum() > 0


def test_a_file_states_each_declared_quantity_and_no_other():
    numbers = {
        k
        for k, f in materials.MaterialSpec.model_fields.items()
        if f.annotation in (materials.Quantity, materials.OptionalQuantity)
    }
    assert numbers == materials.UNITS.keys()
    described = {entry.key: entry.unit for entry in materials.describe("Pb").parameters}
    assert described == materials.UNITS


def test_each_quantity_of_a_material_has_a_unit_and_keeps_its_rule():
    lead = materials.load("Pb")
    for name, quantity in declarations(Material).items():
        assert quantity.long_name
        if quantity.rule is not None:
            words = re.escape(quantity.rule.words)
            with pytest.raises(ValueError, match=rf"`{name}` of material 'Pb' must be {words}.* Got -1\.0"):
                dataclasses.replace(lead, **{name: -1.0})
            with pytest.raises(ValueError, match=rf"`{name}` of material 'Pb' must be {words}.* Got nan"):
                dataclasses.replace(lead, **{name: math.nan})
