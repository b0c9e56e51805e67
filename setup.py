"""The sdist holds one copy of each file: src/photogap/{core,sweeps,configs} stay links, as in the repository."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.sdist import sdist

LINKS = ("core", "sweeps", "configs")


class LinkedSdist(sdist):
    """Source archive in which links of the repository are links."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        """Copy the files, then put the links in place of the copies of what they lead to."""
        super().make_release_tree(base_dir, files)
        for name in LINKS:
            copy = Path(base_dir, "src", "photogap", name)
            shutil.rmtree(copy)
            copy.symlink_to(f"../../{name}")


setup(cmdclass={"sdist": LinkedSdist})
