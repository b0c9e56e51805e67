"""PBS: the job script line by line, and a sweep through real qsub, qstat and qdel commands (over SLURM)."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from photogap.sweeps.clusters.cluster_file import parse
from photogap.sweeps.clusters.kinds.pbs import Pbs
from photogap.sweeps.clusters.script import driver_script, worker_script
from photogap.sweeps.clusters.tls import certify
from support.batch import Slurm, finish, lacking
from support.cubes import physics
from support.patience import PATIENCE, until

PBS: dict[str, Any] = {"kind": "pbs", "jobs": 1, "cores": 4, "memory": "16GB", "walltime": "02:00:00"}
SETTINGS = (
    "export DASK_DISTRIBUTED__WORKER__MEMORY__TARGET=False DASK_DISTRIBUTED__WORKER__MEMORY__SPILL=False "
    "DASK_DISTRIBUTED__WORKER__MEMORY__PAUSE=False DASK_DISTRIBUTED__WORKER__MEMORY__TERMINATE=0.97"
)
THREADS = (
    "export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 NUMBA_NUM_THREADS=1 VECLIB_MAXIMUM_THREADS=1"
)


def pbs(**more: Any) -> Pbs:
    spec = parse(PBS | more, "pbs.yaml")
    assert isinstance(spec, Pbs)
    return spec


def script(spec: Pbs, folder: Path, security: Any = None) -> list[str]:
    text = worker_script(spec, name="photogap-x-0", address="tls://10.0.0.1:1234", logs=folder, security=security)
    return text.strip().splitlines()


def environment(folder: Path, *prologue: str, scratch: str = "${TMPDIR:-/tmp}") -> list[str]:
    return [
        f"exec >>{folder}/photogap-x-0.out 2>>{folder}/photogap-x-0.err",
        "export PHOTOGAP_JOB=photogap-x-0",
        "export PHOTOGAP_JOB_STARTED=$(date +%s)",
        THREADS,
        SETTINGS,
        "export DASK_DISTRIBUTED__WORKER__HTTP__ROUTES='[]'",
        *prologue,
        f'mkdir -p "{scratch}" && photogap_scratch=$(mktemp -d "{scratch}/photogap-XXXXXXXX") || '
        f'{{ echo "photogap: error: no scratch folder in {scratch}" >&2; exit 92; }}',
        "trap 'rm -rf \"$photogap_scratch\"' EXIT",
        "trap 'exit 143' TERM",
    ]


def worker(python: str, processes: int, memory: str, *more: str) -> str:
    many = f" --nworkers {processes}" if processes > 1 else ""
    return (
        f"{python} -m distributed.cli.dask_worker tls://10.0.0.1:1234 --name photogap-x-0 --nthreads 1 "
        f'--memory-limit {memory}{many} --nanny --death-timeout 60 --local-directory "$photogap_scratch"'
        f"{''.join(f' {m}' for m in more)}"
    )


def test_a_plain_script_line_by_line(tmp_path: Path) -> None:
    assert script(pbs(), tmp_path) == [
        "#!/usr/bin/env bash",
        "",
        "#PBS -N photogap-x-0",
        "#PBS -l select=1:ncpus=4:mem=16GB",
        "#PBS -l walltime=02:00:00",
        "#PBS -j oe",
        f"#PBS -o {tmp_path}/photogap-x-0.pbs",
        *environment(tmp_path),
        worker(sys.executable, 4, "4.00GiB", "--dashboard-address 127.0.0.1:0 --no-dashboard"),
    ]


def test_a_full_script_line_by_line(tmp_path: Path) -> None:
    spec = pbs(
        queue="long", account="phys", resource_spec="nodes=1:ppn=2", job_extra_directives=["#PBS -W group_list=g"],
        job_directives_skip=["-N "], prologue=["module load py", "source venv/bin/activate"], python="python3",
        local_directory="/local/$USER", interface="ib0", processes=2, death_timeout="90s",
    )  # fmt: skip
    expected_worker = worker(
        "python3",
        2,
        "8.00GiB",
        "--dashboard-address 127.0.0.1:0 --no-dashboard",
        "--interface ib0",
    ).replace("--death-timeout 60", "--death-timeout 90")
    assert script(spec, tmp_path) == [
        "#!/usr/bin/env bash",
        "",
        "#PBS -q long",
        "#PBS -A phys",
        "#PBS -l nodes=1:ppn=2",
        "#PBS -l walltime=02:00:00",
        "#PBS -j oe",
        f"#PBS -o {tmp_path}/photogap-x-0.pbs",
        "#PBS -W group_list=g",
        *environment(
            tmp_path,
            "trap 'echo \"photogap: the prologue failed at: $BASH_COMMAND\" >&2; exit 91' ERR",
            "module load py",
            "source venv/bin/activate",
            "trap - ERR",
            scratch="/local/$USER",
        ),
        expected_worker,
    ]


def test_script_names_certificate_files_but_no_key(tmp_path: Path) -> None:
    security = certify(tmp_path)
    lines = script(pbs(cores=1), tmp_path, security)
    files = [f"--tls-ca-file {tmp_path}/ca.pem", f"--tls-cert {tmp_path}/cert.pem", f"--tls-key {tmp_path}/key.pem"]
    assert all(file in lines[-1] for file in [*files, "--protocol tls://"])
    assert "PRIVATE KEY" in (tmp_path / "key.pem").read_text()
    assert "PRIVATE" not in "\n".join(lines)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.glob("*.pem")} == {0o600}


def test_dask_jobqueues_own_cluster_writes_the_same_directives(tmp_path: Path) -> None:
    from dask_jobqueue import PBSCluster

    with PBSCluster(
        cores=4, memory="16GiB", processes=4, walltime="02:00:00", queue="q", account="a", interface="lo",
        job_name="photogap-x-0", scheduler_options={"dashboard_address": "127.0.0.1:0"},
    ) as cluster:  # fmt: skip
        theirs = [line for line in cluster.job_script().splitlines() if line.startswith("#PBS")]
    ours = script(pbs(queue="q", account="a"), tmp_path)
    assert theirs == [
        line for line in ours if line.startswith("#PBS") and " -j " not in line and " -o " not in line
    ]


def test_a_drivers_script_asks_for_its_own_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    spec = pbs(
        queue="work",
        driver={"memory": "1GB", "walltime": "2d", "queue": "long"},
        python="apptainer exec me.sif python3",
    )
    assert driver_script(spec, "d", tmp_path / "driver.log", ["-m", "photogap.sweeps.cli", "run"]).splitlines() == [
        "#!/usr/bin/env bash",
        "#PBS -N d",
        "#PBS -q long",
        "#PBS -l select=1:ncpus=1:mem=1024MB",
        "#PBS -l walltime=48:00:00",
        "#PBS -j oe",
        f"#PBS -o {tmp_path}/driver.pbs",
        f"exec >>{tmp_path}/driver.log 2>&1",
        "export PHOTOGAP_JOB=d",
        "export PHOTOGAP_JOB_STARTED=$(date +%s)",
        THREADS,
        f"cd {tmp_path}",
        f"exec {sys.executable} -m photogap.sweeps.cli run",
    ]


@pytest.mark.real
@pytest.mark.slow
def test_a_sweep_through_qsub_qstat_and_qdel(
    slurm: Slurm, home: Path, cluster: Callable[..., Path], sweep: Callable[..., Path], photogap: Any, tally: Any
) -> None:
    for command in ("qsub", "qstat", "qdel"):
        if shutil.which(command) is None:
            lacking(command)
    python_path = f"export PYTHONPATH={Path(__file__).parents[1]}"
    cluster("pbs", kind="pbs", prologue=[python_path, f"export PHOTOGAP_TEST_TALLY={home / 'tally.txt'}"])
    config = sweep(axes={"F0": list(range(1, 25)), "seconds": 0.1})
    tally.admit(4)
    driver = photogap("run", config, "--store", home / "a.zarr", "--cluster", "pbs", "--json")
    until(lambda: len(tally()) > 4)
    subprocess.run(["qdel", slurm.workers()[0]], check=True, timeout=PATIENCE)
    tally.open()
    report = finish(driver)
    assert report["done"] == 24
    assert report["pool"]["jobs_lost"] == 1
    assert len(tally()) <= 25
    assert set(physics(home / "a.zarr").status.values.ravel().astype(object)) == {"ok"}
    until(lambda: not slurm.queue())
