"""Files that the codes wrote themselves, read back to the lambda they report; and what is refused.

`spectra_real` holds the files of small real calculations with the input that made them (see its README).
"""

import re
from pathlib import Path

import numpy as np
import pytest

from photogap.core.constants import KB
from photogap.core.spectra import Spectrum
from photogap.core.units import ENERGY
from photogap.sweeps.materials import spectra as spectrum_files

REAL = Path(__file__).parent / "spectra_real"
OMEGA = np.linspace(0.1, 12.0, 120)
ALPHA2F = 0.4 * np.exp(-((OMEGA - 5.0) ** 2) / 2) * OMEGA / 5
F = np.where(OMEGA < 11, OMEGA**2, 0.0)
LAMBDA = Spectrum.from_columns(OMEGA, ALPHA2F, units="meV").coupling_lambda


def reported(file, pattern, number=1):
    """A number that the code printed, in one of its own files."""
    return float(re.search(pattern, (REAL / file).read_text()).group(number))


# File, how to read it, lambda as its code reports it, and omega_log in meV where it reports that too.
REPORTED = {
    "matdyn": (
        "qe/a2F.dos7",
        {"F_path": REAL / "qe/phonon.dos"},
        reported("qe/a2F.dos7", r"lambda =\s+(\S+)"),
        None,
    ),
    "matdyn, noisy": ("qe/a2F.dos3", {}, reported("qe/a2F.dos3", r"lambda =\s+(\S+)"), None),
    "lambda.x": (
        "qe/alpha2F.dat",
        {"column": 2},
        reported("qe/lambda.dat", r"0\.010\s+\S+\s+(\S+)"),
        KB * reported("qe/lambda.dat", r"0\.010\s+\S+\s+\S+\s+(\S+)"),
    ),
    "EPW, eliashberg": (
        "epw/al.a2f",
        {"F_path": REAL / "epw/al.phdos"},
        reported("epw/al.a2f", r"coupling\s+#\s+(\S+)"),
        ENERGY["Ry"] * reported("epw/reported.txt", r"logavg =\s+(\S+)"),
    ),
    "EPW, its second smearing": (
        "epw/al.a2f",
        {"column": 2},
        reported("epw/al.a2f", r"coupling\s+#\s+\S+\s+(\S+)"),
        None,
    ),
    "EPW, a2f": (
        "epw/al.a2f.01.0.075",
        {"F_path": REAL / "epw/al.phdos.01.0.075"},
        reported("epw/al.a2f.01.0.075", r"coupling\s+#\s+(\S+)"),
        ENERGY["Ry"] * reported("epw/reported.txt", r"logavg =\s+(\S+)"),
    ),
    "ABINIT, anaddb": (
        "abinit/al_anaddb_ep_A2F",
        {"F_path": REAL / "abinit/al_anaddb_PHDOS"},
        reported("abinit/reported.txt", r"mka2f: isotropic lambda =\s+(\S+)"),
        ENERGY["Ha"] * reported("abinit/reported.txt", r"mka2f: omegalog  =\s+(\S+)"),
    ),
    # Its omega_log is the exponential of twice the mean logarithm, the square of what it should be.
    "ABINIT, eph": (
        "abinit/al_epho_A2FW",
        {},
        reported("abinit/reported.txt", r"al_eph.log:855: isotropic lambda =\s+(\S+)"),
        ENERGY["Ha"] * reported("abinit/reported.txt", r"al_eph.log:856: omegalog  =\s+(\S+)") ** 0.5,
    ),
    "Elk": (
        "elk/ALPHA2F.OUT",
        {"F_path": REAL / "elk/PHDOS.OUT"},
        reported("elk/MCMILLAN.OUT", r"coupling constant.*:\s+(\S+)"),
        ENERGY["Ha"] * reported("elk/MCMILLAN.OUT", r"Logarithmic average frequency :\s+(\S+)"),
    ),
}


@pytest.mark.parametrize("name", REPORTED)
def test_lambda_as_the_code_reports_it(name):
    """Codes sum rectangles on 50 to 400 points, this one integrates between them: second order in the spacing.

    Elk's alpha2F does not vanish at zero frequency, where omega_log feels it most.
    """
    file, options, coupling, omega_log = REPORTED[name]
    spectrum = spectrum_files.read(REAL / file, **options)
    assert spectrum.coupling_lambda == pytest.approx(coupling, rel=5e-4)
    if omega_log is not None:
        assert spectrum.omega_log == pytest.approx(omega_log, rel=2e-3)
    if "F_path" in options:
        assert np.trapezoid(spectrum.F, spectrum.omega) == pytest.approx(3.0, rel=1e-12)
        assert not spectrum.one_matrix_element


def test_negative_values_are_cut_at_the_same_lambda():
    """Methfessel-Paxton smearing, lambda.x's own example, takes 4 % of lambda below zero and puts it back above."""
    path = REAL / "qe/alpha2F.dat"
    omega, _, alpha2F = np.loadtxt(path)[1:, :3].T
    assert (alpha2F / omega).clip(max=0).sum() < -0.03 * (alpha2F / omega).sum()
    spectrum = spectrum_files.read(path, column=2)
    assert (spectrum.alpha2F >= 0).all()
    assert spectrum.coupling_lambda == pytest.approx(2 * np.trapezoid(alpha2F / omega, omega), rel=5e-4)


def test_larger_errors_are_not_taken_for_noise(tmp_path):
    """The narrowest electronic smearing of the example needs far more k."""
    with pytest.raises(ValueError, match=r"a2F.dos1: no more than 5% of lambda may be negative .* Got 26.90%"):
        spectrum_files.read(REAL / "qe/a2F.dos1")
    unstable = rows((OMEGA - 4.05) / ENERGY["Ha"], ALPHA2F)
    with pytest.raises(ValueError, match=r"no more than 1% of the spectrum may be at negative frequency"):
        spectrum_files.read(write(tmp_path, "ALPHA2F.OUT", unstable))
    with pytest.raises(ValueError, match=r"`alpha2F` must be positive somewhere"):
        spectrum_files.read(write(tmp_path, "ALPHA2F_0.OUT", rows(OMEGA / ENERGY["Ha"], 0 * ALPHA2F)))


def test_alpha2F_is_checked_against_the_lambda_column(tmp_path):
    """ABINIT's eph driver writes twice alpha2F; a version that does not is read as it is, another factor is not."""
    text = (REAL / "abinit/al_epho_A2FW").read_text()
    coupling = spectrum_files.read(REAL / "abinit/al_epho_A2FW").coupling_lambda
    numbers = np.array([line.split() for line in text.splitlines() if "#" not in line], dtype=float)
    header = "\n".join(line for line in text.splitlines() if "#" in line) + "\n"
    w, a2f, running = numbers.T
    path = write(tmp_path, "single_A2FW", header + rows(w, a2f / 2, running))
    assert spectrum_files.read(path).coupling_lambda == pytest.approx(coupling, rel=1e-6)
    path = write(tmp_path, "third_A2FW", header + rows(w, a2f / 3, running))
    with pytest.raises(ValueError, match=r"must have the lambda of the next column, 0.9286. Got 0.619"):
        spectrum_files.read(path)


def rows(*columns, number="{:16.8E}"):
    return "".join("".join(number.format(x) for x in row) + "\n" for row in zip(*columns, strict=True))


def epw_6():
    """EPW 6, of which there is no real file here, announces ten smearings and writes one."""
    running = np.cumsum(2 * ALPHA2F / OMEGA) * (OMEGA[1] - OMEGA[0])
    return (
        " w[meV] a2f and integrated 2*a2f/w for   10 smearing values\n"
        + rows(OMEGA, ALPHA2F, running, number="{:12.7f}")
        + f" Integrated el-ph coupling\n  #         {running[-1]:12.7f}\n"
    )


def isome(unit="THz"):
    """IsoME computes no alpha2F; its published files look like this."""
    return f" # E ({unit})   5.0E-003   1.0E-002\n" + rows(OMEGA / ENERGY[unit], ALPHA2F, 1.1 * ALPHA2F)


FILES = {
    "pb6.a2f": (epw_6, {}),
    "Nb.a2F": (isome, {"format": "isome", "column": 1}),
    "Nb_meV.a2F": (lambda: isome("meV"), {"format": "isome", "column": 1}),
    "plain.dat": (lambda: "# mine\n" + rows(OMEGA, ALPHA2F), {"units": "meV"}),
    "plain.csv": (
        lambda: "".join(f"{w},{a}\n" for w, a in zip(OMEGA, ALPHA2F, strict=True)),
        {"units": "meV"},
    ),
}


def write(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", FILES)
def test_every_other_format_gives_the_same_spectrum(tmp_path, name):
    make, options = FILES[name]
    spectrum = spectrum_files.read(write(tmp_path, name, make()), **options)
    # EPW prints seven decimals, which is what bounds the agreement.
    assert spectrum.coupling_lambda == pytest.approx(LAMBDA, rel=1e-5)
    assert spectrum.omega[-1] == pytest.approx(12.0, rel=1e-6)


def test_F_from_a_separate_file(tmp_path):
    path = write(tmp_path, "plain.dat", rows(OMEGA, ALPHA2F))
    F_path = write(tmp_path, "mine.dos", rows(OMEGA / ENERGY["THz"], 7 * F))
    spectrum = spectrum_files.read(path, units="meV", F_path=F_path, F_units="THz")
    assert np.trapezoid(spectrum.F, spectrum.omega) == pytest.approx(3.0, rel=1e-12)
    one, two = np.interp([4.0, 8.0], spectrum.omega, spectrum.F)
    assert two / one == pytest.approx(4.0, rel=1e-3)


def test_third_column_is_F(tmp_path):
    path = write(tmp_path, "three.dat", rows(OMEGA, ALPHA2F, F))
    spectrum = spectrum_files.read(path, units="meV")
    assert np.interp(8.0, spectrum.omega, spectrum.F) == pytest.approx(
        4 * np.interp(4.0, spectrum.omega, spectrum.F), rel=1e-6
    )


def test_fortran_exponents(tmp_path):
    """1.0D-03, and 0.1-100 where three digits of exponent leave no room for the letter."""
    text = rows(OMEGA, ALPHA2F).replace("E", "D").split("\n")
    text[0] = " 0.10000000D+00  0.38512345-101"
    path = write(tmp_path, "fortran.dat", "\n".join(text))
    assert spectrum_files.read(path, units="meV").coupling_lambda == pytest.approx(LAMBDA, rel=1e-4)


PLAIN = rows(OMEGA, ALPHA2F).split("\n")
REFUSED = {
    "word": (
        "\n".join([*PLAIN[:4], "0.5 oops", *PLAIN[5:]]),
        r"line 5: a row must contain numbers only; put # before a line of words. Got '0.5 oops'",
    ),
    "ragged": ("\n".join([*PLAIN[:4], "0.5", *PLAIN[5:]]), r"line 5: a row must have 2 numbers, .* Got 1"),
    "nan": ("\n".join([*PLAIN[:4], "0.5 nan", *PLAIN[5:]]), r"line 5: numbers must be finite"),
    "unsorted": (
        "\n".join([*PLAIN[:4], "0.2 0", *PLAIN[5:]]),
        r"line 5: frequencies must increase; sort the rows. Got 0.2 after 0.4",
    ),
    "below": ("\n".join(["-0.1 0", *PLAIN]), r"line 1: the frequency must not be negative. Got -0.1"),
    "negative": ("\n".join([*PLAIN[:4], "0.5 -1", *PLAIN[5:]]), r"no more than 0.5% of lambda may be negative"),
    "empty": ("# nothing\n", r"at least two columns of numbers. Got 0"),
    "single": ("1.0\n2.0\n", r"at least two columns of numbers. Got 1"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_name_file_line_and_rule(tmp_path, name):
    text, message = REFUSED[name]
    path = write(tmp_path, f"{name}.dat", text)
    with pytest.raises(ValueError, match=f"{name}.dat.*{message}"):
        spectrum_files.read(path, units="meV")


def test_units_are_never_guessed(tmp_path):
    path = write(tmp_path, "plain.dat", rows(OMEGA, ALPHA2F))
    with pytest.raises(
        ValueError, match=r"`units` must be one of .* files in the format 'columns' do not state them"
    ):
        spectrum_files.read(path)
    with pytest.raises(ValueError, match=r"`units` must be one of meV, .* Got 'nm'"):
        spectrum_files.read(path, units="nm")
    with pytest.raises(ValueError, match=r"`units` must be Ry in the format 'qe'.* Got 'meV'"):
        spectrum_files.read(REAL / "qe/a2F.dos7", units="meV")
    isome_file = write(tmp_path, "a.a2F", isome().replace("(THz)", ""))
    with pytest.raises(ValueError, match=r"`units` must be one of .* the format 'isome'"):
        spectrum_files.read(isome_file, format="isome", column=1)


def test_a_smearing_must_be_chosen():
    with pytest.raises(ValueError, match=r"`column` must select one of the 10 columns"):
        spectrum_files.read(REAL / "qe/alpha2F.dat")
    with pytest.raises(ValueError, match=r"al.a2f: `column` must be 1 to 2. Got 3"):
        spectrum_files.read(REAL / "epw/al.a2f", column=3)


def test_unknown_format_and_missing_file(tmp_path):
    path = write(tmp_path, "plain.dat", rows(OMEGA, ALPHA2F))
    with pytest.raises(ValueError, match=r"the format of alpha2F must be one of columns, qe, .* Got 'vasp'"):
        spectrum_files.read(path, format="vasp")
    with pytest.raises(ValueError, match=r"`F_format` and `F_units` need an `F_file`"):
        spectrum_files.read(path, units="meV", F_units="THz")
    with pytest.raises(FileNotFoundError, match=r"the spectrum's file must exist. Got .*absent.a2f"):
        spectrum_files.read(tmp_path / "absent.a2f")


@pytest.mark.parametrize("name", ["al.a2f_tr", "al.a2f_tr.01.0.075", "Al_A2F_TR", "Al_A2F_TROUT", "renamed"])
def test_transport_spectrum_is_refused(tmp_path, name):
    """EPW's two files differ in their names alone, ABINIT's in a word of the header."""
    text = (REAL / "epw/al.a2f.01.0.075").read_text()
    if name == "renamed":
        text = (REAL / "abinit/al_anaddb_ep_A2F").read_text().replace("a2f file", "a2f_tr file")
    path = write(tmp_path, name, text)
    for options in ({}, {"format": "columns", "units": "meV"}):
        with pytest.raises(ValueError, match=rf"{name}: the spectrum must be alpha2F, not that of transport"):
            spectrum_files.read(path, **options)
    assert spectrum_files.read(write(tmp_path, "al.a2f_trial.a2f.01", (REAL / "epw/al.a2f").read_text()))


def test_wrong_unit_of_F_is_caught(tmp_path):
    """F in meV declared as cm-1 ends at 1.4 meV, below alpha2F."""
    path = write(tmp_path, "plain.dat", rows(OMEGA, ALPHA2F))
    with pytest.raises(ValueError, match=r"`F` must be positive wherever alpha2F is .* are both units right"):
        spectrum_files.read(path, units="meV", F_path=write(tmp_path, "f.dat", rows(OMEGA, F)), F_units="cm-1")
