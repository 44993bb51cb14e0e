"""Writing `-o FILE`: whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable

from gradcli.files.names import quoted, shown
from gradcli.files.sources import likely_path
from gradcli.graph.errors import GradcliError

#: Descriptors by their names in /dev.
_STREAMS = {"stdout": 1, "stderr": 2}


def write_whole(path: str, data: Iterable[bytes]) -> None:
    """Replace the file at `path` by the pieces of `data`, or leave it as it was.

    Links are followed, and the mode of a file that was there is kept. What is no regular file (`/dev/null`, a
    pipe) is written to straight, and what is open already (`/dev/stdout`) where it stands.

    Raises:
        GradcliError: it can't be written; the message says why. BrokenPipeError passes through.
    """
    try:
        before = _status(path)
        if before is not None and (_is_special(path) or not stat.S_ISREG(before.st_mode)):
            _write_straight(path, data, before)
        else:
            _replace(os.path.realpath(path), data, before)
    except BrokenPipeError:
        raise
    except FileNotFoundError:
        folder = os.path.dirname(os.path.realpath(path))
        missing = f"there is no folder {quoted(folder, 160)}"
        raise GradcliError(f"cannot write {quoted(path, 160)}: {missing}", mend=likely_path(folder)) from None
    except (OSError, ValueError) as error:
        reason = shown(getattr(error, "strerror", None) or str(error))
        raise GradcliError(f"cannot write {quoted(path, 160)}: {reason}") from None


def _status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None


def _is_special(path: str) -> bool:
    """Whether the path names an open file (`/dev/stdout`, `/dev/fd/3`): there is no name to replace."""
    return os.path.abspath(path).startswith(("/dev/", "/proc/"))


def _open_descriptor(path: str) -> int | None:
    """The descriptor that `/dev/stdout` or `/dev/fd/3` names: opened by its name, a file would begin anew."""
    folder, name = os.path.split(os.path.abspath(path))
    if folder == "/dev" and name in _STREAMS:
        return _STREAMS[name]
    if folder in ("/dev/fd", "/proc/self/fd") and name.isdecimal() and name.isascii():
        return int(name)
    return None


def _write_straight(path: str, data: Iterable[bytes], before: os.stat_result) -> None:
    if stat.S_ISDIR(before.st_mode):
        raise GradcliError(f"cannot write {quoted(path, 160)}: it is a directory")
    descriptor = _open_descriptor(path)
    with open(path if descriptor is None else os.dup(descriptor), "wb") as stream:
        stream.writelines(data)


def _replace(target: str, data: Iterable[bytes], before: os.stat_result | None) -> None:
    if before is not None and not os.access(target, os.W_OK):
        raise PermissionError(13, "it is read-only")
    temporary = os.path.join(os.path.dirname(target), f".gradcli-{os.getpid()}-{os.urandom(4).hex()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with open(descriptor, "wb") as stream:
            stream.writelines(data)
            stream.flush()
            os.fsync(stream.fileno())
        if before is not None:
            _dress_like(temporary, before)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _dress_like(path: str, before: os.stat_result) -> None:
    """Give a new file the owner, where that is allowed, and the mode of the one it replaces."""
    if hasattr(os, "chown"):
        with contextlib.suppress(OSError):
            os.chown(path, before.st_uid, before.st_gid)
    os.chmod(path, stat.S_IMODE(before.st_mode))
