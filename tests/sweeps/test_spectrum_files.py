"""Each code's format, written as that code writes it, read back to the same spectrum; and what is refused."""

import numpy as np
import pytest

from photogap.core.spectra import UNITS, Spectrum
from photogap.sweeps import spectrum_files

OMEGA = np.linspace(0.1, 12.0, 120)
ALPHA2F = 0.4 * np.exp(-((OMEGA - 5.0) ** 2) / 2) * OMEGA / 5
F = np.where(OMEGA < 11, OMEGA**2, 0.0)
LAMBDA = Spectrum.from_columns(OMEGA, ALPHA2F, units="meV").coupling_lambda


def rows(*columns, number="{:16.8E}"):
    return "".join("".join(number.format(x) for x in row) + "\n" for row in zip(*columns, strict=True))


def epw(omega=OMEGA, columns=(ALPHA2F, 1.1 * ALPHA2F)):
    """EPW 5: every smearing's alpha2F, then every smearing's running lambda."""
    running = [np.cumsum(2 * a / omega) * (omega[1] - omega[0]) for a in columns]
    body = rows(omega, *columns, *running, number="{:12.7f}")
    totals = "".join(f"{r[-1]:12.7f}" for r in running)
    return (
        f" w[meV] a2f and integrated 2*a2f/w for {len(columns):4d} smearing values\n{body}"
        f" Integrated el-ph coupling\n  #         {totals}\n Phonon smearing (meV)\n"
        "  #            0.0500000   0.1000000\nElectron smearing (eV)   0.1000000\n"
        "Fermi window (eV)   0.4000000\n"
        "Summed el-ph coupling    1.0000000\n"
    )


def epw_one_column():
    """EPW 6 announces ten smearings and writes one."""
    return epw(columns=(ALPHA2F,)).replace("   1 smearing", "  10 smearing")


def qe(noise=0.0):
    """matdyn.x: blank lines, three comments, Ry, total and modes, a last line that is not numbers."""
    total = ALPHA2F + noise
    body = rows(OMEGA / UNITS["Ry"], total, total / 3, total / 3, total / 3)
    return (
        "\n # Eliashberg function a2F (per both spin)\n #  frequencies in Rydberg  \n"
        f" # DOS normalized to E in Rydberg: a2F_total, a2F(mode) \n\n{body}"
        f" lambda =   {LAMBDA:.6f}   Delta =   1.0E-05\n"
    )


def qe_lambda():
    """lambda.x: alpha2F.dat."""
    return "# E(THz)     0.005     0.010\n" + rows(OMEGA / UNITS["THz"], ALPHA2F, 1.1 * ALPHA2F)


def qe_phdos():
    """matdyn.x: the grid starts a little below zero."""
    w = np.concatenate([[-1.4e-5], OMEGA / UNITS["cm-1"]])
    f = np.concatenate([[0.0], F])
    return " # Frequency[cm^-1] DOS PDOS\n" + rows(w, f, f)


def epw_phdos():
    return " w[meV] phdos[states/meV] for    2 smearing values\n" + rows(OMEGA, F, F, number="{:15.7f}")


def abinit():
    """elphon's _A2F."""
    return (
        "#\n# ABINIT package : a2f file\n#\n# a2f function integrated over the FS. omega in a.u.\n"
        "#  number of kpoints integrated over :        512\n#  number of energy points :        120\n"
        "#  between omega_min =    0.000000E+00 Ha and omega_max =    0.440000E-03 Ha\n"
        "#  and the smearing width for gaussians is     0.100000E-04\n"
        "# The DOS at Fermi level for spin  1 is     0.250000E+01\n#\n"
    ) + rows(OMEGA / UNITS["Ha"], ALPHA2F)


def abinit_a2fw():
    """eph's _A2FW: frequency, alpha2F, lambda."""
    return (
        "#\n# ABINIT package: a2F(w) file\n#\n# a2F(w) function integrated over the FS. omega in a.u.\n"
        "# ngqpt: 8 8 8\n# \n# Frequency, a2F(w), lambda(w)\n"
    ) + rows(OMEGA / UNITS["Ha"], ALPHA2F, np.cumsum(ALPHA2F))


def abinit_phdos(unit="Ha"):
    return (
        "# \n# Phonon density of states and atom type projected DOS\n# \n"
        f"# Energy in {unit} , DOS in states/{unit} \n"
        "# Gaussian method with smearing =   2.00000000E-05Ha , nqibz =72\n# \n"
        "# omega     PHDOS    INT_PHDOS   PJDOS[atom_type=1]  INT_PJDOS[atom_type=1] ...  \n# \n"
    ) + rows(OMEGA / UNITS["Ha"], F, np.cumsum(F), F, np.cumsum(F), number="{:17.8E}")


def elk():
    return rows(OMEGA / UNITS["Ha"], ALPHA2F, number="{:18.10G}")


def isome(unit="THz"):
    return f" # E ({unit})   5.0E-003   1.0E-002\n" + rows(OMEGA / UNITS[unit], ALPHA2F, 1.1 * ALPHA2F)


FILES = {
    "pb.a2f": (epw, {}),
    "pb6.a2f": (epw_one_column, {}),
    "a2F.dos3": (qe, {}),
    "alpha2F.dat": (qe_lambda, {"column": 1}),
    "al_A2F": (abinit, {}),
    "alo_A2FW": (abinit_a2fw, {}),
    "ALPHA2F.OUT": (elk, {}),
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
def test_every_format_gives_the_same_spectrum(tmp_path, name):
    make, options = FILES[name]
    spectrum = spectrum_files.read(write(tmp_path, name, make()), **options)
    # EPW prints seven decimals, which is what bounds the agreement.
    assert spectrum.coupling_lambda == pytest.approx(LAMBDA, rel=1e-5)
    assert spectrum.omega[-1] == pytest.approx(12.0, rel=1e-6)


def test_second_smearing(tmp_path):
    path = write(tmp_path, "pb.a2f", epw())
    assert spectrum_files.read(path, column=2).coupling_lambda == pytest.approx(1.1 * LAMBDA, rel=1e-5)
    with pytest.raises(ValueError, match=r"pb.a2f: `column` must be 1 to 2. Got 3"):
        spectrum_files.read(path, column=3)


def test_lambda_as_the_code_reports_it(tmp_path):
    """EPW's own sum in its file's last lines, to the half percent by which a sum of rectangles differs."""
    text = epw()
    reported = float(text.split("Integrated el-ph coupling\n  #")[1].split()[0])
    spectrum = spectrum_files.read(write(tmp_path, "pb.a2f", text))
    assert spectrum.coupling_lambda == pytest.approx(reported, rel=5e-3)


PHDOS = {
    "al.phdos.dat": (qe_phdos, {}),
    "pb.phdos": (epw_phdos, {}),
    "al_PHDOS": (abinit_phdos, {}),
    "PHDOS.OUT": (lambda: rows(OMEGA / UNITS["Ha"], F, number="{:18.10G}"), {}),
    "mine.dos": (lambda: rows(OMEGA / UNITS["THz"], 7 * F), {"F_units": "THz"}),
}


@pytest.mark.parametrize("name", PHDOS)
def test_phonon_density_of_states(tmp_path, name):
    make, options = PHDOS[name]
    path = write(tmp_path, "pb.a2f", epw())
    spectrum = spectrum_files.read(path, F_path=write(tmp_path, name, make()), **options)
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


def test_noise_of_a_code_is_dropped_but_not_a_mistake(tmp_path):
    """Fourier interpolation leaves small negative values at the foot of a2F.dos."""
    noise = np.where(OMEGA > 11.5, -1e-5, 0.0)
    spectrum = spectrum_files.read(write(tmp_path, "a2F.dos1", qe(noise)))
    assert (spectrum.alpha2F >= 0).all()
    assert spectrum.coupling_lambda == pytest.approx(LAMBDA, rel=1e-4)
    with pytest.raises(ValueError, match=r"a2F.dos2: no more than 0.1% of the spectrum may be negative .* Got \d"):
        spectrum_files.read(write(tmp_path, "a2F.dos2", qe(np.where(OMEGA > 9, -0.01, 0.0))))
    with pytest.raises(ValueError, match=r"no more than 0.1% of the spectrum may lie at negative frequency"):
        spectrum_files.read(write(tmp_path, "x.a2f", epw(omega=OMEGA - 4.05)))


PLAIN = rows(OMEGA, ALPHA2F).split("\n")
REFUSED = {
    "word": (
        "\n".join([*PLAIN[:4], "0.5 oops", *PLAIN[5:]]),
        r"line 5: a row must hold numbers only. Got '0.5 oops'",
    ),
    "ragged": ("\n".join([*PLAIN[:4], "0.5", *PLAIN[5:]]), r"line 5: a row must hold 2 numbers .* Got 1"),
    "nan": ("\n".join([*PLAIN[:4], "0.5 nan", *PLAIN[5:]]), r"line 5: numbers must be finite"),
    "unsorted": (
        "\n".join([*PLAIN[:4], "0.2 0", *PLAIN[5:]]),
        r"line 5: frequencies must increase. Got 0.2 after 0.4",
    ),
    "below": ("\n".join(["-0.1 0", *PLAIN]), r"line 1: the frequency must not be negative. Got -0.1"),
    "negative": ("\n".join([*PLAIN[:4], "0.5 -1", *PLAIN[5:]]), r"`alpha2F` must be finite and >= 0. Got -1"),
    "empty": ("# nothing\n", r"two columns of numbers at least. Got 0"),
    "single": ("1.0\n2.0\n", r"two columns of numbers at least. Got 1"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_name_file_line_and_rule(tmp_path, name):
    text, message = REFUSED[name]
    path = write(tmp_path, f"{name}.dat", text)
    with pytest.raises(ValueError, match=f"{name}.dat.*{message}"):
        spectrum_files.read(path, units="meV")


def test_units_are_never_guessed(tmp_path):
    path = write(tmp_path, "plain.dat", rows(OMEGA, ALPHA2F))
    with pytest.raises(ValueError, match=r"`units` must be declared, the format 'columns' does not tell them"):
        spectrum_files.read(path)
    with pytest.raises(ValueError, match=r"`units` must be one of meV, .* Got 'K'"):
        spectrum_files.read(path, units="K")
    with pytest.raises(ValueError, match=r"`units` must be Ry in the format 'qe'.* Got 'meV'"):
        spectrum_files.read(write(tmp_path, "a2F.dos1", qe()), units="meV")
    isome_file = write(tmp_path, "a.a2F", isome().replace("(THz)", ""))
    with pytest.raises(ValueError, match=r"`units` must be declared, the format 'isome'"):
        spectrum_files.read(isome_file, format="isome", column=1)


def test_a_smearing_must_be_chosen(tmp_path):
    with pytest.raises(ValueError, match=r"`column` must say which of the 2 columns"):
        spectrum_files.read(write(tmp_path, "alpha2F.dat", qe_lambda()))


def test_unknown_format_and_missing_file(tmp_path):
    path = write(tmp_path, "plain.dat", rows(OMEGA, ALPHA2F))
    with pytest.raises(ValueError, match=r"the format of alpha2F must be one of columns, qe, .* Got 'vasp'"):
        spectrum_files.read(path, format="vasp")
    with pytest.raises(ValueError, match=r"`F_format` and `F_units` need an `F_file`"):
        spectrum_files.read(path, units="meV", F_units="THz")
    with pytest.raises(FileNotFoundError, match=r"the spectrum's file must exist. Got .*absent.a2f"):
        spectrum_files.read(tmp_path / "absent.a2f")


def test_wrong_unit_of_F_is_caught(tmp_path):
    """F in meV declared as cm-1 ends at 1.4 meV, below alpha2F."""
    path = write(tmp_path, "pb.a2f", epw())
    with pytest.raises(ValueError, match=r"`F` must be positive wherever alpha2F is .* are both units right"):
        spectrum_files.read(path, F_path=write(tmp_path, "f.dat", rows(OMEGA, F)), F_units="cm-1")
