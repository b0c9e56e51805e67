"""Check that files and cubes found by search, not named by the user, belong to the user."""

import grp
import json
import os
import pwd
import re
import stat
from pathlib import Path
from typing import Any

from ..ask.config import Config
from ..errors import ConfigError
from ..model import DEFAULT
from ..store.place import Place


def foreign(path: Path) -> str | None:
    """Reason why someone other than this user and root may have written a path; None if nobody could.

    As git checks before it runs a repository's hooks, plus one case: paths that a whole group may write.
    """
    # The link itself and its target.
    for found in (path.lstat(), path.stat()):
        if found.st_uid not in (os.geteuid(), 0):
            return f"belongs to {_user(found.st_uid)}"
        if stat.S_ISLNK(found.st_mode):
            continue
        if found.st_mode & stat.S_IWOTH:
            return "is writable by everyone"
        if found.st_mode & stat.S_IWGRP and not _is_private(found.st_gid, found.st_uid):
            return f"is writable by the group {_group(found.st_gid)}"
    return None


def refuse_foreign(place: Place, config: Config) -> None:
    """Raise if a cube's config would run code of someone else who may have written the cube.

    The built-in model on the `local` cluster runs no such code.

    Raises:
        ConfigError: It names another model or cluster, and the cube is not this user's alone.
    """
    named = [f"the model {config.model!r}"] if config.model != DEFAULT else []
    named += [f"the cluster {config.cluster!r}"] if config.cluster != "local" else []
    why = _foreign_store(place) if named else None
    if why:
        raise ConfigError(
            f"the cube {place.url!r} names {' and '.join(named)}, which would run code, and {why}. If you trust "
            f"it, add --trust, or make a copy that only you can write."
        )


def own_note(path: Path) -> tuple[dict[str, Any], str]:
    """Content of a note on this user's jobs, and the reason if it is ignored; both empty without a note.

    Its ids go to the batch system's commands: a note that another user may have written could end any job of this
    user, and a text that is no id could be an option.
    """
    try:
        why = foreign(path)
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}, ""
    if why:
        return {}, f"{str(path)!r} {why}, so the jobs that it names are left alone"
    return (found, "") if isinstance(found, dict) else ({}, "")


def is_job(text: str) -> bool:
    """Return whether a text can be the id of a batch job."""
    return bool(re.fullmatch(r"\d+(\[\d*\])?(\.[\w.-]+)?", text))


def _foreign_store(place: Place) -> str | None:
    """Reason why someone other than this user and root may have written a cube; None if nobody could."""
    if place.is_memory:
        return None
    if not place.is_local:
        return "an object store does not say who wrote it"
    for path in (place.path, place.path / "zarr.json"):
        why = foreign(path)
        if why:
            return f"{str(path)!r} {why}"
    return None


def _is_private(gid: int, uid: int) -> bool:
    """Return whether a group belongs to one user, as umask 002 assumes: of the user's name, without other
    members."""
    try:
        group, user = grp.getgrgid(gid), pwd.getpwuid(uid)
    except KeyError:
        return False
    return group.gr_name == user.pw_name and user.pw_gid == gid and set(group.gr_mem) <= {user.pw_name}


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
