"""Tables of docs/spectra.md: each layout of a spectrum file with its result, and the outcome of damaged files.

PYTHONPATH=tests python -m support.spectra_page --page docs/spectra.md
"""

import argparse
import re
import tempfile
from collections import Counter
from pathlib import Path

from photogap.sweeps.materials.spectra import examine

from .written_spectra import DAMAGES, LAMBDA, LAYOUTS, Layout, damaged

COUNT = 3000
"""Damaged files; the tests read the first 300."""


def result(folder: Path, layout: Layout) -> tuple[str, float | None]:
    """What became of a file, in words, and the lambda read."""
    path = folder / layout.name
    path.write_bytes(layout.data)
    for name, text in layout.more.items():
        (folder / name).write_text(text)
    options = {k: folder / v if k == "F_path" else v for k, v in layout.options.items()}
    try:
        found = examine(path, **options)
    except ValueError as error:
        words = re.sub(r"\S*/", "", str(error).replace(str(folder), ""))
        return f"refused: {words}", None
    return "; ".join([f"lambda {found.spectrum.coupling_lambda:.4f}, {found.units}", *found.notes]), (
        found.spectrum.coupling_lambda
    )


def layouts(folder: Path) -> str:
    """Markdown table of the layouts."""
    out = ["| file | read with | result |", "|---|---|---|"]
    for name, layout in LAYOUTS.items():
        given = ", ".join(f"{k}: {v}" for k, v in layout.options.items())
        words = result(folder, layout)[0].replace("|", "\\|").replace("<", "\\<")
        out.append(f"| {name} | {given} | {words} |")
    return "\n".join(out)


def damages(folder: Path, count: int) -> str:
    """Markdown table of damaged files: right within 1 % and 5 % in lambda, wrong, refused."""
    rows = {d.__name__: Counter[str]() for d in DAMAGES}
    for seed in range(count):
        layout, damage = damaged(seed)
        found = result(folder, layout)[1]
        smearing = 1.002 if layout.options.get("column") == 3 else 1.0
        off = None if found is None else abs(found / (LAMBDA * smearing) - 1)
        kind = "refused" if off is None else "right" if off < 0.01 else "within 5 %" if off < 0.05 else "wrong"
        rows[damage.split(",")[0]][kind] += 1
    kinds = ("right", "within 5 %", "wrong", "refused")
    out = [f"| damage | {' | '.join(kinds)} |", "|---" * 5 + "|"]
    for name, counts in rows.items():
        out.append(f"| {name.strip('_').replace('_', ' ')} | {' | '.join(str(counts[k]) for k in kinds)} |")
    total = sum(rows.values(), Counter[str]())
    out.append(f"| all {count} | {' | '.join(str(total[k]) for k in kinds)} |")
    return "\n".join(out)


def main() -> None:
    """Write both tables between their marks on a page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", type=Path, required=True)
    parser.add_argument("--count", type=int, default=COUNT)
    given = parser.parse_args()
    text = given.page.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        for mark, table in (("layouts", layouts(Path(folder))), ("damage", damages(Path(folder), given.count))):
            pattern = rf"(?s)(<!-- {mark} -->\n).*?(<!-- end of {mark} -->)"
            text = re.sub(pattern, lambda m, t=table: m[1] + t + "\n" + m[2], text)
    given.page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
