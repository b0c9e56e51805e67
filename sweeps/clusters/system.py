"""A batch system by its commands: submit a script, ask for states, cancel; and what its scripts look like.

A kind is a subclass of about thirty lines; nothing else knows which one it is.
"""

import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from ..errors import ClusterError
from .quantities import Reading, hms

PENDING, RUNNING, ENDED = "pending", "running", "ended"
_PATIENCE_S = 60.0
_PREFIX = re.compile(r"#\s*(SBATCH|PBS|BSUB|\$|OAR|MSUB)\s+")


@dataclass(frozen=True)
class State:
    """What a batch system says of a job.

    Args:
        phase: `pending` or `running`.
        detail: Its own word and reason.
        hopeless: Whether no wait cures the reason.
    """

    phase: str
    detail: str = ""
    hopeless: bool = False


class Charged(Protocol):
    """Keys of a cluster file that jobs of every batch system may need."""

    @property
    def account(self) -> str | None:
        """Whom to charge."""


class System:
    """Commands and scripts of a batch system.

    A subclass sets the names below, and has `states`; the rest where it differs.
    """

    name: ClassVar[str] = ""
    """Its kind, which is also the section of dask-jobqueue's configuration."""
    job: ClassVar[str] = ""
    """dask-jobqueue's class of a job, `module:Class`."""
    directive: ClassVar[str] = ""
    """Begin of a directive's line, such as `#SBATCH`."""
    submit_command: ClassVar[str] = ""
    cancel_command: ClassVar[str] = ""
    hint: ClassVar[str] = ""
    """Where to look when a job is refused."""
    by_stdin: ClassVar[bool] = False
    """Whether the script is given on standard input, as bsub takes it."""
    spools: ClassVar[bool] = False
    """Whether a job's output is a file only after its end: then the script itself redirects it."""
    taken: ClassVar[tuple[str, ...]] = ()
    """Words of a job's story which say that it was taken away and no point ended it."""
    reading: ClassVar[Reading] = Reading()
    """How it reads values without a unit."""

    def submit(self, script: Path) -> str:
        """Id of the new job.

        Raises:
            ClusterError: The command is missing or refuses; the message has its words.
        """
        if self.by_stdin:
            done = self.run([self.submit_command], text=script.read_text(encoding="utf-8"))
        else:
            done = self.run([self.submit_command, str(script)])
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

    def states(self, ids: list[str]) -> dict[str, State] | None:
        """States of those jobs that have not ended; None if the system does not answer."""
        raise NotImplementedError

    def story(self, job: str) -> str:
        """How an ended job ended, in the system's words; empty if it does not say."""
        return ""

    def words(self, logs: Path, name: str) -> str:
        """What the system itself wrote about a job, next to the job's own output."""
        return ""

    def offers(self, queue: str | None) -> str:
        """What jobs may ask for, for the message on one that can never start; empty if it does not say."""
        return ""

    def walltime(self, seconds: float) -> str:
        """A wall time in its own form."""
        return hms(seconds)

    def options(self, spec: Charged, cores: int, memory: int) -> dict[str, Any]:
        """Arguments of dask-jobqueue's class beyond those that all have; memory in bytes."""
        return {"account": spec.account}

    def log_lines(self, logs: Path, name: str) -> list[str]:
        """Directives for a worker job's output, where dask-jobqueue's own do not serve."""
        return []

    def driver_lines(self, log: Path) -> list[str]:
        """Directives for a driver's job: where its output goes, and a signal before its end if there is one."""
        return [f"{self.directive} -o {log}"]

    def bare_directive(self, text: str) -> str:
        """A directive without its `#SBATCH`.

        Raises:
            ValueError: It is another system's.
        """
        found = _PREFIX.match(text)
        if found and found[0].split() != self.directive.split() and found[0].strip() != self.directive:
            raise ValueError(f"must hold directives of {self.name}, {self.directive} ..., not {found[0].strip()}")
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
) -> dict[str, State]:
    """States of jobs from rows of id and a letter or word, of which those not named are pending."""
    short = {job.split(".")[0]: job for job in ids}
    found = {}
    for job, word in rows:
        key = short.get(job.split(".")[0])
        if key is not None and word not in ended.split():
            found[key] = State(RUNNING if word in running.split() else PENDING, word)
    return found


def _refusal(text: str) -> str:
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    return (
        " / ".join(dict.fromkeys(re.sub(r"^\w+: (error: )?", "", line).rstrip(".") for line in lines[-2:]))
        or "no reason given"
    )
