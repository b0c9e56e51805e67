"""A batch system: its commands to submit a script, query states and cancel, and the form of its scripts.

A kind is a subclass of about thirty lines; no other code depends on which one it is.
"""

import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from ..errors import ClusterError
from ..private import own_state, private_folder
from .readings import Reading, hms

PENDING, RUNNING, ENDED = "pending", "running", "ended"
_PATIENCE_S = 60.0
_PREFIX = re.compile(r"#\s*(SBATCH|PBS|BSUB|\$|OAR|MSUB)\s+")


@dataclass(frozen=True)
class JobState:
    """State of a job, as reported by the batch system.

    Args:
        phase: `pending` or `running`.
        detail: The batch system's name for the state, and its reason.
        hopeless: Whether waiting cannot resolve the reason.
    """

    phase: str
    detail: str = ""
    hopeless: bool = False


class Charged(Protocol):
    """Keys of a cluster file that jobs of any batch system may need."""

    @property
    def account(self) -> str | None:
        """Account to charge."""


class System:
    """Commands and scripts of a batch system.

    A subclass sets the names below and `states`, and overrides the rest where it differs.
    """

    name: ClassVar[str] = ""
    """Its kind, which is also the section of dask-jobqueue's configuration."""
    job: ClassVar[str] = ""
    """Class of a job in dask-jobqueue, its module before the colon."""
    directive: ClassVar[str] = ""
    """Start of a directive's line, such as `#SBATCH`."""
    submit_command: ClassVar[str] = ""
    cancel_command: ClassVar[str] = ""
    hint: ClassVar[str] = ""
    """Advice when a job is refused."""
    by_stdin: ClassVar[bool] = False
    """True if the script is given on standard input, as for bsub."""
    spools: ClassVar[bool] = False
    """True if a job's output becomes a file only after its end, so that the script must redirect it."""
    taken: ClassVar[tuple[str, ...]] = ()
    """Words in a job's end state which mean that the job was taken away and no point is to blame."""
    reading: ClassVar[Reading] = Reading()
    """Interpretation of values without a unit."""

    def submit(self, script: Path, text: str) -> str:
        """Submit a script and return the id of the new job.

        The command reads a copy that only this user can write: a group may share the folder of `script`.

        Args:
            script: Where the script is kept for people to read.
            text: The script.

        Raises:
            ClusterError: The command is missing, or refuses the job; the message quotes it.
        """
        if self.by_stdin:
            done = self.run([self.submit_command], text=text)
        else:
            with private_folder(own_state(), "submit") as folder:
                copy = folder / script.name
                copy.write_text(text, encoding="utf-8")
                done = self.run([self.submit_command, str(copy)])
        found = re.search(r"\d+(\[\])?(\.[\w.-]+)?", done.stdout)
        if done.returncode or not found:
            words = _refusal(done.stderr or done.stdout)
            raise ClusterError(
                f"`{self.submit_command}` refused the job: {words}. {self.hint} The job's script: {script}"
            )
        return str(found.group(0)).rstrip(".")

    def cancel(self, ids: list[str]) -> None:
        """End jobs; those already gone are no error."""
        if ids:
            self.run([self.cancel_command, *ids])

    def states(self, ids: list[str]) -> dict[str, JobState] | None:
        """States of those jobs that have not ended; None if the system does not answer."""
        raise NotImplementedError

    def story(self, job: str) -> str:
        """How a job ended, in the system's words; empty if unknown."""
        return ""

    def words(self, logs: Path, name: str) -> str:
        """Messages of the batch system about a job, next to the job's own output."""
        return ""

    def offers(self, queue: str | None) -> str:
        """Limits on jobs, for the message about one that can never start; empty if unknown."""
        return ""

    def walltime(self, seconds: float) -> str:
        """A wall time in the batch system's form."""
        return hms(seconds)

    def options(self, spec: Charged, cores: int, memory: int) -> dict[str, Any]:
        """Arguments of dask-jobqueue's class beyond those that all have; memory in bytes."""
        return {"account": spec.account}

    def log_lines(self, logs: Path, name: str) -> list[str]:
        """Directives for a worker job's output, where dask-jobqueue's own do not work."""
        return []

    def driver_lines(self, log: Path) -> list[str]:
        """Directives for a driver's job: its output, and a signal before its end if available."""
        return [f"{self.directive} -o {log}"]

    def bare_directive(self, text: str) -> str:
        """A directive without its `#SBATCH`.

        Raises:
            ValueError: It is another system's.
        """
        found = _PREFIX.match(text)
        if found and found[0].split() != self.directive.split() and found[0].strip() != self.directive:
            raise ValueError(
                f"must contain directives of {self.name}, {self.directive} ..., not {found[0].strip()}"
            )
        return text[found.end() :] if found else text

    def run(self, command: list[str], text: str | None = None) -> "subprocess.CompletedProcess[str]":
        """Run one of its commands; a failure is a return code.

        Raises:
            ClusterError: There is no such command here.
        """
        if shutil.which(command[0]) is None:
            raise ClusterError(
                f"`{command[0]}` was not found on this machine. Run where the batch system's commands are "
                "(a login node; `module load` may bring them), or use --cluster local."
            )
        given: dict[str, Any] = {"stdin": subprocess.DEVNULL} if text is None else {"input": text}
        try:
            return subprocess.run(
                command, capture_output=True, text=True, timeout=_PATIENCE_S, errors="replace", check=False, **given
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return subprocess.CompletedProcess(command, 1, "", str(error))


def states_by_letter(
    ids: Iterable[str], rows: Iterable[tuple[str, str]], *, running: str, ended: str
) -> dict[str, JobState]:
    """States of jobs from rows of id and a letter or word; unlisted letters mean pending."""
    short = {job.split(".")[0]: job for job in ids}
    found = {}
    for job, word in rows:
        key = short.get(job.split(".")[0])
        if key is not None and word not in ended.split():
            found[key] = JobState(RUNNING if word in running.split() else PENDING, word)
    return found


def _refusal(text: str) -> str:
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    return (
        " / ".join(dict.fromkeys(re.sub(r"^\w+: (error: )?", "", line).rstrip(".") for line in lines[-2:]))
        or "no reason given"
    )
