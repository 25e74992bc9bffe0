"""Landscapes made of noise and fields, and weather over them written independently of the package."""

from __future__ import annotations

import cv2
import numpy as np


def make_field(shape: tuple[int, int], beta: float, rng: np.random.Generator) -> np.ndarray:
    """Power-law noise, amplitude k^(-beta / 2), 0 to 1."""
    rows, columns = shape
    k = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.fftfreq(columns)[None, :])
    k[0, 0] = np.inf
    noise = np.fft.fft2(rng.normal(size=shape)) * k ** (-beta / 2)
    field = np.fft.ifft2(noise).real
    return np.asarray((field - field.min()) / np.ptp(field))


def make_ground(shape: tuple[int, int] = (256, 256), seed: int = 0) -> np.ndarray:
    """Linear light, H x W x 3: fields with straight borders, texture of several scales, 0.02 to 0.6."""
    rng = np.random.default_rng(seed)
    patches = cv2.resize(
        rng.uniform(0.05, 0.35, (7, 9, 3)), (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST
    )
    turn = cv2.getRotationMatrix2D((shape[1] / 2, shape[0] / 2), float(rng.uniform(0, 90)), 1.5)
    patches = cv2.warpAffine(patches, turn, (shape[1], shape[0]), borderMode=cv2.BORDER_REFLECT)
    field = make_field(shape, 1.8, rng)
    texture = 0.06 * (field - field.mean()) / field.std()
    return np.clip(patches + texture[:, :, None], 0.02, 0.6)


def lay_fog(ground: np.ndarray, transmission: np.ndarray | float, airlight: float = 0.9) -> np.ndarray:
    """I = J t + A (1 - t) in linear light."""
    t = np.asarray(transmission, np.float64)
    t = t[:, :, None] if t.ndim == 2 else t
    return np.asarray(ground * t + airlight * (1 - t))


def encode(light: np.ndarray) -> np.ndarray:
    """8-bit sRGB by the formula of IEC 61966-2-1."""
    light = np.clip(light, 0, 1)
    encoded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.round(255 * encoded).astype(np.uint8)


def make_streaks(shape: tuple[int, int], angle_deg: float, seed: int, length: int = 15) -> np.ndarray:
    """Flakes seen by a street camera: sparse blobs, blurred along their fall; 0 to 1."""
    rng = np.random.default_rng(seed)
    flakes = cv2.resize(rng.normal(0.2, 0.3, (shape[0] // 2, shape[1] // 2)), (shape[1], shape[0]))
    flakes = np.where(flakes > 0.55, np.clip(flakes, 0, 1), 0)
    kernel = np.zeros((2 * length + 1, 2 * length + 1))
    ahead = (
        round(length + length * np.cos(np.radians(angle_deg))),
        round(length + length * np.sin(np.radians(angle_deg))),
    )
    behind = (2 * length - ahead[0], 2 * length - ahead[1])
    cv2.line(kernel, behind, ahead, 1.0)
    return np.asarray(cv2.filter2D(flakes, -1, kernel / kernel.sum()))
