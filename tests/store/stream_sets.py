"""Small sets of pictures with words, in the forms in which others publish them."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from earthloom.store.selection import Selection
from earthloom.store.stream.samples import Sample, Stream


def draw_png(number: int, side: int = 8) -> bytes:
    """A PNG of one colour that says its number."""
    picture = np.full((side, side, 3), (number % 256, number // 256 % 256, 7), np.uint8)
    return bytes(cv2.imencode(".png", picture[:, :, ::-1])[1].tobytes())


def read_number(sample: Sample) -> int:
    """The number of the picture."""
    r, g, _ = (int(value) for value in sample.picture()[0, 0])
    return r + 256 * g


def write_tar(path: Path, members: Sequence[tuple[str, bytes]], form: int = tarfile.USTAR_FORMAT) -> Path:
    """A tar of some files."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w", format=form) as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def make_members(number: int, facts: Mapping[str, Any] | None = None) -> list[tuple[str, bytes]]:
    """A sample as img2dataset writes it: picture, text, facts."""
    name = f"{number:06d}"
    told = json.dumps(facts if facts is not None else {"key": name, "caption": f"caption {number}"}).encode()
    return [
        (f"{name}.png", draw_png(number)),
        (f"{name}.txt", f"caption {number}".encode()),
        (f"{name}.json", told),
    ]


def write_webdataset(folder: Path, sizes: Sequence[int]) -> Path:
    """Tars of so many samples; numbers count on from tar to tar."""
    first = 0
    for shard, size in enumerate(sizes):
        members = [member for number in range(first, first + size) for member in make_members(number)]
        write_tar(folder / f"{shard:05d}.tar", members)
        first += size
    return folder


def open_stream(place: Path, *, seed: int = 0, shuffle: int = 16, **filters: Any) -> Stream:
    """The stream of a release."""
    return Stream(Selection(release=str(place), **filters), Path(), seed=seed, shuffle=shuffle)


def read_epoch(stream: Stream, start: int = 0) -> list[Sample]:
    """All samples of an epoch."""
    return [stream.read(position) for position in range(start, start + stream.count())]
