"""Physical constants in the units used everywhere inside: meV, ps, nm, K."""

from typing import Final

HBAR: Final = 0.6582119569
"""Reduced Planck constant, meV ps."""

KB: Final = 0.08617333262
"""Boltzmann constant, meV / K."""

C_LIGHT: Final = 299792.458
"""Speed of light, nm / ps."""

EPS0_OHM_NM_PS: Final = 8.8541878128e-12 * 1e12 * 1e-9
"""Vacuum permittivity, ps / (ohm nm): sigma [1/(ohm nm)] / (eps0 omega [1/ps]) is dimensionless."""

MJ_CM2: Final = 62415.09074
"""1 mJ/cm^2 in meV / nm^2."""
