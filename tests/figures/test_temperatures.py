"""The picture of Delta(T): lines through the gaps, the square root up to Tc, and nothing between them."""

from types import SimpleNamespace

import numpy as np

from photogap.sweeps.figures.equilibrium import _temperatures

TC = 10.0


def state(T: float) -> SimpleNamespace:
    gap = 1.5 * float(np.sqrt(max(0.0, 1.0 - T / TC)))
    return SimpleNamespace(T=T, Tc=TC, gap=SimpleNamespace(Delta0=gap, edge=1.01 * gap))


def test_the_curve_ends_at_the_last_gap_and_the_root_at_tc():
    lines = _temperatures("x", [state(T) for T in (11.0, 2.0, 9.0, 6.0, 10.5)]).axes[0].lines
    curve, above, root = lines[0], lines[1], lines[-1]
    assert list(curve.get_xdata()) == [2.0, 6.0, 9.0]
    assert (sorted(above.get_xdata()), above.get_linestyle()) == ([10.5, 11.0], "None")
    x, y = np.array(root.get_xdata()), np.array(root.get_ydata())
    assert (x[-1], y[-1]) == (TC, 0.0)
    # the gaps here follow the root exactly
    assert np.allclose(y, 1.5 * np.sqrt(1.0 - x / TC))


def test_above_tc_there_is_no_curve():
    lines = _temperatures("x", [state(12.0)]).axes[0].lines
    assert not any(line.get_linestyle() == ":" for line in lines)
