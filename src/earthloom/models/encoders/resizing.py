"""Rules by which pictures are brought to the side of a network, by name and version.

How pictures are resized moves FID by more than many models differ (Parmar et al., CVPR 2022), so the rule stands in
every result. A rule that would give other numbers than before gets another version. Whatever its shape, the whole
picture becomes the square: nothing is cut off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from earthloom.models.encoders.encoder import Picture, Prepared, check_picture

ResizeName = Literal["clean", "legacy", "whole-grey"]
Levels = npt.NDArray[np.float32]
"""3 x side x side, about 0 to 255, not rounded."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Resize:
    """A rule."""

    name: ResizeName
    version: int
    words: str
    """What is done, but for the side."""
    resize: Callable[[Picture, int], Prepared]
    """Picture and side to 3 x side x side."""

    def say(self, side: int) -> str:
        """The rule in words, for the protocol of a result."""
        return f"{self.name}@{self.version}: {self.words}, {side} x {side} px"


def resize_clean(picture: Picture, side: int) -> Levels:
    """As clean-fid: Pillow's bicubic on floats, channel by channel, so wide when shrinking that nothing aliases.

    Values are not rounded and may lie a little outside of 0 to 255.
    """
    channels = np.asarray(check_picture(picture), np.float32).transpose(2, 0, 1)
    planes = [Image.fromarray(plane).resize((side, side), Image.Resampling.BICUBIC) for plane in channels]
    return np.stack([np.asarray(plane, np.float32) for plane in planes])


def resize_legacy(picture: Picture, side: int) -> Levels:
    """As pytorch-fid: between the four nearest pixels, which skips pixels, and so aliases, when shrinking.

    Equal to torch's `interpolate(mode="bilinear", align_corners=False)`, which is OpenCV's rule too.
    """
    levels = np.asarray(check_picture(picture), np.float32)
    found = cv2.resize(levels, (side, side), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(found.transpose(2, 0, 1), np.float32)


def resize_whole_grey(picture: Picture, side: int) -> npt.NDArray[np.uint8]:
    """Pillow's bicubic to whole grey steps, so wide when shrinking that nothing aliases."""
    resized = Image.fromarray(check_picture(picture)).resize((side, side), Image.Resampling.BICUBIC)
    return np.ascontiguousarray(np.asarray(resized, np.uint8).transpose(2, 0, 1))


CLEAN = Resize(
    name="clean",
    version=1,
    words="Pillow bicubic, antialiased, in floats by channel, not rounded (clean-fid)",
    resize=resize_clean,
)
LEGACY = Resize(
    name="legacy",
    version=1,
    words="bilinear without antialiasing, align_corners false, not rounded (pytorch-fid)",
    resize=resize_legacy,
)
WHOLE_GREY = Resize(
    name="whole-grey",
    version=1,
    words="Pillow bicubic, antialiased, rounded to whole grey steps",
    resize=resize_whole_grey,
)
RULES: Mapping[str, Resize] = {rule.name: rule for rule in (CLEAN, LEGACY, WHOLE_GREY)}
