"""Command line: `python -m photogap`."""

from .sweeps.cli.main import app

if __name__ == "__main__":
    app(prog_name="photogap")
