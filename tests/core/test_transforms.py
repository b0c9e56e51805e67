"""Fourier transforms by FFTW: NumPy's to round-off, to the same bits each time, and only where asked for."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from photogap.core import transforms
from photogap.core.lattice import Lattice, Ring
from photogap.core.material import Material
from photogap.core.settings import Point, Settings
from photogap.core.simulate import build_coupling, build_equilibrium, simulate
from photogap.core.transforms import MissingLibraryError, using
from support.packages import needed

pyfftw = needed("pyfftw")

SHAPES = [(5,), (64,), (1, 192), (2, 11520), (3, 5760), (3, 640), (2, 3, 45), (2, 7)]
COARSE = {"spacing": 2.0, "t_stop": 0.3, "n_times": 4}


def signals(*shape: int) -> Any:
    return np.random.default_rng(shape).standard_normal(shape)


def point(material: Material) -> Point:
    return Point(material=material, F0=0.1, omega_pump=170.0, T=30.0, tau_esc=0.02)


def plans_known() -> list[bytes]:
    """Lines of FFTW's wisdom, whose order varies."""
    return sorted(b"".join(pyfftw.export_wisdom()).split(b"\n")[1:])


def equal(one: Any, other: Any) -> bool:
    return all(np.array_equal(one.data[name], other.data[name], equal_nan=True) for name in one.data)


@pytest.mark.parametrize("shape", SHAPES)
def test_fftw_agrees_with_numpy(shape: tuple[int, ...]) -> None:
    x = signals(*shape)
    kept, length = x.copy(), shape[-1]
    expected = np.fft.rfft(x)
    with using("fftw"):
        spectra = transforms.forward(x)
        into = np.empty_like(expected)
        assert transforms.forward(x, into) is into
        back, again = transforms.inverse(spectra.copy(), length), np.empty_like(x)
        assert transforms.inverse(spectra.copy(), length, again) is again
    assert np.array_equal(x, kept)
    assert np.array_equal(spectra, into)
    assert np.array_equal(back, again)
    # the transforms' own round-off: both libraries err by some 1e-16 log L
    assert np.abs(spectra - expected).max() < 1e-12 * np.abs(expected).max()
    assert np.abs(back - length * x).max() < 1e-12 * length * np.abs(x).max()


def test_arrays_that_no_plan_serves_are_refused() -> None:
    """Not copied over an array of an earlier call, as a plan's own call does."""
    with using("fftw"), pytest.raises(ValueError, match="strides"):
        transforms.forward(signals(3, 128)[:, ::2])


def test_numpy_is_used_unless_fftw_is_asked_for() -> None:
    ring = Ring.for_collisions(Lattice(h=1.0, N=200, M=60))
    x = signals(3, ring.L)
    numpy, inverted = np.fft.rfft(x), np.fft.irfft(np.fft.rfft(x), ring.L, norm="forward")
    with using("fftw"), using("numpy"):
        assert np.array_equal(ring.forward(x), numpy)
    assert np.array_equal(ring.forward(x), numpy)
    assert np.array_equal(ring.inverse(numpy), inverted)
    with using("fftw"):
        assert not np.array_equal(ring.forward(x), numpy)


def test_the_choice_ends_with_its_context() -> None:
    """Also if the transforms in it raise."""
    x = signals(3, 5760)
    with pytest.raises(ArithmeticError), using("fftw"):
        raise ArithmeticError
    assert np.array_equal(transforms.forward(x), np.fft.rfft(x))


@pytest.mark.parametrize("offset", [0, 16, 32, 48])
def test_arrays_at_any_address_of_numpy_give_the_same_bits(offset: int) -> None:
    """NumPy aligns to 16 bytes at least."""

    def moved(a: Any) -> Any:
        memory = np.empty(a.nbytes + 128, np.uint8)
        start = -memory.ctypes.data % 64 + offset
        view = memory[start : start + a.nbytes].view(a.dtype).reshape(a.shape)
        view[...] = a
        return view

    x = signals(3, 5760)
    with using("fftw"):
        spectra = transforms.forward(x)
        back = transforms.inverse(spectra.copy(), 5760)
        assert np.array_equal(transforms.forward(moved(x), moved(spectra)), spectra)
        assert np.array_equal(transforms.inverse(moved(spectra), 5760, moved(x)), back)


def test_a_thread_keeps_a_bounded_number_of_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transforms, "_MOST_PLANS", 4)
    transforms._here.plans.clear()
    with using("fftw"):
        for n in range(10, 20):
            x = signals(2, n)
            assert np.abs(transforms.forward(x) - np.fft.rfft(x)).max() < 1e-12
            assert len(transforms._here.plans) <= 4


def test_measured_plans_of_other_modules_change_no_bit() -> None:
    """FFTW builds new plans on those that it knows."""
    x = signals(3, 5760)

    def afresh() -> Any:
        found: list[Any] = []

        def transform() -> None:
            with using("fftw"):
                found.append(transforms.forward(x))
                transforms.forward(signals(1, 640))  # of which other modules know no plan

        thread = threading.Thread(target=transform)  # with no plans of its own
        thread.start()
        thread.join()
        return found[0]

    pyfftw.forget_wisdom()
    before = afresh()
    out = pyfftw.empty_aligned((3, 2881), complex)
    pyfftw.FFTW(pyfftw.empty_aligned((3, 5760)), out, axes=(-1,), flags=("FFTW_MEASURE",))
    known = plans_known()
    assert np.array_equal(before, afresh())
    assert plans_known() == known
    pyfftw.forget_wisdom()


def test_threads_choose_and_transform_on_their_own() -> None:
    """Plans are made one at a time; a thread's choice is its own."""
    start = threading.Barrier(8)

    def worker(i: int) -> bool:
        start.wait()
        library: transforms.Transforms = "fftw" if i % 2 else "numpy"
        ok = True
        with using(library):
            for n in range(40):
                x = signals(3, 64 * (1 + n % 10))
                back = transforms.inverse(transforms.forward(x), x.shape[-1])
                ok &= bool(np.abs(back / x.shape[-1] - x).max() < 1e-12)
                ok &= np.array_equal(transforms.forward(x), np.fft.rfft(x)) or library == "fftw"
        return ok

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(worker, range(8)))


def test_trajectory_agrees_and_repeats_to_the_bit(k3c60: Material) -> None:
    """At a tight tolerance of the gap: at the default one its iterations end elsewhere within it."""
    tight = COARSE | {"gap_tol": 1e-12}
    numpy, fftw, again = (
        simulate(point(k3c60), Settings(**tight, transforms=name)) for name in ("numpy", "fftw", "fftw")
    )
    assert equal(fftw, again)
    assert not equal(fftw, numpy)
    assert fftw.diagnostics["evaluations"] == numpy.diagnostics["evaluations"]
    for name in ("Delta0", "U_qp", "U_ph", "U_absorbed", "Gamma"):
        expected = numpy.data[name]
        assert np.abs(fftw.data[name] - expected).max() < 1e-9 * np.abs(expected).max(), name


def test_equilibria_are_the_same_whatever_was_computed_first(k3c60: Material) -> None:
    """Points of both libraries share couplings and equilibria in a process."""

    def fresh(first: str) -> list[Any]:
        build_coupling.cache_clear()
        build_equilibrium.cache_clear()
        names: tuple[Any, ...] = (first, "fftw")
        return [simulate(point(k3c60), Settings(**COARSE, transforms=name)) for name in names]

    assert equal(fresh("numpy")[1], fresh("fftw")[1])


def test_without_pyfftw_the_extra_is_named(k3c60: Material, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyfftw", None)
    message = r"^`transforms: fftw` needs pyFFTW\. Add it: pip install 'photogap\[fftw\]'; or use"
    with pytest.raises(MissingLibraryError, match=message):
        simulate(point(k3c60), Settings(**COARSE, transforms="fftw"))
    assert simulate(point(k3c60), Settings(**COARSE)).outcome.value == "ok"
