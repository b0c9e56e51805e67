"""Entry of `python -m photogap.sweeps.cli`."""

from .main import app

if __name__ == "__main__":
    app()
