"""Reading a release: which files it has, the facts of its pairs, and single pictures, in either form."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from earthloom.core.errors import UsageError
from earthloom.export.join import pair_schema
from earthloom.export.webdataset import from_geojson
from earthloom.store.layout import RELEASE_DATA, RELEASE_REFUSED

_NAME = re.compile(
    r"(?P<split>train|val|test)-(?P<modality>[a-z0-9]+)-(?P<index>\d{5,})\.(?P<suffix>parquet|tar)"
)
_IMAGES = frozenset({"jpg", "png"})
_FORMS = {"parquet": "parquet", "tar": "webdataset"}
_ROWS = 2000
"""Facts held at once: a few MB, and enough to be worth a call."""

_PIXELS = frozenset({"valid_mask", "class_mask"})
FACTS = tuple(name for name in pair_schema().names if name not in _PIXELS)
"""Columns that say something of a pair; of `image` only the name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ShardFile:
    """One file of a release's data."""

    path: Path
    split: str
    modality: str
    form: str
    """`parquet` or `webdataset`."""
    size: int
    """Bytes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """Consecutive pairs of one file, without their pixels."""

    file: ShardFile
    start: int
    """Number of the first pair within its file."""
    table: pa.Table
    """`FACTS`, with `pair_schema()`'s types."""


def list_files(release: Path) -> list[ShardFile]:
    """The data files of a release in order of their names; none when everything was refused.

    Raises `UsageError` when the folder is no release.
    """
    data = release / RELEASE_DATA
    paths = sorted(data.iterdir()) if data.is_dir() else []
    files = [
        ShardFile(
            path=path,
            split=match["split"],
            modality=match["modality"],
            form=_FORMS[match["suffix"]],
            size=path.stat().st_size,
        )
        for path in paths
        if (match := _NAME.fullmatch(path.name))
    ]
    if not files and not (release / RELEASE_REFUSED).is_file():
        raise UsageError(
            f"{release} is no release: wanted files such as {RELEASE_DATA}/train-rgb-00000.parquet in it. "
            f"Name a folder that `earthloom build` has finished, or its `release` folder."
        )
    return files


def iter_facts(files: Iterable[ShardFile]) -> Iterator[Facts]:
    """Read the facts of every pair once, from Parquet where there is any and from tars otherwise.

    Raises `UsageError` naming the file that cannot be read.
    """
    listed = list(files)
    parquets = [file for file in listed if file.form == "parquet"]
    for file in parquets or listed:
        start = 0
        with _explain(file.path):
            for table in _read_parquet(file.path) if file.form == "parquet" else _read_tar(file.path):
                yield Facts(file=file, start=start, table=table)
                start += table.num_rows


@contextlib.contextmanager
def _explain(path: Path) -> Iterator[None]:
    """Turn what the readers raise on a damaged file into one error with a remedy."""
    try:
        yield
    except (OSError, pa.ArrowException, tarfile.TarError, ValueError, KeyError) as error:
        raise UsageError(
            f"{path} cannot be read as part of a release: {error}. "
            f"Remove the file and run `earthloom build` again, which writes it anew."
        ) from error


def _read_parquet(path: Path) -> Iterator[pa.Table]:
    columns = ["image.path", *(name for name in FACTS if name != "image")]
    with pq.ParquetFile(path) as file:
        missing = sorted(set(FACTS) - set(file.schema_arrow.names))
        if missing:
            raise ValueError(f"it has no column {', '.join(missing)}")
        for groups in _batch_groups(file):
            yield file.read_row_groups(groups, columns=columns, use_threads=False).select(FACTS)


def _batch_groups(file: pq.ParquetFile) -> Iterator[list[int]]:
    groups: list[int] = []
    n = 0
    for group in range(file.num_row_groups):
        groups.append(group)
        n += file.metadata.row_group(group).num_rows
        if n >= _ROWS:
            yield groups
            groups, n = [], 0
    if groups:
        yield groups


def _read_tar(path: Path) -> Iterator[pa.Table]:
    schema = pa.schema([pair_schema().field(name) for name in FACTS])
    samples = _iter_samples(path)
    while batch := list(itertools.islice(samples, _ROWS)):
        yield pa.Table.from_pylist([_to_row(sample) for sample in batch], schema=schema)


def _iter_samples(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name of the image and content of the JSON of every sample; pixels are skipped, not read."""
    image = ""
    for member, archive in _iter_members(path):
        suffix = member.name.rpartition(".")[2]
        if suffix in _IMAGES:
            image = member.name
        elif suffix == "json":
            yield image, json.loads(_read_member(archive, member))


def _iter_members(path: Path) -> Iterator[tuple[tarfile.TarInfo, tarfile.TarFile]]:
    _check_end(path)
    with tarfile.open(path, "r:") as archive:
        while (member := archive.next()) is not None:
            archive.members.clear()  # type: ignore[attr-defined]  # it would keep every header
            yield member, archive


def _check_end(path: Path) -> None:
    """A tar that was cut off between two members reads like a whole one, but for the mark at its end."""
    end = 2 * tarfile.BLOCKSIZE
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - end, 0))
        if size % tarfile.BLOCKSIZE or file.read() != bytes(end):
            raise ValueError("it has no mark at its end: it was cut off")


def _read_member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    content = archive.extractfile(member)
    if content is None:
        raise ValueError(f"{member.name} is no file")
    return content.read()


def _to_row(sample: tuple[str, Mapping[str, Any]]) -> dict[str, Any]:
    name, facts = sample
    footprint = facts["footprint"]
    shape = None if footprint is None else from_geojson(footprint)
    return {**facts, "footprint": shape, "image": {"bytes": None, "path": name}}


def read_pictures(path: Path, rows: Iterable[int]) -> dict[int, bytes]:
    """The encoded images of some pairs of one file, by number within the file."""
    wanted = frozenset(rows)
    with _explain(path):
        if path.suffix == ".tar":
            return dict(_pick_members(path, wanted))
        return dict(_pick_rows(path, wanted))


def _pick_rows(path: Path, wanted: frozenset[int]) -> Iterator[tuple[int, bytes]]:
    with pq.ParquetFile(path) as file:
        start = 0
        for group in range(file.num_row_groups):
            stop = start + file.metadata.row_group(group).num_rows
            here = sorted(row for row in wanted if start <= row < stop)
            if here:
                images = file.read_row_group(group, columns=["image.bytes"], use_threads=False)["image"]
                yield from ((row, images[row - start]["bytes"].as_py()) for row in here)
            start = stop


def _pick_members(path: Path, wanted: frozenset[int]) -> Iterator[tuple[int, bytes]]:
    images = ((m, archive) for m, archive in _iter_members(path) if m.name.rpartition(".")[2] in _IMAGES)
    for row, (member, archive) in enumerate(images):
        if row in wanted:
            yield row, _read_member(archive, member)
