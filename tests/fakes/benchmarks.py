"""Miniatures of common test sets in the layouts in which they are handed out. All words and pictures are our own."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

SIDE = 40
CAPTIONS = 5
_HUES = ("red", "green", "blue", "yellow", "grey")


def draw(kind: int, number: int) -> npt.NDArray[np.uint8]:
    """A picture of a kind: stripes of a direction and width of its own in its own colour, with some noise."""
    rng = np.random.default_rng([kind, number])
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    angle, width = kind * 0.7, 2.0 + kind % 4
    stripes = np.sin((x * np.cos(angle) + y * np.sin(angle)) / width + rng.uniform(0, 6))
    colour = np.random.default_rng(kind).uniform(60, 190, 3)
    picture = colour + 40 * stripes[..., None] + rng.normal(0, 6, (SIDE, SIDE, 3))
    return np.clip(picture, 0, 255).astype(np.uint8)


def write_picture(path: Path, kind: int, number: int) -> None:
    """Encode a picture by the ending of its file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(draw(kind, number)).save(path)


def write_classes(root: Path, classes: Sequence[str], name: str, n: int = 3, start: int = 1) -> Path:
    """Write a folder for each class with n pictures, named `name.format(folder=..., stem=..., number=...)`."""
    for kind, folder in enumerate(classes):
        for number in range(start, start + n):
            file = name.format(folder=folder, stem=folder.lower(), number=number)
            write_picture(root / folder / file, kind, number)
    return root


def write_eurosat(root: Path, classes: Sequence[str], n: int = 3) -> Path:
    """`2750/AnnualCrop/AnnualCrop_1.jpg`, as EuroSAT.zip unpacks."""
    write_classes(root / "2750", classes, "{folder}_{number}.jpg", n)
    return root


def write_ucm(root: Path, classes: Sequence[str], n: int = 3) -> Path:
    """`UCMerced_LandUse/Images/agricultural/agricultural00.tif`, beside its note."""
    home = root / "UCMerced_LandUse"
    write_classes(home / "Images", classes, "{folder}{number:02}.tif", n, start=0)
    (home / "readme.txt").write_text("UC Merced Land Use Dataset\n")
    return root


def write_karpathy(
    root: Path, file: str, folder: str, splits: dict[str, int], *, ending: str = ".jpg"
) -> Path:
    """Write a set of pictures with five captions each, and their JSON in Karpathy's form."""
    rows, number = [], 0
    for split, n in splits.items():
        for _ in range(n):
            number += 1
            name = f"{number}{ending}"
            write_picture(root / folder / name, number % 7, number)
            rows.append(
                {
                    "filename": name,
                    "imgid": number - 1,
                    "split": split,
                    "sentids": list(range(CAPTIONS)),
                    "sentences": [
                        {"tokens": text.split(" "), "raw": text, "imgid": number - 1, "sentid": i}
                        for i, text in enumerate(make_captions(number))
                    ],
                }
            )
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"dataset": "fake", "images": rows}))
    return root


def make_captions(number: int) -> list[str]:
    """Five captions of a picture; the last one is the same for pictures of one kind."""
    hue = _HUES[number % len(_HUES)]
    return [
        f"field number {number} is {hue} .",
        f"a {hue} field with {number} furrows",
        f"there are {number} furrows in a field",
        f"plot {number} lies beside a road",
        f"a {hue} field .",
    ]


def write_lines(root: Path, split: str, n: int) -> Path:
    """Write `captions_SPLIT.jsonl` and a tar of the pictures."""
    root.mkdir(parents=True, exist_ok=True)
    rows = [{"file": f"lake_{i}.jpg", "captions": make_captions(i)} for i in range(1, n + 1)]
    lines = "".join(f"{json.dumps(row)}\n" for row in rows)
    (root / f"captions_{split}.jsonl").write_text(lines)
    with tarfile.open(root / f"pictures_{split}_40.tar", "w") as archive:
        for i in range(1, n + 1):
            add_picture(archive, f"lake_{i}.jpg", i % 7, i)
    return root


def write_tar(path: Path, classes: Sequence[str], n: int = 3) -> Path:
    """Write a tar of `CLASS/CLASS_1.jpg`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for kind, folder in enumerate(classes):
            for number in range(1, n + 1):
                add_picture(archive, f"./{folder}/{folder}_{number}.jpg", kind, number)
    return path


def add_picture(archive: tarfile.TarFile, name: str, kind: int, number: int) -> None:
    """Add one picture to a tar."""
    buffer = io.BytesIO()
    Image.fromarray(draw(kind, number)).save(buffer, "JPEG", quality=95)
    member = tarfile.TarInfo(name)
    member.size = buffer.tell()
    buffer.seek(0)
    archive.addfile(member, buffer)


def write_release(root: Path, pairs: Sequence[dict[str, object]]) -> Path:
    """Write pairs as the Parquet of a release: of each its `id`, `kind` and `number` of its picture, and more facts."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = []
    for pair in pairs:
        buffer = io.BytesIO()
        Image.fromarray(draw(int(str(pair["kind"])), int(str(pair["number"])))).save(buffer, "PNG")
        facts = {name: value for name, value in pair.items() if name not in {"kind", "number"}}
        rows.append({"modality": "rgb", **facts, "image": {"bytes": buffer.getvalue()}})
    (root / "data").mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), root / "data" / "part-0.parquet")
    return root


def write_drawn(root: Path, drawn: Sequence[dict[str, object]]) -> Path:
    """Write pictures as a generator leaves them: PNG files, `kind` and `number` of each, and `metadata.jsonl`."""
    lines = []
    for i, one in enumerate(drawn):
        write_picture(root / f"{i}.png", int(str(one["kind"])), int(str(one["number"])))
        facts = {name: value for name, value in one.items() if name not in {"kind", "number"}}
        lines.append(json.dumps({"file_name": f"{i}.png", "generated": True, **facts}))
    (root / "metadata.jsonl").write_text("".join(f"{line}\n" for line in lines))
    return root
