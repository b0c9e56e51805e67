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
# # Sweeps that decide
#
# K3C60 at 30 K, twice Tc0, pumped at 170 meV, under the model of arXiv:2603.18182 (`preset: paper`). Each section
# is a part of one config on a coarse lattice; the answers of the whole configs are in
# [docs/light_induced_superconductivity.md](../docs/light_induced_superconductivity.md).

# %%
# %matplotlib inline
from photogap.sweeps import figures
from photogap.sweeps.analysis import peak_gap, time_above, vanishing
from photogap.sweeps.figures.spectrum import alpha2F_of
from photogap.sweeps.notebook import cube

COARSE = ["settings.spacing=0.5", "settings.pump_rate=envelope"]
SHORT = [*COARSE, "settings.n_times=27", "axes.F0=[0.1]", "axes.tau_esc=[0.02]"]

# %% [markdown]
# ## How many pairs may photons break?
#
# `pair_breaking_share` is 0 in the paper's model and 1 by the golden rule.

# %%
shares = cube(
    "../configs/pair_breaking.yaml",
    "results/shares.zarr",
    change=[*SHORT, "axes.pair_breaking_share=[0, 0.01, 0.02, 0.045, 0.1, 1]"],
)
figures.draw(shares, "pair_breaking")

# %% [markdown]
# The share at which the gap vanishes, with the labels that bracket it:

# %%
vanishing(peak_gap(shares), "pair_breaking_share").to_dataframe()[["vanishing", "low", "high"]]

# %% [markdown]
# ## How fast may electrons scatter off one another?
#
# `tau_ee` relaxes f to the Fermi function of its own energy, which is hotter than the bath.

# %%
electrons = cube(
    "../configs/electron_scattering.yaml",
    "results/electrons.zarr",
    change=[*SHORT, "axes.tau_ee=[0.3, 1, 3, 10, .inf]"],
)
figures.draw(electrons, "electron_scattering")

# %% [markdown]
# ## Is there a resonance with alpha2F?
#
# With one, the gap would be largest where the grey spectrum is. It dips there: quasiparticles lifted to a peak of
# alpha2F scatter back soonest.

# %%
tuned = cube(
    "../configs/resonance.yaml",
    "results/tuned.zarr",
    change=[*SHORT, "axes.T=[30]", "axes.omega_pump={linspace: [30, 190, 17]}"],
)
figures.draw(tuned, "resonance", alpha2F=alpha2F_of("K3C60"))

# %% [markdown]
# ## When does a soft mode close the gap?
#
# The shipped spectrum is empty below 27 meV, so that a gap once open stays. No source that we could read gives the
# lambda of a softer mode; `soft_lambda` adds one at `soft_energy` and calibrates mu_star to Tc0 again.

# %%
soft = cube(
    "../configs/soft_modes.yaml",
    "results/soft.zarr",
    change=[
        *COARSE,
        "axes.soft_lambda=[0, 0.02, 0.1]",
        "axes.soft_energy=[5]",
        "settings.n_times=33",
        "settings.t_stop=10",
    ],
)
figures.draw(soft, "soft_modes")

# %%
time_above(soft, 0.01).squeeze().to_dataframe()[["duration", "outlasts"]]
