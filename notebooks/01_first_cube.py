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
#
# A sweep is a YAML file; its result is a Zarr cube with labelled axes. Here a small version of the quick start:
# the gap that light induces in K3C60 at 30 K, twice its Tc0, against fluence. Open this file in JupyterLab as a
# notebook (`pip install 'photogap[notebooks]'`), and run it in its own folder.

# %%
# %matplotlib inline
from photogap.sweeps import figures
from photogap.sweeps.analysis import peak_gap, time_above
from photogap.sweeps.notebook import cube

# %% [markdown]
# `cube` computes what is missing and opens the rest; `change` alters the config as `photogap run --set` does.

# %%
ds = cube(
    "../configs/quickstart.yaml",
    "results/first.zarr",
    change=["axes.F0={geomspace: [0.01, 1, 4]}", "axes.damping=[full]"],
)
ds

# %% [markdown]
# Every axis is a label, every variable has units. Nothing of this package is needed to plot with xarray.

# %%
ds.Delta0.sel(material="K3C60", T=30, damping="full").squeeze().plot.line(x="time")
# %%
figures.draw(ds, "fig3")

# %% [markdown]
# How large the gap gets, and for how long it is open:

# %%
peak_gap(ds).squeeze().to_pandas()

# %%
time_above(ds, 0.01).squeeze().to_dataframe()[["duration", "outlasts"]]

# %% [markdown]
# Each point carries its status; one that failed is NaN with a reason, never a plausible number.

# %%
ds.attrs["points"], ds.attrs["points_ok"], ds.attrs["points_not_ok"]
