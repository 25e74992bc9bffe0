"""Ids: hashes of content and origin, never of position.

The same input gives the same ids on any machine, with any number of workers and in any order.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

WHOLE_FILE_LIMIT = 16 * 2**20
"""Files up to this size are hashed whole: 16 MiB take about 10 ms."""
_SAMPLE = 2**20
_N_SAMPLES = 8


def make_id(*parts: str | int | float | bytes | None) -> str:
    """Hash typed parts into 24 hexadecimal digits (96 bits: under 1e-9 chance of a clash in 10 billion).

    Each part is written with its type and length, so ("ab", "c") and ("a", "bc") differ, as do 1 and "1".
    """
    digest = hashlib.blake2b(digest_size=12)
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode("utf-8", "surrogateescape")
        digest.update(f"{type(part).__name__}:{len(data)}:".encode())
        digest.update(data)
    return digest.hexdigest()


def hash_json(value: object) -> str:
    """Hash a JSON-able value by its canonical text (sorted keys, no spaces): 32 hexadecimal digits."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def hash_bytes(data: bytes | memoryview) -> str:
    """SHA-256 of bytes as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def fingerprint_file(path: Path) -> str:
    """Fingerprint a file's content: whole up to 16 MiB, else its size and eight spread samples of 1 MiB.

    Sampling keeps the planning of multi-gigabyte scenes to milliseconds; two different large files of equal
    size that agree in all samples would share a fingerprint.
    """
    with path.open("rb") as file:
        size = path.stat().st_size
        if size <= WHOLE_FILE_LIMIT:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
        return fingerprint_reads(size, lambda start, n: _read_at(file, start, n))


def fingerprint_reads(size: int, read: Callable[[int, int], bytes]) -> str:
    """Fingerprint content of `size` bytes that `read(offset, n_bytes)` gives; equals `fingerprint_file` of it."""
    if size <= WHOLE_FILE_LIMIT:
        return fingerprint_bytes(read(0, size))
    digest = hashlib.blake2b(str(size).encode(), digest_size=16)
    for start in _sample_starts(size):
        digest.update(read(start, _SAMPLE))
    return digest.hexdigest()


def fingerprint_bytes(data: bytes) -> str:
    """Fingerprint content already in memory; equals `fingerprint_file` of a file of up to 16 MiB with it."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _read_at(file: BinaryIO, start: int, n_bytes: int) -> bytes:
    file.seek(start)
    return file.read(n_bytes)


def _sample_starts(size: int) -> Iterable[int]:
    last = size - _SAMPLE
    return (last * i // (_N_SAMPLES - 1) for i in range(_N_SAMPLES))
