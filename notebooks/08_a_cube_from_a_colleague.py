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
# # A cube from a colleague
#
# Somebody sent you a folder `sent.zarr`, a sweep that photogap computed. To read it you need xarray and zarr;
# pint-xarray adds units. Nothing here needs photogap, a cluster, or the config of the sweep.

# %%
# %matplotlib inline
import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pint_xarray  # adds .pint to datasets
import xarray as xr

import photogap  # for the next cell alone

# %% [markdown]
# This cell stands for your colleague: it computes two small sweeps of K3C60, pumped at 170 meV, at 30 K and at 60
# K. Skip it if you have a cube, and put its path into the next cell.

# %%
axes = {"material": ["K3C60"], "F0": [0.03, 0.1, 0.3], "T": [30], "tau_esc": [0.03]}
config = {"name": "sent", "axes": axes, "settings": {"n_times": 40, "omega_probe": 2, "tau_probe": 0.1}}
for store, T in (("results/sent.zarr", 30), ("results/other.zarr", 60)):
    photogap.run(config, store, set={"axes.T": [T]}, workers=0, progress=False)

# %% [markdown]
# ## Open and look
#
# Axes have labels, variables have units and a description. Points that failed, or that were not computed yet, are
# NaN: `status` says which, `message` why. A cube that grew may have unsorted labels; `sortby` mends that. `load`
# reads everything into memory; leave it out if the cube is larger than that.

# %%
ds = xr.open_zarr("results/sent.zarr").sortby("F0").load()
assert (ds.status == "ok").all(), ds.message.where(ds.status != "ok", drop=True).values
ds

# %%
pd.DataFrame(
    {name: (v.dims[5:], v.attrs.get("units"), v.attrs.get("long_name")) for name, v in ds.data_vars.items()},
    index=["own dims", "units", "meaning"],
).T

# %% [markdown]
# ## Select
#
# By label, never by position. `squeeze` drops the axes that have one value left.

# %%
one = ds.Delta0.sel(material="K3C60", T=30, F0=0.1).squeeze(drop=True)
one.plot(x="time")

# %% [markdown]
# ## Units
#
# With pint, numbers carry their units, and a conversion cannot go wrong by a factor.

# %%
numbers = ds[["Delta0", "Delta0_peak", "U_absorbed", "gap_duration"]].squeeze(drop=True).pint.quantify()
h = pint_xarray.unit_registry("planck_constant")
(numbers.Delta0_peak / h).pint.to("THz")

# %%
numbers.U_absorbed.isel(time=-1).pint.to("J/cm^3")

# %% [markdown]
# The ratio of the largest gap to the temperature, dimensionless:

# %%
boltzmann = pint_xarray.unit_registry("boltzmann_constant")
T = pint_xarray.unit_registry.Quantity(float(ds["T"].item()), ds["T"].attrs["units"])
(numbers.Delta0_peak / (boltzmann * T)).pint.to("dimensionless").pint.dequantify()

# %% [markdown]
# ## Compare with your measurement
#
# `my_delays.csv` has delays in fs and a reflectance change with its error; these numbers are made up. Interpolate
# the cube to your delays; the fluence whose curve fits best has the smallest chi2.

# %%
data = pd.read_csv("data/my_delays.csv", comment="#", skipinitialspace=True)
delay = pint_xarray.unit_registry.Quantity(data["time (fs)"].to_numpy(), "fs").to("ps").magnitude
signal, error = (xr.DataArray(data[name], dims="time") for name in ("dR/R (1)", "error (1)"))
curves = ds.dR_R0_seen.squeeze(drop=True)
misfit = (curves.interp(time=delay).drop_vars("time") - signal) / error
chi2 = (misfit**2).mean("time")
chi2.to_pandas()

# %%
curves.plot.line(x="time")
plt.errorbar(delay, signal, error, fmt="o", color="black")
plt.title(f"best: F0 = {chi2.idxmin('F0').item():g} mJ/cm²")
plt.show()


# %% [markdown]
# ## Two cubes in one picture
#
# `concat` joins cubes along an axis in which they differ; all other labels must agree.

# %%
other = xr.open_zarr("results/other.zarr").sortby("F0").load()
both = xr.concat([ds, other], dim="T", join="exact", data_vars="all", coords="minimal", compat="override")
both.Delta0_peak.squeeze(drop=True).plot.line(x="F0", xscale="log", marker="o")

# %% [markdown]
# ## Export
#
# A table for a spreadsheet, a PDF for the paper, and NetCDF for other programs. Only points and variables that
# you select are written; the units stay with the NetCDF file, and belong into the header of a table.

# %%
out = Path("results/exported")
out.mkdir(parents=True, exist_ok=True)
peaks = both.Delta0_peak.squeeze(drop=True)
table = peaks.to_dataframe().rename(columns={"Delta0_peak": f"Delta0_peak ({peaks.units})"})
table.to_csv(out / "peaks.csv")
figure, ax = plt.subplots(figsize=(3.37, 2.5), layout="constrained")
peaks.plot.line(x="F0", xscale="log", marker="o", ax=ax)
figure.savefig(out / "peaks.pdf")
plt.close(figure)
both[["Delta0", "gap_edge", "Delta0_peak"]].to_netcdf(out / "both.nc")
back = xr.open_dataset(out / "both.nc")
assert np.array_equal(back.Delta0_peak, both.Delta0_peak)
back.close()
pd.read_csv(out / "peaks.csv").head(3)

# %% [markdown]
# ## Where it came from
#
# The cube keeps its config and the versions that computed it. With photogap installed, `photogap status
# sent.zarr` shows the record, and `photogap run CONFIG --store sent.zarr` adds points to it.

# %%
record = json.loads(ds.attrs["photogap"])
{key: record["base"][key] for key in ("model", "model_version")}
