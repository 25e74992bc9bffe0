"""Draw docs/images/richness.png: the same test prompts, each in the words of every arm, beside the real pictures.

earthloom experiment run prompt_richness --size eurosat --set data=eurosat_rgb.tar -o richness
python docs/make_richness_figure.py richness
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from earthloom.evaluate.config import PictureSet
from earthloom.evaluate.sets import Entry, open_set
from earthloom.store.atomic import open_atomic

ARMS = {
    "subject": "subject",
    "mmm_rs": "mmm_rs",
    "enriched": "enriched",
    "crossed": "enriched, asked by subject",
}
SCENES = ("clear", "fog", "low_light", "snow")
CLASSES = ("river", "residential", "annual crop")
SIDE, GAP, HEAD, TEXT = 96, 6, 30, 470
"""Pixels: of an enlarged picture, between pictures, of the headings, of the column of prompts."""

Picture = npt.NDArray[np.uint8]


def main() -> None:
    """Parse, draw, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="of the experiment")
    parser.add_argument("--output", type=Path, default=Path("docs/images/richness.png"))
    chosen = parser.parse_args()
    arms = [arm for arm in ARMS if (chosen.folder / f"drawn_{arm}").is_dir()]
    rows = list(choose_rows(chosen.folder, arms))
    with open_atomic(chosen.output) as file:
        draw(rows, arms).save(file, "PNG", optimize=True)


def choose_rows(folder: Path, arms: Sequence[str]) -> Iterator[tuple[Entry, list[Picture]]]:
    """The first place of each class under each scene, by id, with what every arm drew of it."""
    real = open_set("real", PictureSet(release=str(folder / "data_set"), split=("test",)), Path()).entries
    drawn = {arm: list_drawn(folder / f"drawn_{arm}") for arm in arms}
    for label in CLASSES:
        for scene in SCENES:
            entry = next(
                (
                    each
                    for each in sorted(real, key=lambda each: each.key)
                    if (each.label, each.scene) == (label, scene)
                    and all(each.key in pictures for pictures in drawn.values())
                ),
                None,
            )
            if entry is not None:
                yield entry, [entry.read(), *(read(drawn[arm][entry.key]) for arm in arms)]


def list_drawn(folder: Path) -> dict[str, Path]:
    """Pictures by the ids of the pairs whose captions were their prompts."""
    rows = [json.loads(line) for line in (folder / "metadata.jsonl").read_text().splitlines()]
    return {row["prompt_key"]: folder / row["file_name"] for row in rows}


def read(path: Path) -> Picture:
    """A picture, H x W x 3."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def draw(rows: Sequence[tuple[Entry, list[Picture]]], arms: Sequence[str]) -> Image.Image:
    """A row a prompt: its words in two styles, the real picture, and those of the arms."""
    names = ["real", *(ARMS[arm] for arm in arms)]
    size = (TEXT + len(names) * (SIDE + GAP), HEAD + len(rows) * (SIDE + GAP))
    sheet = Image.new("RGB", size, "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    for column, name in enumerate(names):
        words = name.replace(", ", ",\n")
        pen.multiline_text(
            (TEXT + column * (SIDE + GAP), 0 if "\n" in words else 8), words, "black", font, spacing=0
        )
    for number, (entry, pictures) in enumerate(rows):
        top = HEAD + number * (SIDE + GAP)
        told = [entry.caption("subject") or "", entry.caption("enriched") or ""]
        text = "\n".join(line for words in told for line in [*wrap(words, font, TEXT - 20), ""])
        pen.multiline_text((4, top + 8), text, "black", font)
        for column, picture in enumerate(pictures):
            enlarged = Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.NEAREST)
            sheet.paste(enlarged, (TEXT + column * (SIDE + GAP), top))
    return sheet


def wrap(words: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> list[str]:
    """Lines that fit."""
    lines = [""]
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


if __name__ == "__main__":
    main()
