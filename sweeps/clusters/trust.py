"""Whether a file is the user's own word, where it was come upon and not named."""

import grp
import os
import pwd
import stat
from pathlib import Path


def foreign(path: Path) -> str | None:
    """Why somebody other than this user and root may have written what lies at a path; None if nobody could.

    As git does before it follows a repository's hooks, but for one more case: what a whole group may write.
    """
    # The link itself and what it leads to.
    for found in (path.lstat(), path.stat()):
        if found.st_uid not in (os.geteuid(), 0):
            return f"belongs to {_user(found.st_uid)}"
        if stat.S_ISLNK(found.st_mode):
            continue
        if found.st_mode & stat.S_IWOTH:
            return "may be written by everybody"
        if found.st_mode & stat.S_IWGRP and not _is_private(found.st_gid, found.st_uid):
            return f"may be written by the group {_group(found.st_gid)}"
    return None


def _is_private(gid: int, uid: int) -> bool:
    """Whether a group is one user's alone, as umask 002 supposes: of the user's name and without other members."""
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
