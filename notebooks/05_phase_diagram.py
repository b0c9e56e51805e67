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
# # Phase diagram: on which assumption does light-induced superconductivity depend?
#
# Fluence against phonon escape for K3C60 at 30 K, twice Tc0, pumped at 170 meV: with lifetimes in the gap
# equation or without (`damping`), and with pair breaking by the photon or without (`pump_channels`). A few
# points here; `photogap run ../configs/phase_assumptions.yaml` adds stimulated emission, `--full` is
# meant for a cluster.

# %%
# %matplotlib inline
from photogap.sweeps import figures
from photogap.sweeps.analysis import existence, peak_gap
from photogap.sweeps.figures.explore import explore
from photogap.sweeps.notebook import cube
from photogap.sweeps.reproduction.assumptions import answer, table

# %%
ds = cube(
    "../configs/phase_assumptions.yaml",
    "results/phase.zarr",
    change=[
        "axes.F0=[0.003, 0.03, 0.3]",
        "axes.tau_esc=[0.01, 1]",
        "axes.stimulated_emission=[true]",
        "settings.n_times=14",
    ],
)
figures.draw(ds, "phase_diagram")

# %% [markdown]
# Each column of panels is one choice of `pump_channels`, each row one of `damping`; the dashed line is the
# border of the region with a gap. The answer, from the cube:

# %%
print(answer(ds))
print()
print("\n".join(table(ds)))

# %% [markdown]
# Pair breaking by the photon decides. Above Tc0 there are no pairs to break before the gap opens: this channel
# is then the ordinary absorption of a metal, which puts quasiparticles at all energies up to that of the
# photon, where they block pairing. Without it photons only lift the few thermal quasiparticles, which frees the
# states at the gap edge. Damping and escape then decide how large the gap gets and how long it lasts.

# %% [markdown]
# The border of the region with a gap, as numbers: it runs midway between points of the grid, here at the same
# fluence (mJ/cm2) for both escape times (ps). A finer axis of F0 locates it better.

# %%
existence(peak_gap(ds).sel(pump_channels="scattering").squeeze(), "F0", "tau_esc").to_dataframe().dropna()

# %% [markdown]
# Sliders over every axis: the series of one point, and the plane through it. Without Python behind the page
# this is a picture of the plane.

# %%
explore(ds)
