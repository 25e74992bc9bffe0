"""Pictures that were enlarged: an effect acts on the detail that is there, and what it made is enlarged as they were.

    512 x 512 pixels of 64 x 64 details  --sample-->  64 x 64  --effect-->  64 x 64  --cubic-->  512 x 512

Weather drawn pixel by pixel over an enlarged picture would be sharper than the ground beneath it. A cubic goes through
its samples, so that sampling finds the picture's own pixels again.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from earthloom.core.light import Light
from earthloom.synthesize.stack import Layer, Mask, Outcome, Plane, Stack

_LEAST = 1.5
"""Pixels to one detail from which on a picture counts as enlarged."""
_NEIGHBOURS = np.ones((3, 3), np.uint8)
_SAME = 1 - 1e-4
_LEAST_SIDE = 64
"""Effects want this many pixels."""
_CHANGED = 0.01
"""Change of light, of white, at which little of the picture's own fine detail is put back."""


def shrink(stack: Stack, pixels_a_detail: float) -> Stack:
    """The stack at the size of its detail; classes and validity are those of the nearest pixel.

    Args:
        stack: pictures that may be enlarged.
        pixels_a_detail: effective ground sample distance over the distance between pixels, 1 where nothing was
            enlarged.

    Returns:
        The same stack where nothing was enlarged.

    """
    height, width = stack.view.height, stack.view.width
    factor = min(pixels_a_detail, height / _LEAST_SIDE, width / _LEAST_SIDE)
    if factor < _LEAST:
        return stack
    size = round(height / factor), round(width / factor)
    pixel_m = stack.view.pixel_m
    return Stack(
        view=replace(
            stack.view,
            height=size[0],
            width=size[1],
            pixel_m=None if pixel_m is None else pixel_m * height / size[0],
        ),
        layers=tuple(replace(layer, light=_sample(layer.light, size)) for layer in stack.layers),
        valid=None if stack.valid is None else _pick(stack.valid, size),
        classes=None
        if stack.classes is None
        else {name: _pick(mask, size) for name, mask in stack.classes.items()},
    )


def grow(outcome: Outcome, small: Stack, stack: Stack) -> Outcome:
    """Bring what an effect made of the shrunk stack to the size of the whole one, by a cubic.

    Where an effect changed nothing, the picture comes out as it was. Measures in pixels (`_px`) become those of the
    whole picture.
    """
    if small is stack:
        return outcome
    size = stack.view.height, stack.view.width
    layers = tuple(
        _add_change(layer, before, after, size)
        for layer, before, after in zip(stack.layers, small.layers, outcome.layers, strict=True)
    )
    visible = outcome.visible
    grown = None if visible is None else np.clip(_enlarge(visible, size), 0, 1)
    factor = stack.view.height / small.view.height
    measured = {
        name: value * factor if name.endswith("_px") and isinstance(value, float) else value
        for name, value in outcome.measured.items()
    }
    return replace(outcome, layers=layers, visible=grown, measured=measured)


def _add_change(layer: Layer, before: Layer, after: Light, size: tuple[int, int]) -> Light:
    shape = layer.light.shape
    change = np.abs(after - before.light).max(axis=2)
    kept = np.exp(-_enlarge(cv2.dilate(change, _NEIGHBOURS), size) / np.float32(_CHANGED))
    kept = np.where(kept > _SAME, 1, kept)[:, :, None]
    lost = layer.light - _enlarge(before.light, size).reshape(shape)
    return np.asarray(_enlarge(after, size).reshape(shape) + kept * lost, np.float32)


def _sample(light: Light, size: tuple[int, int]) -> Light:
    shrunk = np.asarray(cv2.resize(light, size[::-1], interpolation=cv2.INTER_CUBIC), np.float32)
    return np.clip(shrunk, 0, 1, out=shrunk).reshape(*size, light.shape[2])


def _enlarge(plane: Plane, size: tuple[int, int]) -> Plane:
    return np.asarray(cv2.resize(plane, size[::-1], interpolation=cv2.INTER_CUBIC), np.float32)


def _pick(mask: Mask, size: tuple[int, int]) -> Mask:
    picked = cv2.resize(mask.astype(np.uint8), size[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
    return np.asarray(picked > 0)
