"""Pictures that no file holds by itself, as files: those within Parquet, and masks as text within JSON."""

from __future__ import annotations

from pathlib import Path

from earthloom.core.ids import hash_bytes
from earthloom.store.atomic import open_atomic

_ENDINGS = ((b"\xff\xd8\xff", "jpg"), (b"\x89PNG", "png"), (b"RIFF", "webp"), (b"BM", "bmp"), (b"II*", "tif"))


def keep(data: bytes, assets: Path) -> Path:
    """Write bytes below `assets` under their hash, unless they are there; equal bytes are kept once.

    Costs as much room as the bytes, and as much time as to write them: a picture within Parquet is compressed along
    with others, so that it cannot be read in place later on. Raises WriteError.
    """
    name = hash_bytes(data)
    ending = next((ending for magic, ending in _ENDINGS if data.startswith(magic)), "bin")
    path = assets / "released" / name[:2] / f"{name}.{ending}"
    try:
        if path.stat().st_size == len(data):
            return path
    except FileNotFoundError:
        pass
    with open_atomic(path) as file:
        file.write(data)
    return path
