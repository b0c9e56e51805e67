"""Generated configs of the real model: each is a plan or one message, soon and in little memory.

`PHOTOGAP_GENERATED_CONFIGS=3000` tries as many; a few are tried otherwise.
"""

import contextlib
import os
import random
import time
import typing
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from photogap.core.settings import Settings
from photogap.sweeps.ask.config import Config, read
from photogap.sweeps.ask.plan import resolve
from photogap.sweeps.errors import ConfigError, SweepError
from photogap.sweeps.work.memory import peak

COUNT = int(os.environ.get("PHOTOGAP_GENERATED_CONFIGS", "150"))
BYTES = 500 * 1024**2
SECONDS = 5.0
NAMES = list(typing.get_type_hints(Settings))
AXES = ["material", "F0", "omega_pump", "T", "tau_esc"]
WORDS = [
    "full", "real", "K3C60", "Pb", "Nowhere", "", "csv", ".inf", "1e3", "F0", "Delta0", "diamond", "3+0.1j",
    "scattering", "a.csv", "mine.yaml", "mine.a2f", "../x.csv", "/dev/zero", "/etc/passwd",
    "x" * 5000, "\udcff", "\0",
    "local", "tcp://nowhere:1", "150000000", "é", "paper", "complete",
]  # fmt: skip
NUMBERS: list[Any] = [
    0, 1, -1, 2, 7, 10, 53, 100, 5_000, 10**6, 10**9, 10**400, 1.5e8, 1e-300, 1e300, 0.02, 0.3, 30.0, 170.0,
    float("inf"), float("nan"), -float("inf"), True, False, None,
]  # fmt: skip


def scalar(draw: random.Random) -> Any:
    return draw.choice(NUMBERS if draw.random() < 0.6 else WORDS)


def generator(draw: random.Random) -> dict[str, Any]:
    kind = draw.choice(["linspace", "geomspace", "values", "csv", "lines"])
    if kind == "csv":
        return {"csv": draw.choice(WORDS), "column": draw.choice(["F0", "T", "none", 3])}
    if kind == "values":
        return {"values": [scalar(draw) for _ in range(draw.randrange(4))], "units": draw.choice(["fs", "K", 1])}
    return {kind: [draw.choice([0.01, 1, 10, 1e300]), draw.choice([1, 5, 100]), draw.choice(NUMBERS)]}


def anything(draw: random.Random, depth: int = 0) -> Any:
    chance = draw.random()
    if chance < 0.5 or depth > 2:
        return scalar(draw)
    if chance < 0.7:
        return generator(draw)
    if chance < 0.85:
        return [anything(draw, depth + 1) for _ in range(draw.randrange(5))]
    keys = [*WORDS, *NAMES, *AXES]
    return {draw.choice(keys): anything(draw, depth + 1) for _ in range(draw.randrange(4))}


SENSIBLE: dict[str, list[Any]] = {
    "material": [["K3C60"], ["Pb", "LaH10"], ["mine.yaml"], ["K3C60", "Pb", "LaH10", "CaC6"]],
    "F0": [[0.1], {"geomspace": [0.01, 1, 8]}, {"linspace": [0, 1, 1000]}, {"linspace": [0, 1, 100_000]}],
    "omega_pump": [[170], {"linspace": [50, 300, 500]}],
    "T": [[4], [30, 60], {"linspace": [1, 60, 1000]}],
    "tau_esc": [[0.02], [0.02, float("inf")], {"values": [50, 200], "units": "fs"}],
}
GOOD: dict[str, list[Any]] = {
    "damping": ["full", "real"], "n_times": [9, 5_000, 10**6, 10**7], "spacing": [1.0, 0.5], "slabs": [1, 4, 10**6],
    "energies": [[1, 2], {"linspace": [0, 9, 10]}, {"linspace": [0, 100, 100_000]}], "omega_probe": [5.0],
    "substrate": ["diamond", 1.5, "a.csv"], "thickness": [10.0, float("inf")], "depth_profile": [True],
}  # fmt: skip


def config(draw: random.Random) -> dict[str, Any]:
    """A config: sensible, but for a few keys."""
    tree: dict[str, Any] = {"name": "x", "axes": {k: draw.choice(v) for k, v in SENSIBLE.items()}}
    for key, values in GOOD.items():
        if draw.random() < 0.15:
            place = tree["axes"] if draw.random() < 0.3 else tree.setdefault("settings", {})
            place[key] = draw.choice(values)
    for _ in range(draw.choice([0, 1, 1, 2, 3])):
        where = draw.random()
        if where < 0.35:
            tree["axes"][draw.choice([*AXES, *NAMES])] = anything(draw)
        elif where < 0.65:
            settings = tree.setdefault("settings", {})
            if isinstance(settings, dict):
                settings[draw.choice(NAMES)] = anything(draw)
        elif where < 0.75:
            group = draw.choice(["limits", "plot", "refine"])
            model = Config.model_fields[group].annotation
            inner = next(a for a in (*typing.get_args(model), model) if hasattr(a, "model_fields"))
            tree[group] = {k: anything(draw) for k in inner.model_fields if draw.random() < 0.7}
        else:
            tree[draw.choice([*Config.model_fields, "full", "extends"])] = anything(draw)
            if not isinstance(tree["axes"], dict):
                break
    return tree


TEXTS = [
    "a: &a [x,x,x,x,x,x,x,x,x]\n"
    + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(8)),
    "a: &a {x: 1}\n" + "".join(f"b{i}: &b{i} {{<<: [{', '.join(['*a'] * 50)}]}}\n" for i in range(100)),
    "[" * 3000,
    "a: &a [*a]",
    "name: x\naxes: {F0: [" + "1," * 200_000 + "]}",
    "name: " + "9" * 6000,
    "- " * 500 + "x",
    "#" * 5_000_000,
    "name: !!python/object/apply:os.system [ls]",
    "? [a, b]\n: 1\n",
    "{[1]: 2, {a: 1}: 3}",
    "name: 2001-01-01\naxes: {T: 1:30:00}",
    '"\\uD800": 1',
]


def text_of(draw: random.Random) -> str:
    """A config as a file, sometimes damaged."""
    if draw.random() < 0.05:
        return draw.choice(TEXTS)
    text = str(yaml.safe_dump(config(draw), allow_unicode=True))
    if draw.random() < 0.1:
        cut = draw.randrange(len(text))
        text = text[:cut] + draw.choice(["", ":", "&a ", "*a ", "\t", "{", "!x "]) + text[cut + 1 :]
    return text


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files that configs name, some of them broken or large."""
    found = tmp_path_factory.mktemp("generated")
    (found / "a.csv").write_text("F0,T\n0.1,30\nx,\n")
    (found / "csv").write_text("F0\n" + "0.1\n" * 300_000)
    (found / "mine.yaml").write_text("name: mine\nextends: Pb\n")
    (found / "mine.a2f").write_text("1 2\n")
    return found


def test_a_generated_config_is_a_plan_or_one_message(folder: Path) -> None:
    """CPU time of this process and memory beyond what was held before; each config by its own seed."""
    path, found = folder / "c.yaml", Counter[str]()
    slowest = (0.0, -1)
    with contextlib.suppress(SweepError):
        resolve(read(warm(path)))
    for seed in range(COUNT):
        path.write_text(text_of(random.Random(seed)), encoding="utf-8", errors="surrogateescape")
        begin, held = time.process_time(), peak()
        try:
            assert resolve(read(path)).grid.size > 0
            found["plan"] += 1
        except ConfigError as error:
            found["message" if 0 < len(str(error).strip()) < 20_000 else f"too long: seed {seed}"] += 1
        except Exception as error:
            raise AssertionError(f"seed {seed}: {type(error).__name__}: {error}") from error
        spent = time.process_time() - begin
        slowest = max(slowest, (spent, seed))
        # On a machine that does much else at once even CPU time is no measure: it is held in the whole run alone.
        assert spent < SECONDS or COUNT <= 150, (seed, spent)
        assert peak() - held < BYTES, (seed, peak() - held)
    print(
        f"{COUNT} configs: {dict(found)}, slowest {slowest[0]:.2f} s (seed {slowest[1]}), "
        f"largest memory {peak() / 2**20:.0f} MiB"
    )
    assert set(found) == {"plan", "message"}
    assert min(found["plan"], found["message"]) > COUNT / 20


def warm(path: Path) -> Path:
    """A config that loads what all others load too."""
    path.write_text(yaml.safe_dump({"name": "x", "axes": {k: v[0] for k, v in SENSIBLE.items()}}))
    return path
