"""Run the commands of README.md and docs/clusters.md from the wheel alone, in an empty folder; print their times.

    python scripts/fresh.py [--newest] [--few] [--keep FOLDER]

The wheel is built, and installed into an environment of its own, with the versions of constraints.txt or, for
`--newest`, the newest ones. YAML and Python blocks become files or programs, lines of shell blocks that start with
`photogap` are run in their order. `--few` shortens the sweep's axes. No batch system is needed: the cluster
`slurm` is a file of the user's that starts its jobs through tests/support/fake_batch.py (PBS's commands).
"""

import argparse
import math
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("README.md", "docs/clusters.md")
LIMIT_S = 1800
SPECTRA = {"my.a2f": 0.24, "mine.a2f": 1.0}
"""Spectra that the pages call the reader's own, with the unit of their frequencies in meV, inverted (THz: 0.24)."""


class Fresh:
    """An empty folder with an environment that holds the wheel.

    Args:
        folder: The folder.
        few: Shorten the axes of the sweeps.
    """

    def __init__(self, folder: Path, few: bool) -> None:
        self.folder, self.few, self.begin = folder, few, time.monotonic()
        self.bin, self.work, self.failed = folder / "venv" / "bin", folder / "work", 0
        self.work.mkdir()
        kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
        self.env = kept | threads | {"MPLBACKEND": "Agg", "XDG_CONFIG_HOME": str(folder / "config")}

    def install(self, newest: bool) -> None:
        """Build the wheel and install it."""
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
        self.step("build the wheel", [*pip, "wheel", "-q", "--no-deps", "-w", str(self.folder), str(ROOT)])
        self.step("make an environment", [sys.executable, "-m", "venv", "--without-pip", str(self.folder / "venv")])
        (wheel,) = self.folder.glob("*.whl")
        versions = [] if newest else ["-c", str(ROOT / "constraints.txt")]
        into = [*pip, "--python", str(self.bin / "python"), "install", "-q", *versions]
        self.step("install the wheel", [*into, str(wheel)])

    def cluster(self) -> None:
        """Write the user's cluster `slurm`, and the commands of a batch system."""
        sys.path.insert(0, str(ROOT / "tests"))
        from support.fake_batch import install

        self.env |= install(self.folder, "pbs")
        self.env["PATH"] = f"{self.bin}:{self.env['PATH']}"
        path = self.folder / "config" / "photogap" / "clusters" / "slurm.yaml"
        path.parent.mkdir(parents=True)
        path.write_text("kind: pbs\njobs: 1\ncores: 2\nmemory: 2GB\nwalltime: 30min\npoll: 1s\n")

    def step(self, name: str, command: list[str]) -> None:
        """Run one command; print its time, CPU time, and its output if it fails."""
        before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        done = subprocess.run(
            command, cwd=self.work, env=self.env, capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        now = time.monotonic()
        print(
            f"{'ok' if not done.returncode else 'FAILED':6} {now - begin:7.1f} s {cpu:7.1f} s CPU  {name}",
            flush=True,
        )
        if done.returncode:
            self.failed += 1
            print((done.stdout + done.stderr)[-3000:], flush=True)

    def page(self, path: Path) -> None:
        """Files, programs and commands of one page, in their order."""
        for language, text in re.findall(r"```(\w+)\n(.*?)```", path.read_text(), flags=re.DOTALL):
            text = self._here(text)
            named = re.match(r"# ([\w.]+\.yaml)", text)
            if language == "yaml" and named:
                (self.work / named[1]).write_text(text)
            elif language == "python" and "import" in text and "http" not in text:
                (self.work / "block.py").write_text(text)
                self.step("python: " + " ".join(text.split())[:70], [str(self.bin / "python"), "block.py"])
            elif language in ("sh", "console", "text", ""):
                self._commands(text)

    def _commands(self, text: str) -> None:
        for line in text.splitlines():
            command = line.removeprefix("$ ").strip()
            if not command.startswith("photogap "):
                continue
            self.step(command.split("  #")[0].strip(), ["bash", "-c", command])
            if "submit" in command:
                self._wait(command.split("--store ")[1].split()[0])
            if "first.zarr" in command and "run" in command.split() and "first" not in self.env:
                self.env["first"] = "drawn"
                cpu = resource.getrusage(resource.RUSAGE_CHILDREN)
                total = cpu.ru_utime + cpu.ru_stime
                print(f"first curve after {time.monotonic() - self.begin:.0f} s, {total:.0f} s CPU", flush=True)

    def _wait(self, store: str) -> None:
        """Wait for a submitted driver: `status` has no driver to name, or reports points."""
        end = time.monotonic() + LIMIT_S
        while time.monotonic() < end:
            look = [str(self.bin / "photogap"), "status", store]
            done = subprocess.run(look, cwd=self.work, env=self.env, capture_output=True, text=True, check=False)
            if "last run on" in done.stdout:
                return
            time.sleep(2)

    def _here(self, text: str) -> str:
        text = text.replace("/scratch/me", str(self.work)).replace("sweep.yaml", "first.yaml")
        if self.few:
            text = (
                text.replace("[0.01, 1, 8]", "[0.03, 1, 2]")
                .replace("T: [30, 60]", "T: [30]")
                .replace("T=60", "T=30")
            )
            text = text.replace("--T 1:7.5:0.5 --rtol 1e-4", "--T 2:6:2 --rtol 1e-2")
        return text

    def inputs(self) -> None:
        """Write the files that the pages call the reader's own: one peak, in the page's unit."""
        for name, unit in SPECTRA.items():
            rows = (f"{i * unit:.6f} {math.exp(-(((i - 60) / 12) ** 2)):.6e}" for i in range(121))
            (self.work / name).write_text("\n".join(rows) + "\n")


def main() -> int:
    """Run all pages; the number of failed commands."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--newest", action="store_true", help="newest versions in place of constraints.txt")
    parser.add_argument("--few", action="store_true", help="shorter axes")
    parser.add_argument("--keep", type=Path, help="empty folder to use and keep")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fresh-") as temporary:
        folder = (given.keep or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        fresh = Fresh(folder, given.few)
        fresh.install(given.newest)
        fresh.cluster()
        fresh.inputs()
        for words in ("--version", "examples", "init"):
            fresh.step(f"photogap {words}", [str(fresh.bin / "photogap"), words])
        for page in PAGES:
            print(page, flush=True)
            fresh.page(ROOT / page)
        print(f"{fresh.failed} failed; {time.monotonic() - fresh.begin:.0f} s in all")
    return fresh.failed


if __name__ == "__main__":
    sys.exit(main())
