# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Optical response at a probe
#
# Reflectance and conductivity of K3C60 at probes of 2, 5 and 20 meV while light opens a gap; setting
# `omega_probe` makes them variables of the cube. At the end, measured data are compared with the cube to fit
# the escape time. `configs/fig2c_pb.yaml` and `configs/fig2d_lah10.yaml` are the experiments on Pb and LaH10 of
# arXiv:2603.18182.

# %%
# %matplotlib inline
import matplotlib.pyplot as plt

from photogap.sweeps import figures
from photogap.sweeps.analysis import fit_tau_esc, read_experiment
from photogap.sweeps.notebook import cube

# %%
ds = cube(
    "../configs/quickstart.yaml",
    "results/probe.zarr",
    change=[
        "axes.F0=[0.03, 0.3]",
        "axes.damping=[full]",
        "axes.omega_probe=[2, 5, 20]",
        "settings.omega_probe=2",
        "settings.tau_probe=0.1",
        "settings.n_times=40",
    ],
)
figures.draw(ds.isel(omega_probe=0), "fig3")

# %% [markdown]
# The reflectance at the larger fluence, as measured by an instrument with a probe of 100 fs. At 2 meV, below 2
# Delta, it follows the gap; above 2 Delta it hardly changes:

# %%
figures.draw(ds, "fig3", {"F0": 0.3}, variable="dR_R0_seen")

# %% [markdown]
# Below 2 Delta, where a photon breaks no pair, sigma1 drops; sigma2 rises, since pairs carry current:

# %%
figures.draw(ds, "fig3", {"F0": 0.3}, variable="sigma1")

# %%
figures.draw(ds, "fig3", {"F0": 0.3}, variable="sigma2")

# %% [markdown]
# ## Your own data
#
# A CSV file whose header names each column and its unit: time, signal and, if known, its error. The numbers here
# are made up; put your own file in their place.

# %%
data = read_experiment("data/my_delays.csv")
data

# %% [markdown]
# The same probe for four escape times, with the data: slower phonon escape delays the signal.

# %%
model = cube(
    "../configs/quickstart.yaml",
    "results/fit.zarr",
    change=[
        "axes.F0=[0.3]",
        "axes.damping=[full]",
        "axes.tau_esc=[0.01, 0.02, 0.04, 0.08]",
        "settings.omega_probe=2",
        "settings.tau_probe=0.1",
        "settings.n_times=40",
    ],
)
figure, ax = plt.subplots()
model.dR_R0_seen.squeeze(drop=True).plot.line(x="time", ax=ax)
ax.errorbar(data.time, data.signal, data.error, fmt="ko")

# %% [markdown]
# The escape time that fits best, interpolated between those of the cube. The error combines that of the data
# and that of the interpolation; more values of tau_esc reduce the latter. If only the shape of the signal is
# known, leave `normalise` out: the model is then scaled.

# %%
fit = fit_tau_esc(model, data, "dR_R0_seen", normalise="none").squeeze()
print(f"tau_esc = {float(fit.tau_esc):.4f} +- {float(fit.error):.4f} ps; made with 0.03 ps")
print(f"chi2 over degrees of freedom: {float(fit.chi2_reduced):.2f}")
