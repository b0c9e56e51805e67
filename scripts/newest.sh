#!/bin/sh
# newest.sh PYTHON VENV [PYTEST ARGUMENTS]: the package with the newest version of everything it allows, not editable, and the
# tests that start no service. constraints.txt has no part in it, so it shows what a user's `pip install` gets today.
set -eu
python=$1 venv=$2
shift 2
# The sources as they are, without links into this folder: what is tested is the installed package.
"$python" --version
"$python" -m venv "$venv" 2>/dev/null || "$python" -m virtualenv -q "$venv" 2>/dev/null || "$python" -m venv --without-pip "$venv"
if "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    pip="$venv/bin/python -m pip"
else
    pip="$python -m pip --python $venv/bin/python"
fi
# uv resolves and installs two hundred packages in half a minute; pip needs several.
$pip install --quiet --disable-pip-version-check uv
"$venv/bin/uv" pip install --quiet --upgrade --python "$venv/bin/python" '.[test]'
"$venv/bin/uv" pip list --quiet --python "$venv/bin/python" | grep -E -i '^(numpy|scipy|numba|dask|xarray|zarr|pydantic|matplotlib|typer|ruamel.yaml) '
"$venv/bin/python" -m pytest -q -n 2 -m 'not slow and not real' "$@"
