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
# Fig. 8 of arXiv:2603.18182: three pairs of photon energy and temperature, a zipped axis of one sweep. Small
# here, with lifetimes in the gap equation (`full`) and fast phonon escape; `photogap run
# ../configs/fig8_fluence.yaml` is the paper's preset, `--full` a cluster's.

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
#
# The least fluence (mJ/cm2) at which the peak gap reaches 95 % of its largest, with the points of the grid that
# bracket it:

# %%
saturation_fluence(ds).squeeze().to_dataframe()[["F0_saturation", "F0_low", "F0_high", "outcome"]]

# %% [markdown]
# `outcome` says whether the grid held the answer. At 79 meV and 120 K there is no gap to saturate, 3; a curve that
# still grew at the largest fluence would not have saturated, 2.

# %%
{int(outcome): outcome.name for outcome in Found}

# %% [markdown]
# The least fluence for a gap of 0.1 meV:

# %%
threshold_fluence(ds, 0.1).squeeze().to_dataframe()[["F0_threshold", "F0_low", "F0_high", "outcome"]]

# %% [markdown]
# `resonance` asks where along an axis a quantity is largest. Here that is at the end of the axis, outcome 2, and no
# resonance; nor would it be one, since the temperature changes along this axis too. For a resonance, sweep many
# photon energies at one temperature.

# %%
resonance(ds.Delta0_peak.max("F0").squeeze()).to_array().to_pandas()
