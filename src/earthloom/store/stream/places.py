"""Where the shards of a selection lie: a folder, a release, or a place in object storage."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from earthloom.core.errors import UsageError
from earthloom.store.layout import WorkFolder
from earthloom.store.selection import DATA_PLACES, Selection, is_uri
from earthloom.store.stream.remote import ShardCache, open_place
from earthloom.store.stream.shard import Shard, is_of_interest

_SUFFIXES = (".parquet", ".tar")
"""In the order of preference."""


def list_shards(selection: Selection, base: Path, cache: ShardCache) -> list[Shard]:
    """List the shards in which samples of a selection may lie, in the order of their names; none is opened.

    Raises `UsageError` where there is no such place, or no shard in it.
    """
    if selection.folder is not None:
        root = _find_folder(base, selection.folder)
        return [Shard(stem="", suffix="", size=0, find=lambda: root)]
    if is_uri(selection.place):
        found = _list_remote(selection.place, cache)
    else:
        found = _list_local(_find_folder(base, selection.place))
    shards = next(filter(None, ([s for s in found if s.suffix == suffix] for suffix in _SUFFIXES)), [])
    if not shards:
        raise UsageError(
            f"{selection.place} holds no release: wanted .parquet or .tar files in it or its `data`."
        )
    wanted = [shard for shard in shards if is_of_interest(shard.stem, selection)]
    return sorted(wanted, key=lambda shard: shard.stem)


def _find_folder(base: Path, place: str) -> Path:
    if is_uri(place):
        raise UsageError(
            f"{place}: single pictures are read from folders of this machine; pack them into tars."
        )
    if not (base / place).is_dir():
        raise UsageError(f"there is no folder {str(base / place)!r}.")
    return base / place


def _list_local(root: Path) -> list[Shard]:
    data = next(p for place in DATA_PLACES if (p := root / place).is_dir())
    paths = [path for suffix in _SUFFIXES for path in data.glob(f"*{suffix}")]
    if not paths and not WorkFolder(root).stage("ingest").is_dir():
        paths = [path for suffix in _SUFFIXES for path in data.rglob(f"*{suffix}")]
    return [
        Shard(
            stem=path.relative_to(data).as_posix().removesuffix(path.suffix),
            suffix=path.suffix,
            size=path.stat().st_size,
            find=partial(Path, path),
        )
        for path in paths
        if path.is_file()
    ]


def _list_remote(uri: str, cache: ShardCache) -> list[Shard]:
    place = open_place(uri)
    for below, recursive in [*((below, False) for below in DATA_PLACES), ("", True)]:
        found = [
            Shard(
                stem=name.rpartition(".")[0],
                suffix=f".{name.rpartition('.')[2]}",
                size=file.size,
                find=partial(cache.get, file),
                remote=file,
            )
            for name, file in place.list_files(below, recursive=recursive)
            if name.endswith(_SUFFIXES)
        ]
        if found:
            return found
    return []
