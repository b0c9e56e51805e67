"""A synthetic cube that looks like one of K3C60: a gap while light drives it, steps in f, phonons in resonance."""

import numpy as np
import pytest
import xarray as xr

KB = 0.0861733326
DIMS = ("material", "F0", "omega_pump", "T", "tau_esc", "damping")
LABELS = {
    "time": ("ps", "time after the maximum of the pump pulse"),
    "energy": ("meV", "quasiparticle energy"),
    "frequency": ("meV", "phonon energy"),
    "F0": ("mJ cm^-2", "incident fluence of the pump"),
    "omega_pump": ("meV", "photon energy of the pump"),
    "T": ("K", "temperature of the bath"),
    "tau_esc": ("ps", "escape time of phonons"),
}


def axis(name, values):
    return xr.DataArray(np.asarray(values), dims=name, coords={name: np.asarray(values)}, name=name)


def build(
    *, F0=(1.0,), omega_pump=(170.0,), T=(30.0,), tau_esc=(0.1,), damping=("real",), fields=False, n_times=61
):
    """Cube whose gap rises and falls with ln F0, dies with T, slow escape and full damping."""
    words = {
        "material": axis("material", np.array(["K3C60"], object)),
        "damping": axis("damping", np.array(damping, object)),
    }
    F, w, temp, tau = (
        axis(k, np.array(v, float))
        for k, v in {"F0": F0, "omega_pump": omega_pump, "T": T, "tau_esc": tau_esc}.items()
    )
    t = axis("time", np.linspace(-0.6, 0.7, n_times))
    weak = xr.where(words["damping"] == "full", 0.4, 1.0)
    best = 1.0 * w / 170
    strength = (
        2.2 - 0.35 * np.log(F / best) ** 2 - temp / 60 - 0.25 * np.log10(tau.where(np.isfinite(tau), 1e3) / 0.01)
    )
    pulse = np.exp(-(((t - 0.05) / 0.25) ** 2))
    peak = (weak * strength).clip(0).expand_dims(material=words["material"].values)
    Delta0 = (peak * pulse).transpose(*DIMS, "time")
    ds = xr.Dataset({"Delta0": Delta0})
    ds["Delta0"].attrs = {"units": "meV", "long_name": "superconducting gap function at zero energy, Re Delta(0)"}
    if fields:
        add_fields(ds, Delta0, temp, w, pulse)
    for name, (units, text) in LABELS.items():
        if name in ds.coords:
            ds[name].attrs = {"units": units, "long_name": text}
    ds["status"] = DIMS, np.full([ds.sizes[d] for d in DIMS], "ok", dtype=object)
    return ds


def add_fields(ds, Delta0, temp, w, pulse):
    E, omega = axis("energy", np.linspace(0.5, 420, 180)), axis("frequency", np.linspace(1, 200, 120))
    thermal = 1 / (np.exp((E / (KB * temp)).clip(max=600)) + 1)
    steps = 0.3 / (1 + np.exp((E - w) / 6)) + 0.02 / (1 + np.exp((E - 2 * w) / 6))
    f = thermal + (1 - thermal) * 0.3 * steps * pulse
    bose = 1 / (np.exp((omega / (KB * temp)).clip(max=600)) - 1)
    resonant = sum(np.exp(-(((omega - c) / 4) ** 2)) for c in (33, 58, 96, 137, 177))
    n = bose + 0.05 * resonant * (1 + np.tanh(ds["time"] / 0.15)) / 2
    shape = 1 - (E / 150) ** 2
    real = Delta0 * shape * np.exp(-E / 200)
    for name, values, units, text in (
        ("f", f, "1", "quasiparticle occupation"),
        ("n", n, "1", "phonon occupation"),
        ("Delta_real", real, "meV", "real part of the gap function"),
        (
            "Delta_imag",
            0.6 * Delta0 * np.exp(-(((E - 120) / 50) ** 2)),
            "meV",
            "imaginary part of the gap function",
        ),
    ):
        own = [d for d in ("time", "energy", "frequency") if d in values.dims]
        zero = xr.zeros_like(Delta0.isel(time=0, drop=True))
        ds[name] = (zero + values).transpose(*DIMS, *own).assign_attrs(units=units, long_name=text)


@pytest.fixture
def cube():
    return build
