"""A few of the random spectra of `ensemble`, on coarse lattices; `make ensemble` takes all of them."""

import pytest

from support import ensemble

RTOL = 1e-2


@pytest.mark.parametrize("index", [2, 3, 4, 6, 8, 14, 15, 21])
def test_a_random_spectrum_has_its_gap_below_tc_and_none_above(index):
    found = list(ensemble.cases(index, RTOL))
    full = [case for case in found if case.damping == "full"]
    assert [case.outcome for case in full] == ["solved"] * len(ensemble.REDUCED) + ["normal"]
    assert not any(case.wrong for case in found)
    for case in full[:-1]:
        assert case.Delta0_error < RTOL
        # NaN where both are gapless
        assert not case.edge_error >= RTOL
    for case in found:
        assert case.outcome != "refused" or "the normal state is unstable" in case.reason
