"""Every config in `configs/` means something, small and full; presets and the `full` key."""

from pathlib import Path

import pytest

from photogap.sweeps.ask.config import PRESETS, parse, read
from photogap.sweeps.ask.plan import resolve
from photogap.sweeps.errors import ConfigError
from photogap.sweeps.model import DEFAULT
from support.fake_config import tree

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))
PAPER = {
    "fig3_k3c60",
    "fig3_cac6",
    "fig4_populations",
    "fig6_equilibrium",
    "fig8_fluence",
    "fig9_gap_function",
    "fig11_cac6",
    "phase_diagram",
    "phase_assumptions",
    "cac6_spins",
    "pb_recovery",
    "lah10_bottleneck",
    "phonon_pump",
    "paper_variants",
    "lah10_depth",
}


def core(**more):
    return tree({"material": ["K3C60"]}, model=DEFAULT) | more


def test_configs_of_the_paper_exist():
    assert {path.stem for path in CONFIGS} >= PAPER


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_config_resolves_and_is_small(path):
    plan = resolve(read(path))
    assert plan.config.name == path.stem
    assert plan.grid.size <= 120


@pytest.mark.parametrize("name", sorted(PAPER))
def test_full_variant_is_larger(name):
    path = CONFIGS[0].parent / f"{name}.yaml"
    small, full = resolve(read(path)), resolve(read(path, full=True))
    assert full.grid.size > small.grid.size or full.settings != small.settings
    assert set(small.grid.dims) <= set(full.grid.dims)


@pytest.mark.parametrize("preset", PRESETS)
def test_config_overrides_its_preset(preset):
    plan = resolve(parse(core(preset=preset)))
    for key, value in PRESETS[preset].items():
        assert getattr(plan.settings, key) == value
    changed = resolve(parse(core(preset=preset, settings={"pump_rate": "envelope", "damping": "full"})))
    assert (changed.settings.pump_rate, changed.settings.damping) == ("envelope", "full")


def test_preset_only_sets_settings():
    point = {"material": "K3C60", "F0": 0.1, "omega_pump": 170.0, "T": 30.0, "tau_esc": 0.02}
    named = resolve(parse(core(preset="complete")))
    spelt = resolve(parse(core(settings=PRESETS["complete"])))
    assert named.point_id(point) == spelt.point_id(point)


def test_full_replaces_an_axis_as_a_whole_and_overrides_come_last():
    given = core(full={"axes": {"F0": [7.0]}, "settings": {"n_times": 9}}, settings={"t_stop": 2.0})
    assert resolve(parse(given)).grid.shape[1] == 3
    large = resolve(parse(given, ("axes.T=[40]",), full=True))
    assert large.grid.labels((0, 0, 0, 0, 0))["F0"] == 7.0
    assert large.grid.labels((0, 0, 0, 0, 0))["T"] == 40.0
    assert (large.settings.n_times, large.settings.t_stop) == (9, 2.0)


def test_errors_name_the_remedy():
    with pytest.raises(ConfigError, match=r"`preset`: must be one of paper, undamped, complete\. .*Got 'papr'"):
        parse(core(preset="papr"))
    with pytest.raises(ConfigError, match=r"`--full` needs the key `full` in the config"):
        parse(core(), full=True)
    with pytest.raises(ConfigError, match=r"`ful`: unknown key. Did you mean `full`\?"):
        parse(core(ful={}))
