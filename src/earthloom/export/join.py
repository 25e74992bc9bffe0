"""From the stages' shards to pairs: tiles, scenes, captions and verdicts joined by id, a row group at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from earthloom.core.errors import AccountError
from earthloom.core.records import Pair, Scene, Tile
from earthloom.store.tables import from_rows, schema_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """A run of pairs that one tile shard holds: those of one split and modality, in tile order."""

    tiles: str
    """Path of the tile shard's rows."""
    captions: str
    """Path of the captions of these tiles."""
    verdicts: str
    """Path of the verdicts on these tiles."""
    scenes: tuple[str, ...]
    """Paths of the scene shards that the tiles were cut from."""
    split: str
    modality: str
    skip: int
    """Matching pairs of the tile shard that come before this segment."""
    take: int
    """Pairs in this segment."""


def _field_names(record: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(record))


_OF_TILE = tuple(name for name in _field_names(Pair) if name in _field_names(Tile) and name != "image")
_OF_SCENE = tuple(name for name in _field_names(Pair) if name in _field_names(Scene) and name not in _OF_TILE)
_TILE_COLUMNS = [*_OF_TILE, "image", "media"]
_CAPTION_COLUMNS = ("captions", "proposals")
_SCENE_COLUMNS = ["id", "mask", *_OF_SCENE]


@cache
def pair_schema() -> pa.Schema:
    """The columns of a release: `Pair`'s, every one nullable, as Hugging Face `datasets` wants them."""
    return pa.schema([_relax(field) for field in schema_of(Pair)])


def _relax(field: pa.Field) -> pa.Field:
    kind = field.type
    if pa.types.is_struct(kind):
        kind = pa.struct([_relax(child) for child in kind])
    elif pa.types.is_list(kind):
        kind = pa.list_(_relax(kind.value_field))
    return pa.field(field.name, kind, nullable=True)


def join_segments(segments: Sequence[Segment]) -> Iterator[pa.RecordBatch]:
    """Yield the pairs of all segments in order, with `pair_schema()`'s columns.

    A batch holds what one row group of a tile shard gives, so memory is bounded by a row group and by the facts
    of one tile shard. A tile without captions or verdict is in no release. Raises `AccountError` when a tile
    shard holds fewer pairs than its segment was planned to.
    """
    for segment in segments:
        yield from _join(segment)


def iter_pairs(segments: Sequence[Segment]) -> Iterator[Pair]:
    """Yield the pairs of all segments as records; for a look at a few, as rows cost more than columns."""
    for batch in join_segments(segments):
        yield from from_rows(batch.to_pylist(), Pair)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sides:
    """What is joined to the tiles, and for every tile of the shard the row of each; -1 where there is none."""

    scenes: pa.Table
    captions: pa.Table
    scene_of: np.ndarray
    captions_of: np.ndarray
    chosen: np.ndarray
    """Rows of the tile shard that the segment takes, ascending."""


def _join(segment: Segment) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(segment.tiles) as file:
        sides = _read_sides(file, segment)
        start = 0
        for group in range(file.num_row_groups):
            stop = start + file.metadata.row_group(group).num_rows
            low, high = np.searchsorted(sides.chosen, (start, stop))
            if low < high:
                tiles = file.read_row_group(group, columns=_TILE_COLUMNS, use_threads=False)
                yield from _join_rows(tiles, start, sides.chosen[low:high], sides, segment)
            start = stop


def _read_sides(tiles: pq.ParquetFile, segment: Segment) -> _Sides:
    keys = tiles.read(columns=["id", "scene_id"], use_threads=False)
    verdicts = _read(segment.verdicts, ["id", "split"])
    verdicts = verdicts.filter(pc.equal(verdicts["split"], segment.split))
    scenes = pa.concat_tables([_read(path, _SCENE_COLUMNS) for path in segment.scenes])
    scenes = scenes.filter(pc.equal(scenes["modality"], segment.modality))
    captions = _read(segment.captions, ["id", *_CAPTION_COLUMNS])
    scene_of = _locate(keys["scene_id"], scenes["id"])
    captions_of = _locate(keys["id"], captions["id"])
    matches = (scene_of >= 0) & (captions_of >= 0) & (_locate(keys["id"], verdicts["id"]) >= 0)
    chosen = np.flatnonzero(matches)[segment.skip :][: segment.take]
    _check_account(segment, len(chosen))
    return _Sides(scenes=scenes, captions=captions, scene_of=scene_of, captions_of=captions_of, chosen=chosen)


def _read(path: str, columns: Sequence[str]) -> pa.Table:
    with pq.ParquetFile(path) as file:
        return file.read(columns=list(columns), use_threads=False)


def _locate(keys: pa.ChunkedArray, among: pa.ChunkedArray) -> np.ndarray:
    """For each key its row in `among`, or -1."""
    rows: np.ndarray = pc.fill_null(pc.index_in(keys, value_set=among.combine_chunks()), -1).to_numpy()
    return rows


def _check_account(segment: Segment, n: int) -> None:
    if n == segment.take:
        return
    raise AccountError(
        f"{Path(segment.tiles).name} should give {segment.take} {segment.split} {segment.modality} pairs after the "
        f"first {segment.skip}, but has captions, verdicts and scenes for only {n}. Remove the export and run again."
    )


def _join_rows(
    tiles: pa.Table, start: int, rows: np.ndarray, sides: _Sides, segment: Segment
) -> Iterator[pa.RecordBatch]:
    is_run = len(rows) == rows[-1] - rows[0] + 1  # a run needs no copy of the pixels
    picked = tiles.slice(rows[0] - start, len(rows)) if is_run else tiles.take(pa.array(rows - start))
    scenes = sides.scenes.take(pa.array(sides.scene_of[rows])).combine_chunks()
    captions = sides.captions.take(pa.array(sides.captions_of[rows])).combine_chunks()
    done = 0
    for batch in picked.to_batches():
        n = batch.num_rows
        yield _to_pairs(batch, scenes.slice(done, n), captions.slice(done, n), segment.split)
        done += n


def _to_pairs(tiles: pa.RecordBatch, scenes: pa.Table, captions: pa.Table, split: str) -> pa.RecordBatch:
    schema = pair_schema()
    made = {
        "image": _to_pictures(tiles),
        **{name: captions[name].combine_chunks() for name in _CAPTION_COLUMNS},
        "split": pa.repeat(split, tiles.num_rows),
        "class_legend": _legends(scenes),
    }
    columns = []
    for field in schema:
        if field.name in made:
            column = made[field.name]
        elif field.name in _OF_TILE:
            column = tiles.column(field.name)
        else:
            column = scenes[field.name].combine_chunks()
        columns.append(column if column.type == field.type else column.cast(field.type))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _to_pictures(tiles: pa.RecordBatch) -> pa.StructArray:
    names = pc.binary_join_element_wise(tiles["id"], tiles["media"], ".")
    return pa.StructArray.from_arrays([tiles["image"], names], names=["bytes", "path"])


def _legends(scenes: pa.Table) -> pa.Array:
    """The legends of the scenes' masks; an empty list where a scene has none."""
    legends = pc.struct_field(scenes["mask"].combine_chunks(), "legend")
    empty = pa.array([[]], type=legends.type)
    return pc.coalesce(legends, empty[0])
