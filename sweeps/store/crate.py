"""A cube as one file to publish: a zip of the store, with RO-Crate metadata, config, versions and citation.

The archive is both an RO-Crate (https://w3id.org/ro/crate/1.1) and a Zarr store, which needs no unpacking.
"""

import datetime
import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ..errors import ConfigError, StoreError
from ..text import dump_yaml
from .cube import Cube
from .lock import is_driven
from .place import ROOT, Place

METADATA: Final = "ro-crate-metadata.json"
CONFIG, VERSIONS, README = "config.yaml", "versions.json", "README.md"
PAPER: Final = "https://arxiv.org/abs/2603.18182"
LICENSES: Final = {
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
}


def publish(place: Place, out: Path, *, authors: tuple[str, ...] = (), license: str = "CC-BY-4.0") -> Path:
    """Write the archive of a cube.

    Args:
        place: The cube; no driver may be writing it.
        out: The archive, `NAME.zarr.zip`; it must not exist.
        authors: Names, or `Name <https://orcid.org/...>`.
        license: A key of `LICENSES`, or an address.

    Raises:
        ConfigError: The archive exists, or the license is unknown.
        StoreError: There is no cube, or a driver is writing it.
    """
    if out.exists():
        raise ConfigError(f"`publish` does not overwrite files; use another --out. Got {str(out)!r}.")
    if license not in LICENSES and "://" not in license:
        raise ConfigError(f"`--license` must be one of {', '.join(LICENSES)}, or an address. Got {license!r}.")
    cube = Cube(place, read_only=True)
    if is_driven(place):
        raise StoreError(f"a driver is writing {place.url}. Publish it when the run has ended.")
    partial = out.with_name(f".{out.name}.{os.getpid()}.partial")
    try:
        # Chunks are compressed already.
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
            sizes = {}
            for key in sorted(place.objects.keys()):
                data = place.objects.get(key)
                if data is None:
                    raise StoreError(f"{key!r} of {place.url} vanished while it was read. Publish it again.")
                archive.writestr(key, data)
                sizes[key] = len(data)
            for name, text in _texts(cube, out.name, authors, license, sum(sizes.values())):
                archive.writestr(name, text)
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
    return out


def _texts(cube: Cube, name: str, authors: tuple[str, ...], license: str, size: int) -> Iterator[tuple[str, str]]:
    record = cube.record
    runs = record["runs"]
    last = runs[-1] if runs else {}
    versions = {
        "photogap": last.get("versions", {}),
        "git": last.get("git"),
        "model": record["base"]["model_version"],
    }
    yield CONFIG, dump_yaml({k: v for k, v in record["config"].items() if v is not None})
    yield VERSIONS, json.dumps(versions, indent=1) + "\n"
    yield README, _readme(cube, name)
    yield METADATA, json.dumps(_crate(cube, authors, license, size, last), indent=1) + "\n"


def _crate(cube: Cube, authors: tuple[str, ...], license: str, size: int, last: dict[str, Any]) -> dict[str, Any]:
    people = [_person(text) for text in authors]
    ended = datetime.datetime.fromtimestamp(last.get("end") or last.get("start") or 0, datetime.UTC)
    version = str(last.get("versions", {}).get("photogap", ""))
    files = [
        (ROOT, "metadata of the Zarr store, with the record of all runs", "application/json"),
        (CONFIG, "config of the sweep", "application/yaml"),
        (VERSIONS, "versions of the programs", "application/json"),
        (README, "how to open the cube, and its variables", "text/markdown"),
    ]
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": f"{cube.record['config']['name']}: sweep of {cube.record['base']['model']}",
        "description": f"{cube.grid.size} points over {', '.join(cube.grid.dims)}: a Zarr v3 store.",
        "datePublished": ended.date().isoformat(),
        "license": {"@id": LICENSES.get(license, license)},
        "author": [{"@id": person["@id"]} for person in people],
        "citation": {"@id": PAPER},
        "hasPart": [{"@id": name} for name, _, _ in files],
        "variableMeasured": sorted(cube.outputs),
        "contentSize": str(size),
        "mentions": {"@id": "#run"},
    }
    software = {"@id": "#photogap", "@type": "SoftwareApplication", "name": "photogap", "softwareVersion": version}
    run = {
        "@id": "#run",
        "@type": "CreateAction",
        "name": "photogap run",
        "instrument": {"@id": "#photogap"},
        "object": {"@id": CONFIG},
        "result": {"@id": "./"},
        "endTime": ended.isoformat(timespec="seconds"),
    }
    about = {
        "@id": METADATA,
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
    }
    paper = {"@id": PAPER, "@type": "ScholarlyArticle", "name": "arXiv:2603.18182"}
    terms = {"@id": LICENSES.get(license, license), "@type": "CreativeWork", "name": license}
    parts = [
        {"@id": name, "@type": "File", "description": text, "encodingFormat": kind} for name, text, kind in files
    ]
    graph = [about, root, *parts, software, run, paper, terms, *people]
    return {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": graph}


def _person(text: str) -> dict[str, Any]:
    name, _, address = text.partition("<")
    return {"@id": address.strip(" >") or f"#{name.strip()}", "@type": "Person", "name": name.strip()}


def _readme(cube: Cube, name: str) -> str:
    rows = []
    for variable, dims in cube.outputs.items():
        attrs = cube.array(variable).attrs
        rows.append(
            f"| `{variable}` | {', '.join(dims)} | {attrs.get('units', '1')} | {attrs.get('long_name', '')} |"
        )
    axes = "\n".join(f"- `{axis.name}`: {len(axis.values)}" for axis in cube.grid.axes)
    return f"""# {cube.record["config"]["name"]}

A cube of the program photogap. Open it without unpacking:

    import xarray, zarr
    ds = xarray.open_zarr(zarr.storage.ZipStore("{name}"))   # or photogap.open("{name}")

Labels of its axes:

{axes}

| variable | own dims | unit | meaning |
|---|---|---|---|
{chr(10).join(rows)}

`{CONFIG}` repeats the sweep (`photogap run {CONFIG}`), `{VERSIONS}` has the versions, `{METADATA}` describes the
archive for repositories. The method follows {PAPER}.
"""
