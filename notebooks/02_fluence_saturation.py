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
# The least fluence at which the peak gap reaches 95 % of its largest, with the points of the grid that bracket
# it:

# %%
saturation_fluence(ds).squeeze().to_dataframe()[["F0_saturation", "F0_low", "F0_high", "outcome"]]

# %% [markdown]
# `outcome` says whether the grid held the answer: a curve that still grows at the largest fluence has not
# saturated.

# %%
{int(outcome): outcome.name for outcome in Found}

# %% [markdown]
# The least fluence for a gap of 0.1 meV, and which photon energy gives the largest gap:

# %%
threshold_fluence(ds, 0.1).squeeze().to_dataframe()[["F0_threshold", "F0_low", "F0_high", "outcome"]]

# %%
resonance(ds.Delta0_peak.max("F0").squeeze()).to_array().to_pandas()
