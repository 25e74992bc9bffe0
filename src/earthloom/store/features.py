"""Features kept by the content of the pictures that they describe, for any number of processes at once.

One SQLite file for each encoder, version and rule of resizing. A row is written whole or not at all, whatever happens
to the process; who waits for another one's transaction waits at most a minute.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from threading import Lock

import numpy as np
import numpy.typing as npt

from earthloom.core.errors import RunError

Row = npt.NDArray[np.float32]
"""Features of one picture."""

_log = logging.getLogger(__name__)
_WAIT_S = 60.0
_FORMAT = 1
"""Part of every key: raised when rows mean something else than before."""


def default_feature_cache() -> Path:
    """The folder where none is given: `earthloom/features` in the user's cache folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "earthloom" / "features"


class FeatureCache:
    """Features of one encoder. May be used from several threads."""

    def __init__(self, folder: Path, *, encoder: str, resize: str, width: int) -> None:
        """Open the file of an encoder, which is made where it is missing.

        Args:
            folder: of all encoders; made where it is missing.
            encoder: name and version, which change whenever features do.
            resize: rule by which pictures are resized.
            width: number of features.

        Raises:
            RunError: the folder cannot be written, or holds a file of that name which is no cache.

        """
        self._about = f"{_FORMAT}\n{encoder}\n{resize}\n{width}\n".encode()
        self._width = width
        self.path = folder / f"{_make_name(encoder)}.{_digest(self._about).hex()[:8]}.sqlite"
        self._lock = Lock()
        self._is_writable = True
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._base = sqlite3.connect(self.path, timeout=_WAIT_S, check_same_thread=False)
            self._prepare()
        except (OSError, sqlite3.Error) as error:
            raise RunError(
                f"Features cannot be kept in {self.path}: {error}. Name another folder under `cache`, or delete "
                "the file: all of it can be computed again."
            ) from error

    def _prepare(self) -> None:
        # Readers and a writer at once; a file system without shared memory keeps its own way, which is slower.
        self._base.execute("PRAGMA journal_mode=WAL")
        self._base.execute("PRAGMA synchronous=NORMAL")
        with self._base:
            self._base.execute(
                "CREATE TABLE IF NOT EXISTS features (key BLOB PRIMARY KEY, row BLOB NOT NULL) WITHOUT ROWID"
            )

    def make_key(self, data: bytes, *, is_linear: bool) -> bytes:
        """Key of an encoded picture: 16 bytes.

        Args:
            data: the picture as it is stored.
            is_linear: whether its values are linear in light, so that it is displayed otherwise.

        """
        return _digest(self._about, b"linear" if is_linear else b"display", data)

    def find(self, key: bytes) -> Row | None:
        """Features that are kept under a key; None also where some are not finite, as older versions kept them."""
        try:
            with self._lock:
                found = self._base.execute("SELECT row FROM features WHERE key = ?", (key,)).fetchone()
        except sqlite3.Error as error:
            raise RunError(
                f"{self.path} cannot be read: {error}. Delete it: it can be made again."
            ) from error
        if found is None or len(found[0]) != self._width * 4:
            return None
        row = np.frombuffer(found[0], "<f4")
        return row if np.isfinite(row).all() else None

    def keep(self, rows: Iterable[tuple[bytes, Row]]) -> None:
        """Write some rows at once. Where that fails, the work goes on and a warning says so, once."""
        if not self._is_writable:
            return
        packed = [(key, np.asarray(row, "<f4").tobytes()) for key, row in rows]
        try:
            with self._lock, self._base:
                self._base.executemany("INSERT OR REPLACE INTO features VALUES (?, ?)", packed)
        except sqlite3.Error as error:
            self._is_writable = False
            _log.warning("Features are no longer kept in %s: %s. The work goes on.", self.path, error)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._base.close()


def _digest(*parts: bytes) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.digest()


def _make_name(encoder: str) -> str:
    return re.sub(r"[^\w.@-]+", "_", encoder)
