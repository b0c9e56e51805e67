"""Spectra as codes and people write them: read with the right lambda and unit, or refused with the reason."""

from pathlib import Path
from typing import Any

import pytest

from photogap.sweeps.materials.spectra import Reading, examine
from support.written_spectra import LAMBDA, LAYOUTS, OMEGA_LOG, Layout, damaged


def written(folder: Path, layout: Layout) -> tuple[Path, dict[str, Any]]:
    """The file of a layout and the options to read it with."""
    path = folder / layout.name
    path.write_bytes(layout.data)
    for name, text in layout.more.items():
        (folder / name).write_text(text)
    options = {k: folder / v if k == "F_path" else v for k, v in layout.options.items()}
    return path, options


def reading(folder: Path, layout: Layout) -> Reading:
    path, options = written(folder, layout)
    return examine(path, **options)


@pytest.mark.parametrize("name", [n for n, layout in LAYOUTS.items() if layout.refused is None])
def test_layout_is_read(name: str, tmp_path: Path) -> None:
    """1 % is the rounding of the frequencies in the coarsest layout (`repeated by rounding`, 0.1 of 5 meV)."""
    spectrum = reading(tmp_path, LAYOUTS[name]).spectrum
    smearing = 1.002 if LAYOUTS[name].options.get("column") == 3 else 1.0
    assert spectrum.coupling_lambda == pytest.approx(LAMBDA * smearing, rel=0.01)
    assert spectrum.omega_log == pytest.approx(OMEGA_LOG, rel=0.01)
    assert spectrum.one_matrix_element != (name in WITH_F)


WITH_F = ("F second", "F third", "alpha2f.x", "EPW and F", "phonopy's F")


@pytest.mark.parametrize("name", [n for n, layout in LAYOUTS.items() if layout.refused is not None])
def test_layout_is_refused(name: str, tmp_path: Path) -> None:
    layout = LAYOUTS[name]
    path, options = written(tmp_path, layout)
    with pytest.raises(ValueError, match=f"(?s)^{tmp_path}/[^ ]+[:,] .*{layout.refused}") as refused:
        examine(path, **options)
    # no path, no message of others: a file's own words take at most 80 characters
    assert len(str(refused.value).replace(str(tmp_path), "")) < 420


@pytest.mark.parametrize("tens", range(30))
def test_damaged_files_are_right_or_refused(tens: int, tmp_path: Path) -> None:
    for seed in range(10 * tens, 10 * tens + 10):
        layout, damage = damaged(seed)
        try:
            found = reading(tmp_path, layout).spectrum.coupling_lambda
        except ValueError:
            continue
        smearing = {3: 1.002}.get(layout.options.get("column", 1), 1.0)
        assert found == pytest.approx(LAMBDA * smearing, rel=0.05), f"{seed}: {damage} of {layout.name}"
