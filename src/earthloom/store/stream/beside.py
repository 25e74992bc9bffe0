"""Members of samples that lie in tars of their own, such as latents and embeddings that were made once."""

from __future__ import annotations

import hashlib
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from earthloom.core.blobs import read_blob
from earthloom.core.errors import UsageError
from earthloom.core.records import ByteRange
from earthloom.store.tar_members import list_members


class _Index(NamedTuple):
    """Where each member lies, sorted by the hash of its sample's key; 28 bytes each."""

    keys: npt.NDArray[np.uint64]
    tars: npt.NDArray[np.int32]
    offsets: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]
    names: npt.NDArray[np.int16]


class Beside:
    """The tars of a folder: members are called `KEY.NAME.SUFFIX`, such as `KEY.latents.npy`, in any order. Thread-safe.

    Keys are those of `Sample.key`; they may contain dots and slashes. All headers are read when the first member is
    asked for.
    """

    def __init__(self, folder: Path) -> None:
        """Take the folder. Raises `UsageError` where it has no tars."""
        self._tars = sorted(folder.rglob("*.tar"))
        if not self._tars:
            raise UsageError(f"{folder} holds no tars with members of samples.")
        self._lock = Lock()
        self._index: _Index | None = None
        self._names: list[str] = []

    def read(self, key: str) -> dict[str, bytes]:
        """Read all members of a sample by `NAME.SUFFIX`; empty where there are none.

        Raises `RecordError` as `read_blob`, and `UsageError` where a tar is cut short.
        """
        index = self._open()
        start, stop = (int(np.searchsorted(index.keys, _hash(key), side)) for side in ("left", "right"))
        found = {}
        for i in range(start, stop):
            within = ByteRange(offset=int(index.offsets[i]), size=int(index.sizes[i]))
            found[self._names[index.names[i]]] = read_blob(str(self._tars[index.tars[i]]), within)
        return found

    @property
    def identity(self) -> list[tuple[str, int]]:
        """Names and sizes of the tars."""
        return [(path.name, path.stat().st_size) for path in self._tars]

    def _open(self) -> _Index:
        with self._lock:
            if self._index is None:
                self._index = self._read_headers()
            return self._index

    def _read_headers(self) -> _Index:
        rows: list[npt.NDArray[np.int64]] = []
        keys: list[npt.NDArray[np.uint64]] = []
        names: dict[str, int] = {}
        for number, path in enumerate(self._tars):
            members, error = list_members(path)
            if error is not None:
                raise UsageError(f"{path}: {error.detail}. Delete it, and what it holds is made anew.")
            parts = [member.name.rsplit(".", 2) for member in members]
            keys.append(np.array([_hash(part[0]) for part in parts], np.uint64))
            places = [
                (number, member.offset, member.size, names.setdefault(".".join(part[1:]), len(names)))
                for member, part in zip(members, parts, strict=True)
            ]
            rows.append(np.array(places, np.int64).reshape(-1, 4))
        self._names = list(names)
        all_keys, table = np.concatenate(keys), np.concatenate(rows)
        order = np.argsort(all_keys, kind="stable")
        tars, offsets, sizes, which = table[order].T
        return _Index(
            all_keys[order], tars.astype(np.int32), offsets.copy(), sizes.copy(), which.astype(np.int16)
        )


def _hash(key: str) -> np.uint64:
    digest = hashlib.blake2b(key.encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "big"))
