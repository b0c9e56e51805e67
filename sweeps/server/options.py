"""Options of a server, chosen by the operator at the start; requests cannot change them."""

from dataclasses import dataclass, field
from pathlib import Path

from ..errors import ConfigError
from ..model import DEFAULT
from ..private import is_loopback

_TOKEN_CHARACTERS = 16


@dataclass(frozen=True, kw_only=True)
class RequestLimits:
    """Limits on requests.

    Args:
        body: Bytes of a request's body.
        points: Largest number of points without confirmation.
        confirmed_points: Largest number of points with confirmation.
        axis: Values of one axis, and size of any whole number among the settings.
        point_bytes: Bytes of one point's outputs.
        values: Numbers of one slice.
        watchers: Progress streams open at once.
        cube_bytes: Bytes of a cube that is downloaded as a whole.
    """

    body: int = 64 * 1024
    points: int = 2_000
    confirmed_points: int = 1_000_000
    axis: int = 100_000
    point_bytes: int = 64 * 1024**2
    values: int = 1_000_000
    watchers: int = 500
    cube_bytes: int = 4 * 1024**3


@dataclass(frozen=True, kw_only=True)
class Options:
    """A server's settings, checked when created.

    Args:
        folder: Folder with the cubes, the cluster files and the files that configs name.
        host: Address to listen on.
        port: Port; 0 picks a free one.
        token: Token that every request must carry; None on loopback only.
        certificate: TLS certificate chain, PEM.
        key: TLS private key, PEM.
        names: Further host names under which clients may connect.
        workers: Worker processes of the local cluster; None for one per core, 0 for none (points run in the
            server).
        at_once: Sweeps that run at the same time; others wait.
        models: Models allowed in configs, as `module:attribute`.
        clusters: Scheduler addresses allowed in configs.
        cluster_folders: Folders of cluster files that a config may name by their stem; the first match counts.
        limits: Largest requests.
    """

    folder: Path
    host: str = "127.0.0.1"
    port: int = 8765
    token: str | None = None
    certificate: Path | None = None
    key: Path | None = None
    names: tuple[str, ...] = ()
    workers: int | None = None
    at_once: int = 8
    models: tuple[str, ...] = (DEFAULT,)
    clusters: tuple[str, ...] = ()
    cluster_folders: tuple[Path, ...] = ()
    limits: RequestLimits = field(default_factory=RequestLimits)

    def __post_init__(self) -> None:
        """Refuse options that would expose the machine to others."""
        if not self.folder.is_dir():
            raise ConfigError(f"FOLDER must be a folder that exists. Got {str(self.folder)!r}.")
        for folder in self.cluster_folders:
            if not folder.is_dir():
                raise ConfigError(f"`--cluster-folder` must be a folder that exists. Got {str(folder)!r}.")
        if bool(self.certificate) != bool(self.key):
            raise ConfigError("`--tls-certificate` and `--tls-key` must be given together.")
        if self.token is not None and (len(self.token) < _TOKEN_CHARACTERS or not _is_plain(self.token)):
            raise ConfigError(
                f"the token must have at least {_TOKEN_CHARACTERS} visible ASCII characters without spaces. "
                f"Got {len(self.token)} characters."
            )
        if not is_loopback(self.host):
            lacking = [
                what
                for what, given in (
                    ("a token (`--token-file`)", self.token),
                    ("TLS (`--tls-certificate`)", self.key),
                )
                if not given
            ]
            if lacking:
                raise ConfigError(
                    f"`--host {self.host}` can be reached from other machines and needs {' and '.join(lacking)}. "
                    "Leave `--host` out to serve only this machine."
                )

    @property
    def named_clusters(self) -> dict[str, Path]:
        """Cluster files by the names that a config may use."""
        return {
            path.stem: path for folder in reversed(self.cluster_folders) for path in sorted(folder.glob("*.yaml"))
        }

    @property
    def state(self) -> Path:
        """Folder of the server's own files."""
        return self.folder / ".photogap"

    @property
    def hosts(self) -> frozenset[str]:
        """Names under which requests may address the server, lower case, without a port."""
        return frozenset({"127.0.0.1", "localhost", "::1", self.host.lower(), *(n.lower() for n in self.names)})


def _is_plain(token: str) -> bool:
    return token.isascii() and token.isprintable() and " " not in token
