"""Sheets of the pictures in a folder: which ones, in which order, on which sheet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np

from earthloom.core.errors import RecordError
from earthloom.core.images import decode_image, to_levels, to_rgb
from earthloom.generate.controls import Controls
from earthloom.generate.folder import PictureFolder
from earthloom.generate.grids import MAX_PICTURES, Shown, draw_sheet
from earthloom.generate.marks import encode_sheet
from earthloom.generate.plan import Task
from earthloom.models.generators.briefs import Picture
from earthloom.store.atomic import open_atomic


def write_sheets(tasks: Sequence[Task], folder: PictureFolder, controls: Controls, n: int) -> Iterator[Path]:
    """Write at most `n` sheets of the first pictures, `grid.png` or `grid-001.png` and so on, and give their paths.

    Pictures that were drawn from others stand on the right of these.
    """
    sheets = list(fill_sheets(tasks))[:n]
    for number, sheet in enumerate(sheets, 1):
        path = folder.root / ("grid.png" if len(sheets) == 1 else f"grid-{number:03d}.png")
        shown = [_show(task, folder, controls) for task in sheet]
        with open_atomic(path) as file:
            names = [folder.path(task.key).name for task in sheet]
            file.write(encode_sheet(draw_sheet(shown), names))
        yield path


def fill_sheets(tasks: Sequence[Task]) -> Iterator[list[Task]]:
    """Put pictures on sheets in their order; those of one prompt share one, unless they are more than it takes."""
    sheet: list[Task] = []
    for _, group in groupby(tasks, key=lambda task: task.prompt_key):
        members = list(group)
        if sheet and len(sheet) + len(members) > MAX_PICTURES:
            yield sheet
            sheet = []
        sheet += members
        while len(sheet) > MAX_PICTURES:
            yield sheet[:MAX_PICTURES]
            sheet = sheet[MAX_PICTURES:]
    if sheet:
        yield sheet


def describe_facts(task: Task) -> str:
    """What was asked for besides the prompt, in a few words."""
    wish = task.asked.wish
    said = (
        wish.label,
        wish.modality,
        f"{wish.gsd_m:g} m" if wish.gsd_m is not None else None,
        wish.scene,
        f"{wish.lon:.2f}, {wish.lat:.2f}" if wish.lon is not None and wish.lat is not None else None,
        wish.date,
        f"{wish.cloud_share:.0%} cloud" if wish.cloud_share is not None else None,
        f"from {Path(wish.control).name}" if wish.control is not None else None,
    )
    return " · ".join(text for text in said if text)


def _show(task: Task, folder: PictureFolder, controls: Controls) -> Shown:
    picture = to_levels(decode_image(folder.path(task.key).read_bytes()))
    with suppress(RecordError):  # it could be read when the picture was drawn
        control = controls.read(task)
        picture = picture if control is None else set_beside(control, picture)
    return Shown(
        prompt_key=task.prompt_key,
        prompt=task.asked.wish.prompt,
        facts=describe_facts(task),
        picture=picture,
    )


def set_beside(first: Picture, second: Picture) -> Picture:
    """Two pictures side by side, H x (W1 + W2 + gap) x 3; the first one is scaled to the height of the second."""
    height = second.shape[0]
    size = (max(1, round(first.shape[1] * height / first.shape[0])), height)
    scaled = np.asarray(cv2.resize(first, size, interpolation=cv2.INTER_AREA), np.uint8)
    gap = np.full((height, max(1, height // 32), 3), 255, np.uint8)
    return np.concatenate([to_rgb(scaled.reshape(height, size[0], -1)), gap, to_rgb(second)], axis=1)
