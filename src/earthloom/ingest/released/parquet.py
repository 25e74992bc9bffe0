"""Parquet as Hugging Face hosts it: pictures as bytes, by path or by URL, beside captions and facts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import pyarrow as pa
from pydantic import Field

from earthloom.core.blobs import MAX_BLOB_BYTES
from earthloom.core.errors import RecordError, UsageError
from earthloom.core.records import Item, Origin, Part, Reason, Scene
from earthloom.ingest.about import About
from earthloom.ingest.config import FileSettings
from earthloom.ingest.datasets.adapter import part_of
from earthloom.ingest.listing import choose, list_files, locate, refuse
from earthloom.ingest.released.fields import Columns, FieldsSettings
from earthloom.ingest.released.gallery import Gallery, open_gallery
from earthloom.ingest.released.keep import keep
from earthloom.ingest.released.known import make_known_scene
from earthloom.ingest.released.listing import find_split, try_find
from earthloom.ingest.released.own import is_own, read_own
from earthloom.ingest.released.tables import Table, open_table, read_row
from earthloom.ingest.released.web import NetworkSettings, fetch_parts, localise, make_url_part
from earthloom.ingest.scenes import Facts
from earthloom.net.urls import is_remote


class ParquetSettings(FileSettings, FieldsSettings, NetworkSettings):
    """Parquet with a picture a row: as bytes, by path or by URL, with captions and facts in other columns."""

    items_a_shard: ClassVar[int] = 256
    kind: Literal["parquet"]
    """What kind of source this is."""
    images: str | None = Field(None, min_length=1)
    """Folder, tar or zip of the pictures, where rows hold paths; the folder of the file when not given."""


ABOUT = About(
    title="Parquet",
    what="a picture a row, as Hugging Face hosts them: bytes, paths or URLs, captions, facts; earthloom's own releases",
    layout=(
        "data/train-00000-of-00004.parquet",
        "    image {bytes, path} (or bytes, a path, a URL), caption, label, lon, lat, ...",
    ),
    example="""- {kind: parquet, path: 'eurosat/data/*.parquet', gsd_m: 10, platform: Sentinel-2}
- {kind: parquet, path: sky.parquet, fields: {url: image_link, caption: title, date: null}}
""",
)


def list_items(settings: ParquetSettings, root: Path) -> Iterator[Item]:
    """List rows, file after file; of columns only ids, paths and URLs are read.

    Raises UsageError where there is no Parquet, or none with a picture in it.
    """
    return choose(_list(settings, root), settings.skip, settings.limit)


def fetch_items(settings: ParquetSettings, items: Sequence[Item], root: Path, assets: Path) -> None:
    """Download the pictures of many rows."""
    fetch_parts(settings, items, assets)


def read_item(settings: ParquetSettings, item: Item, root: Path, assets: Path) -> list[Scene]:
    """Read one row: one scene. Raises RecordError, WriteError.

    Bytes of pictures are written below `assets`, once: that takes as much room as the pictures. Memory holds a page of
    the file twice: a file with hundreds of large pictures in a row group wants that much for each worker.
    """
    source = part_of(item, "rows")
    assert source is not None
    place = json.loads(item.document)
    row = read_row(source, place["row"])
    picture = part_of(item, "image")
    if picture is None:
        picture = _keep_picture(row.pop(place["column"], None), assets)
    else:
        picture = localise(settings, picture, assets)
    if is_own(row):
        known = read_own(row, Path(picture.uri).read_bytes(), item.key, assets)
    else:
        columns = Columns(settings)
        names = open_table(source).find_class_names(columns.find(row, "label")[0])
        known = columns.read(row, item.key, names)
    file = Facts(origin=Origin.NAME, published_split=find_split(Path(source.uri).stem))
    return [make_known_scene(settings, item, picture, known, weaker=(file,))]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Layout:
    """Where the rows of a file have their picture; empty for nowhere."""

    data: str = ""
    """Column of bytes, or of bytes and path."""
    url: str = ""
    path: str = ""
    identity: str = ""


def _list(settings: ParquetSettings, root: Path) -> Iterator[Item]:
    start = locate(settings.path, root)
    columns = Columns(settings)
    gallery = None if settings.images is None else open_gallery(settings.images, root)
    broken: list[Item] = []
    is_empty = True
    for file in list_files(start, lambda name: name.lower().endswith(".parquet")):
        if file.refused is not None:
            broken.append(file)
            continue
        part = file.parts[0]
        try:
            table = open_table(part)
            layout = _find_layout(table, columns)
        except RecordError as error:
            broken.append(refuse(file.key, error.reason, error.detail))
            continue
        folder = gallery or Gallery(locate(str(Path(part.uri).parent), root))
        for item in _list_rows(table, layout, file, folder):
            is_empty = False
            yield item
    if is_empty:
        why = "; ".join(f"{item.key}: {item.detail}" for item in broken) or "there is none with a row in it"
        raise UsageError(f"{settings.path}: wanted .parquet files with a picture in every row; {why}.")
    yield from broken


def _find_layout(table: Table, columns: Columns) -> _Layout:
    """Find the picture: what the recipe names, else bytes, else a URL, else a path."""
    kinds = {field.name: field.type for field in table.schema}
    named = [name for name in columns.names("image") if name in kinds]
    typed = [*(name for name in named if not _is_text(kinds[name])), *table.find_images()]
    is_picture = [name for name in typed if pa.types.is_struct(kinds[name]) or _is_binary(kinds[name])]
    layout = _Layout(
        data=next(iter(is_picture), ""),
        url=_find_text(columns.names("url"), kinds),
        path=_find_text(columns.names("image"), kinds),
        identity=_find_text(columns.names("id"), kinds),
    )
    if not (layout.data or layout.url or layout.path):
        said = ", ".join(kinds)[:200]
        raise RecordError(
            Reason.BAD_FACTS,
            f"no column is known to hold pictures, URLs or paths; it has {said}. `fields: {{image: ...}}` or "
            "`fields: {url: ...}` names one",
        )
    return layout


def _find_text(names: Sequence[str], kinds: dict[str, Any]) -> str:
    return next((name for name in names if name in kinds and _is_text(kinds[name])), "")


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or str(kind) == "string_view")


def _is_binary(kind: Any) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _list_rows(table: Table, layout: _Layout, file: Item, folder: Gallery) -> Iterator[Item]:
    wanted = [layout.identity] if layout.data else [layout.identity, layout.url, layout.path]
    seen: set[int] = set()
    source = Part(
        uri=file.parts[0].uri, size=file.parts[0].size, mtime_ns=file.parts[0].mtime_ns, role="rows"
    )
    names = list(dict.fromkeys(name for name in wanted if name))
    rows = enumerate(table.iter_rows(names))
    while True:
        try:
            number, row = next(rows)
        except StopIteration:
            return
        except (pa.ArrowException, OSError, ValueError) as error:
            detail = f"the file is damaged: {str(error)[:200]}"
            yield refuse(f"{file.key}#columns", Reason.UNREADABLE, detail)
            return
        key = _make_key(file.key, row.get(layout.identity), number, seen)
        document = json.dumps({"row": number, "column": layout.data})
        if layout.data:
            yield Item(key=key, parts=(source,), document=document)
            continue
        part, reason, detail = _find_picture(row, layout, folder)
        yield (
            Item(key=key, parts=(part, source), document=document)
            if part is not None
            else refuse(key, reason, detail)
        )


def _make_key(file: str, identity: object, number: int, seen: set[int]) -> str:
    """The row's own id if it has one that no row before it has, else its number."""
    if not isinstance(identity, str) or not identity.strip() or hash(identity) in seen:
        return f"{file}#{number}" if not isinstance(identity, str) else f"{file}#{identity}-{number}"
    seen.add(hash(identity))
    return f"{file}#{identity}"


def _find_picture(
    row: dict[str, object], layout: _Layout, folder: Gallery
) -> tuple[Part | None, Reason, str]:
    url, path = row.get(layout.url), row.get(layout.path)
    for text in (url, path):
        if isinstance(text, str) and is_remote(text.strip()):
            return make_url_part(text), Reason.MISSING, ""
    if isinstance(path, str) and path.strip():
        part, reason, detail = try_find(folder.find, [path.strip()])
        return (
            None
            if part is None
            else Part(uri=part.uri, size=part.size, mtime_ns=part.mtime_ns, within=part.within, role="image"),
            reason,
            detail,
        )
    return None, Reason.MISSING, "the row names no picture"


def _keep_picture(value: object, assets: Path) -> Part:
    data = value.get("bytes") if isinstance(value, dict) else value
    if not isinstance(data, bytes):
        path = value.get("path") if isinstance(value, dict) else None
        said = f"only a path, {path!r}" if path else "nothing"
        raise RecordError(Reason.MISSING, f"the row holds {said} where the picture's bytes are wanted")
    if not data:
        raise RecordError(Reason.EMPTY, "no bytes")
    if len(data) > MAX_BLOB_BYTES:
        raise RecordError(Reason.TOO_LARGE, f"{len(data) / 2**20:.0f} MiB encoded")
    return Part(uri=str(keep(data, assets)), size=len(data))
