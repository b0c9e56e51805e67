"""Rows of the sweeps that decide read cubes with known answers."""

import numpy as np
import pytest
import xarray as xr

from photogap.sweeps.figures.registry import FIGURES
from photogap.sweeps.figures.spectrum import alpha2F_of
from photogap.sweeps.reproduction import abstract, deciding
from photogap.sweeps.reproduction.paper import value
from photogap.sweeps.reproduction.rows import Verdict


@pytest.fixture
def against(cube):
    """A cube over an axis in which only some labels have a gap."""

    def build(axis, labels, gap):
        ds = cube(F0=[0.1, 1.0], tau_esc=np.arange(1, len(labels) + 1)).rename(tau_esc=axis)
        ds = ds.assign_coords({axis: labels})
        ds["Delta0"] = ds["Delta0"] * 0 + 1.0 * gap(ds[axis])
        return ds.expand_dims(tau_esc=[0.02, 0.1])

    return build


def test_share_that_ends_the_gap(against):
    ds = against("pair_breaking_share", [0.0, 0.01, 0.1], lambda x: x < 0.05)
    assert "F0 = 0.1, tau_esc = 0.02: 0.01 to 0.1" in deciding.share(ds).text


def test_time_that_ends_the_gap(against):
    labels = [0.1, 1.0, 10.0, np.inf]
    cell = deciding.electrons(against("tau_ee", labels, lambda x: x > 0.5))
    assert cell.verdict is Verdict.DIFFERS
    assert "F0 = 1, tau_esc = 0.1: 0.1 to 1 ps" in cell.text
    assert deciding.electrons(against("tau_ee", labels, lambda x: x > 0)).verdict is Verdict.AGREES


@pytest.mark.parametrize(("sign", "verdict"), [(1, Verdict.AGREES), (-1, Verdict.DIFFERS)])
def test_resonance_has_the_sign_of_the_spectrum(cube, sign, verdict):
    ds = cube(omega_pump=np.linspace(20, 200, 19), F0=[0.1, 1.0], T=[30, 300])
    spectrum = alpha2F_of("K3C60").interp(frequency=ds["omega_pump"].values).values
    ds["Delta0"] = ds["Delta0"] * 0 + 1.5 + sign * ds["omega_pump"].copy(data=spectrum)
    assert deciding.resonant(ds).verdict is verdict


def test_line_of_the_paper_is_its_number():
    assert FIGURES["choices"].given["paper"] == value("K3C60_saturation", "2 Delta0")


def test_choices_within_a_quarter_of_the_papers(cube):
    ds = cube(F0=[0.1, 1.0])
    ds["Delta0"] = ds["Delta0"] * 0 + 0.4
    two = ds.isel(material=[0, 0]).assign_coords(material=["paper", "other"])
    two["Delta0"] = two["Delta0"] * np.array([1.0, 8.0]).reshape(-1, *[1] * (two["Delta0"].ndim - 1))
    assert deciding.one_at_a_time(two).text.endswith("within a quarter of 7 meV: other")
    text = abstract.deciding(dict.fromkeys(abstract.DECIDING, "no cube") | {"seven_mev": two})
    assert "0.8 meV here, 6.4 meV at most by any one choice (other)" in text
    assert abstract.deciding(dict.fromkeys(abstract.DECIDING, "no cube")) == ""


def test_spectra_with_soft_modes(cube):
    ds = cube(F0=[0.1, 1.0], tau_esc=[0.02, 1.0])
    two = ds.isel(material=[0, 0]).assign_coords(material=["as shipped", "soft"])
    two["Delta0"] = two["Delta0"] * 0 + xr.DataArray([1.0, 0.0], coords={"material": two["material"]})
    text = deciding.soft(two).text
    assert text.startswith("F0 = 0.1, tau_esc = 0.02: as shipped: 1, soft: 0 meV, open for as shipped: ≥ ")
    assert "soft: 0 ps" in text
