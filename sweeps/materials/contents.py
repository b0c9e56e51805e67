"""Text of a spectrum's file from its bytes: compression, encoding, and files that are not text."""

import bz2
import gzip
import io
import lzma
import re
import unicodedata
import zlib
from pathlib import Path
from typing import Any, Final

from ..files import Files

LARGEST: Final = 64 * 1024**2
"""Largest decompressed file, in bytes."""

_PACKED: Final[dict[bytes, Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}

_TABLE: Final = "write frequency and alpha2F as two columns of text"
_FOREIGN: Final = (
    (b"PK\x03\x04", "a ZIP archive (xlsx, ods, npz or zip)", "unpack it, or export CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file", "export CSV"),
    (b"%PDF", "a PDF document", _TABLE),
    (b"\x89PNG", "a picture (PNG)", _TABLE),
    (b"\xff\xd8\xff", "a picture (JPEG)", _TABLE),
    (b"\x93NUMPY", "a NumPy array", "write it with numpy.savetxt"),
    (b"MATLAB 5.0", "a MATLAB file", "write it with `writematrix`"),
    (b"{\\rtf", "an RTF document", "save it as plain text"),
    (b"\x80\x04\x95", "a Python pickle", _TABLE),
    (b"\x7fELF", "a program", _TABLE),
)
"""First bytes of files that hold no columns of text, their name, and the remedy."""

_MARKED: Final = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_SIGNS: Final = {ord(c): "-" for c in "\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d"} | {
    ord(c): None for c in "\ufeff\u200b\u200c\u200d\u2060\u00ad\x00\x1a"
}
"""Dashes that stand for a minus sign, and characters without width."""


def contents(files: Files, path: Path) -> bytes:
    """Bytes of a file, decompressed if it is packed with gzip, bzip2 or xz.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: It is damaged or too large.
    """
    data = files.data(path, what="spectrum's file")
    for _ in range(2):
        unpack = next((f for magic, f in _PACKED.items() if data.startswith(magic)), None)
        if unpack is None:
            return data
        try:
            with unpack(io.BytesIO(data)) as file:
                data = file.read(LARGEST + 1)
        except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
            raise ValueError(f"{path}: the compressed file must be complete. {quoted(error)}") from None
        if len(data) > LARGEST:
            raise ValueError(f"{path}: the decompressed file must have at most {LARGEST // 1024**2} MiB. Got more.")
    return data


def as_text(path: Path, data: bytes) -> str:
    """Plain text of a file; non-breaking spaces, typographic signs and powers become plain ones.

    Raises:
        ValueError: The file is not text; the message names it.
    """
    for magic, name, remedy in _FOREIGN:
        if data.lstrip()[: len(magic)] == magic:
            raise ValueError(f"{path}: a spectrum must be a text file of columns; {remedy}. Got {name}.")
    text = _decoded(data)
    if text.lstrip()[:200].lower().startswith(("<!doctype", "<html", "<?xml", "<svg")):
        raise ValueError(f"{path}: a spectrum must be a text file of columns; {_TABLE}. Got a page of HTML or XML.")
    strange = sum(c < " " and c not in "\t\n\r\f\v" for c in text[:4096])
    if strange > 0.01 * len(text[:4096]):
        raise ValueError(
            f"{path}: a spectrum must be a text file of columns; {_TABLE}. Got a binary file, {quoted(text[:200])}."
        )
    return text


def _decoded(data: bytes) -> str:
    encoding = next((e for mark, e in _MARKED if data.startswith(mark)), None)
    if encoding is None and len(data) > 8 and b"\x00" in data[:64]:
        # UTF-16 of ASCII has a zero in every other byte, and may lack its mark.
        even, odd = data[:64:2].count(0), data[1:64:2].count(0)
        encoding = "utf-16-be" if even > 24 > odd else "utf-16-le" if odd > 24 > even else None
    text = data.decode(encoding or "utf-8-sig", errors="replace" if encoding else "surrogateescape")
    if encoding is None and re.search("[\udc80-\udcff]", text):
        text = data.decode("cp1252", errors="replace")
    return unicodedata.normalize("NFKC", text).translate(_SIGNS)


def quoted(value: object) -> str:
    """Representation of a value in a message, at most 80 characters."""
    text = value if isinstance(value, str) else str(value) if isinstance(value, Exception) else repr(value)
    text = repr(text.strip()) if isinstance(value, str) else " ".join(text.split())
    return text if len(text) <= 80 else f"{text[:77]}..."
