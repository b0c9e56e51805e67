"""How late fifty clients that watch one sweep hear of its progress: `python benchmarks/bench_watchers.py`."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil

TESTS = Path(__file__).parent.parent / "tests"
sys.path.insert(0, str(TESTS))

from photogap.sweeps.client import Client  # noqa: E402


def main() -> None:
    """Serve the fake model, whose points hold back until all clients listen, and print how old its news gets."""
    from test_watchers import WATCHERS, progress

    from support.tallies import Tally

    with tempfile.TemporaryDirectory() as folder:
        tally = Tally(Path(folder) / "tally.txt")
        os.environ |= {"PHOTOGAP_TEST_TALLY": str(tally.path), "PYTHONPATH": str(TESTS)}
        command = [sys.executable, "-m", "photogap.sweeps.cli", "serve", folder, "--port", "0", "--workers", "1"]
        command += ["--model", "support.fake_model:MODEL"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
            try:
                assert server.stdout is not None
                found = re.search(r"(https?://\S+?)/?\s*$", server.stdout.readline())
                assert found
                late, _ = progress(Client(found[1]), psutil.Process(server.pid), "seen", tally)
            finally:
                server.terminate()
    print(f"{WATCHERS} clients: progress late by {late[len(late) // 2]:.2f} s (median), {late[-1]:.2f} s (worst)")


if __name__ == "__main__":
    main()
