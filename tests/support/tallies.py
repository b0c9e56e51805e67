"""Points of the fake model as they begin, and a gate that holds them back.

With it a fault comes while there is work left and after some is done, however fast or slow the machine.
"""

import os
from pathlib import Path


class Tally:
    """Points that were begun, one line each, by whatever process.

    Args:
        path: Where the fake model notes them, `PHOTOGAP_TEST_TALLY`.
    """

    def __init__(self, path: Path) -> None:
        self.path, self._gate = path, gate_of(path)

    def __call__(self) -> list[str]:
        return self.path.read_text().splitlines() if self.path.exists() else []

    def admit(self, points: int) -> None:
        """Let this many points continue, in the order in which they started; later ones wait."""
        new = self._gate.with_suffix(".new")
        new.write_text(str(points))
        new.replace(self._gate)

    def open(self) -> None:
        """Let all continue."""
        self._gate.unlink(missing_ok=True)


def gate_of(tally: Path) -> Path:
    """File with the number of points that may continue."""
    return tally.with_suffix(".gate")


def begin(line: str) -> int:
    """Note that a point begins; which one it is, from 1."""
    path = Path(os.environ["PHOTOGAP_TEST_TALLY"])
    with path.open("a") as file:
        file.write(line)
        file.flush()
        # Where this process's own line ends, whoever else has written since.
        end = file.tell()
    return path.read_bytes()[:end].count(b"\n")


def is_admitted(number: int) -> bool:
    """Whether a point may continue."""
    try:
        return number <= int(gate_of(Path(os.environ["PHOTOGAP_TEST_TALLY"])).read_text())
    except FileNotFoundError:
        return True
