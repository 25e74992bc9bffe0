"""Pictures to draw from, made as a model takes them."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from earthloom.models.generators.briefs import Brief, Picture


def find_faults_of_control(brief: Brief, channels: int, *, has_control: bool) -> Iterator[str]:
    """What is wrong with the picture to draw from, for a model that wants one of so many channels."""
    if not has_control:
        yield "control: this model draws from a picture; give --control FILE, or --control-modality with --release."
    elif brief.control is not None and _change_channels(brief.control, channels) is None:
        yield (
            f"control: the model draws from pictures of {channels} channel{'s' if channels > 1 else ''}, got one of "
            f"{brief.control.shape[2]}; give one of the modality that it was trained with."
        )


def fit_control(brief: Brief, channels: int) -> Picture:
    """The picture to draw from at the size of the brief, channels x H x W, resampled by areas or cubic."""
    assert brief.control is not None
    picture = _change_channels(brief.control, channels)
    assert picture is not None, "briefs with faults are not drawn"
    height, width = picture.shape[:2]
    if (height, width) != (brief.height, brief.width):
        is_smaller = brief.height * brief.width < height * width
        how = cv2.INTER_AREA if is_smaller else cv2.INTER_CUBIC
        scaled = cv2.resize(picture, (brief.width, brief.height), interpolation=how)
        picture = np.asarray(scaled, np.uint8).reshape(brief.height, brief.width, channels)
    return np.ascontiguousarray(picture.transpose(2, 0, 1))


def _change_channels(picture: Picture, channels: int) -> Picture | None:
    """One channel becomes several equal ones, and several equal ones become one; None where that does not help."""
    if picture.shape[2] == channels:
        return picture
    if picture.shape[2] == 1:
        return np.repeat(picture, channels, axis=2)
    if channels == 1 and bool((picture == picture[:, :, :1]).all()):
        return picture[:, :, :1]
    return None
