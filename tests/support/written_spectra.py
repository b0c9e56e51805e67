# ruff: noqa: E501
"""One spectrum of two modes, lambda = 1.2, in the layouts in which codes and people write it, and damage to them."""

import bz2
import gzip
import io
import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.io import netcdf_file

from photogap.core.spectra import Peak, Spectrum
from photogap.core.units import ENERGY

MODES = (Peak(centre=4.0, width=0.6, lambda_=0.8), Peak(centre=8.5, width=0.5, lambda_=0.4))
OMEGA = np.linspace(0.05, 12.0, 240)
ALPHA2F = sum(mode.alpha2F(OMEGA) for mode in MODES)
LAMBDA = Spectrum.from_peaks(MODES).coupling_lambda
OMEGA_LOG = Spectrum.from_peaks(MODES).omega_log
RUNNING = np.cumsum(2 * ALPHA2F / OMEGA) * 0.05
F = np.exp(-(((OMEGA - 6.0) / 3.5) ** 2)) * OMEGA**2


def rows(*columns: Any, number: str = "{:.6f}", separator: str = " ") -> str:
    """Columns as text."""
    return "".join(separator.join(number.format(x) for x in row) + "\n" for row in zip(*columns, strict=True))


@dataclass(frozen=True)
class Layout:
    """A file: its name and content, the options to read it with, and the refusal if it must be refused.

    Args:
        name: File name.
        content: Text, or bytes.
        options: Arguments of `examine`.
        refused: Pattern of the message; None if the file must be read.
        more: Other files next to it.
    """

    name: str
    content: str | bytes
    options: dict[str, Any] = field(default_factory=dict)
    refused: str | None = None
    more: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> bytes:
        """Bytes of the file."""
        return self.content if isinstance(self.content, bytes) else self.content.encode()


def with_unit(words: str, unit: str, digits: int = 6) -> str:
    """Two columns under a header that states the unit."""
    return f"# {words}\n" + rows(OMEGA / ENERGY[unit], ALPHA2F, number=f"{{:.{digits}f}}")


def qe_lambda(smearings: int) -> str:
    """lambda.x: formats (f8.4,10(f10.5)) and '# E(THz)',10(f10.3), which wrap after ten; 2 % more for each smearing."""

    def wrapped(first: str, words: list[str]) -> str:
        lines = ["".join(words[i : i + 10]) for i in range(0, len(words), 10)]
        return first + "\n".join(lines) + "\n"

    text = wrapped("# E(THz)", [f"{0.003 * (k + 1):10.3f}" for k in range(smearings)])
    THz = np.linspace(0.0, 3.0, 400)
    values = sum(mode.alpha2F(THz * ENERGY["THz"]) for mode in MODES)
    for w, a in zip(THz, values, strict=True):
        text += wrapped(f"{w:8.4f}", [f"{a * (1 + 0.02 * k):10.5f}" for k in range(smearings)])
    return text


def epw(smearings: int = 10, footer: bool = True) -> str:
    """prefix.a2f of EPW."""
    scale = 1 + 0.001 * np.arange(smearings)
    table = np.column_stack([OMEGA, *(ALPHA2F * s for s in scale), *(RUNNING * s for s in scale)])
    text = f" w[meV] a2f and integrated 2*a2f/w for {smearings:4d} smearing values\n"
    text += "".join("".join(f"{x:12.7f}" for x in row) + "\n" for row in table)
    coupling = "".join(f"{RUNNING[-1] * s:12.7f}" for s in scale)
    last = f" Integrated el-ph coupling\n  #         {coupling}\n Phonon smearing (meV)\n  #            0.0500000\n"
    return text + (last if footer else "")


def epw_wrapped(smearings: int) -> str:
    """prefix.a2f.01 of EPW, without a header, in lines of f12.7,15f12.7."""
    scale = 1 + 0.001 * np.arange(smearings)
    text = ""
    for w, a in zip(OMEGA, ALPHA2F, strict=True):
        words = [f"{x:12.7f}" for x in (w, *(a * scale))]
        text += "".join("".join(words[i : i + 16]) + "\n" for i in range(0, len(words), 16))
    coupling = [f"{RUNNING[-1] * s:12.7f}" for s in scale]
    lines = ["".join(coupling[i : i + 15]) for i in range(0, smearings, 15)]
    return (
        text
        + " Integrated el-ph coupling\n  #         "
        + "\n  #         ".join(lines)
        + "\n Phonon smearing (meV)\n"
    )


def epw_dos(smearings: int = 10) -> str:
    """prefix.phdos of older EPW, without a header."""
    scale = 1 + 0.01 * np.arange(smearings)
    return "".join(
        f"{w:12.7f}" + "".join(f"{f * s:15.7f}" for s in scale) + "\n" for w, f in zip(OMEGA, F, strict=True)
    )


def qe_alpha2f() -> str:
    """prefix.a2F.dat of alpha2f.x."""
    Ry = OMEGA / ENERGY["Ry"]
    return " # Frequency[Ry], a2F, DOS[Ry], Partial DOS(Atom 1), PDOS(Atom 2), ..\n" + rows(
        Ry, ALPHA2F, F, F, number="{:25.15e}", separator=""
    )


def matdyn(coupling: float = LAMBDA) -> str:
    """a2F.dos of matdyn.x."""
    return (
        "\n # Eliashberg function a2F (per both spin)\n #  frequencies in Rydberg  \n"
        " # DOS normalized to E in Rydberg: a2F_total, a2F(mode) \n\n"
        + rows(
            OMEGA / ENERGY["Ry"], ALPHA2F, ALPHA2F / 3, ALPHA2F / 3, ALPHA2F / 3, number="{:15.6E}", separator=""
        )
        + f"  lambda = {coupling:.6f}         Delta =    6.2004489510994061E-005\n"
    )


def abinit_nc(factor: float = 2.0, couplings: bool = True, others: bool = False) -> bytes:
    """_A2F.nc of ABINIT in the classic format."""
    file = io.BytesIO()
    nc = netcdf_file(file, "w")
    for name, size in (("nomega", 240), ("totals", 4), ("nsppol", 1), ("nqibz", 2), ("natom3", 3)):
        nc.createDimension(name, size)

    def put(name: str, dimensions: tuple[str, ...], values: Any) -> None:
        nc.createVariable(name, "d", dimensions)[:] = values

    put("a2f_mesh_" + ("other" if others else "qintp"), ("nomega",), OMEGA / ENERGY["Ha"])
    put(
        "a2f_values_qintp", ("nsppol", "totals", "nomega"), factor * ALPHA2F * np.array([1, 0.5, 0.3, 0.2])[:, None]
    )
    if couplings:
        put("phlambda_qibz", ("nsppol", "nqibz", "natom3"), LAMBDA * np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]]))
        put("wtq", ("nqibz",), [0.25, 0.75])
    nc.flush()
    return file.getvalue()


def jarvis(**changes: Any) -> dict[str, Any]:
    """A record of JARVIS's electron-phonon database, with frequencies in meV and wlog in K."""
    record = {
        "jid": "JVASP-1", "a2F_original_x": OMEGA.tolist(), "a2F_original_y": ALPHA2F.tolist(),
        "lamb": LAMBDA, "wlog": OMEGA_LOG / ENERGY["K"], "a2F": [0.0] * 100, "Tc": 5.0,
    }  # fmt: skip
    return record | changes


PLAIN = rows(OMEGA, ALPHA2F)
MEV = {"units": "meV"}
LINES = PLAIN.splitlines(keepends=True)
COMMA = PLAIN.replace(".", ",")
THREE = rows(OMEGA, ALPHA2F, RUNNING)
CUT = "".join(LINES[:128])
"""Cut off at 6.4 meV, between the two modes, where alpha2F is small: lambda is 0.8 there."""

LAYOUTS: dict[str, Layout] = {
    # units
    **{
        f"header {words}": Layout("a.dat", with_unit(words, unit, digits), {})
        for words, unit, digits in (
            ("omega (meV)  a2F", "meV", 6), ("w[meV] alpha2F", "meV", 6), ("frequency (THz), a2F", "THz", 8),
            ("Frequency[cm^-1]  a2F", "cm-1", 4), ("omega (cm-1)  alpha2F(omega)", "cm-1", 4),
            ("wavenumber (1/cm)   a2F", "cm-1", 4), ("ω / cm⁻¹   α²F(ω)", "cm-1", 4),
            ("E [cm**-1]  a2F", "cm-1", 4), ("freq. (inverse cm)  a2F", "cm-1", 4), ("omega ($cm^{-1}$)  a2F", "cm-1", 4),
            ("w (K)  a2F", "K", 4), ("energy (eV)  a2F", "eV", 9), ("w (2piTHz)  a2F", "2piTHz", 6),
            ("omega (rad/ps)  a2F", "2piTHz", 6), ("omega [Ry] a2F", "Ry", 12), ("omega in Hartree", "Ha", 12),
            ("omega (a.u.)  a2F", "Ha", 12), ("energies are in meV", "meV", 6), ("units: THz", "THz", 8),
            ("[THz]", "THz", 8), ("freq (GHz)  a2F", "GHz", 3), ("omega (2PiTHz)  a2F", "2piTHz", 6), ("ENERGY (MEV)  A2F", "meV", 6), ("freq [thz] a2F", "THz", 8), ("W (CM-1)  a2F", "cm-1", 4), ("omega_meV a2F", "meV", 6),
        )
    },
    "unit contradicts": Layout("a.dat", with_unit("omega (meV)  a2F", "meV"), {"units": "THz"}, "must agree with the header.*Got 'THz', and meV"),
    "unit contradicts in the csv": Layout("a.csv", "frequency (THz),a2f\n" + PLAIN.replace(" ", ","), MEV, "must agree with the header"),
    "unit in other words": Layout("a.dat", with_unit("w (cm^-1) a2F", "cm-1", 4), {"units": "1/cm"}),
    "unit unknown": Layout("a.dat", with_unit("omega (Hz)  a2F", "meV"), {}, "must be one of meV.*Got Hz"),
    "two units": Layout("a.dat", with_unit("freq in THz\n# omega in meV", "meV"), {}, "must select one of THz, meV"),
    "two units, one chosen": Layout("a.dat", with_unit("freq in THz\n# omega in meV", "meV"), MEV),
    "angular THz": Layout("a.dat", with_unit("angular frequency (THz) a2F", "2piTHz"), {"units": "2piTHz"}),
    "angular THz in doubt": Layout("a.dat", with_unit("# angular frequency (THz)", "2piTHz"), {}, "must select one of"),
    "no unit": Layout("a.dat", PLAIN, {}, "`units` must be one of meV"),
    "units of others": Layout("a.dat", "# T = 300 K, smearing 0.05 eV, DOS in states/Ha, Fermi energy (eV) 5.1\n" + PLAIN, MEV),
    "unit too large": Layout("a.dat", with_unit("omega (eV) a2F", "meV"), {}, "the highest phonon energy must be"),
    "unit too small": Layout("a.dat", with_unit("omega (meV) a2F", "eV", 9), {}, "the highest phonon energy must be"),
    "omega_log contradicts": Layout("a.dat", f"# omega (THz) a2F\n# omega_log = {OMEGA_LOG:.3f} meV\n" + PLAIN, {}, "omega_log must agree"),
    "omega_log gives the unit": Layout("a.dat", f"# lambda = 1.2, omega_log = {OMEGA_LOG / ENERGY['K']:.2f} K\n" + PLAIN),
    # columns
    "running lambda": Layout("a.dat", "# omega(meV) a2F lambda(omega)\n" + THREE),
    "running lambda, unnamed": Layout("a.dat", THREE, MEV),
    "running lambda of another": Layout("a.dat", "# omega(meV) a2F lambda(omega)\n" + rows(OMEGA, ALPHA2F, 2 * RUNNING), {}, "must agree with the last value of 'lambda\\(omega\\)'"),
    "some integral, unnamed": Layout("a.dat", rows(OMEGA, ALPHA2F, np.cumsum(ALPHA2F) + 0.01), MEV, "the third column"),
    "columns exchanged": Layout("a.dat", "# omega(meV) a2F lambda\n" + rows(OMEGA, RUNNING, ALPHA2F), {}, "alpha2F must vanish at the highest"),
    "columns in another order": Layout("a.dat", "# a2F omega(meV)\n" + rows(ALPHA2F, OMEGA)),
    "F second": Layout("a.dat", "# omega(meV) F a2F\n" + rows(OMEGA, F, ALPHA2F)),
    "F alone": Layout("a.dat", "# omega(meV) dos\n" + rows(OMEGA, F), {}, "the column must be alpha2F"),
    "F third": Layout("a.dat", rows(OMEGA, ALPHA2F, F), MEV),
    "transport column": Layout("a.dat", "# omega(meV) a2F_tr\n" + PLAIN, {}, "the column must be alpha2F"),
    "alpha2F over omega": Layout("a.dat", "# omega(meV) a2F/omega\n" + rows(OMEGA, ALPHA2F / OMEGA), {}, "the column must be alpha2F"),
    "errors third": Layout("a.dat", "# omega(meV) a2F error\n" + rows(OMEGA, ALPHA2F, 0.1 * F)),
    "index column": Layout("a.csv", ",omega_meV,a2F\n" + "".join(f"{i},{w:.6f},{a:.8f}\n" for i, (w, a) in enumerate(zip(OMEGA, ALPHA2F, strict=True)))),
    "index without a name": Layout("a.dat", "".join(f"{i + 1} {line}" for i, line in enumerate(LINES)), MEV),
    "index exchanged": Layout("a.csv", ",omega_meV,a2F\n" + "".join(f"{w:.6f},{i},{a:.8f}\n" for i, (w, a) in enumerate(zip(OMEGA, ALPHA2F, strict=True))), {}, "must count the rows"),
    "two frequencies": Layout("a.csv", "freq (THz),energy (meV),a2F\n" + rows(OMEGA / ENERGY["THz"], OMEGA, ALPHA2F, separator=",")),
    "four columns": Layout("a.dat", rows(OMEGA, ALPHA2F, ALPHA2F, ALPHA2F), MEV, "`column` must select one of the 3"),
    "total and modes": Layout("a.csv", "freq_THz,a2F_total,a2F_mode1,a2F_mode2\n" + rows(OMEGA / ENERGY["THz"], ALPHA2F, ALPHA2F / 3, ALPHA2F * 2 / 3, separator=",")),
    "area of alpha2F": Layout("a.dat", "# omega(meV)   a2F   integrated\n" + rows(OMEGA, ALPHA2F, np.cumsum(ALPHA2F) * 0.05)),
    "units below the names": Layout("a.csv", "omega,a2F\nmeV,-\n" + PLAIN.replace(" ", ",")),
    "Excel's separator": Layout("a.csv", "sep=;\nomega (meV);alpha2F\n" + COMMA.replace(" ", ";")),
    "lambda without a sign": Layout("a.dat", "# lambda 1.900\n" + PLAIN, MEV, "the file's own lambda"),
    # separators, signs, comments, encodings
    "csv": Layout("a.csv", "omega (meV),a2F\n" + PLAIN.replace(" ", ",")),
    "csv with quotes": Layout("a.csv", '"omega (meV)","a2F"\n' + "".join(f'"{w:.6f}","{a:.6f}"\n' for w, a in zip(OMEGA, ALPHA2F, strict=True))),
    "csv with spaces": Layout("a.csv", PLAIN.replace(" ", ", "), MEV),
    "csv, trailing comma": Layout("a.csv", PLAIN.replace(" ", ",").replace("\n", ",\n"), MEV),
    "semicolons": Layout("a.csv", PLAIN.replace(" ", ";"), MEV),
    "bars": Layout("a.txt", "".join("| " + line.strip().replace(" ", " | ") + " |\n" for line in LINES), MEV),
    "tabs, Windows": Layout("a.dat", ("# omega (meV)\ta2F\n" + PLAIN.replace(" ", "\t")).replace("\n", "\r\n")),
    "old Mac line ends": Layout("a.dat", ("# omega (meV) a2F\n" + PLAIN).replace("\n", "\r")),
    "German Excel": Layout("a.csv", ("omega (meV);alpha2F\n" + COMMA.replace(" ", ";")).replace("\n", "\r\n")),
    "decimal commas": Layout("a.dat", COMMA, MEV),
    "commas for both": Layout("a.csv", COMMA.replace(" ", ","), MEV, "either separate columns or mark decimals"),
    "one decimal comma": Layout("a.dat", PLAIN.replace("4.000000 ", "4,000000 "), MEV, "line 80: a row must contain numbers only"),
    "second column with commas": Layout("a.dat", "".join(f"{w:.6f} {a:.6f}".replace(".", ",", 2).replace(",", ".", 1) + "\n" for w, a in zip(OMEGA, ALPHA2F, strict=True)), MEV, "numbers only"),
    "thousands": Layout("a.dat", "# w (GHz) a2F\n" + "".join(f"{w / ENERGY['GHz']:,.1f} {a:.6f}\n" for w, a in zip(OMEGA, ALPHA2F, strict=True)), {}, "no separator of thousands"),
    "byte-order mark": Layout("a.dat", "\ufeff# w a2f\n" + PLAIN, MEV),
    "UTF-16": Layout("a.dat", ("# w a2f\n" + PLAIN).encode("utf-16"), MEV),
    "UTF-16 without a mark": Layout("a.dat", PLAIN.encode("utf-16-le"), MEV),
    "UTF-32": Layout("a.dat", PLAIN.encode("utf-32"), MEV),
    "Latin 1": Layout("a.dat", ("# \u00e4\u00f6\u00fc omega (meV) a2F\n" + PLAIN).encode("latin-1")),
    "no-break spaces": Layout("a.dat", PLAIN.replace(" ", "\u00a0 "), MEV),
    "typographic minus": Layout("a.dat", "".join(f"{w:.6f} \u2212{0.0:.6f}\n" if a < 1e-6 else f"{w:.6f} {a:.6f}\n" for w, a in zip(OMEGA, ALPHA2F, strict=True)), MEV),
    "gzip": Layout("a.dat.gz", gzip.compress(PLAIN.encode()), MEV),
    "bzip2": Layout("a.dat.bz2", bz2.compress(PLAIN.encode()), MEV),
    "gzip, cut off": Layout("a.dat.gz", gzip.compress(PLAIN.encode())[:400], MEV, "compressed file must be complete"),
    "slashes": Layout("a.dat", "// omega a2F\n" + PLAIN, MEV),
    "exclamation marks": Layout("a.dat", "! omega a2F\n" + PLAIN, MEV),
    "inline comment": Layout("a.dat", "".join(line.strip() + ("  # peak\n" if i == 79 else "\n") for i, line in enumerate(LINES)), MEV),
    "header words": Layout("a.dat", "omega[meV]  a2F\n" + PLAIN),
    "trailing words": Layout("a.dat", PLAIN + "End of file\nwritten by me\n", MEV),
    "count": Layout("a.dat", "240\n" + PLAIN, MEV),
    "count and columns": Layout("a.dat", "240 2\n" + PLAIN, MEV),
    "count contradicts": Layout("a.dat", "250\n" + PLAIN, MEV, "must be the number of rows"),
    "count in the header contradicts": Layout("a.dat", "# 300 points\n" + PLAIN, MEV, "must be as stated in the header"),
    "xmgrace": Layout("a.agr", '@    title "a2F"\n@    xaxis label "meV"\n@type xy\n' + PLAIN + "&\n"),
    "xmgrace, two sets": Layout("a.agr", '@    xaxis label "meV"\n@type xy\n' + PLAIN + "&\n@type xy\n" + PLAIN + "&\n", {}, "second block"),
    "blocks": Layout("a.dat", PLAIN + "\n\n" + rows(OMEGA, F), MEV, "line 243: .*second block"),
    "blank lines": Layout("a.dat", PLAIN.replace("\n", "\n\n"), MEV),
    "Fortran exponents": Layout("a.dat", rows(OMEGA, ALPHA2F, number="{:.8E}").replace("E", "D"), MEV),
    # order of the rows and damage
    "descending": Layout("a.dat", "".join(reversed(LINES)), MEV),
    "repeated by rounding": Layout("a.dat", rows(OMEGA, number="{:.1f}").join([""]) + "".join(f"{w:.1f} {a:.6f}\n" for w, a in zip(OMEGA, ALPHA2F, strict=True)), MEV),
    "each row twice": Layout("a.dat", "".join(line * 2 for line in LINES), MEV),
    "two modes by turns": Layout("a.dat", "".join(f"{w:.6f} {a:.6f}\n{w:.6f} {a / 3:.6f}\n" for w, a in zip(OMEGA, ALPHA2F, strict=True)), MEV, "frequencies must increase"),
    "rows shuffled": Layout("a.dat", "".join(random.Random(1).sample(LINES, len(LINES))), MEV, "frequencies must increase"),
    "asterisks": Layout("a.dat", PLAIN.replace("4.000000 1.06", "4.000000*******"), MEV, "line 80: .*asterisks"),
    "asterisks only": Layout("a.dat", PLAIN.replace("4.000000 1.063846", "4.000000 ********"), MEV, "asterisks"),
    "NaN": Layout("a.dat", re.sub(r"(?m)^4\.000000 .*$", "4.000000 NaN", PLAIN), MEV, "line 80: numbers must be finite"),
    "tiny negative": Layout("a.dat", rows(OMEGA, ALPHA2F - 1e-9, number="{:.3e}"), MEV),
    "negative": Layout("a.dat", rows(OMEGA, ALPHA2F * np.where(OMEGA > 8, -1, 1)), MEV, "may be negative"),
    "starts late": Layout("a.dat", "".join(LINES[70:]), MEV, "must be zero at zero frequency"),
    "starts between the modes": Layout("a.dat", "".join(LINES[128:]), MEV, "must be zero at zero frequency"),
    "cut off": Layout("a.dat", "".join(LINES[:170]), MEV, "must vanish at the highest frequency"),
    "cut off between the modes": Layout("a.dat", CUT, MEV, "must vanish at the highest frequency"),
    "cut off in a row": Layout("a.dat", PLAIN[:-12], MEV, "cut off"),
    "cut off in a number": Layout("a.dat", PLAIN[:-4], MEV, "as many digits"),
    "no last line end": Layout("a.dat", PLAIN[:-1], MEV),
    "rows missing": Layout("a.dat", "".join(LINES[:60] + LINES[90:]), MEV, "line 61: no row must be missing"),
    "mode missing": Layout("a.dat", "".join(LINES[:128] + LINES[220:]), MEV, "no row must be missing"),
    "digit damaged": Layout("a.dat", PLAIN.replace("4.000000 1.0", "4.000000 9.0"), MEV, "line 80: a peak must be resolved"),
    "lambda in the header": Layout("a.dat", "# lambda = 1.2\n" + PLAIN, MEV),
    "lambda contradicts": Layout("a.dat", "# lambda = 1.5\n" + PLAIN, MEV, "the file's own lambda"),
    "lambda of half": Layout("a.dat", "# lambda = 0.6\n" + PLAIN, MEV, "it is twice lambda"),
    "cut off before lambda": Layout("a.dat", CUT + "# lambda = 1.2\n", MEV, "the file's own lambda"),
    "no numbers": Layout("a.dat", "# omega a2F\n", MEV, "at least two columns of numbers. Got 0"),
    "one column": Layout("a.dat", rows(ALPHA2F), MEV, "at least two columns of numbers. Got 1"),
    "empty": Layout("a.dat", "", MEV, "at least two columns of numbers. Got 0"),
    # codes
    "lambda.x, 10": Layout("alpha2F.dat", qe_lambda(10), {"column": 1}),
    "lambda.x, 15": Layout("alpha2F.dat", qe_lambda(15), {"column": 1}),
    "lambda.x, 20": Layout("alpha2F.dat", qe_lambda(20), {"column": 1}),
    "lambda.x, 21": Layout("alpha2F.dat", qe_lambda(21), {"column": 1}),
    "lambda.x, 30": Layout("alpha2F.dat", qe_lambda(30), {"column": 1}),
    "lambda.x, no choice": Layout("alpha2F.dat", qe_lambda(15), {}, "`column` must select one of the 15"),
    "lambda.x, line lost": Layout("alpha2F.dat", "".join(qe_lambda(15).splitlines(keepends=True)[:301] + qe_lambda(15).splitlines(keepends=True)[302:]), {"column": 1}, "must have 16 numbers in 2 lines"),
    "matdyn.x": Layout("a2F.dos1", matdyn()),
    "matdyn.x contradicts": Layout("a2F.dos1", matdyn(1.7), {}, "the file's own lambda"),
    "matdyn.x, cut off": Layout("a2F.dos1", matdyn().partition("  lambda")[0], {}, "must end with its lambda"),
    "alpha2f.x": Layout("pb.a2F.dat", qe_alpha2f()),
    "EPW": Layout("pb.a2f", epw()),
    "EPW, 20 smearings": Layout("pb.a2f.01.0.075", epw_wrapped(20), {"column": 1}),
    "EPW, cut off": Layout("pb.a2f", epw(footer=False), {}, "must end with its lambda"),
    "EPW contradicts": Layout("pb.a2f", re.sub(r"coupling\n  #  .{20}", "coupling\n  #             1.50000", epw()), {}, "the file's own lambda"),
    "EPW and F": Layout("pb.a2f", epw(), {"F_path": "pb.phdos", "column": 3}, None, {"pb.phdos": epw_dos()}),
    "EPW and F of others": Layout("pb.a2f", epw(), {"F_path": "pb.phdos", "column": 3}, "a column for each of the 10 smearings", {"pb.phdos": epw_dos(2)}),
    "EPW, F of another run": Layout("pb.a2f.01.0.075", epw(1), {"F_path": "pb.phdos.01.0.100"}, "smearing and temperature of alpha2F", {"pb.phdos.01.0.100": epw_dos(2)}),
    "EPW's F as alpha2F": Layout("pb.phdos", epw_dos(), MEV, "Got a phonon density of states"),
    "phonopy's F": Layout("a.dat", PLAIN, {**MEV, "F_path": "total_dos.dat"}, None, {"total_dos.dat": "# Sigma = 0.05\n" + rows(OMEGA / ENERGY["THz"], F)}),
    "phonopy's F as alpha2F": Layout("total_dos.dat", rows(OMEGA, F), {}, "Got a phonon density of states"),
    "Elk": Layout("ALPHA2F.OUT", rows(OMEGA / ENERGY["Ha"], ALPHA2F, number="{:18.10E}")),
    "Elk's name in meV": Layout("ALPHA2F.OUT", PLAIN, {}, "the highest phonon energy must be"),
    "Elk's name, header in meV": Layout("ALPHA2F.OUT", with_unit("omega (meV) a2F", "meV"), {}, "the header must state Ha"),
    # containers
    "JSON": Layout("a.json", json.dumps({"omega_meV": OMEGA.tolist(), "a2F": ALPHA2F.tolist()})),
    "JSON of rows": Layout("a.json", json.dumps([{"omega_meV": w, "a2F": a} for w, a in zip(OMEGA, ALPHA2F, strict=True)])),
    "JSON of JARVIS": Layout("a.json", json.dumps(jarvis())),
    "JSON of JARVIS contradicts": Layout("a.json", json.dumps(jarvis(lamb=0.9)), {}, "the file's own lambda"),
    "JSON database": Layout("a.json", json.dumps([jarvis(), jarvis()]), {}, "photogap screen"),
    "JSON of others": Layout("a.json", json.dumps({"x": [1, 2], "note": "y" * 500}), MEV, "one list of frequencies"),
    "JSON, cut off": Layout("a.json", json.dumps({"omega_meV": OMEGA.tolist()})[:900], {}, "must be complete JSON"),
    "ABINIT's netCDF": Layout("al_A2F.nc", abinit_nc()),
    "ABINIT's netCDF, single": Layout("al_A2F.nc", abinit_nc(1.0)),
    "ABINIT's netCDF without lambda": Layout("al_A2F.nc", abinit_nc(couplings=False), {}, "`phlambda_qibz` and `wtq`"),
    "netCDF of others": Layout("a.nc", abinit_nc(others=True), {}, "must be ABINIT's _A2F.nc"),
    "HDF5": Layout("a.h5", b"\x89HDF\r\n\x1a\n" + bytes(200), MEV, "Got HDF5"),
    "Excel": Layout("a.xlsx", b"PK\x03\x04" + bytes(200), MEV, "Got a ZIP archive"),
    "PDF": Layout("a.pdf", b"%PDF-1.7\n" + bytes(200), MEV, "Got a PDF"),
    "HTML": Layout("a.dat", "<!DOCTYPE html>\n<html></html>\n", MEV, "Got a page of HTML"),
    "NumPy": Layout("a.npy", b"\x93NUMPY" + bytes(100), MEV, "Got a NumPy array"),
    "binary": Layout("a.dat", bytes(range(32)) * 20, MEV, "Got a binary file"),
}  # fmt: skip
"""Layouts by name; each is read with lambda = 1.2, or refused with the given words."""


Damage = Callable[[random.Random, str], str]


def _lines_lost(rng: random.Random, text: str) -> str:
    lines = text.splitlines(keepends=True)
    at, count = rng.randrange(len(lines)), rng.choice([1, 1, 2, 5, 20, 60])
    return "".join(lines[:at] + lines[at + count :])


def _truncated(rng: random.Random, text: str) -> str:
    return text[: rng.randrange(len(text) // 20, len(text))]


def _start_lost(rng: random.Random, text: str) -> str:
    head = text.splitlines(keepends=True)
    kept = 1 if head[0][0] in "#@o," else 0
    return "".join(head[:kept] + head[kept + rng.randrange(1, 200) :])


def _columns_swapped(rng: random.Random, text: str) -> str:
    out = []
    a, b = rng.sample(range(3), 2)
    for line in text.splitlines():
        separator = next((s for s in (";", ",", "\t") if s in line), " ")
        words = line.split(separator) if separator != " " else line.split()
        if max(a, b) < len(words) and re.match(r"\s*[\d.]", line):
            words[a], words[b] = words[b], words[a]
        out.append(separator.join(words))
    return "\n".join(out) + "\n"


def _unit_changed(rng: random.Random, text: str) -> str:
    return re.sub(
        r"meV|THz|cm\^-1|2piTHz|Ry|\(K\)|\(eV\)",
        rng.choice(["meV", "THz", "cm-1", "eV", "Ha", "K", ""]),
        text,
        count=1,
    )


def _noise(rng: random.Random, text: str) -> str:
    for _ in range(rng.choice([1, 1, 2, 4, 10])):
        at = rng.randrange(len(text))
        new = rng.choice("0123456789.,-+eE *#x;\n\t ")
        text = text[:at] + rng.choice([new, "", new + text[at]]) + text[at + 1 :]
    return text


def _digit(rng: random.Random, text: str) -> str:
    digits = [m.start() for m in re.finditer(r"\d", text)]
    for _ in range(rng.choice([1, 3])):
        at = rng.choice(digits)
        text = text[:at] + rng.choice("0123456789") + text[at + 1 :]
    return text


def _separator(rng: random.Random, text: str) -> str:
    old, new = rng.choice(
        [
            (" ", ","),
            (" ", ";"),
            (" ", "\t"),
            (".", ","),
            (",", "."),
            (",", " "),
            (";", ","),
            (";", " "),
            (" ", "  "),
            (" ", ""),
        ]
    )
    return text.replace(old, new, rng.choice([1, 7, -1, -1]))


def _doubled(rng: random.Random, text: str) -> str:
    lines = text.splitlines(keepends=True)
    at, count = rng.randrange(len(lines)), rng.choice([1, 1, 3, 40])
    again = lines[at : at + count]
    return "".join(lines[: at + count] + again + lines[at + count :])


def _exchanged(rng: random.Random, text: str) -> str:
    lines = text.splitlines(keepends=True)
    a, b = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]
    return "".join(lines)


DAMAGES: tuple[Damage, ...] = (
    _lines_lost, _truncated, _start_lost, _columns_swapped, _unit_changed, _noise, _digit, _separator, _doubled, _exchanged,
)  # fmt: skip

VICTIMS = tuple(
    layout
    for layout in LAYOUTS.values()
    if layout.refused is None and isinstance(layout.content, str) and not layout.more
)


def damaged(seed: int) -> tuple[Layout, str]:
    """One layout that can be read, damaged in a way that the seed selects, and the name of the damage."""
    rng = random.Random(seed)
    layout, damage = rng.choice(VICTIMS), DAMAGES[seed % len(DAMAGES)]
    assert isinstance(layout.content, str)
    text = damage(rng, layout.content)
    if rng.random() < 0.2:
        second = rng.choice(DAMAGES)
        text = second(rng, text) if len(text) > 100 else text
        return Layout(layout.name, text, layout.options), f"{damage.__name__}, {second.__name__}"
    return Layout(layout.name, text, layout.options), damage.__name__
