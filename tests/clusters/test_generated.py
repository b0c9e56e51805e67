"""Generated cluster files: each gives a cluster or one message; 60 here, all with PHOTOGAP_GENERATED=1000."""

import os
import resource
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from photogap.sweeps.clusters.cluster_file import find, read
from photogap.sweeps.clusters.script import driver_script, retirement, worker_script
from photogap.sweeps.errors import ConfigError
from photogap.sweeps.work.memory import peak
from support import generated

COUNT = int(os.environ.get("PHOTOGAP_GENERATED", "60"))
SEED = int(os.environ.get("PHOTOGAP_SEED", "1"))
JOBS = "jobs: 2\ncores: 4\n"
WRITTEN = {
    # as users wrote them, and what they meant or what is wrong
    f"kind: slurm\n{JOBS}memory: 8GB\nwalltime: 04:00   # 4 h, or 4 min to sbatch\n": "two parts may",
    f'kind: slurm\n{JOBS}memory: "-4GB"\nwalltime: 04:00:00\n': "must be a size",
    f'kind: slurm\n{JOBS}memory: "16000"\nwalltime: 04:00:00\n': "#SBATCH --mem=16000M",
    f"kind: pbs\n{JOBS}memory: 8GB\nwalltime: 2-00:00:00\n": "#PBS -l walltime=48:00:00",
    f'kind: slurm\n{JOBS}memory: 8GB\njob_extra_directives: ["#SBATCH --qos=short"]\n': "\n#SBATCH --qos=short\n",
}


def cpu_s() -> float:
    """CPU time of this process: it is printed, and no test depends on it."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime


def outcome(path: Path, logs: Path) -> str:
    """`spec`, or the message; a spec can be written as scripts, which nothing refuses any more."""
    try:
        spec: Any = read(path)
        if spec.system is not None:
            script = worker_script(spec, name="n", address="tls://10.0.0.1:1", logs=logs)
            script += driver_script(spec, "d", logs / "driver.log", ["-m", "x"])
            script.encode()
            assert retirement(spec) is not None
    except ConfigError as error:
        return str(error)
    return "spec"


def test_each_file_gives_a_cluster_or_one_message(tmp_path: Path) -> None:
    found: Counter[str] = Counter()
    slowest = 0.0
    before = peak()
    for path in generated.write(tmp_path, COUNT, SEED):
        begin = cpu_s()
        text = outcome(path, tmp_path / "logs")
        slowest = max(slowest, cpu_s() - begin)
        found["spec" if text == "spec" else "message"] += 1
        named = str(path) in text or "needs `cores` and `memory`" in text
        assert text == "spec" or (named and len(text) < 3000), path.read_bytes()
        assert text == "spec" or text.encode(), "what is printed is text"
    grown = (peak() - before) / 2**20
    print(f"{COUNT} files of seed {SEED}: {dict(found)}; slowest {slowest:.2f} s of CPU; {grown:.0f} MB more")
    assert min(found["spec"], found["message"]) > COUNT // 10, found
    assert grown < 500


@pytest.mark.parametrize(("written", "expected"), WRITTEN.items())
def test_user_files(written: str, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_text(written)
    found = outcome(path, tmp_path)
    if found == "spec":
        found = worker_script(read(path), name="n", address="tls://10.0.0.1:1", logs=tmp_path)  # type: ignore[arg-type]
    assert expected in found


def test_missing_file_is_one_message(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(ConfigError, match="the cluster file must be"):
            find(f"{path}{'' if path.suffix else '/x.yaml'}")
