"""Jobs of PBS Pro, OpenPBS or Torque."""

import re
from pathlib import Path
from typing import Any, ClassVar, Literal

from ..batch import BatchJobs
from ..readings import Reading
from ..script import setting, theirs
from ..spec import Line
from ..system import PENDING, JobState, System, states_by_letter


class PbsSystem(System):
    """qsub, qstat, qdel."""

    name = "pbs"
    job = "dask_jobqueue.pbs:PBSJob"
    directive = "#PBS"
    submit_command = "qsub"
    cancel_command = "qdel"
    hint = "Check `queue`, `account`, `resource_spec` and `walltime` of the cluster file; `qstat -Q` lists queues."
    # A job's output stays on its node until the job has ended.
    spools = True
    reading = Reading("qsub", number_s=1, pair="MM:SS")

    def states(self, ids: list[str]) -> dict[str, JobState] | None:
        """From qstat for all jobs of the user, since it fails for a list in which one job has ended."""
        done = self.run(["qstat"])
        if done.returncode and "no " not in done.stderr.lower():
            return None
        rows = [words for words in map(str.split, done.stdout.splitlines()) if len(words) >= 3]
        out = states_by_letter(ids, ((words[0], words[-2]) for words in rows), running="R B", ended="C F X E")
        for job, comment in self._comments([job for job, state in out.items() if state.phase == PENDING]).items():
            hopeless = re.search(r"never run", comment, re.IGNORECASE) is not None
            out[job] = JobState(PENDING, f"{out[job].detail} ({comment})", hopeless)
        return out

    def _comments(self, ids: list[str]) -> dict[str, str]:
        """Reasons why jobs wait; the table of `qstat` shows them only as Q."""
        if not ids:
            return {}
        full = self._full(["qstat", "-f", *ids])
        return {job: full[job]["comment"] for job in ids if "comment" in full.get(job, {})}

    def _full(self, command: list[str]) -> dict[str, dict[str, str]]:
        """Entries of `qstat -f` for each job; lines continue after a tab."""
        out: dict[str, dict[str, str]] = {}
        for block in re.split(r"^Job Id:\s*", self.run(command).stdout, flags=re.MULTILINE)[1:]:
            job, _, rest = block.partition("\n")
            out[job.strip()] = dict(re.findall(r"^\s+([\w.]+) = (.*)$", rest.replace("\n\t", ""), re.MULTILINE))
        return out

    def story(self, job: str) -> str:
        """From `qstat -xf` if the server keeps a history, else from what Torque still shows."""
        for flags in ("-xf", "-f"):
            found = self._full(["qstat", flags, job])
            entry = found.get(job) or next(iter(found.values()), None)
            if entry:
                words = [f"exit status {entry[k]}" for k in ("Exit_status", "exit_status") if k in entry]
                words += [f"used {entry['resources_used.walltime']}"] if "resources_used.walltime" in entry else []
                words += [entry["comment"]] if "comment" in entry else []
                return ", ".join(words)
        return ""

    def words(self, logs: Path, name: str) -> str:
        """Messages such as `=>> PBS: job killed: walltime 125 exceeded limit 120`."""
        path = logs / f"{name}.pbs"
        if not path.is_file():
            return ""
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        return " / ".join(line.removeprefix("=>>").strip() for line in lines if "PBS:" in line)

    def options(self, spec: Any, cores: int, memory: int) -> dict[str, Any]:
        """Cores and memory of the job as one chunk."""
        known = spec.resource_spec or theirs(spec, "resource_spec")
        if not known:
            from dask_jobqueue.pbs import pbs_format_bytes_ceil

            known = f"select=1:ncpus={cores}:mem={pbs_format_bytes_ceil(memory)}"
            known += f":ngpus={spec.gpus}" if spec.gpus else ""
        # Separate -e and -o: some servers take a path that ends in a slash for a file of that name.
        skip = {*(setting(spec, "job_directives_skip") or ()), "#PBS -e ", "#PBS -o "}
        return {"account": spec.account, "resource_spec": known, "job_directives_skip": sorted(skip)}

    def log_lines(self, logs: Path, name: str) -> list[str]:
        """Messages of PBS itself, next to the output redirected by the script."""
        return ["-j oe", f"-o {logs / name}.pbs"]

    def driver_lines(self, log: Path) -> list[str]:
        """Directives that put PBS's messages next to the driver's own output."""
        return ["#PBS -j oe", f"#PBS -o {log.with_suffix('.pbs')}"]


class Pbs(BatchJobs):
    """Jobs of PBS Pro, OpenPBS or Torque.

    Args:
        resource_spec: Argument of `-l`; built from cores and memory if None.
    """

    system: ClassVar[System] = PbsSystem()

    kind: Literal["pbs"]
    resource_spec: Line = None


KIND = Pbs
