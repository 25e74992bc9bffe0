"""Pairs as WebDataset: a tar in which every pair is an image, a JSON of facts and a text to train on."""

from __future__ import annotations

import base64
import json
import math
import tarfile
from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import shapely

_BYTES_AS_PNG = ("valid_mask", "class_mask")


class TarSink:
    """Writes pairs to a USTAR file: `ID.jpg` or `ID.png`, `ID.json`, `ID.txt` for each, in this order."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = 0

    def write(self, pairs: pa.Table) -> None:
        """Append some pairs."""
        for batch in pairs.to_batches():
            pictures = batch["image"]
            pixels, names = pictures.field("bytes"), pictures.field("path").to_pylist()
            for i, facts in enumerate(iter_facts(batch)):
                self._add(names[i], pixels[i].as_buffer())
                self._add(f"{facts['id']}.json", to_json(facts))
                self._add(f"{facts['id']}.txt", choose_text(facts["captions"]).encode())

    def _add(self, name: str, data: bytes | pa.Buffer) -> None:
        header = tarfile.TarInfo(name)  # owner, group and time are 0, mode 0644
        size = len(memoryview(data))
        header.size = size
        self._file.write(header.tobuf(tarfile.USTAR_FORMAT))
        self._file.write(data)
        padding = -size % tarfile.BLOCKSIZE
        self._file.write(bytes(padding))
        self._size += tarfile.BLOCKSIZE + size + padding

    def close(self) -> None:
        """Write the end mark, and zeros to a whole record as tar wants it."""
        end = 2 * tarfile.BLOCKSIZE
        self._file.write(bytes(end + -(self._size + end) % tarfile.RECORDSIZE))

    def abandon(self) -> None:
        """Nothing is held besides the file."""


def iter_facts(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    """Rows without their pixels, as JSON holds them: footprint as GeoJSON multi-polygon, masks as PNG in base64."""
    facts = batch.drop_columns(["image"])
    for row in facts.to_pylist():
        if row["footprint"] is not None:
            row["footprint"] = to_geojson(row["footprint"])
        for name in _BYTES_AS_PNG:
            if row[name] is not None:
                row[name] = base64.b64encode(row[name]).decode()
        yield row


def to_geojson(footprint: bytes) -> dict[str, Any]:
    """A WKB polygon or multi-polygon as GeoJSON; a multi-polygon always, as loaders want one type per field."""
    polygons = shapely.get_parts(shapely.from_wkb(footprint))
    rings = [[shapely.get_coordinates(ring).tolist() for ring in shapely.get_rings(p)] for p in polygons]
    return {"type": "MultiPolygon", "coordinates": rings}


def from_geojson(footprint: dict[str, Any]) -> bytes:
    """The WKB that `to_geojson` was given: a polygon where there is only one."""
    shape = shapely.geometry.shape(footprint)
    parts = shapely.get_parts(shape)
    return bytes(shapely.to_wkb(parts[0] if len(parts) == 1 else shape))


def to_json(facts: dict[str, Any]) -> bytes:
    """Compact UTF-8 JSON. A number that JSON cannot express (NaN, infinity) is unknown: null."""
    try:
        text = json.dumps(facts, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except ValueError:
        text = json.dumps(_drop_nonfinite(facts), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode()


def _drop_nonfinite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _drop_nonfinite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_drop_nonfinite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def choose_text(captions: list[dict[str, str]]) -> str:
    """The one text for loaders that take one: the first generation prompt, else the first caption."""
    prompts = [caption["text"] for caption in captions if caption["role"] == "prompt"]
    return next(iter(prompts or [caption["text"] for caption in captions]), "")
