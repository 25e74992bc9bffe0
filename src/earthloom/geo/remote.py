"""Files on servers as GDAL sees them, and the errors that GDAL would swallow.

GDAL calls back into Python for every read and cannot pass an exception on: a failed read gives zeros here, and its
reason is kept until the border (`geo.raster`) asks for it. A dataset that saw one is closed, since what GDAL has
cached of it may be wrong.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Self

from rasterio.abc import MultiByteRangeResourceContainer

from earthloom.net.ranges import RemoteFile, fingerprint_remote, forget_remote, open_remote
from earthloom.net.urls import name_of

__all__ = ["RemoteContainer", "fingerprint_remote", "forget_remote", "open_remote", "take_error"]

_errors: dict[str, BaseException] = {}
"""The first error since it was last asked for, of each URL; Ctrl-C is one too."""


def take_error(url: str) -> BaseException | None:
    """Give the error that reading a file met, once."""
    return _errors.pop(url, None)


class RemoteContainer(MultiByteRangeResourceContainer):  # type: ignore[misc]  # rasterio is untyped
    """A folder that holds one file of a server and no sidecars: those that GDAL looks for are not asked for."""

    def __init__(self, url: str) -> None:
        """Open the file; raises RecordError as `RemoteFile` does."""
        self._file = open_remote(url)
        self.path = f"remote/{re.sub(r'[^A-Za-z0-9._-]', '_', name_of(url))[-80:]}"
        """The file's name for GDAL: without the URL, whose secrets would show in messages."""

    def open(self, path: str, mode: str = "rb", **_: object) -> RemoteHandle:
        """Open the file for reading; raises FileNotFoundError for every other name."""
        if not self.isfile(path) or "r" not in mode:
            raise FileNotFoundError(path)
        return RemoteHandle(self._file)

    def isfile(self, path: str) -> bool:
        """Whether a path is the file's."""
        return path.endswith(self.path)

    def isdir(self, path: str) -> bool:
        """Whether a path is the folder's: GDAL never needs to know."""
        return False

    def ls(self, path: str) -> list[str]:
        """What lies in the folder."""
        return [self.path]

    def mtime(self, path: str) -> int:
        """Unknown."""
        return 0

    def rm(self, path: str) -> None:
        """Nothing is ever removed."""
        raise PermissionError(path)

    def size(self, path: str) -> int:
        """Length of the file, bytes."""
        if not self.isfile(path):
            raise FileNotFoundError(path)
        return self._file.size


class RemoteHandle:
    """A position in a file; none of its methods raises."""

    def __init__(self, file: RemoteFile) -> None:
        self._file = file
        self._at = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close: the file stays open for others."""

    def read(self, n_bytes: int = -1) -> bytes:
        """Read on from the position; zeros where that failed."""
        left = max(0, self._file.size - self._at)
        size = left if n_bytes < 0 else min(n_bytes, left)
        data = self.get_byte_ranges([self._at], [size])[0]
        self._at += len(data)
        return data

    def get_byte_ranges(self, offsets: Sequence[int], sizes: Sequence[int]) -> list[bytes]:
        """Read several parts, each of the length that is wanted: zeros where that failed or the file ends."""
        try:
            found = self._file.read_parts(list(zip(offsets, sizes, strict=True)))
        except BaseException as error:  # noqa: BLE001  (GDAL is between us and the border, which raises it again)
            _errors.setdefault(self._file.url, error)
            return [bytes(size) for size in sizes]
        return [data.ljust(size, b"\0") for data, size in zip(found, sizes, strict=True)]

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move the position."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._file.size}[whence]
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        """The position."""
        return self._at

    def close(self) -> None:
        """Nothing to close."""

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True
