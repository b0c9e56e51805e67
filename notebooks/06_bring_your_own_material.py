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
# # Bring your own material
#
# From a file of EPW or Quantum ESPRESSO to a sweep. `data/example.a2f` has the layout that EPW writes; its
# numbers are made up. A material is a YAML file that extends a known one and states only the differences, each
# number with its source.

# %%
# %matplotlib inline
from pathlib import Path

from photogap.core.equilibrium import solve_equilibrium
from photogap.sweeps import figures
from photogap.sweeps.figures.spectrum import alpha2F_of
from photogap.sweeps.materials import library as materials
from photogap.sweeps.materials import spectra as spectrum_files
from photogap.sweeps.notebook import cube

# %% [markdown]
# Format and unit are read from the file; lambda is the value reported by the code that wrote it.

# %%
spectrum = spectrum_files.read(Path("data/example.a2f"))
print(f"lambda = {spectrum.coupling_lambda:.3f}, omega_log = {spectrum.omega_log:.1f} meV")
print(f"Tc of Allen and Dynes at mu* = 0.1: {spectrum.allen_dynes_Tc(0.1):.1f} K")

# %%
print(Path("data/my_film.yaml").read_text())

# %%
alpha2F_of("data/my_film.yaml").plot()
# %%
for entry in materials.describe("data/my_film.yaml").parameters:
    print(f"{entry.key:14} {entry.value!s:6} {entry.unit:10} {entry.source}")

# %% [markdown]
# Equilibrium at 2 K: mu* is calibrated to the stated Tc0.

# %%
film = materials.load("data/my_film.yaml")
state = solve_equilibrium(film, 2.0)
print(f"Tc = {state.Tc:.2f} K at mu* = {state.coupling.mu_star:.4f}; gap edge at 2 K: {state.gap.edge:.3f} meV")

# %% [markdown]
# And a sweep at 30 K, above Tc0; `data/my_sweep.yaml` is the config for `photogap run`. Light opens a gap here
# too:

# %%
print(Path("data/my_sweep.yaml").read_text())

# %%
ds = cube("data/my_sweep.yaml", "results/mine.zarr")
figures.draw(ds, "fig8")
