"""What a worker keeps between points."""

import pickle

from photogap.core.simulate import build_coupling, build_film
from photogap.sweeps.ask.config import parse
from photogap.sweeps.ask.plan import resolve
from photogap.sweeps.drive.flow import job_of
from photogap.sweeps.work.task import material_of


def test_material_is_prepared_once_per_worker() -> None:
    axes = {"material": ["K3C60"], "F0": [0.1, 1.0], "omega_pump": 170, "T": [20, 30], "tau_esc": [0.02]}
    plan = resolve(parse({"name": "x", "axes": axes}))
    build_film.cache_clear()
    build_coupling.cache_clear()
    for index in plan.grid.indices():
        labels = plan.grid.labels(index)
        arrived = pickle.loads(pickle.dumps(job_of(plan, labels, plan.point_id(labels))))
        material = material_of(arrived.material)
        build_coupling(material, 2.0, material.window, "full")
    # Spectra compare by identity, so a material unpickled anew would be calibrated to its Tc0 again.
    assert build_coupling.cache_info().misses == build_film.cache_info().misses == 1
    assert build_coupling.cache_info().hits == 3
