"""Statements of a spectrum's file about itself: unit, meaning of the columns, lambda, omega_log, number of rows."""

import re
from typing import Final, Literal

Role = Literal["frequency", "alpha2F", "F", "lambda", "index", "transport", "ratio", "error", "number", "unknown"]

_UNITS: Final = {
    "2piTHz": r"2\s*\*?\s*(?:[pP][iI]|π)\s*[*·.]?\s*[tT][hH][zZ]"
    r"|T?rad\s*/\s*ps|rad\s*ps\s*\^?\s*-1|rad[\s.]*THz|T\s*rad\s*/\s*s",
    "cm-1": r"[cC][mM]\s*(?:\^|\*\*)?\s*\$?\s*\^?\s*[{(]?\s*-\s*1\s*[})]?"
    r"|1\s*/\s*cm|inv(?:erse|\.)?\s*(?:cm|centimet\w+)"
    r"|wave\s*numbers?",
    "THz": r"[tT][hH][zZ]|[tT]erahertz",
    "GHz": r"GHz|gigahertz",
    "meV": r"[mM][eE][vV]|milli-?\s*electron-?\s*volts?",
    "eV": r"[eE][vV]|electron-?\s*volts?",
    "mRy": r"mRy",
    "Ry": r"R[yY][dD]?|[rR]ydbergs?|RYDBERG",
    "mHa": r"mHa",
    "Ha": r"H[aA]|[hH]artrees?|HARTREE|[aA]\.\s*[uU]\.?|atomic units",
    "K": r"K|[kK]elvins?",
    "Hz": r"Hz|hertz|s\s*\^?\s*-1",
    "J": r"J|[jJ]oules?",
    "kcal/mol": r"kcal\s*/\s*mol|kJ\s*/\s*mol",
}
"""Units in the words of files, the longer first. The last three are named in a refusal."""
_ANY: Final = "(?:" + "|".join(f"(?P<u{i}>{p})" for i, p in enumerate(_UNITS.values())) + r")(?![A-Za-z0-9])"

_FREQUENCY: Final = (
    r"(?<![A-Za-z])(?:(?i:omegas?|freq[a-z]*\.?|energ(?:y|ies)|wave\s*numbers?|hbar\s*omega|x-?axis(?:\s+label)?|units?"
    r"|col(?:umn)?\s*1)|[ωΩν]|ħ[ωΩ]|h[wν]|nu|w|W|E|x)"
)
_BRIDGE: Final = (
    r"(?:[\s\[\](){}/_,:;=\"'<$\\|-]|(?:in|is|are|units?|of|the|phonons?"
    r"|freq(?:uency|uencies)?|energy|w|omega|[ωΩ])\b)*?"
)
_STRONG: Final = re.compile(_FREQUENCY + _BRIDGE + r"(?<![A-Za-z0-9])" + _ANY)
_OF_OTHERS: Final = re.compile(
    r"(fermi|cut-?off|smearing|broadening|kinetic|electron|electronic|plasma|pump|debye|total|binding|zero-?point)\s*$",
    re.IGNORECASE,
)
_WEAK: Final = re.compile(
    r"(?<![A-Za-z0-9/])(?:(?<=[\[({])\s*" + _ANY + r"(?=\s*[\])}])|(?P<plain>meV|THz|cm\^?-1))(?![A-Za-z0-9])"
)
_ASIDE: Final = re.compile(
    r"smear|broad|sigma|degauss|fermi|width|temperature|\bT\s*=|pressure|states|dos\b|cut-?off|mu\b|source|->|convert|_log|lambda\s*=",
    re.IGNORECASE,
)

_NUMBER: Final = r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d+)?)"
_LAMBDA: Final = re.compile(
    r"(?<![\w.])(?:lambda|λ|lamb?)(?:[_ ]?(?:tot(?:al)?|int|iso|ep|el-?ph))?(?:\s*(?:=|:|\bis\b)\s*|\s+(?=\d+\.\d))"
    + _NUMBER,
    re.IGNORECASE,
)
_EPW_LIST: Final = re.compile(r"Integrated el-ph coupling((?:\s*\n\s*#?(?:\s+[-+.\dEe]+)+)+)")
_LOG: Final = re.compile(
    r"(?:omega|ω|w)_?(?:log|ln)\s*(?:[\[(]\s*(?P<before>[^\])]{1,12})[\])])?\s*(?:=|:)\s*"
    + _NUMBER
    + r"\s*[\[(]?(?P<after>[\w^-]{0,6})",
    re.IGNORECASE,
)
_ROWS: Final = re.compile(
    r"number of (?:energy points|frequencies|points|rows)\s*[:=]?\s*(\d+)"
    r"|\bn_?(?:pts|points|omega|w|freq|rows)\s*[=:]\s*(\d+)|(?<![\w.x-])(\d{2,})\s+(?:points|rows|frequencies)\b",
    re.IGNORECASE,
)


def _which(match: re.Match[str]) -> str:
    found = match.groupdict()
    return next((name for i, name in enumerate(_UNITS) if found.get(f"u{i}") is not None), found.get("plain") or "")


def unit_in(text: str) -> str | None:
    """Unit of the frequency in a column's name, such as `omega (meV)`, `freq_THz` or `w[cm^-1]`."""
    for match in _STRONG.finditer(text):
        return _which(match)
    return None


def units_stated(header: str) -> dict[str, str]:
    """Units of frequency that a header states, each with the words that state it.

    A unit next to the frequency counts; if there is none, a unit in brackets that stands alone.
    """
    strong: dict[str, str] = {}
    for line in header.splitlines():
        for match in _STRONG.finditer(line):
            if not _OF_OTHERS.search(line[: match.start()]):
                strong.setdefault(_which(match), line.strip())
        if re.search(r"angular|\brad\b", line, re.IGNORECASE) and "THz" in strong and "2piTHz" not in strong:
            strong["2piTHz"] = line.strip()
    if strong:
        return strong
    weak: dict[str, str] = {}
    for line in header.splitlines():
        for match in _WEAK.finditer(line) if not _ASIDE.search(line) else ():
            if not re.search(r"\d\s*$", line[: match.start()]):
                weak.setdefault(_which(match).replace("^", ""), line.strip())
    return weak if len(weak) == 1 else {}


_ROLES: Final[tuple[tuple[Role, str], ...]] = (
    ("transport", r".*(a|alpha|α)2\(?f\)?[_-]?tr(in|out)?.*"),
    ("ratio", r".*(a|alpha|α)2\(?f.*/.*|2\*?(a|alpha|α)2f.*"),
    (
        "alpha2F",
        r"(a|alpha|α)2\(?f\)?(\([\wωΩ]*\))?(tot(al)?|sum|iso(tropic)?)?|(a|α|alpha)2\([\wωΩ]*\)f\([\wωΩ]*\)",
    ),
    ("alpha2F", r"alphasquaredf|eliashberg(spectral)?(function)?|eliashberg.*f(\([\wω]*\))?|spectralfunction"),
    ("lambda", r".*(lambda|λ).*|lamb?(\([\wω]*\))?|cum.*|int(egrated|egral)?.*|running.*"),
    ("F", r"f(\([\wω]*\))?|.*(ph|v|p|phonon)?dos.*|g(\([\wω]*\))?|density(ofstates)?|.*states.*"),
    ("index", r"|#|i|n|no\.?|idx|index|row|point|unnamed:?\d*|num(ber)?"),
    (
        "frequency",
        r"(omegas?|w|freq\w*|energ(y|ies)|e|en|ħ?[ωΩν]|h(bar)?(w|omega|ν)|nu|wavenumbers?|phonon(energ(y|ies)|freq\w*)|x)",
    ),
    ("error", r".*(err(or)?|unc(ertainty)?|std|sigma|±).*"),
    ("number", r"[+-]?\d*\.?\d+([ed][+-]?\d+)?"),
)


def role(name: str) -> Role:
    """Meaning of a column from its name."""
    word = re.sub(r"[\s_^*$\\\"'{}]", "", name.strip()).lower()
    bare = re.sub(r"[\[(](?!(w|omega|ω|e|nu|ν|x|f)[\])])[^\])]*[\])]", "", word)
    plain = re.sub(r"(?<=[a-zωΩν])[/,]?(in)?(mev|thz|ev|ry|ha|k|cm-?1|ghz|2pithz)$", "", bare)
    for text in (bare, plain):
        for kind, pattern in _ROLES:
            if re.fullmatch(pattern, text):
                return kind
    return "unknown"


def column_names(header: str, count: int) -> tuple[str, ...]:
    """Names of the columns from the last line of a header that has one for each; empty if none has."""
    for line in reversed(header.splitlines()):
        text = line if re.match(r"\s*[,;\t]", line) else re.sub(r"^[\s#!%/;*]+", "", line)
        text = re.sub(r"^\s*(columns?|cols?|fields)\s*:\s*", "", text, flags=re.IGNORECASE).rstrip()
        splits = [re.split(separator, text) for separator in (",", ";", r"\t", r"\|", r"\s{2,}")]
        splits.append(re.findall(r"[^\s\[\](){},;|]+(?:\s*(?:\[[^\]]*\]|\([^)]*\)|\{[^}]*\}))*", text))
        fitting = [tuple(n.strip().strip("\"'") for n in names) for names in splits if len(names) == count]
        best = max(fitting, key=_known, default=())
        if count > 1 and _known(best) >= 2:
            return best
    return ()


def _known(names: tuple[str, ...]) -> int:
    """Number of columns whose name states their meaning."""
    return sum(role(n) not in ("unknown", "number") for n in names)


def lambdas_stated(text: str) -> tuple[float, ...]:
    """Values of lambda that a header or a footer states; EPW's, one for each smearing."""
    listed = _EPW_LIST.search(text)
    if listed:
        return tuple(float(w) for w in listed[1].replace("#", " ").split())
    return tuple(dict.fromkeys(float(m[1].lower().replace("d", "e")) for m in _LAMBDA.finditer(text)))


def omega_log_stated(text: str) -> tuple[float, str] | None:
    """Value and unit of omega_log, if a header or a footer states both."""
    for match in _LOG.finditer(text):
        unit = unit_in(f"omega ({match['before'] or match['after']})")
        if unit:
            return float(match[2].lower().replace("d", "e")), unit
    return None


def rows_stated(text: str) -> int | None:
    """Number of rows that a header states."""
    found = _ROWS.search(text)
    return None if found is None else int(next(g for g in found.groups() if g))
