"""Cluster files as users and accidents write them, from a seed."""

import random
from pathlib import Path
from typing import Any

import yaml

KINDS = ["local", "slurm", "pbs", "address", "gateway", "kubernetes", "lsf", "Slurm", "", None, 3, ["slurm"]]
TIMES = [
    "04:00:00",
    "04:00",
    "4h",
    90,
    "2-12",
    "2-00:00:00",
    "-1",
    "",
    "99:99:99",
    "1e9",
    1e308,
    "٤:00:00",
    "4:0:0:0",
]
SIZES = ["8GB", "16000", 16000, "-4GB", "", "8 GiB", "1e30GB", "NaN", ".5T", "8GBB", "8,5GB"]
TEXTS = [
    "main",
    "",
    " ",
    "a b",
    "a\nb",
    "\x00",
    "\ud800",
    "é",
    "--x",
    "#SBATCH -p x",
    "#PBS -q x",
    "$(rm x)",
    "x" * 5000,
]
NUMBERS = [1, 2, 8, 0, -1, 10**30, 1.5, float("nan"), float("inf"), True, "8", "8 ", None]
ODD: list[Any] = [None, [], {}, [[]], {"a": {"b": 1}}, [None], b"bytes", 1.5, True, {1: 2}, {None: 1}, [{}]]
KEYS = {
    "jobs": NUMBERS, "cores": NUMBERS, "processes": NUMBERS, "workers": NUMBERS, "memory": SIZES, "walltime": TIMES,
    "queue": TEXTS, "account": TEXTS, "python": TEXTS, "interface": TEXTS,
    "local_directory": [*TEXTS, "$TMPDIR", "/x"],
    "retire_before": TIMES, "stagger": TIMES, "poll": TIMES, "death_timeout": TIMES, "tls": [True, False, "yes", 3],
    "prologue": [["module load x"], ["a\nb"], TEXTS, "x", [1]],
    "job_extra_directives": [["--x"], TEXTS, ["#PBS -q x"]],
    "worker_ports": ["40000-40099", "1-2", 8, "x", [40000, 40010]], "scheduler_ports": ["40000-40099", 40000, "-1"],
    "adapt": [{"maximum": 3}, {"maximum": 3, "minimum": 9}, {"maximum": 2, "idle": "04:00"}, {"max": 1}],
    "driver": [{"walltime": "04:00"}, {"memory": ""}, {"cores": 2, "walltime": "1-0"}, {"time": 3}],
    "address": ["tcp://127.0.0.1:1", "tls://a:1", "http://[", "x", "tcp://a:99999"], "constraint": TEXTS,
    "resource_spec": TEXTS, "image": TEXTS, "options": [{"a": 1}, []], "partition": TEXTS,
    "time": TIMES, "mem": SIZES,
    "versions": ["same", "warn", "never"], "name": TEXTS, "allow_plain": [True, "x"], "log_directory": TEXTS,
}  # fmt: skip


def tree(rng: random.Random) -> Any:
    """A tree of some keys with values that are right more often than not."""
    if rng.random() < 0.03:
        return rng.choice(ODD)
    kind = rng.choice(KINDS[:3] if rng.random() < 0.8 else KINDS)
    found: dict[Any, Any] = {"kind": kind}
    if kind in ("slurm", "pbs") and rng.random() < 0.9:
        found |= {"jobs": 2, "cores": 4, "memory": "8GB", "walltime": "04:00:00"}
    for _ in range(rng.randrange(4)):
        key = rng.choice(list(KEYS))
        values = KEYS[key]
        found[key] = values[0] if rng.random() < 0.4 else rng.choice(values if rng.random() < 0.9 else ODD)
    if rng.random() < 0.05:
        found[rng.choice([1, None, True, "x" * 300, "é"])] = 1
    return found


def text(rng: random.Random) -> bytes:
    """A cluster file; some are cut, doubled, in another encoding, or hold what YAML 1.1 reads as numbers."""
    whole = yaml.safe_dump(tree(rng), sort_keys=False, allow_unicode=rng.random() < 0.5)
    draw = rng.random()
    if draw < 0.05:
        whole = whole[: rng.randrange(len(whole) + 1)]
    elif draw < 0.10:
        whole = whole.replace("'", "").replace('"', "")
    elif draw < 0.13:
        whole += whole
    elif draw < 0.16:
        place = rng.randrange(len(whole) + 1)
        whole = whole[:place] + rng.choice("{}[]:&*!|>%@`\t\x07-") + whole[place:]
    elif draw < 0.18:
        whole = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n" + whole
    elif draw < 0.19:
        whole = whole.replace("kind", "!!python/object/apply:os.system")
    return whole.encode("utf-16" if rng.random() < 0.01 else "utf-8", "surrogatepass")


def write(folder: Path, count: int, seed: int) -> list[Path]:
    """Write so many files."""
    rng = random.Random(seed)
    paths = [folder / f"{number}.yaml" for number in range(count)]
    for path in paths:
        path.write_bytes(text(rng))
    return paths
