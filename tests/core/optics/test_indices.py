"""Indices of substrates and covers: values at known points, ranges, and what is refused."""

import math

import numpy as np
import pytest

from photogap.core.optics.indices import (
    Medium,
    SellmeierIndex,
    TabulatedIndex,
    index_at,
    photon_energy,
    transparent_index_at,
)

TABLE = TabulatedIndex(omega=(4.0, 5.0, 8.0), n=(3.0, 3.2, 3.5), k=(0.0, 0.1, 0.0))
FORMULA = SellmeierIndex(low=100.0, high=2000.0, B=(1.0, 0.5), C_um=(0.1, 20.0))
MEDIUM = Medium(name="window", parts=(TABLE, FORMULA))


def test_units_of_a_photon_energy():
    """1 um is 1239.842 meV, 1 THz 4.135668 meV (CODATA)."""
    assert photon_energy(1.0) == pytest.approx(1239.841984, rel=1e-8)
    assert photon_energy(2000.0, "nm") == pytest.approx(photon_energy(2.0), rel=1e-14)
    assert photon_energy(2.0, "THz") == pytest.approx(2 * 4.135667697, rel=1e-8)
    with pytest.raises(ValueError, match=r"`units` must be one of um, nm, meV.* Got 'furlong'"):
        photon_energy(1.0, "furlong")


def test_table_is_interpolated_linearly_and_formula_evaluated():
    lam = photon_energy(1.0) / 1000.0
    square = 1 + lam**2 / (lam**2 - 0.1**2) + 0.5 * lam**2 / (lam**2 - 20.0**2)
    found = MEDIUM([4.5, 8.0, 1000.0])
    assert found == pytest.approx(np.array([3.1 + 0.05j, 3.5, math.sqrt(square)]), rel=1e-12)
    assert MEDIUM(np.full((2, 3), 5.0)).shape == (2, 3)
    constant = Medium(name="c", parts=(SellmeierIndex(low=1.0, high=100.0, A=3.4162**2),))
    assert complex(constant(50.0)) == pytest.approx(3.4162)


@pytest.mark.parametrize("omega", [3.9, 8.1, 99.0, 2001.0])
def test_outside_its_ranges_a_medium_refuses(omega):
    with pytest.raises(
        ValueError, match=r"'window' is known from 4 to 8 meV and 100 to 2000 meV. Got .* meV; give"
    ):
        MEDIUM([5.0, omega])


def test_constant_index_is_valid_everywhere_and_cover_must_be_transparent():
    assert complex(index_at(1.5, 5.0)) == 1.5
    assert index_at(3 + 1j, np.ones(4)) == pytest.approx(np.full(4, 3 + 1j))
    assert transparent_index_at(MEDIUM, [4.0, 500.0]).dtype == float
    with pytest.raises(ValueError, match=r"must be real. Got 3.2\+0.1j"):
        transparent_index_at(MEDIUM, [4.0, 5.0])


@pytest.mark.parametrize(
    ("omega", "n", "k", "message"),
    [
        ([4.0, 5.0, 50.0], [3.0] * 3, [0.0] * 3, "has a gap between 5 and 50 meV"),
        ([4.0, 5.0, 6.0], [3.0, math.nan, 3.0], [0.0] * 3, "row 2 of the index table has no number"),
        ([4.0, 4.0], [3.0, 3.0], [0.0, 0.0], "must increase; sort its rows. Got 4 meV in row 2"),
        ([0.0, 4.0], [3.0, 3.0], [0.0, 0.0], "row 1 of the index table must have photon energy > 0"),
        ([4.0, 5.0], [3.0, 3.0], [0.0, -1.0], "k >= 0"),
        ([4.0, 5.0], [3.0], [0.0, 0.0], "needs one `n` and one `k`"),
        ([], [], [], "needs one `n` and one `k`"),
    ],
)
def test_bad_tables_are_refused(omega, n, k, message):
    with pytest.raises(ValueError, match=message):
        TabulatedIndex(omega=tuple(omega), n=tuple(n), k=tuple(k))


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ({"low": 5.0, "high": 4.0}, "the lower first. Got 5.0 to 4.0"),
        ({"low": 1.0, "high": 2.0, "B": (1.0,)}, "one `C_um` for each `B`"),
        (
            {"low": 100.0, "high": 2000.0, "B": (1.0,), "C_um": (1.0,)},
            "must not contain resonances. Got one at 1239.84 meV",
        ),
        ({"low": 100.0, "high": 2000.0, "A": -1.0}, r"must give n\^2 > 0 in its range. Got -1"),
    ],
)
def test_bad_formulas_are_refused(formula, message):
    with pytest.raises(ValueError, match=message):
        SellmeierIndex(**formula)


def test_parts_follow_one_another():
    with pytest.raises(ValueError, match="must follow one another"):
        Medium(name="x", parts=(FORMULA, TABLE))
    with pytest.raises(ValueError, match="needs at least one table or formula"):
        Medium(name="x", parts=())
