"""Tars of the WebDataset form: headers scanned once, then every sample read in place."""

from __future__ import annotations

import json
import sys
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from earthloom.core.blobs import read_blob
from earthloom.core.errors import RecordError
from earthloom.core.records import ByteRange, Reason
from earthloom.store.selection import PICTURES
from earthloom.store.stream.facts import make_sample, unify
from earthloom.store.stream.sample import Sample
from earthloom.store.stream.shard import Chunk, Rows
from earthloom.store.tar_members import Member, list_members

_BLOCK = tarfile.BLOCKSIZE
_GAP = 64 * 1024
"""Bytes between members that are rather read and thrown away than skipped by a read of their own."""
_TEXTS = ("txt", "caption", "text", "cap")


class Samples:
    """Samples of a tar, 160 bytes each: a shard has thousands, and several are open at a time."""

    def __init__(self, members: Sequence[Member]) -> None:
        """Group members that follow each other and share a name up to the first dot after the last slash.

        This is how WebDataset has it. Names that begin and end with two underscores are none of a sample's.
        """
        self.keys: list[str] = []
        self._starts: list[int] = []
        self._suffixes: list[str] = []
        places: list[tuple[int, int]] = []
        seen: set[str] = set()
        for member in members:
            key, suffix = _split_name(member.name)
            if key is None:
                continue
            if not self.keys or self.keys[-1] != key or suffix in seen:
                self.keys.append(key)
                self._starts.append(len(places))
                seen = set()
            seen.add(suffix)
            self._suffixes.append(sys.intern(suffix))
            places.append((member.offset, member.size))
        self._starts.append(len(places))
        self._places = np.array(places, np.int64).reshape(-1, 2)

    def take(self, rows: Sequence[int]) -> Samples:
        """Some of them."""
        return Samples(
            [
                Member(f"{self.keys[row]}.{suffix}", within.offset, within.size)
                for row in rows
                for suffix, within in self.members(row).items()
            ]
        )

    def members(self, row: int) -> dict[str, ByteRange]:
        """Where the members of a sample lie, by what follows the first dot of their names."""
        start, stop = self._starts[row], self._starts[row + 1]
        places = self._places[start:stop].tolist()
        return {
            suffix: ByteRange(offset=offset, size=size)
            for suffix, (offset, size) in zip(self._suffixes[start:stop], places, strict=True)
        }


def _split_name(name: str) -> tuple[str | None, str]:
    """Key of the sample and what follows it, in lower case; None for a file that belongs to none."""
    folder, slash, last = name.removeprefix("./").rpartition("/")
    stem, dot, suffix = last.partition(".")
    if not dot or (stem.startswith("__") and stem.endswith("__")):
        return None, ""
    return f"{folder}{slash}{stem}", suffix.lower()


class TarShard:
    """A tar whose headers are known."""

    def __init__(self, path: Path, stem: str) -> None:
        """Scan it. Raises `RecordError` where it cannot be opened."""
        self._path = path
        self._stem = stem
        members, self._error = list_members(path)
        self._samples = Samples(members)

    def chunks(self) -> Sequence[Chunk]:
        """One of all samples; another, of one broken row, where the tar is cut short."""
        whole = Chunk(len(self._samples.keys), 0)
        return (whole,) if self._error is None else (whole, Chunk(1, 0))

    def facts(self, chunk: int) -> Sequence[Mapping[str, Any] | RecordError]:
        """Unified facts of all samples, `id` among them."""
        if chunk:
            assert self._error is not None
            return (self._error,)
        return [self._find_facts(row) for row in range(len(self._samples.keys))]

    def narrow(self, rows: Rows) -> Rows:
        """Forget the places of all samples but some."""
        if len(rows[0]) < len(self._samples.keys):
            self._samples = self._samples.take(rows[0])
        return (range(len(rows[0])), *rows[1:])

    def key(self, chunk: int, row: int) -> str:
        """Name of a sample, `NAME.tar` for what is missing at its end."""
        return f"{self._stem}.tar" if chunk else self._samples.keys[row]

    def read(self, chunk: int, row: int) -> Sample:
        """Read a sample. Raises `RecordError` UNREADABLE, MISSING (no picture in it), BAD_FACTS and as `read_blob`."""
        if chunk:
            assert self._error is not None
            raise RecordError(self._error.reason, self._error.detail)
        members = self._samples.members(row)
        picture = _find_picture(members)
        contents = self._read_members(members)
        image, facts = contents.pop(picture), self._unify(self._samples.keys[row], contents.pop("json", b""))
        texts = [_decode(contents.pop(name)) for name in _TEXTS if name in contents]
        return make_sample(facts, key=facts["id"], image=image, texts=texts, extra=contents)

    def _find_facts(self, row: int) -> Mapping[str, Any] | RecordError:
        members = self._samples.members(row)
        try:
            data = self._read_members({"json": members["json"]})["json"] if "json" in members else b""
            return self._unify(self._samples.keys[row], data)
        except RecordError as error:
            return error

    def _unify(self, key: str, data: bytes) -> Mapping[str, Any]:
        facts = _parse(data)
        own = key if facts.get("id") == key else f"{self._stem}/{key}"
        return {**unify(facts, self._stem), "id": own}

    def _read_members(self, members: Mapping[str, ByteRange]) -> dict[str, bytes]:
        """Read members, at one go where they lie together."""
        start = min(member.offset for member in members.values())
        stop = max(member.offset + member.size for member in members.values())
        if stop - start > sum(member.size + _BLOCK for member in members.values()) + _GAP:
            return {
                name: read_blob(str(self._path), within) if within.size else b""
                for name, within in members.items()
            }
        if stop == start:
            return dict.fromkeys(members, b"")
        data = read_blob(str(self._path), ByteRange(offset=start, size=stop - start))
        return {name: data[m.offset - start : m.offset - start + m.size] for name, m in members.items()}


def _find_picture(members: Iterable[str]) -> str:
    """The member that is the picture; one that is nothing but (`jpg`) before others (`rgb.jpg`)."""
    pictures = [name for name in members if f".{name.rpartition('.')[2]}" in PICTURES]
    if not pictures:
        raise RecordError(
            Reason.MISSING, f"wanted a picture among the sample's members, got {sorted(members)}"
        )
    return next((name for name in pictures if "." not in name), pictures[0])


def _parse(data: bytes) -> dict[str, Any]:
    try:
        facts = json.loads(data) if data else {}
    except (ValueError, RecursionError) as error:
        raise RecordError(Reason.BAD_FACTS, f"the sample's json is no JSON: {error}") from error
    if not isinstance(facts, dict):
        raise RecordError(
            Reason.BAD_FACTS, f"the sample's json is a {type(facts).__name__}; wanted an object"
        )
    return facts


def _decode(data: bytes) -> str:
    return data.decode("utf-8", "replace").strip()
