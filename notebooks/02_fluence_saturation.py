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
# # Where the gap saturates with fluence
#
# Fig. 8 of arXiv:2603.18182: three pairs of photon energy and temperature, a zipped axis of one sweep. This
# version is small, with lifetimes in the gap equation (`full`) and fast phonon escape; `photogap run
# ../configs/fig8_fluence.yaml` uses the paper's preset, and `--full` is meant for a cluster.

# %%
# %matplotlib inline
from photogap.sweeps import figures
from photogap.sweeps.analysis import Found, resonance, saturation_fluence, threshold_fluence
from photogap.sweeps.notebook import cube

# %%
ds = cube(
    "../configs/fig8_fluence.yaml",
    "results/saturation.zarr",
    change=[
        "preset=complete",
        "settings.pump_channels=scattering",
        "axes.tau_esc=[0.02]",
        "axes.F0={geomspace: [0.003, 3, 5]}",
    ],
)
figures.draw(ds, "fig8")

# %% [markdown]
# At 30 K the gap is largest near 0.1 mJ/cm2, at 60 K near 0.5 mJ/cm2, and more light makes it smaller; at 120 K no
# gap opens at any fluence.
# The lowest fluence (mJ/cm2) at which the peak gap reaches 95 % of its maximum, with the points of the grid
# that bracket it:

# %%
saturation_fluence(ds).squeeze().to_dataframe()[["F0_saturation", "F0_low", "F0_high", "outcome"]]

# %% [markdown]
# `outcome` shows whether the grid contains the answer. At 79 meV and 120 K there is no gap, outcome 3; a curve
# that still grows at the largest fluence has not saturated, outcome 2.

# %%
{int(outcome): outcome.name for outcome in Found}

# %% [markdown]
# The lowest fluence for a gap of 0.1 meV:

# %%
threshold_fluence(ds, 0.1).squeeze().to_dataframe()[["F0_threshold", "F0_low", "F0_high", "outcome"]]

# %% [markdown]
# `resonance` finds the largest value of a quantity along an axis. Here it is at the end of the axis, outcome 2,
# which is not a resonance; the temperature also changes along this axis. To find a resonance, sweep many photon
# energies at one temperature.

# %%
resonance(ds.Delta0_peak.max("F0").squeeze()).to_array().to_pandas()
