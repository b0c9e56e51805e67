"""Times, sizes and ports of cluster files: read once, as the batch system reads them, or refused."""

from pathlib import Path
from typing import Any

import pytest

from photogap.sweeps.clusters.cluster_file import parse, read
from photogap.sweeps.clusters.script import retirement, worker_script
from photogap.sweeps.errors import ConfigError

BASE: dict[str, Any] = {"jobs": 1, "cores": 2, "memory": "4GB"}
HOUR, DAY = 3600, 86400
WALLTIMES: list[tuple[Any, float, float]] = [
    # written, seconds to sbatch, seconds to qsub
    ("04:00:00", 4 * HOUR, 4 * HOUR),
    ("1:02:03", 3723, 3723),
    ("100:00:00", 100 * HOUR, 100 * HOUR),
    ("2-00:00:00", 2 * DAY, 2 * DAY),
    ("2-12", 2.5 * DAY, 2.5 * DAY),
    ("2-12:30", 2.5 * DAY + 1800, 2.5 * DAY + 1800),
    ("4h", 4 * HOUR, 4 * HOUR),
    ("1h 30min", 5400, 5400),
    ("90min", 5400, 5400),
    ("2d", 2 * DAY, 2 * DAY),
    ("90", 5400, 90),
    (90, 5400, 90),
    ("1.5", 90, 1.5),
]
MEMORIES: list[tuple[Any, int]] = [
    ("4GB", 4 * 2**30),
    ("4G", 4 * 2**30),
    ("4 GiB", 4 * 2**30),
    ("4gb", 4 * 2**30),
    ("4096M", 4 * 2**30),
    ("0.5T", 2**39),
    ("16000MB", 16000 * 2**20),
    ("4294967296B", 4 * 2**30),
]


@pytest.mark.parametrize(("written", "slurm", "pbs"), WALLTIMES)
def test_wall_time_has_the_batch_systems_unit(written: Any, slurm: float, pbs: float, tmp_path: Path) -> None:
    for kind, seconds, directive in (("slurm", slurm, "#SBATCH -t "), ("pbs", pbs, "#PBS -l walltime=")):
        spec: Any = parse(BASE | {"kind": kind, "walltime": written}, "f.yaml")
        assert spec.walltime == seconds
        script = worker_script(spec, name="n", address="tcp://a:1", logs=tmp_path)
        (line,) = (line for line in script.splitlines() if line.startswith(directive))
        text = line.removeprefix(directive)
        # What is written is read as the same time by both systems: three parts, days before them at most.
        again: Any = parse(BASE | {"kind": kind, "walltime": text}, "f.yaml")
        assert again.walltime == -(-seconds // 1)
        assert kind == "slurm" or "-" not in text
        assert retirement(spec)[0] < seconds  # type: ignore[index]


@pytest.mark.parametrize("kind", ["slurm", "pbs"])
@pytest.mark.parametrize("written", ["04:00", "4:30", "59:59"])
def test_two_parts_are_refused_with_both_readings(kind: str, written: str) -> None:
    first, second = (int(part) for part in written.split(":"))
    both = rf"{first:02}:{second:02}:00 or 00:{first:02}:{second:02}"
    command = "sbatch" if kind == "slurm" else "qsub"
    with pytest.raises(ConfigError, match=rf"`walltime`: two parts .*; {command} reads MM:SS\. Write {both}\. Got"):
        parse(BASE | {"kind": kind, "walltime": written}, "f.yaml")
    with pytest.raises(ConfigError, match=rf"`driver.walltime`: two parts .* Write {both}"):
        parse(BASE | {"kind": kind, "driver": {"walltime": written}}, "f.yaml")


BAD_TIMES = [
    "",
    "soon",
    "-1:00:00",
    "4:00:00:00",
    "0",
    0,
    "0:00:00",
    "1:99:00",
    "UNLIMITED",
    "9e99",
    True,
    [4],
    1e300,
]


@pytest.mark.parametrize("written", [*BAD_TIMES, "999999999999", "400d"])
def test_invalid_wall_time_is_refused(written: Any) -> None:
    with pytest.raises(ConfigError, match=r"^f.yaml: `walltime`: must be HH:MM:SS, D-HH:MM:SS or with a unit"):
        parse(BASE | {"kind": "slurm", "walltime": written}, "f.yaml")


@pytest.mark.parametrize(("written", "size"), MEMORIES)
def test_memory_counts_as_batch_systems_do(written: Any, size: int) -> None:
    for kind in ("slurm", "pbs"):
        assert parse(BASE | {"kind": kind, "memory": written}, "f.yaml").memory == size  # type: ignore[attr-defined]


def test_memory_without_a_unit_is_megabytes_to_sbatch_and_refused_for_qsub(tmp_path: Path) -> None:
    spec: Any = parse(BASE | {"kind": "slurm", "memory": "16000"}, "f.yaml")
    assert "#SBATCH --mem=16000M" in worker_script(spec, name="n", address="tcp://a:1", logs=tmp_path)
    with pytest.raises(
        ConfigError, match=r"qsub reads a number without a unit as bytes\. Write 16000MB\. Got '16000'"
    ):
        parse(BASE | {"kind": "pbs", "memory": "16000"}, "f.yaml")


@pytest.mark.parametrize(
    "written", ["-4GB", "", " ", "GB", "4XB", "4 4GB", "1MB", "0", True, [1], "9999999PB", "nan"]
)
def test_invalid_memory_is_refused(written: Any) -> None:
    for key, tree in (("memory", {"memory": written}), ("driver.memory", {"driver": {"memory": written}})):
        with pytest.raises(ConfigError, match=rf"^f.yaml: `{key}`: must be a size such as 8GB"):
            parse(BASE | {"kind": "slurm"} | tree, "f.yaml")


def test_unquoted_times_are_never_base_60(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(
        "kind: slurm\njobs: 1\nwalltime: 01:30:00\nretire_before: 00:05:00\n"
        "driver: {walltime: 24:00:00, cores: 2}\nstagger: 1:00:00\n"
    )
    spec: Any = read(path)
    assert (spec.walltime, spec.driver.walltime, spec.retire_before, spec.stagger) == (5400, DAY, 300, HOUR)
    path.write_text("kind: slurm\njobs: 1\ndriver: {walltime: 24:00}\n")
    with pytest.raises(ConfigError, match=r"`driver.walltime`: two parts .* Got '24:00'"):
        read(path)


def test_a_directive_is_taken_with_and_without_its_sign(tmp_path: Path) -> None:
    spec: Any = parse(
        BASE | {"kind": "slurm", "job_extra_directives": ["#SBATCH --qos=a", "--mail-user=b"]}, "f.yaml"
    )
    lines = worker_script(spec, name="n", address="tcp://a:1", logs=tmp_path).splitlines()
    assert [line for line in lines if "qos" in line or "mail" in line] == [
        "#SBATCH --qos=a",
        "#SBATCH --mail-user=b",
    ]
    with pytest.raises(ConfigError, match=r"must contain directives of slurm, #SBATCH ..., not #PBS"):
        parse(BASE | {"kind": "slurm", "job_extra_directives": ["#PBS -q x"]}, "f.yaml")


SYNONYMS = {
    "partition": "`queue: NAME`", "project": "`account: NAME`", "qos": "`job_extra_directives:",
    "mem_per_cpu": "`memory: SIZE`, of the whole job", "env_extra": "`prologue: ",
    "job_script_prologue": "`prologue: ", "job-extra-directives": "`job_extra_directives`",
    "gres": "`job_extra_directives:", "nodes": "`jobs: N`", "Walltime": "`walltime`",
    "ntasks": "`cores: N`", "scheduler_port": "`scheduler_ports: ", "container": "`python: apptainer exec",
}  # fmt: skip


@pytest.mark.parametrize("key", list(SYNONYMS))
def test_errors_for_keys_of_other_launchers_name_the_right_key(key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(BASE | {"kind": "slurm", key: "x"}, "f.yaml")
    assert str(caught.value).startswith(f"f.yaml: `{key}`: unknown key. Write {SYNONYMS[key]}")
    assert str(caught.value).endswith(" Got 'x'.")
    with pytest.raises(ConfigError, match=r"`driver.time`: unknown key. Write `walltime: HH:MM:SS`"):
        parse(BASE | {"kind": "slurm", "driver": {"time": "1:00:00"}}, "f.yaml")


@pytest.mark.parametrize(
    ("written", "ports"),
    [("40000-40099", (40000, 40099)), ("40000:40099", (40000, 40099)), (40000, (40000, 40000))],
)
def test_ports_of_scheduler_and_workers(written: Any, ports: tuple[int, int], tmp_path: Path) -> None:
    spec: Any = parse(BASE | {"kind": "slurm", "scheduler_ports": written, "worker_ports": "41000-41099"}, "f.yaml")
    assert spec.scheduler_ports == ports
    command = worker_script(spec, name="n", address="tcp://a:1", logs=tmp_path).splitlines()[-1]
    assert "--worker-port 41000:41099 --nanny-port 41000:41099" in command


@pytest.mark.parametrize("written", ["80-90", "50000-40000", "0", "70000", "a-b", -1, True, "1024-1024-1024"])
def test_invalid_ports_are_refused(written: Any) -> None:
    with pytest.raises(ConfigError, match="`worker_ports`: must be a range of ports from 1024 to 65535"):
        parse(BASE | {"kind": "slurm", "worker_ports": written}, "f.yaml")


def test_too_few_ports_for_a_job_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"two ports for each process of a job, 4 here, .* Got 3"):
        parse(BASE | {"kind": "slurm", "worker_ports": "41000-41002"}, "f.yaml")


@pytest.mark.parametrize(
    ("tree", "key"),
    [
        ({"queue": "a\nb"}, "queue"), ({"account": ""}, "account"), ({"interface": "ib0; rm x"}, "interface"),
        ({"local_directory": "$(rm x)"}, "local_directory"), ({"local_directory": "tmp"}, "local_directory"),
        ({"python": "\ud800"}, "python"), ({"prologue": ["\x00"]}, "prologue"), ({"cores": True}, "cores"),
        ({"cores": 10**30}, "cores"), ({"jobs": 10**6}, "jobs"),
        ({"job_extra_directives": ["a\nb\x07"]}, "job_extra_directives"),
    ],
)  # fmt: skip
def test_values_that_break_a_script_are_refused(tree: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigError, match=rf"^f.yaml: `{key}"):
        parse(BASE | {"kind": "slurm"} | tree, "f.yaml")
