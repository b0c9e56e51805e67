"""`photogap equilibrium` and `photogap materials` as a user and a program see them."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from photogap.core.settings import Point, Settings
from photogap.core.simulate import simulate
from photogap.sweeps.cli.main import app
from photogap.sweeps.materials import library as materials
from support.written_spectra import ALPHA2F, LAMBDA, OMEGA, RUNNING, rows

KEYS = {
    "lambda",
    "omega_log_meV",
    "mu_star",
    "Tc_K",
    "Delta0_meV",
    "gap_edge_meV",
    "Z0",
    "iterations",
    "residual",
    "seconds",
}


def photogap(*arguments):
    return CliRunner().invoke(app, list(arguments))


def test_equilibrium_of_a_material_as_json():
    done = photogap("equilibrium", "Pb", "--T", "2", "--json")
    assert done.exit_code == 0, done.output
    numbers = json.loads(done.stdout)
    assert set(numbers) >= KEYS
    assert numbers["Tc_K"] == pytest.approx(8.0, abs=1e-3)
    assert numbers["gap_edge_meV"] == pytest.approx(1.622, abs=2e-3)
    assert numbers["lambda"] == pytest.approx(1.686, abs=1e-3)


def test_mu_star_spacing_and_window_are_taken():
    done = photogap(
        "equilibrium", "K3C60", "--T", "3", "--mu-star", "0.13", "--spacing", "0.5", "--window", "800", "--json"
    )
    numbers = json.loads(done.stdout)
    assert numbers["mu_star"] == 0.13
    assert numbers["Tc_K"] > 15.0


def test_equilibrium_of_a_spectrum_file(tmp_path):
    omega = np.linspace(0.0, 12.0, 400)
    peak = 1.6 * np.exp(-(((omega - 6.0) / 0.8) ** 2))
    np.savetxt(tmp_path / "mine.a2f", np.column_stack([omega / 4.135667696, peak]))
    done = photogap("equilibrium", str(tmp_path / "mine.a2f"), "--units", "THz", "--T", "1", "--json")
    assert done.exit_code == 0, done.output
    numbers = json.loads(done.stdout)
    assert numbers["lambda"] == pytest.approx(2 * np.trapezoid(peak[1:] / omega[1:], omega[1:]), rel=1e-3)
    assert numbers["mu_star"] == 0.1
    assert 1.0 < numbers["Tc_K"] < 10.0


def test_chosen_lattice_is_printed_with_the_error():
    numbers = json.loads(photogap("equilibrium", "Pb", "--T", "2", "--json").stdout)
    finer = json.loads(photogap("equilibrium", "Pb", "--T", "2", "--rtol", "1e-4", "--json").stdout)
    assert numbers["window_meV"] / numbers["spacing_meV"] < finer["window_meV"] / finer["spacing_meV"]
    assert abs(numbers["gap_edge_meV"] - finer["gap_edge_meV"]) < numbers["error"]["gap_edge_meV"]
    assert finer["error"]["gap_edge_meV"] < 1e-4 * finer["gap_edge_meV"]


def test_given_lattice_is_kept():
    numbers = json.loads(photogap("equilibrium", "Pb", "--T", "2", "--window", "40", "--json").stdout)
    assert numbers["window_meV"] == pytest.approx(40.0, rel=1e-3)
    text = " ".join(photogap("equilibrium", "Pb", "--T", "2", "--window", "40").output.split())
    assert "the window is fixed: its error is included but not reduced" in text


def test_mu_star_depends_on_the_cutoff():
    def Tc(*options):
        done = photogap("equilibrium", "Pb", "--T", "2", "--mu-star", "0.1", *options, "--json")
        return json.loads(done.stdout)["Tc_K"]

    assert Tc("--cutoff", "30") < Tc() < Tc("--cutoff", "120")


def test_mu_star_is_converted_and_printed():
    def ask(*options):
        done = photogap("equilibrium", "Pb", "--T", "2", "--mu-star", "0.1", *options, "--json")
        return json.loads(done.stdout)

    log = ask("--mu-star-at", "omega_log")
    assert log["mu_star_at"]["omega_log"] == pytest.approx(0.1, abs=1e-5)
    assert log["mu_star_at"]["cutoff"] == log["mu_star"] > 0.1
    assert log["Tc_K"] < ask()["Tc_K"]
    text = " ".join(photogap("equilibrium", "Pb", "--T", "2").output.split())
    assert "as matsubara" in text
    assert "as omega_2" in text


def test_several_temperatures_draw_a_curve(tmp_path):
    out = tmp_path / "pb.png"
    done = photogap("equilibrium", "Pb", "--T", "2:8.5:2", "--plot", str(out), "--json")
    numbers = json.loads(done.stdout)
    assert numbers["T_K"] == [2.0, 4.0, 6.0, 8.0]
    assert numbers["gap_edge_meV"] == sorted(numbers["gap_edge_meV"], reverse=True)
    assert len(numbers["error"]["gap_edge_meV"]) == 4
    assert isinstance(numbers["Tc_K"], float)
    assert out.stat().st_size > 20_000


def test_a_state_without_an_edge_is_gapless():
    text = " ".join(photogap("equilibrium", "LaH10", "--T", "243").output.split())
    assert "gapless: lifetimes fill the gap" in text
    assert json.loads(photogap("equilibrium", "LaH10", "--T", "243", "--json").stdout)["gapless"] is True


def test_equilibrium_of_a_materials_file(tmp_path):
    (tmp_path / "mine.yaml").write_text("extends: K3C60\nname: Mine\nTc0: 19\n")
    numbers = json.loads(photogap("equilibrium", str(tmp_path / "mine.yaml"), "--T", "5", "--json").stdout)
    assert numbers["Tc_K"] == pytest.approx(19.0, abs=1e-3)


def test_picture(tmp_path):
    out = tmp_path / "pb.png"
    assert photogap("equilibrium", "Pb", "--T", "2", "--plot", str(out)).exit_code == 0
    assert out.stat().st_size > 20_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["Unobtainium", "--T", "2"], "must be one of CaC6, K3C60, LaH10, Pb"),
        (["Pb", "--T", "-2"], "`T` must be positive, in K. Got -2.0"),
        (["Pb", "--T", "2", "--spacing", "-1"], "`--spacing` must be positive, in meV. Got -1.0"),
        (["Pb", "--T", "2", "--damping", "none"], "`--damping` must be full or real. Got 'none'"),
        (["Pb", "--T", "2", "--units", "THz"], "`--units` is for spectrum files"),
        (["Pb", "--T", "2", "--column", "2"], "`--column` is for spectrum files"),
        (["Pb", "--T", "2", "--damping", "real"], "take `damping: full`"),
        (["Pb", "--T", "2", "--mu-star", "nan"], "`--mu-star` must be a number, such as 0.1. Got nan"),
        (["Pb", "--T", "2:1:1"], "needs a step above 0, a stop not below the start"),
        (["Pb", "--T", "2,2"], "`--T` must be distinct temperatures"),
        (
            ["Pb", "--T", "cold"],
            "`--T` must be a temperature, a list such as 2,4,6, or START:STOP:STEP, in K. Got 'cold'",
        ),
        (["Pb", "--T", "2", "--mu-star", "0.1", "--mu-star-at", "top"], "`--mu-star-at` must be one of cutoff"),
        (["Pb", "--T", "2", "--mu-star-at", "omega_log"], "`--mu-star-at` needs `--mu-star`"),
        (["Pb", "--T", "2", "--cutoff", "0"], "`--cutoff` must be positive, in meV. Got 0.0"),
        (["Pb", "--T", "2", "--rtol", "-1"], "`--rtol` must be positive"),
        (
            ["Pb", "--T", "2", "--rtol", "1e-3", "--spacing", "1", "--window", "99"],
            "`--rtol` chooses the lattice; leave out `--spacing` and `--window`",
        ),
        (["Pb", "--T", "2", "--window", "inf"], "`--window` must be positive, in meV. Got inf"),
        (["absent.a2f", "--T", "2", "--units", "THz"], "Got 'absent.a2f', which does not exist"),
        (["Pb", "--T", "2", "--plot", "x.xyz"], "`--plot` must be a file that ends in .png, .pdf or .svg"),
    ],
)
def test_errors_say_what_to_do(arguments, message):
    done = photogap("equilibrium", *arguments)
    assert done.exit_code == 2
    assert message in " ".join(done.output.split())


def test_a_file_without_units_is_refused(tmp_path):
    np.savetxt(tmp_path / "bare.a2f", [[1.0, 0.1], [2.0, 0.2], [3.0, 0.1]])
    done = photogap("equilibrium", str(tmp_path / "bare.a2f"), "--T", "2")
    assert done.exit_code == 2
    assert "`--units` must be one of meV" in done.output


def test_reading_of_a_file_is_printed(tmp_path):
    path, THz = tmp_path / "pb.csv", 4.135667696
    path.write_text(
        "frequency (THz);a2F;lambda\n" + rows(OMEGA / THz, ALPHA2F, RUNNING).replace(".", ",").replace(" ", ";")
    )
    done = photogap("equilibrium", str(path), "--T", "2", "--spacing", "0.1", "--window", "60", "--no-errors")
    assert done.exit_code == 0, done.output
    words = " ".join(done.output.split())
    assert "spectrum: columns, THz, column 1, lambda as the file states it (1.2)" in words
    assert f"lambda │ {LAMBDA:.1f}" in words
    done = photogap("equilibrium", str(path), "--T", "2", "--units", "K")
    assert done.exit_code == 2
    assert "`--units` must agree with the header, 'frequency (THz)'" in " ".join(done.output.split())


def test_contradicting_unit_is_refused(tmp_path):
    example = str(Path(__file__).parents[2] / "notebooks" / "data" / "example.a2f")
    told = photogap("equilibrium", example, "--units", "THz", "--T", "4")
    assert told.exit_code == 2
    assert "`--units` must be meV in the format 'epw'; leave it out, or set `--format` to columns" in (
        " ".join(told.output.split())
    )


def test_a_smearing_is_chosen_by_its_column():
    path = str(Path(__file__).parent / "spectra_real" / "qe" / "alpha2F.dat")
    asked = photogap("equilibrium", path, "--T", "2")
    assert asked.exit_code == 2
    assert "`--column` must select one of the 10 columns" in " ".join(asked.output.split())
    found = [photogap("equilibrium", path, "--T", "0.1", "--column", c, "--json").stdout for c in ("3", "9")]
    assert len({json.loads(text)["lambda"] for text in found}) == 2


def test_materials_with_their_origins():
    listed = json.loads(photogap("materials", "--json").stdout)
    assert set(listed) == {"CaC6", "K3C60", "LaH10", "Pb"}
    text = " ".join(photogap("materials", "CaC6").output.split())
    assert "N0_per_eV_nm3" in text
    assert "both" in text
    assert photogap("materials", "Xx").exit_code == 2


def test_point_survives_pickling():
    """What a task takes and gives survives pickling, and gives the same bits on the other side."""
    point = Point(material=materials.load("K3C60"), F0=0.05, omega_pump=170.0, T=30.0, tau_esc=0.02)
    settings = Settings(t_stop=-0.3, n_times=3)
    here = simulate(point, settings)
    there = pickle.loads(pickle.dumps(simulate(*pickle.loads(pickle.dumps((point, settings))))))
    for name, values in here.data.items():
        assert values.tobytes() == there.data[name].tobytes(), name
