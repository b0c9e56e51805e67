"""Rules of settings: those of a single index or list of times, and those that bind settings to one another.

The functions take the settings as `Any`, since `core.settings` imports this module.
"""

import itertools
import math
from typing import Any, Final

from .declaration import Joint, Rule
from .optics.indices import is_index

INDEX: Final = Rule("an index with Re n > 0 and Im n >= 0, or a medium", is_index)
TIMES: Final = Rule(
    "two or more increasing times",
    lambda x: len(x) != 1 and all(map(math.isfinite, x)) and all(b > a for a, b in itertools.pairwise(x)),
)


def _refuse_times(settings: Any) -> None:
    start, linear, stop = settings.t_start, settings.t_linear_stop, settings.t_stop
    if not stop > start:
        raise ValueError(f"`t_stop` must be later than `t_start` ({start!r} ps). Got {stop!r}.")
    if linear is not None and not max(start, 0.0) < linear < stop:
        raise ValueError(
            f"`t_linear_stop` must be positive, after `t_start` and before `t_stop` ({stop!r} ps). Got {linear!r}."
        )
    if (settings.n_tail > 0) != (linear is not None):
        raise ValueError(
            f"`n_tail` must be positive with `t_linear_stop` and zero without it. Got {settings.n_tail!r}."
        )


def _refuse_profile(settings: Any) -> None:
    if settings.depth_profile and not (settings.slabs > 1 and math.isfinite(settings.thickness or math.inf)):
        raise ValueError(
            "`depth_profile` needs `slabs` above 1 and a finite `thickness`, in nm, both in `settings` and not "
            f"axes, since they label the depth. Got slabs = {settings.slabs!r} and thickness = "
            f"{settings.thickness!r}."
        )


SETTINGS_RULES: Final = (
    Joint(("t_start", "t_stop", "t_linear_stop", "n_tail"), _refuse_times),
    Joint(("depth_profile", "slabs", "thickness"), _refuse_profile),
)
"""Rules that bind settings to one another."""
