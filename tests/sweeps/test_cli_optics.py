"""`photogap optics`: depths, what is refused, and a picture."""

import json
import re

import pytest
from typer.testing import CliRunner

from photogap.sweeps.cli.main import app


def ask(*arguments):
    return CliRunner().invoke(app, ["optics", *arguments])


@pytest.mark.parametrize(
    ("material", "omega", "depth"), [("LaH10", 2000, 20.6), ("LaH10", 1500, 23.6), ("K3C60", 170, 179.6)]
)
def test_depths_follow_from_rho_N(material, omega, depth):
    result = ask(
        material, "--omega", str(omega), "--T", "10" if material == "K3C60" else "77", "--json", "--no-errors"
    )
    assert result.exit_code == 0
    record = json.loads(result.stdout)
    # 1 %: the superconducting film differs by less
    for state in ("normal", "superconducting"):
        found = record[state]
        assert found["penetration_depth"] == pytest.approx(depth, rel=0.01)
        assert found["R"] + found["T"] + found["chi"] == pytest.approx(1.0, abs=1e-12)


def test_outside_the_lattice_only_the_normal_state_answers():
    record = json.loads(ask("Pb", "--omega", "1500", "--T", "5", "--thickness", "10", "--json").stdout)
    assert record["superconducting"] is None
    assert "outside the lattice of Pb" in record["reason"]
    assert 0 < record["normal"]["chi"] < 1


@pytest.mark.parametrize("omega", ["3.1", "5"])
def test_lattice_reaches_the_accuracy(omega):
    """Just above the gap's threshold, where sigma1 rises and errors are irregular, and away from it."""
    options = ("Pb", "--omega", omega, "--T", "5", "--thickness", "10", "--json")
    loose, tight = (json.loads(ask(*options, "--rtol", rtol).stdout) for rtol in ("3e-3", "3e-4"))
    assert tight["window_meV"] / tight["spacing_meV"] > loose["window_meV"] / loose["spacing_meV"]
    found = tight["superconducting"]
    sizes = found | {"sigma2": abs(complex(found["sigma1"], found["sigma2"]))}
    sizes |= {"sigma1": sizes["sigma2"]}
    sizes |= dict.fromkeys(("n_real", "n_imag"), abs(complex(found["n_real"], found["n_imag"])))
    for key, value in found.items():
        assert abs(value - loose["superconducting"][key]) < 3e-3 * sizes[key]
        assert loose["error"][key] < 3e-3 * 2**0.5 * max(sizes[key], loose["normal"][key])


def test_a_bad_accuracy_is_refused():
    assert "`--rtol` must be positive" in ask("Pb", "--omega", "5", "--T", "5", "--rtol", "-1").output


def test_a_picture(tmp_path):
    out = tmp_path / "pb.png"
    arguments = ["Pb", "--omega", "5", "--T", "5", "--thickness", "10", "--plot", str(out)]
    assert ask(*arguments).exit_code == 0
    assert out.stat().st_size > 10_000
    # an index that is known in a part of the range does not cost the rest of the picture
    assert ask(*arguments, "--substrate", "silicon").exit_code == 0


@pytest.mark.parametrize("command", ["optics", "equilibrium"])
@pytest.mark.parametrize(("columns", "inches"), [("1", 3.37), ("2", 6.9)])
def test_a_picture_fills_the_columns_of_a_journal(tmp_path, command, columns, inches):
    out = tmp_path / "pb.svg"
    options = ["--omega", "5", "--thickness", "10"] if command == "optics" else []
    arguments = [command, "Pb", "--T", "5", *options, "--rtol", "1e-2", "--no-errors", "--plot", str(out)]
    result = CliRunner().invoke(app, [*arguments, "--style", "paper", "--columns", columns])
    assert result.exit_code == 0, result.output
    width = float(re.search(r'<svg[^>]* width="([0-9.]+)pt"', out.read_text())[1])
    assert width == pytest.approx(72 * inches, rel=1e-3)
    refused = CliRunner().invoke(app, [*arguments, "--style", "poster"])
    assert "`--style` must be one of" in refused.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["Pb", "--omega", "-5", "--T", "5"], "`--omega` must be positive"),
        (["Pb", "--omega", "5", "--T", "5", "--thickness", "-1"], "`--thickness` must be positive"),
        (["Pb", "--omega", "5", "--T", "0"], "`T` must be positive"),
        (["Lead", "--omega", "5", "--T", "5"], "`material` must be one of"),
        (["Pb", "--omega", "5", "--T", "5", "--cover", "0"], "`--cover` must be an index with Re n > 0"),
        (["Pb", "--omega", "5", "--T", "5", "--cover", "2+1j"], "`--cover`: the light comes through it"),
        (["Pb", "--omega", "5", "--T", "5", "--substrate", "glas"], "`--substrate`: must be a number such as 1.5"),
        (
            ["Pb", "--omega", "5", "--T", "5", "--substrate", "sapphire"],
            "known from 247.968 to 6199.21 meV. Got 5 meV",
        ),
    ],
)
def test_bad_input_is_refused(arguments, message):
    result = ask(*arguments)
    assert result.exit_code != 0
    assert message in result.output


def test_a_medium_is_its_index():
    """Silicon at 5 meV is 3.4162, from any of the three ways to say so; a substrate that matches reflects less."""
    arguments = ("Pb", "--omega", "5", "--T", "5", "--thickness", "10", "--json", "--substrate")
    named, number, other = (json.loads(ask(*arguments, word).stdout) for word in ("silicon", "3.4162", "1.5"))
    assert named["normal"] == pytest.approx(number["normal"], rel=1e-12)
    assert named["normal"]["T"] != pytest.approx(other["normal"]["T"], rel=0.1)


def test_media_are_listed_with_their_ranges_and_origins():
    result = CliRunner().invoke(app, ["media", "--json"])
    found = json.loads(result.stdout)
    assert {"diamond", "fused_silica", "sapphire", "silicon"} <= set(found)
    assert all(len(part["source"]) > 20 for medium in found.values() for part in medium["parts"])
    assert "Malitson" in CliRunner().invoke(app, ["media"]).stdout


def test_errors_are_those_against_a_much_finer_lattice(tmp_path):
    records = []
    for spacing, window in ((0.2, 60), (0.025, 120)):
        path = tmp_path / f"pb{spacing}.yaml"
        path.write_text(f"extends: Pb\nname: lead\nspacing: {spacing}\nwindow: {window}\n")
        result = ask(str(path), "--omega", "4", "--T", "4", "--thickness", "10", "--json")
        records.append(json.loads(result.stdout))
    coarse, exact = records
    for key in ("sigma1", "sigma2", "penetration_depth", "R", "chi"):
        missed = abs(coarse["superconducting"][key] - exact["superconducting"][key])
        assert missed < coarse["error"][key] < 0.1 * abs(exact["superconducting"][key]), key
    shown = ask("Pb", "--omega", "4", "--T", "4").output
    assert "±" in shown
    assert "±" not in ask("Pb", "--omega", "4", "--T", "4", "--no-errors").output
