"""Files that are either whole or absent: write to a temporary name, flush, rename."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from earthloom.core.errors import WriteError

TEMPORARY = ".part"
"""Suffix of files that are being written; a run removes leftovers of a killed one."""


@contextlib.contextmanager
def translate_write_errors(path: Path) -> Iterator[None]:
    """Turn the system's and pyarrow's errors while writing `path` into one `WriteError` with a remedy."""
    try:
        yield
    except OSError as error:
        raise WriteError(explain_write_error(path, error)) from error


def explain_write_error(path: Path, error: OSError) -> str:
    """Say what failed and what to do."""
    remedies = {
        errno.ENOSPC: "The disk is full. Free some space",
        errno.EDQUOT: "Your disk quota is used up. Free some space",
        errno.EACCES: "You may not write there. Change the permissions or choose another folder",
        errno.EPERM: "You may not write there. Change the permissions or choose another folder",
        errno.EROFS: "That file system is read-only. Choose another folder",
        errno.EFBIG: "The file would be larger than the file system or the limit allows. Raise the limit",
    }
    code = error.errno or _errno_in_text(str(error))
    remedy = remedies.get(code or 0, "Remove the cause")
    return f"Could not write {path}: {error}. {remedy} and run the same command again: finished work is kept."


def _errno_in_text(text: str) -> int | None:
    """Pyarrow raises OSError without errno but with `errno N` in its message."""
    for code in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.EFBIG):
        if f"errno {code}]" in text or f"errno {code} " in text or os.strerror(code) in text:
            return code
    return None


@contextlib.contextmanager
def open_atomic(path: Path) -> Iterator[BinaryIO]:
    """Open `path` for writing bytes; it appears under its name only when the block ends without an error."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}{TEMPORARY}")
    with translate_write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file atomically."""
    with open_atomic(path) as file:
        file.write(text.encode("utf-8"))


def write_json(path: Path, value: object) -> None:
    """Write JSON atomically: sorted keys, two spaces, so that equal values give equal bytes."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


def remove_leftovers(folder: Path) -> None:
    """Delete what a killed process left half-written below `folder`."""
    for path in folder.rglob(f"*{TEMPORARY}"):
        path.unlink(missing_ok=True)
