"""Reading back what stages wrote: tiles with and without their pixels, the scenes that they were cut from."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import accumulate
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from earthloom.core.records import Scene, Tile
from earthloom.store.tables import from_rows, iter_row_groups, read_columns, schema_of


class TileReader:
    """Single tiles of a shard, pixels included; the row group read last is kept."""

    def __init__(self, path: Path) -> None:
        metadata = pq.read_metadata(path)
        sizes = (metadata.row_group(i).num_rows for i in range(metadata.num_row_groups))
        self._path = path
        self._starts = [0, *accumulate(sizes)]
        self._read_group = lru_cache(maxsize=1)(self._open_group)

    def _open_group(self, group: int) -> pa.Table:
        with pq.ParquetFile(self._path) as file:
            return file.read_row_group(group, use_threads=False)

    def read(self, row: int) -> Tile:
        """Read one tile."""
        group = bisect_right(self._starts, row) - 1
        table = self._read_group(group)
        (tile,) = from_rows(table.slice(row - self._starts[group], 1).to_pylist(), Tile)
        return tile


def find_scenes(tiles: Iterable[Path], scenes: Iterable[Path]) -> dict[str, Scene]:
    """The scenes that shards of tiles were cut from, by id."""
    wanted = {name for path in tiles for name in read_columns(path, ["scene_id"])["scene_id"].to_pylist()}
    return {
        scene.id: scene
        for path in scenes
        for table in iter_row_groups(path)
        for scene in from_rows((row for row in table.to_pylist() if row["id"] in wanted), Scene)
    }


_PIXELS = frozenset({"image", "valid_mask", "class_mask"})
_FACTS = [name for name in schema_of(Tile).names if name not in _PIXELS]


def iter_tiles(path: Path) -> Iterator[Tile]:
    """Tiles of a shard without their pixels: `image` is empty, masks are absent."""
    for table in iter_row_groups(path, _FACTS):
        yield from _to_tiles(table)


def _to_tiles(table: pa.Table) -> Iterator[Tile]:
    bare = {"image": b"", "valid_mask": None, "class_mask": None}
    return from_rows((row | bare for row in table.to_pylist()), Tile)


class Pictures:
    """The encoded pictures of one row group of tiles, read when the first is wanted; safe to share between threads."""

    def __init__(self, path: Path, group: int) -> None:
        self._path = path
        self._group = group
        self._lock = threading.Lock()
        self._table: pa.Table | None = None

    def read(self, row: int) -> tuple[bytes, str]:
        """The bytes and the media of the picture in a row of the group."""
        with self._lock:
            if self._table is None:
                with pq.ParquetFile(self._path) as file:
                    self._table = file.read_row_group(
                        self._group, columns=["image", "media"], use_threads=False
                    )
        return self._table["image"][row].as_py(), self._table["media"][row].as_py()


def iter_tile_groups(path: Path) -> Iterator[tuple[Pictures, list[Tile]]]:
    """Give the tiles of a shard, a row group at a time, without pixels, and beside them what reads those."""
    for group, table in enumerate(iter_row_groups(path, _FACTS)):
        yield Pictures(path, group), list(_to_tiles(table))
