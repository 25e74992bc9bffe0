"""Small made pictures and recipes whose captions are asked of a model on loopback."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

SIDE = 64
PLACES = ("Lake Constance", "Bavaria", "North Dakota", "Nile Delta", "Tasmania")


def make_pictures(folder: Path, n: int) -> None:
    """Noise over a slope of grey, each picture another, with facts, titles and some articles beside them."""
    folder.mkdir(parents=True)
    slope = np.linspace(40, 200, SIDE)[None, :, None] + np.zeros((SIDE, 1, 3))
    rows = []
    for i in range(n):
        noise = np.random.default_rng(i).normal(0, 12, (SIDE, SIDE, 3))
        picture = np.clip(slope + noise, 0, 255).astype(np.uint8)
        Image.fromarray(picture).save(folder / f"{i:05d}.png", compress_level=1)
        place = PLACES[i % len(PLACES)]
        row: dict[str, object] = {
            "file": f"{i:05d}.png",
            "place": place,
            "gsd_m": 10,
            "platform": "Sentinel-2",
        }
        if i % 4 == 0:
            row["title"] = f"Fields near {place}"
        if i % 8 == 0:
            row["article"] = f"Farmers near {place} have sown early this year, picture {i} shows. " * 40
        rows.append(row)
    (folder / "facts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_recipe(folder: Path, n: int, base_url: str, **chat: object) -> Path:
    """A recipe over `n` pictures that asks the endpoint, and lets the rules write beside it."""
    make_pictures(folder / "pictures", n)
    recipe = {
        "name": "asked",
        "sources": [{"kind": "images", "path": "pictures", "facts": "pictures/facts.jsonl"}],
        "tile": {"size": SIDE, "fit": "whole"},
        "caption": {
            "with": ["chat", "rules"],
            "per_image": 0,
            "styles": ["mmm_rs"],
            "chat": {
                "model": "toy-vision",
                "base_url": base_url,
                "key_env": "TOY_KEY",
                "prices": {"toy-vision": {"input": 2.5, "output": 10.0}},
                "limits": {"timeout_s": 2.0, "backoff_s": 0.02, "tries": 5},
                **chat,
            },
        },
        "export": {"formats": ["parquet"], "report": False},
    }
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe, sort_keys=False))
    return path
