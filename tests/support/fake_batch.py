"""Batch systems without their daemons: commands of PBS, SGE and LSF that run jobs as processes of this machine.

A folder of wrappers leads here, `fake_batch.py SYSTEM COMMAND ...`; the state lies in `$FAKE_BATCH`. Of the files
there `comment` holds jobs in the queue with its text, and `last-words` is what the system writes as it ends one.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

COMMANDS = {"pbs": ("qsub", "qstat", "qdel"), "sge": ("qsub", "qstat", "qdel"), "lsf": ("bsub", "bjobs", "bkill")}
DIRECTIVE = {"pbs": "#PBS", "sge": "#$", "lsf": "#BSUB"}


def install(folder: Path, system: str) -> dict[str, str]:
    """Write the commands of a system into a folder; the environment that finds them."""
    state, commands = folder / "batch", folder / "bin"
    for part in (state, commands):
        part.mkdir(parents=True, exist_ok=True)
    for name in COMMANDS[system]:
        path = commands / name
        path.write_text(f'#!/bin/sh\nexec {sys.executable} -S {__file__} {system} {name} "$@"\n')
        path.chmod(0o755)
    return {"FAKE_BATCH": str(state), "PATH": f"{commands}:{os.environ['PATH']}"}


class Batch:
    """Jobs in a folder, a JSON file each."""

    def __init__(self, system: str) -> None:
        self.system, self.folder = system, Path(os.environ["FAKE_BATCH"])

    def text(self, name: str) -> str:
        path = self.folder / name
        return path.read_text().strip() if path.exists() else ""

    def jobs(self) -> list[dict[str, Any]]:
        return [self.look(json.loads(path.read_text())) for path in sorted(self.folder.glob("*.json"))]

    def look(self, job: dict[str, Any]) -> dict[str, Any]:
        """State of a job, from its process and the file that its end leaves."""
        code = self.text(f"{job['id']}.code")
        job["state"] = "F" if code or job.get("killed") else "R" if job["pid"] else "Q"
        job["code"] = 271 if job.get("killed") else int(code or 0)
        return job

    def write(self, job: dict[str, Any]) -> None:
        path = self.folder / f"{job['id']}.json"
        path.with_suffix(".new").write_text(json.dumps(job))
        path.with_suffix(".new").replace(path)

    def submit(self, text: str) -> int:
        number = len(list(self.folder.glob("*.json"))) + 1
        script = self.folder / f"{number}.sh"
        script.write_text(text)
        found = dict(re.findall(rf"^{re.escape(DIRECTIVE[self.system])} (-[oe]) (\S+)$", text, re.MULTILINE))
        job = {"id": number, "pid": 0, "out": found.get("-o"), "name": found.get("-N")}
        if not self.text("comment"):
            job["pid"] = self.start(job, script)
        self.write(job)
        return number

    def start(self, job: dict[str, Any], script: Path) -> int:
        """Run a script in a session of its own; its output is spooled, and delivered at its end."""
        spool, code = self.folder / f"{job['id']}.spool", self.folder / f"{job['id']}.code"
        words = self.folder / "last-words"
        deliver = f'cp {spool} "{job["out"]}"' if job["out"] and not str(job["out"]).endswith("/") else "true"
        command = (
            f"bash {script} >{spool} 2>&1; code=$?; [ -f {words} ] && cat {words} >>{spool}; {deliver}; "
            f"echo $code >{code}"
        )
        quiet = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        return subprocess.Popen(["bash", "-c", command], start_new_session=True, **quiet).pid  # type: ignore[call-overload,no-any-return]

    def cancel(self, number: str) -> None:
        for job in self.jobs():
            if str(job["id"]) == number.split(".")[0] and job["state"] != "F":
                if job["pid"]:
                    # A batch system leaves jobs time to clean up, a minute here.
                    group = f"-- -{job['pid']}"
                    wait = f"for i in $(seq 600); do kill -0 {group} || exit; sleep 0.1; done"
                    quiet = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
                    subprocess.Popen(  # type: ignore[call-overload]
                        ["bash", "-c", f"kill -TERM {group}; {wait}; kill -KILL {group}"],
                        start_new_session=True, **quiet,
                    )  # fmt: skip
                self.write(job | {"killed": True})


def pbs(batch: Batch, command: str, args: list[str]) -> int:
    if command == "qsub":
        print(f"{batch.submit(Path(args[0]).read_text())}.server")
    elif command == "qdel":
        for number in args:
            batch.cancel(number)
    elif not args:
        print(
            "Job id            Name             User              Time Use S Queue\n----  ----  ----  ----  - -----"
        )
        for job in batch.jobs():
            if job["state"] != "F":
                print(f"{job['id']}.server    photogap    {os.getuid()}    00:00:00 {job['state']} work")
    else:
        wanted = [arg.split(".")[0] for arg in args if not arg.startswith("-")]
        for job in batch.jobs():
            if str(job["id"]) in wanted and (job["state"] != "F" or "-xf" in args):
                print(f"Job Id: {job['id']}.server\n    job_state = {job['state']}")
                if job["state"] == "F":
                    print(f"    Exit_status = {job['code']}")
                if comment := batch.text("comment"):
                    print(f"    comment = {comment[:30]}\n\t{comment[30:]}")
                print()
    return 0


def sge(batch: Batch, command: str, args: list[str]) -> int:
    if command == "qsub":
        print(f'Your job {batch.submit(Path(args[0]).read_text())} ("photogap") has been submitted')
    elif command == "qdel":
        for number in args:
            batch.cancel(number)
    else:
        print("job-ID  prior   name       user         state submit/start at     queue  slots\n" + "-" * 60)
        for job in batch.jobs():
            if job["state"] != "F":
                state = "r" if job["state"] == "R" else "qw"
                print(f"{job['id']} 0.5 photogap me {state} 01/01/2026 00:00:00 all.q 1")
    return 0


def lsf(batch: Batch, command: str, args: list[str]) -> int:
    if command == "bsub":
        print(f"Job <{batch.submit(sys.stdin.read())}> is submitted to queue <normal>.")
    elif command == "bkill":
        for number in args:
            batch.cancel(number)
    else:
        for job in batch.jobs():
            print(job["id"], {"F": "DONE", "R": "RUN", "Q": "PEND"}[job["state"]])
    return 0


if __name__ == "__main__":
    system, command, *args = sys.argv[1:]
    sys.exit({"pbs": pbs, "sge": sge, "lsf": lsf}[system](Batch(system), command, args))
