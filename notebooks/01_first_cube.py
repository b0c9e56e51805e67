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
# # A first cube
# A sweep is a YAML file; its result is a Zarr cube with labelled axes. This notebook runs a small version of
# the quick start: the light-induced gap of K3C60 at 30 K, twice its Tc0, against fluence. Open this file in
# JupyterLab as a notebook (`pip install 'photogap[notebooks]'`), and run it in its own folder.

# %%
# %matplotlib inline
from photogap.sweeps import figures
from photogap.sweeps.analysis import peak_gap, time_above
from photogap.sweeps.notebook import cube

# %% [markdown]
# `cube` computes missing points and opens the cube; `change` alters the config like `photogap run --set`.

# %%
ds = cube(
    "../configs/quickstart.yaml",
    "results/first.zarr",
    change=["axes.F0={geomspace: [0.01, 1, 4]}", "axes.damping=[full]"],
)
ds

# %% [markdown]
# Every axis has labels, every variable has units. Plotting with xarray needs nothing from this package. At the
# largest fluence the gap opens while the pulse rises, vanishes at its maximum, and opens again after it:

# %%
ds.Delta0.sel(F0=1).squeeze(drop=True).plot(x="time")

# %% [markdown]
# The figures of the package draw all remaining axes, here the fluences:

# %%
figures.draw(ds, "fig3")

# %% [markdown]
# The largest gap, in meV, against fluence: it is largest in the middle.

# %%
peak_gap(ds).squeeze().to_pandas()

# %% [markdown]
# Time, in ps, for which the gap exceeds 0.01 meV. `outlasts` = 1 means that it still does at the last time of
# the cube, so that the duration is a lower bound.

# %%
time_above(ds, 0.01).squeeze().to_dataframe()[["duration", "outlasts"]]

# %% [markdown]
# Each point has a status; a failed point is NaN with a reason, never a plausible number.

# %%
ds.attrs["points"], ds.attrs["points_ok"], ds.attrs["points_not_ok"]
