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
# # What a probe sees
#
# Reflectance and conductivity of K3C60 at a probe of 5 meV while the gap opens and dies; each is a variable of
# the cube as soon as `omega_probe` is set. `configs/fig2c_pb.yaml` and `configs/fig2d_lah10.yaml` are the
# experiments on Pb and LaH10 of arXiv:2603.18182.

# %%
# %matplotlib inline
from photogap.sweeps import figures
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
list(ds.data_vars)

# %% [markdown]
# The gap, and the change of the reflectance that follows it, as an instrument with a 100 fs probe sees it:

# %%
figures.draw(ds.isel(omega_probe=0), "fig3")

# %%
figures.draw(ds, "fig3", {"F0": 0.3}, variable="dR_R0_seen")

# %% [markdown]
# A gap shows as a drop of sigma1 below it and a rise of sigma2:

# %%
figures.draw(ds, "fig3", {"F0": 0.3}, variable="sigma1")

# %%
figures.draw(ds, "fig3", {"F0": 0.3}, variable="sigma2")
