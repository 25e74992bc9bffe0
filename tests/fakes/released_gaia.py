"""GAIA's JSON in its published layouts, with records as its release has them."""

from __future__ import annotations

import csv
import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

Layout = Literal["list", "columns", "index"]


def make_record(name: str, url: str, **other: Any) -> dict[str, Any]:
    """Give a record with all 13 fields."""
    return {
        "id": name,
        "image_src": url,
        "image_alt": f"A view of {name}",
        "credits": "NASA Earth Observatory",
        "captions": [f"The image showcases: a scene of {name}, version {i}." for i in range(5)],
        "location": "Lake Eyre, Australia",
        "lat": -28.4,
        "lon": 137.4,
        "tag": ["Hydrology", "lake systems", "Drought"],
        "resolution": "Moderate",
        "satellite": ["Terra"],
        "sensor": ["MODIS"],
        "modalities": ["Multispectral"],
        **other,
    }


def write_json(path: Path, records: Sequence[dict[str, Any]], layout: Layout) -> None:
    """Write a split as a list of records, as columns of lists, or as pandas writes it: columns by index."""
    names = list(records[0])
    value: Any = list(records)
    if layout == "columns":
        value = {name: [record[name] for record in records] for name in names}
    elif layout == "index":
        value = {name: {str(i): record[name] for i, record in enumerate(records)} for name in names}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def write_img2dataset(path: Path, pictures: Sequence[tuple[dict[str, Any], bytes]]) -> None:
    """Write a tar as img2dataset does with `--save_additional_columns ["id","captions"]` and png.

    Members: KEY.png, KEY.txt (image_alt) and KEY.json, whose fields are those of img2dataset's downloader.
    """
    with tarfile.open(path, "w") as tar:
        for number, (record, data) in enumerate(pictures):
            key = f"{number:09d}"
            facts = {
                "id": record["id"],
                "captions": record["captions"],
                "caption": record["image_alt"],
                "url": record["image_src"],
                "key": key,
                "status": "success",
                "error_message": None,
                "width": 64,
                "height": 64,
                "original_width": 640,
                "original_height": 640,
                "exif": "{}",
                "sha256": "0" * 64,
            }
            members = (
                (data, "png"),
                (record["image_alt"].encode(), "txt"),
                (json.dumps(facts).encode(), "json"),
            )
            for content, suffix in members:
                info = tarfile.TarInfo(f"{key}.{suffix}")
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))


def write_csv(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows as CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
