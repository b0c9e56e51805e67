"""The pure task: one point in, one result out."""

from .result import Result
from .settings import Point, Settings


def simulate(point: Point, settings: Settings) -> Result:
    """Trajectory of a driven superconductor."""
    raise NotImplementedError
