"""Numbers of a dry run in a process of its own, which gets the config on stdin.

`python -m photogap.sweeps.server.dry_run ROOT`; the config's files stay in ROOT, as in the server that starts it.
"""

import json
import sys

from ..cli_base import print_json
from ..config import parse
from ..errors import SweepError
from ..estimate import estimate
from ..plan import resolve


def main() -> int:
    """Print the numbers as JSON, or why there are none on stderr."""
    root = sys.argv[1]
    try:
        print_json(estimate(resolve(parse(json.load(sys.stdin), folder=root, root=root)), None))
    except SweepError as error:
        print(f"photogap: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
