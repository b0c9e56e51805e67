"""Real Fourier transforms of the rows of an array: NumPy's, or FFTW's where a point's settings ask for them.

A thread uses one library at a time (`using`), NumPy by default, whatever is installed. FFTW's plans are estimated,
not measured: equal shapes then have equal plans, and results are the same to the bit on one machine. Each thread
has its own plans, one for each shape and direction.
"""

import contextlib
import threading
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Transforms = Literal["numpy", "fftw"]
Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

_MOST_PLANS = 64
_planner = threading.Lock()


class MissingLibraryError(ImportError):
    """The library of transforms that the settings name is not installed."""


class _Here(threading.local):
    """The library that a thread uses, and its plans of FFTW by shapes and direction."""

    def __init__(self) -> None:
        self.library: Transforms = "numpy"
        self.plans: dict[tuple[tuple[int, ...], tuple[int, ...], bool], Any] = {}


_here = _Here()


def _fftw() -> Any:
    """The module pyfftw, loaded where it is used: it loads Dask.

    Raises:
        MissingLibraryError: It is not installed.
    """
    try:
        import pyfftw
    except ImportError as error:
        raise MissingLibraryError(
            "`transforms: fftw` needs pyFFTW. Add it: pip install 'photogap[fftw]'; or use `transforms: numpy`. "
            f"Got: {error}."
        ) from error
    return pyfftw


def versions(library: Transforms) -> dict[str, str]:
    """Versions of FFTW and pyFFTW for `fftw`; none for `numpy`, which every installation has.

    Raises:
        MissingLibraryError: There is no pyFFTW.
    """
    if library == "numpy":
        return {}
    found = _fftw()
    return {"pyfftw": str(found.__version__), "fftw": str(found.fftw_version)}


@contextlib.contextmanager
def using(library: Transforms) -> Iterator[None]:
    """Transforms of this thread by `library`.

    Raises:
        MissingLibraryError: There is no pyFFTW.
    """
    if library == "fftw":
        _fftw()
    before, _here.library = _here.library, library
    try:
        yield
    finally:
        _here.library = before


def forward(signals: Array, out: Complex | None = None) -> Complex:
    """Transforms of the real rows of `signals` (..., L), shape (..., L // 2 + 1)."""
    if _here.library == "numpy":
        return np.fft.rfft(signals, out=out)
    if out is None:
        out = np.empty((*signals.shape[:-1], signals.shape[-1] // 2 + 1), complex)
    _execute(signals, out, True)
    return out


def inverse(spectra: Complex, L: int, out: Array | None = None) -> Array:
    """Signals (..., L) of the rows of `spectra` (..., L // 2 + 1), times L; FFTW overwrites `spectra`."""
    if _here.library == "numpy":
        return np.fft.irfft(spectra, L, norm="forward", out=out)
    if out is None:
        out = np.empty((*spectra.shape[:-1], L))
    _execute(spectra, out, False)
    return out


def _execute(given: NDArray[Any], out: NDArray[Any], is_forward: bool) -> None:
    key = given.shape, out.shape, is_forward
    plan = _here.plans.get(key)
    if plan is None:
        if len(_here.plans) >= _MOST_PLANS:
            _here.plans.clear()
        plan = _here.plans[key] = _plan(*key)
    # raises ValueError for arrays that do not fit the plan: rows with gaps between them, or not aligned
    plan.update_arrays(given, out)
    plan.execute()


def _plan(given: tuple[int, ...], out: tuple[int, ...], is_forward: bool) -> Any:
    """Plan for arrays of these shapes, whose rows follow each other without gaps, aligned to 16 bytes.

    FFTW would build on plans that it has made before, measured ones of other modules included, so that the result
    would depend on them. They are put aside.
    """
    pyfftw = _fftw()
    with _planner:
        known = pyfftw.export_wisdom()
        pyfftw.forget_wisdom()
        try:
            return pyfftw.FFTW(
                _barely_aligned(given, float if is_forward else complex),
                _barely_aligned(out, complex if is_forward else float),
                axes=(-1,),
                direction="FFTW_FORWARD" if is_forward else "FFTW_BACKWARD",
                flags=("FFTW_ESTIMATE",) if is_forward else ("FFTW_ESTIMATE", "FFTW_DESTROY_INPUT"),
                threads=1,
            )
        finally:
            pyfftw.forget_wisdom()
            pyfftw.import_wisdom(known)


def _barely_aligned(shape: tuple[int, ...], dtype: type) -> NDArray[Any]:
    """Array at 16 bytes after a multiple of 64: a plan for it serves any array that NumPy allocates."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.empty(size + 80, np.uint8)
    start = (16 - memory.ctypes.data) % 64
    return memory[start : start + size].view(dtype).reshape(shape)
