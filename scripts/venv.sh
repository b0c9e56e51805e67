#!/bin/sh
# venv.sh PYTHON VENV REQUIREMENT: make the virtual environment if it is missing, then install REQUIREMENT
# (editable) with the versions in constraints.txt. Debian's python3 may lack ensurepip; pip outside the
# environment, or virtualenv, does as well.
set -eu
python=$1 venv=$2 what=$3

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "photogap needs Python 3.11 or newer; $python is $("$python" --version 2>&1). Use: make PYTHON=python3.12 ..." >&2
    exit 1
}
if [ ! -x "$venv/bin/python" ]; then
    "$python" -m venv "$venv" 2>/dev/null || "$python" -m virtualenv "$venv" 2>/dev/null || {
        rm -rf "$venv"
        "$python" -m venv --without-pip "$venv"
    }
fi
if "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    pip="$venv/bin/python -m pip"
elif "$python" -m pip --version >/dev/null 2>&1; then
    pip="$python -m pip --python $venv/bin/python"
else
    echo "no pip found: install python3-venv (or python3-pip) and run make again" >&2
    exit 1
fi
$pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable "$what"
