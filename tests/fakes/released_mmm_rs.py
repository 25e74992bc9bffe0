"""MMM-RS as hosted: the weather archive and the tree of WHU-OPT-SAR, unpacked; what names a picture is unpublished."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from fakes.released_pictures import encode

Layout = Literal["list", "columns", "lines"]

PROMPTS = {
    "fog": "Ordinary precision resolution, fog, a satellite image shows a large area of farmland, Sentinel-2.",
    "snowy": "High precision resolution, snow, a satellite image shows a park in the city, Google Earth",
    "night": "High precision resolution, night, a satellite image shows a street, with cars, GF2",
}
"""Literal prompts of the paper's figures, by folder."""
WHU_PROMPT = "Low precision resolution, a satellite image of a mountain with a river running through it, GF1"


@dataclass(frozen=True, kw_only=True)
class Truth:
    """One record."""

    image: str
    prompt: str
    weather: str | None
    platform: str


def write_weather(
    folder: Path, layout: Layout = "list", field: str = "image", prefix: str = ""
) -> list[Truth]:
    """Write three JSON files and their pictures; equal bare names in all folders, as in the release."""
    truths = []
    platforms = {"fog": "Sentinel-2", "snowy": "Google Earth", "night": "Gaofen-2"}
    for number, (name, prompt) in enumerate(PROMPTS.items()):
        rows: list[dict[str, Any]] = []
        for i in range(2):
            path = folder / name / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encode(10 * number + i))
            rows.append(
                {
                    field: f"{prefix}{name}/{i}.png",
                    "prompt": prompt,
                    "category": "farmland",
                    "cloud_cover": 25,
                }
            )
            weather = {"fog": "fog", "snowy": "snow", "night": "night"}[name]
            truths.append(
                Truth(image=f"{name}/{i}.png", prompt=prompt, weather=weather, platform=platforms[name])
            )
        _write(folder / f"MMM-RS_{name}_cleaned.json", rows, layout)
    return truths


def write_whu(folder: Path) -> None:
    """Write two places of WHU-OPT-SAR, each as RGB, NIR and SAR under one name."""
    rows = []
    for i in range(2):
        for number, kind in enumerate(("RGB_jpg", "NIR_jpg", "sar_jpg")):
            path = folder / "WHU-OPT-SAR_dataset" / kind / f"NH49E001{i}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encode(10 * i + number, form="JPEG"))
            rows.append({"path": f"WHU-OPT-SAR_dataset/{kind}/{path.name}", "prompt": WHU_PROMPT})
    _write(folder / "MMM-RS_WHU-OPT-SAR.json", rows, "list")


def _write(path: Path, rows: list[dict[str, Any]], layout: Layout) -> None:
    text = json.dumps(rows)
    if layout == "columns":
        text = json.dumps({name: [row[name] for row in rows] for name in rows[0]})
    elif layout == "lines":
        text = "".join(json.dumps(row) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")
