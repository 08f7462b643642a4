"""Why `up` cannot go on, always as a sentence that says what to do."""

import errno
import os
import shutil
from pathlib import Path

LEAST_FREE_BYTES = 200 * 1024 * 1024


class CannotStart(Exception):
    """Its text is shown to the person at the terminal as it is; there is no traceback."""


def from_os_error(error: OSError, var: Path) -> CannotStart:
    """The sentence for a file or network error met while starting."""
    where = error.filename or var
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return CannotStart(f"The disk that holds {where} is full. Free some space, then start again.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return CannotStart(
            f"This account may not write {where}. Give it access, or choose another folder: MIM_VAR_DIR=/some/folder."
        )
    return CannotStart(f"{error.strerror or error} ({where}).")


def require_space(var: Path) -> None:
    """Refuses below 200 MB free: PostgreSQL stops in the middle of work when the disk fills.

    Raises CannotStart.
    """
    free = shutil.disk_usage(var).free
    if free < LEAST_FREE_BYTES:
        raise CannotStart(
            f"The disk that holds {var} has only {free // 1024 // 1024} MB free and MIM needs at least "
            f"{LEAST_FREE_BYTES // 1024 // 1024} MB. Free some space, or choose another disk: "
            f"MIM_VAR_DIR=/some/folder."
        )


def require_own_folder(folder: Path, *, owner: int) -> None:
    """Refuses a folder that belongs to somebody else (`owner` is the wanted user id). Raises CannotStart."""
    found = folder.stat().st_uid
    if found != owner:
        raise CannotStart(
            f"{folder} belongs to user {_user_name(found)}, and this is {_user_name(owner)}. Start as that user, "
            f"or choose another folder: MIM_VAR_DIR=/some/folder."
        )


def _user_name(uid: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def current_user() -> int:
    return os.geteuid()
