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
# # Quasiparticles and phonons
#
# Figs. 4, 9 and 10 of arXiv:2603.18182: f(E, t), n(omega, t) next to alpha2F, and Delta(E, t). The sweep
# contains K3C60 twice: with a phonon density of states F proportional to alpha2F, so that all modes couple
# equally, and with the 189 modes of a formula unit, of which few couple
# (`configs/materials/k3c60_all_modes.yaml`).

# %%
# %matplotlib inline
from IPython.display import Image

from photogap.sweeps import figures
from photogap.sweeps.figures.spectrum import alpha2F_of
from photogap.sweeps.notebook import cube

# %%
ds = cube(
    "../configs/fig4_populations.yaml",
    "results/populations.zarr",
    change=[
        "preset=complete",
        "settings.pump_channels=scattering",
        "axes.tau_esc=[0.1]",
        "axes.F0=[0.3]",
        "settings.n_times=33",
    ],
)
alpha2F = alpha2F_of("K3C60")

# %% [markdown]
# Top: f has steps at multiples of the photon energy, 170 meV, while the pulse lasts. Bottom: if all modes
# couple equally, the phonon number rises smoothly towards low energies, regardless of alpha2F (right):

# %%
figures.draw(ds, "fig4", {"material": "K3C60"}, alpha2F=alpha2F)

# %% [markdown]
# If few modes couple, the energy goes to these, and n shows the peaks of alpha2F:

# %%
figures.draw(ds, "fig4", {"material": "K3C60-all-modes"}, alpha2F=alpha2F)

# %% [markdown]
# The gap function of the first: it opens before the maximum of the pulse, vanishes, and opens again. Re Delta
# changes its sign above the modes that mediate pairing, near 190 meV.

# %%
figures.draw(ds, "gap_function", {"material": "K3C60"})

# %% [markdown]
# The hot modes suppress the gap: of the two materials, only the first has one.

# %%
figures.draw(ds, "fig3")

# %% [markdown]
# As a movie (`photogap movie STORE --at material=K3C60 --out film.gif` on the command line):

# %%
film = ds.sel(material="K3C60").isel(time=slice(None, None, 3))
Image(figures.movie(film, "results/film.gif", alpha2F=alpha2F, fps=6, dpi=60).read_bytes())
