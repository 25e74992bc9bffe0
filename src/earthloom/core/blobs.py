"""Bytes of one image, from a file or straight out of an archive."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path

from earthloom.core.errors import RecordError
from earthloom.core.records import ByteRange, Reason

MAX_BLOB_BYTES = 256 * 2**20
"""Largest encoded image that is read into memory; one beyond it is refused TOO_LARGE."""

_REASONS = {
    errno.ENOENT: Reason.MISSING,
    errno.ENOTDIR: Reason.MISSING,
    errno.EACCES: Reason.NO_PERMISSION,
    errno.EPERM: Reason.NO_PERMISSION,
    errno.ELOOP: Reason.UNSAFE_PATH,
}


def read_blob(uri: str, within: ByteRange | None = None) -> bytes:
    """Read a whole file, or the member of an archive that lies at `within`, decompressed.

    At most `MAX_BLOB_BYTES` are read and at most as many come out of a compressed member, whatever its header
    promises. Raises `RecordError` MISSING, NO_PERMISSION, EMPTY, TOO_LARGE or UNREADABLE (a folder, a pipe, a
    truncated archive, a broken deflate stream).
    """
    with translate_read_errors(uri), _open_regular(uri) as (descriptor, file_size):
        offset, size = (within.offset, within.size) if within else (0, file_size)
        _check_size(uri, size)
        data = _read_exactly(descriptor, offset, size)
    if len(data) < size:
        raise RecordError(Reason.UNREADABLE, f"wanted {size} bytes at {offset}, got {len(data)}: cut short")
    return _inflate(data) if within and within.deflated else data


@contextlib.contextmanager
def translate_read_errors(uri: str) -> Iterator[None]:
    """Turn the system's errors while reading `uri` into a `RecordError`: the one border for files."""
    try:
        yield
    except OSError as error:
        raise RecordError(reason_of(error), f"{Path(uri).name}: {error.strerror or error}") from error


def reason_of(error: OSError) -> Reason:
    """Why the system did not let us read."""
    return _REASONS.get(error.errno or 0, Reason.UNREADABLE)


@contextlib.contextmanager
def _open_regular(uri: str) -> Iterator[tuple[int, int]]:
    # O_NONBLOCK: opening a named pipe must not wait for a writer; it changes nothing for regular files.
    descriptor = os.open(uri, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise RecordError(Reason.UNREADABLE, "wanted a regular file, got a folder, pipe or device")
        yield descriptor, status.st_size
    finally:
        os.close(descriptor)


def _check_size(uri: str, size: int) -> None:
    if size == 0:
        raise RecordError(Reason.EMPTY, "no bytes")
    if size > MAX_BLOB_BYTES:
        limit = MAX_BLOB_BYTES // 2**20
        raise RecordError(
            Reason.TOO_LARGE,
            f"{Path(uri).name}: {size / 2**20:.0f} MiB encoded, at most {limit} MiB are read as one "
            "picture; a GeoTIFF source (kind: geotiff) is read in windows",
        )


def _read_exactly(descriptor: int, offset: int, size: int) -> bytes:
    data = os.pread(descriptor, size, offset)
    if len(data) in {0, size}:
        return data
    chunks = [data]
    while data and (left := size - sum(map(len, chunks))) > 0:
        data = os.pread(descriptor, left, offset + size - left)
        chunks.append(data)
    return b"".join(chunks)


def _inflate(data: bytes) -> bytes:
    """Decompress raw deflate (RFC 1951) with bounded output."""
    stream = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    try:
        out = stream.decompress(data, MAX_BLOB_BYTES)
    except zlib.error as error:
        raise RecordError(Reason.UNREADABLE, f"compressed member is broken: {error}") from error
    if not stream.eof:
        if len(out) >= MAX_BLOB_BYTES:
            raise RecordError(Reason.TOO_LARGE, f"unpacks to more than {MAX_BLOB_BYTES // 2**20} MiB")
        raise RecordError(Reason.UNREADABLE, "compressed member is cut short")
    if not out:
        raise RecordError(Reason.EMPTY, "no bytes")
    return out
