#!/bin/sh
# versions.sh newest|oldest PYTHON VENV [PYTEST ARGUMENTS]: the package, not editable, with the newest version of everything it
# allows or with the oldest of what pyproject.toml names, and tests that start no service. constraints.txt has no part in it, so
# `newest` shows what a user's `pip install` gets today, `oldest` what a user with older packages keeps.
set -eu
which=$1 python=$2 venv=$3
shift 3
# The sources as they are, without links into this folder: what is tested is the installed package.
"$python" --version
[ "$which" = newest ] || rm -rf "$venv"    # what is installed already would stay
"$python" -m venv "$venv" 2>/dev/null || "$python" -m virtualenv -q "$venv" 2>/dev/null || "$python" -m venv --without-pip "$venv"
if "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    pip="$venv/bin/python -m pip"
else
    pip="$python -m pip --python $venv/bin/python"
fi
# uv resolves and installs two hundred packages in half a minute; pip needs several.
$pip install --quiet --disable-pip-version-check uv
uv="$venv/bin/uv pip"
if [ "$which" = newest ]; then
    $uv install --quiet --upgrade --python "$venv/bin/python" '.[test]'
    set -- -n 2 "$@"
else
    $uv install --quiet --resolution lowest-direct --python "$venv/bin/python" -r pyproject.toml --extra test
    $uv install --quiet --no-deps --python "$venv/bin/python" .
    # Old packages warn of newer ones.
    set -- -W default "$@"
fi
$uv list --quiet --python "$venv/bin/python" | grep -E -i '^(numpy|scipy|numba|dask|xarray|zarr|pydantic|matplotlib|typer|ruamel.yaml) '
"$venv/bin/python" -m pytest -q -m 'not slow and not real' "$@"
