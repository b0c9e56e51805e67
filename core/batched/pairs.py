"""Complex numbers as pairs of real arrays, since complex roots and logarithms are slow on a GPU."""

from typing import NamedTuple

from .device import Device, jnp


class Pair(NamedTuple):
    """A complex array, re + i im."""

    re: Device
    im: Device

    def plus(self, other: "Pair") -> "Pair":
        """Sum."""
        return Pair(self.re + other.re, self.im + other.im)

    def minus(self, other: "Pair") -> "Pair":
        """Difference."""
        return Pair(self.re - other.re, self.im - other.im)

    def times(self, other: "Pair") -> "Pair":
        """Product."""
        return Pair(self.re * other.re - self.im * other.im, self.re * other.im + self.im * other.re)

    def by(self, factor: Device) -> "Pair":
        """Product with a real array."""
        return Pair(self.re * factor, self.im * factor)

    def over(self, other: "Pair") -> "Pair":
        """Quotient; zero where the divisor is zero, which callers discard."""
        size = other.square
        inverse = 1.0 / jnp.where(size == 0.0, 1.0, size)
        return Pair(
            (self.re * other.re + self.im * other.im) * inverse, (self.im * other.re - self.re * other.im) * inverse
        )

    @property
    def square(self) -> Device:
        """|z|^2."""
        return self.re * self.re + self.im * self.im

    @property
    def is_zero(self) -> Device:
        """Mask of elements whose real and imaginary parts are zero."""
        return (self.re == 0.0) & (self.im == 0.0)

    def sqrt(self) -> "Pair":
        """Principal root."""
        large = jnp.sqrt(0.5 * (jnp.sqrt(self.square) + jnp.abs(self.re)))
        small = 0.5 * self.im / jnp.where(large == 0.0, 1.0, large)
        right = self.re >= 0.0
        sign = jnp.where(self.im < 0.0, -1.0, 1.0)
        return Pair(jnp.where(right, large, jnp.abs(small)), jnp.where(right, small, sign * large))

    def log(self) -> "Pair":
        """Principal logarithm; zero where z is zero, which callers discard."""
        size = self.square
        return Pair(0.5 * jnp.log(jnp.where(size == 0.0, 1.0, size)), jnp.arctan2(self.im, self.re))

    def where(self, condition: Device, other: "Pair") -> "Pair":
        """This array where a condition holds, else the other one."""
        return Pair(jnp.where(condition, self.re, other.re), jnp.where(condition, self.im, other.im))
