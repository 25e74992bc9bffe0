"""One process at a time works in a folder."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from earthloom.core.errors import LockedError
from earthloom.store.atomic import translate_write_errors


@contextmanager
def hold_lock(lock: Path) -> Iterator[None]:
    """Hold a lock file for this process, in the folder that it guards; it goes with the process, however that ends.

    Raises `LockedError` where another process holds it.
    """
    with translate_write_errors(lock):
        lock.parent.mkdir(parents=True, exist_ok=True)
        file = lock.open("w")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockedError(
                f"Another run works in {lock.parent}. Wait for it, stop it, or choose another folder with -o."
            ) from None
        yield
