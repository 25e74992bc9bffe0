"""SatelliteCloudGenerator's published method (Remote Sensing 15:4138, 2023) with its defaults, in our own words.

Written for the race in NumPy and OpenCV from the paper and the behaviour of its public code
(github.com/strath-ai/SatelliteCloudGenerator, Apache-2.0); it is not that code, which runs in torch with kornia. Where
both differ in speed, ours is the faster: the local blur adds up each ring of equal weight before it is weighted, and
makes no copy of the picture for each of the kernel's 121 places; channels are shifted and enlarged once.

    out = (1 - c) blur(J (1 - s), 2 c) + c colour        c, s: independent Perlin noise
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
KERNEL = 11
BLUR_SCALING = 2.0
CHANNEL_OFFSET = 2
CHANNEL_SHIFT = 0.05


def add_cloud_and_shadow(image: Plane, rng: np.random.Generator) -> Plane:
    """Shadow, blur and cloud over a picture, H x W x 3, 0 to 1 as stored: the method knows no linear light."""
    height, width, n_channels = image.shape
    shadow = draw_mask((height, width), decay=1.5, clear_below=0.4, rng=rng) * np.float32(
        rng.uniform(0.3, 0.6)
    )
    shaded = image * (1 - shadow)[:, :, None]
    low, high = rng.uniform(0, 0.05), rng.uniform(0.95, 1)
    mask = draw_mask((height, width), decay=1.0, clear_below=0.0, rng=rng) * np.float32(high - low)
    mask += np.float32(low)
    weights = rng.uniform(1 - CHANNEL_SHIFT, 1 + CHANNEL_SHIFT, n_channels)
    cloud = np.clip(np.dstack([misalign(mask * np.float32(weight), rng) for weight in weights]), 0, 1)
    hidden = blur_locally(shaded, BLUR_SCALING * cloud.mean(axis=2))
    return hidden * (1 - cloud) + colour(shaded, cloud) * cloud


def draw_mask(shape: tuple[int, int], decay: float, clear_below: float, rng: np.random.Generator) -> Plane:
    """Perlin noise of all scales, 0 to 1; what lies below `clear_below` is clear."""
    smallest, largest = 4, 2 ** max(1, int(np.log2(min(shape))) - 2)
    factor = 2 ** int(
        np.floor(np.log2(0.25 * max(shape) / largest))
    )  # of sizes: clouds grow with the picture
    noise = np.zeros(shape, np.float32)
    size = smallest
    while size <= largest:
        cell = size * factor
        noise += np.float32(cell**decay) * perlin(shape, cell, rng)
        size *= 2
    noise = np.tanh(4 * noise / np.abs(noise).max())
    noise = (noise - noise.min()) / np.ptp(noise)
    noise = np.maximum(noise - np.float32(clear_below), 0)
    return noise / noise.max()


def perlin(shape: tuple[int, int], cell: int, rng: np.random.Generator) -> Plane:
    """Gradient noise of one scale: `cell` pixels between random gradients."""
    rows, columns = (-(-side // cell) for side in shape)
    down, right = rng.standard_normal((2, rows + 1, columns + 1), np.float32)
    t = np.arange(cell, dtype=np.float32) / cell
    fade = 1 - (3 * t**2 - 2 * t**3)
    noise = np.zeros((rows, cell, columns, cell), np.float32)
    for i in (0, 1):
        along = (fade if i == 0 else 1 - fade)[:, None]
        for j in (0, 1):
            weight = along * (fade if j == 0 else 1 - fade)[None, :]
            corner = slice(i, rows + i), slice(j, columns + j)
            noise += down[corner][:, None, :, None] * (weight * (t - i)[:, None])[None, :, None, :]
            noise += right[corner][:, None, :, None] * (weight * (t - j)[None, :])[None, :, None, :]
    return noise.reshape(rows * cell, columns * cell)[: shape[0], : shape[1]]


def misalign(mask: Plane, rng: np.random.Generator) -> Plane:
    """Shift a channel's cloud by up to two pixels, and enlarge what is left of it to the whole picture."""
    height, width = mask.shape
    down, right = rng.integers(-CHANNEL_OFFSET, CHANNEL_OFFSET + 1, 2)
    scale_x = (width - 1 - 2 * CHANNEL_OFFSET) / (width - 1)
    scale_y = (height - 1 - 2 * CHANNEL_OFFSET) / (height - 1)
    warp = np.array([[scale_x, 0, CHANNEL_OFFSET - right], [0, scale_y, CHANNEL_OFFSET - down]])
    return cv2.warpAffine(mask, warp, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)


def blur_locally(image: Plane, sigma: Plane) -> Plane:
    """Gaussian blur with a sigma of its own for every pixel, within 11 x 11 pixels."""
    reach = KERNEL // 2
    height, width = sigma.shape
    padded = cv2.copyMakeBorder(image, reach, reach, reach, reach, cv2.BORDER_REPLICATE)
    rings: dict[int, list[tuple[int, int]]] = {}
    for dy in range(KERNEL):
        for dx in range(KERNEL):
            rings.setdefault((dy - reach) ** 2 + (dx - reach) ** 2, []).append((dy, dx))
    exponent = -1 / (2 * sigma**2 + np.float32(1e-8))
    total, blurred = np.zeros_like(sigma), np.zeros_like(image)
    for square, places in rings.items():
        weight = np.exp(square * exponent)
        total += len(places) * weight
        ring = np.zeros_like(image)
        for dy, dx in places:
            ring += padded[dy : dy + height, dx : dx + width]
        blurred += ring * weight[:, :, None]
    return blurred / total[:, :, None]


def colour(image: Plane, cloud: Plane) -> Plane:
    """White where the cloud is thick, the mean colour of the ground, as bright as can be, where it is thin."""
    mean = image.mean(axis=(0, 1))
    tint = mean / max(float(mean.max()), 1e-6)
    return cloud + tint * (1 - cloud)
