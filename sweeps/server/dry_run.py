"""Numbers of a dry run in a process of its own, which gets the config on stdin.

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
    """Print the numbers as JSON, or why there are none on stderr."""
    root = sys.argv[1]
    # A lattice of far too many energies ends here as a failed point.
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    try:
        found = estimate(resolve(parse(json.load(sys.stdin), folder=root, root=root)), None)
        print(json.dumps(plain(found), default=str))
    except SweepError as error:
        print(f"photogap: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
