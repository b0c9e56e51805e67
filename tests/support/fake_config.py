"""Config of the fake model, for every test that sweeps it."""

from typing import Any

AXES: dict[str, Any] = {
    "material": ["A"],
    "F0": [0.1, 1.0, 10.0],
    "omega_pump": 170,
    "T": [30],
    "tau_esc": [0.02],
}


def tree(axes: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Config tree of the fake model."""
    return {"name": "test", "model": "support.fake_model:MODEL", "axes": AXES | (axes or {})} | more
