"""JAX in double precision, with an error that names the remedy if JAX is missing."""

from typing import Any

try:
    import jax
    import jax.numpy as jnp
except ImportError as error:
    raise ImportError(
        "`backend: gpu` needs JAX. Add it: pip install 'photogap[gpu]', and for the GPU itself the variant of "
        "JAX that its driver takes, such as pip install 'jax[cuda13]'."
    ) from error

jax.config.update("jax_enable_x64", True)

Device = Any
"""An array on the device, or inside a compiled program."""


def describe() -> str:
    """Device that programs run on, such as `NVIDIA H200` or `cpu`."""
    return str(jax.devices()[0].device_kind)


__all__ = ["Device", "describe", "jax", "jnp"]
