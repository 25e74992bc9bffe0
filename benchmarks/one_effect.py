"""One effect on a stack of pictures, uint8 RGB in and out, on one thread; prints the CPU and wall seconds it took.

    python one_effect.py PICTURES.npy earthloom fog | albumentations RandomFog | scg cloud

What is imported, and the first picture, with which tables are made, are not counted.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", NO_ALBUMENTATIONS_UPDATE="1")

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Change = Callable[[int, Pixels], Pixels]
PIXEL_M = 10.0
"""Of the pictures, where an effect asks: a scale at which all of them have something to do."""


def use_earthloom(effect: str) -> Change:
    """Decode to light, draw, add, encode: what a place of one RGB picture costs, without its files."""
    from earthloom.core.light import to_display, to_light
    from earthloom.core.records import Modality
    from earthloom.synthesize.config import SEVERITIES
    from earthloom.synthesize.stack import DISPLAY_UM, Layer, Stack, View

    module: Any = importlib.import_module(f"earthloom.synthesize.{effect}")
    settings = getattr(module, effect.title().replace("_", "") + "Settings")()
    draw, add = getattr(module, f"draw_{effect}"), getattr(module, f"add_{effect}")

    def change(index: int, picture: Pixels) -> Pixels:
        rng = np.random.default_rng(index)
        view = View(height=picture.shape[0], width=picture.shape[1], pixel_m=PIXEL_M)
        layer = Layer(modality=Modality.RGB, light=to_light(picture), wavelengths_um=DISPLAY_UM[Modality.RGB])
        stack = Stack(view=view, layers=(layer,))
        drawn = draw(settings, view, SEVERITIES[index % len(SEVERITIES)], rng)
        return to_display(add(stack, drawn, rng).layers[0])

    return change


def use_albumentations(transforms: str) -> Change:
    """One or several transforms, joined by `+`, with their own defaults but for the brightness, which is lowered."""
    import albumentations

    options = {"RandomBrightnessContrast": {"brightness_limit": (-0.9, -0.5), "contrast_limit": 0}}
    parts = [getattr(albumentations, name)(p=1.0, **options.get(name, {})) for name in transforms.split("+")]
    compose = albumentations.Compose(parts, seed=0)
    return lambda _, picture: compose(image=picture)["image"]


def use_scg(_: str) -> Change:
    """SatelliteCloudGenerator's published method, which works on stored values of 0 to 1."""
    from peers_cloud import add_cloud_and_shadow

    def change(index: int, picture: Pixels) -> Pixels:
        image = picture.astype(np.float32) * np.float32(1 / 255)
        clouded = add_cloud_and_shadow(image, np.random.default_rng(index))
        return (np.clip(clouded, 0, 1) * np.float32(255) + np.float32(0.5)).astype(np.uint8)

    return change


def main() -> None:
    """Change every picture once."""
    path, who, effect = sys.argv[1:]
    cv2.setNumThreads(1)
    pictures: NDArray[np.uint8] = np.load(path)
    change = {"earthloom": use_earthloom, "albumentations": use_albumentations, "scg": use_scg}[who](effect)
    changed = change(0, pictures[0])
    cpu, wall = time.process_time(), time.perf_counter()
    for index, picture in enumerate(pictures):
        changed = change(index, picture)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    if (
        changed.shape != pictures[-1].shape
        or changed.dtype != np.uint8
        or np.array_equal(changed, pictures[-1])
    ):
        raise SystemExit(f"{who} {effect} left the last picture as it was: no fair race")
    print(cpu, wall)


if __name__ == "__main__":
    main()
