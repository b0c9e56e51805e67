"""Dry run in a separate process that reads the config from stdin.

`python -m photogap.sweeps.server.dry_run ROOT`; the config's files stay in ROOT, as in the server that starts it.
"""

import json
import resource
import sys

from ..ask.config import parse
from ..ask.plan import resolve
from ..drive.estimate import estimate
from ..errors import SweepError
from ..numbers import plain

_MEMORY = 8 * 1024**3


def main() -> int:
    """Print the estimate as JSON, or an error on stderr."""
    root = sys.argv[1]
    # A far too large lattice ends here as a failed point.
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    try:
        found = estimate(resolve(parse(json.load(sys.stdin), folder=root, root=root)))
        print(json.dumps(plain(found), default=str))
    except SweepError as error:
        print(f"photogap: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
