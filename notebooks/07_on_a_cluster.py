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
# # On a cluster
#
# The same config runs wherever Dask does: `cluster` names a scheduler. Here a cluster of one process stands in
# for SLURM, PBS or a cloud; for the driver, the cube and this notebook it makes no difference. A plain
# scheduler lets every user of the machine run code as you, so this one takes a certificate, whose files a
# cluster file names.

# %%
# %matplotlib inline
import tempfile
from pathlib import Path

from distributed import LocalCluster

from photogap.sweeps import figures
from photogap.sweeps.clusters.tls import certify
from photogap.sweeps.drive.report import status
from photogap.sweeps.notebook import cube
from photogap.sweeps.store.place import place

# %%
folder = tempfile.TemporaryDirectory()
keys = Path(folder.name)
cluster = LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None, security=certify(keys))
(keys / "here.yaml").write_text(f"""
kind: address
address: {cluster.scheduler_address}
ca_file: {keys}/ca.pem
cert: {keys}/cert.pem
key: {keys}/key.pem
""")
cluster.scheduler_address

# %%
config, store = "../configs/quickstart.yaml", "results/cluster.zarr"
change = [f"cluster={keys}/here.yaml", "axes.F0={geomspace: [0.03, 1, 3]}", "axes.damping=[full]"]
ds = cube(config, store, change=change, workers=None)
figures.draw(ds, "fig8")

# %% [markdown]
# The computed points, their hosts, and the failures; `photogap status --watch STORE` shows them while a sweep runs.

# %%
found = status(place(store))
found["counts"], {key: found["last_run"][key] for key in ("outcome", "host", "pool")}

# %% [markdown]
# A cube can grow: new values are computed, existing ones are not computed again. It may be in an
# object store (`s3://bucket/cube.zarr`).

# %%
ds = cube(config, store, change=[*change, "axes.T=[30, 60]"], workers=None)
figures.draw(ds, "fig8")

# %%
cluster.close()
folder.cleanup()
