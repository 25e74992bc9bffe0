"""What a C-band radar sees: mean backscatter by cover and slope, bright walls, shadows, and speckle.

The mean of sigma0 (linear power, VV) is made first; `add_speckle` then multiplies every pixel by an independent
draw of a gamma distribution with mean 1 and variance 1 / looks, the law of multi-looked intensity of fully
developed speckle (Oliver and Quegan, Understanding SAR Images, 2004, eq. 4.9).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from earthloom.ingest.atlas import landscape as land
from earthloom.ingest.atlas.frame import Frame, Raster, smoothstep
from earthloom.ingest.atlas.landscape import Landscape
from earthloom.ingest.atlas.optics import cast_shadow
from earthloom.ingest.atlas.site import Climate, Sun
from earthloom.ingest.atlas.trees import splat

NOISE_DB = -24.5
"""Noise-equivalent sigma0; Sentinel-1 IW specifies -22 dB and measures about -25 dB over most of the swath."""

MEAN_DB = {
    land.WATER: -20.5,
    land.FOREST: -9.2,
    land.SHRUB: -11.8,
    land.GRASS: -13.0,
    land.CROP: -12.0,
    land.TOWN: -7.5,
    land.ROAD: -17.5,
    land.BARE: -13.0,
    land.SAND: -19.0,
    land.SNOW: -14.5,
    land.MARSH: -11.0,
}
"""Mean sigma0 VV near 38 degrees of incidence, of the ground without trees, houses and slopes. Typical of C band
(Ulaby and Dobson, Handbook of Radar Scattering Statistics for Terrain, 1989), rounded."""
_ROOF_DB = -3.5
_TRACK_DB = -14.5


@dataclass(frozen=True, slots=True)
class Beam:
    """Where the radar looks from: azimuth of the sensor seen from the ground, and incidence from the vertical."""

    azimuth_deg: float
    incidence_deg: float

    def as_lamp(self) -> Sun:
        """The radar as a source of light, for shadows."""
        return Sun(90 - self.incidence_deg, self.azimuth_deg)


def draw_beam(frame: Frame) -> Beam:
    """Right-looking from a near-polar orbit: the sensor stands west of an ascending, east of a descending track."""
    rng = frame.rng("beam")
    azimuth = 260.0 if rng.random() < 0.5 else 100.0
    return Beam(azimuth + float(rng.uniform(-4, 4)), float(rng.uniform(32, 43)))


def measure(scene: Landscape, looks: int) -> Raster:
    """Sigma0 VV in dB with speckle, (size, size) float32."""
    return to_db(add_speckle(mean_power(scene), looks, scene.frame.rng("speckle")))


def to_db(power: Raster) -> Raster:
    """10 log10; power is positive."""
    return np.float32(10) * np.log10(power)


def add_speckle(power: Raster, looks: int, rng: np.random.Generator) -> Raster:
    """Multiply by independent gamma noise with mean 1 and `looks` equivalent looks."""
    noise = rng.standard_gamma(looks, power.shape, dtype=np.float32)
    noise *= np.float32(1 / looks)
    np.maximum(noise, np.float32(1e-6), out=noise)
    noise *= power
    return noise


def mean_power(scene: Landscape) -> Raster:
    """Expected sigma0 with the noise floor, linear power."""
    frame = scene.frame
    beam = draw_beam(frame)
    power = _ground(scene)
    power += scene.canopy.cover * (np.float32(10 ** (MEAN_DB[land.FOREST] / 10)) * _crowns(scene) - power)
    roofs = scene.built.height_m > 0
    power[roofs] = np.float32(10 ** (_ROOF_DB / 10))
    power *= _tilt(scene, beam)
    tall = np.maximum(0.8 * scene.canopy.height_m, scene.built.height_m)
    power *= _edges(tall, beam, frame.gsd_m)
    power *= 1 - np.float32(0.9) * cast_shadow(tall, beam.as_lamp(), frame.gsd_m)
    power += _walls(scene, beam)
    power += np.float32(10 ** (NOISE_DB / 10))
    return power


def _ground(scene: Landscape) -> Raster:
    """Backscatter of level ground and water."""
    frame = scene.frame
    table = np.full(256, -40.0, np.float32)
    for value, level in MEAN_DB.items():
        table[value] = level
    holdings = scene.holdings
    crops = np.array([crop.sigma0_db for crop in holdings.crops], np.float32)[holdings.crop] + holdings.lift_db
    level = np.where(scene.farmed, crops[scene.labels], table[scene.cover])
    level[scene.cover == land.ROAD] = table[land.ROAD]
    moist = frame.noise("moisture", 900.0, 60.0, 1.6)
    level += np.where(scene.cover == land.WATER, 0, np.float32(0.55)) * moist
    if scene.site.climate is not Climate.ARID:
        level += np.float32(2.0) * (scene.vigour - np.float32(0.8)) * (scene.cover == land.GRASS)
    else:
        level += np.float32(5.0) * scene.rock * (scene.cover == land.BARE)
    wet = scene.cover == land.WATER
    if wet.any():
        wind = frame.noise("wind", 2500.0, 120.0, 1.7)
        breeze = float(frame.rng("breeze").uniform(-1.5, 2.0))
        rough = wind * np.float32(1.4) + np.float32(breeze)
        surf = np.float32(6.0) * smoothstep(22.0, 4.0, -scene.shore_m) * scene.sea
        level = np.where(wet, table[land.WATER] + np.where(scene.sea, rough, rough * np.float32(0.5) - 0.5) + surf, level)
    level += scene.built.track.astype(np.float32) * np.float32(1 / 255) * (np.float32(_TRACK_DB) - level)
    return np.exp(level * np.float32(math.log(10) / 10))


def _crowns(scene: Landscape) -> Raster:
    """Texture of a canopy: crowns scatter unequally."""
    return np.exp(np.float32(0.22) * scene.canopy.tint - np.float32(0.1) * scene.conifers)


def _tilt(scene: Landscape, beam: Beam) -> Raster:
    """Brighter on slopes towards the radar, darker behind: sin(theta) / sin(local) (Ulander 1996) and the cosine
    law of rough surfaces."""
    frame = scene.frame
    x, y, _ = beam.as_lamp().direction()
    flat = math.hypot(x, y)
    relief = cv2.GaussianBlur(scene.elevation_m, (0, 0), 1.6)
    relief[scene.water > 127] = 0
    gx = cv2.Sobel(relief, cv2.CV_32F, 1, 0, ksize=3, scale=1 / (8 * frame.gsd_m))
    gy = cv2.Sobel(relief, cv2.CV_32F, 0, 1, ksize=3, scale=1 / (8 * frame.gsd_m))
    facing = np.arctan(-(gx * np.float32(x / flat) + gy * np.float32(y / flat)))
    theta = math.radians(beam.incidence_deg)
    local = np.clip(np.float32(theta) - facing, math.radians(9), math.radians(88))
    out = np.sin(np.float32(theta)) / np.sin(local) * (np.cos(local) / np.float32(math.cos(theta))) ** np.float32(1.3)
    out[scene.water > 127] = 1
    return out.astype(np.float32, copy=False)


def _edges(tall: Raster, beam: Beam, gsd_m: float) -> Raster:
    """Brighter where height rises away from the radar: the near edge of a wood, the front of a house."""
    x, y, _ = beam.as_lamp().direction()
    flat = math.hypot(x, y)
    soft = cv2.GaussianBlur(tall, (0, 0), max(1.2, 5.0 / gsd_m))
    gx = cv2.Sobel(soft, cv2.CV_32F, 1, 0, ksize=3, scale=1 / (8 * gsd_m))
    gy = cv2.Sobel(soft, cv2.CV_32F, 0, 1, ksize=3, scale=1 / (8 * gsd_m))
    rise = -(gx * np.float32(x / flat) + gy * np.float32(y / flat))
    return 1 + np.float32(2.2) * np.clip(rise, 0, 1.2)


def _walls(scene: Landscape, beam: Beam) -> Raster:
    """Double bounce between street and wall: strong points, strongest where a wall squarely faces the radar."""
    frame, houses = scene.frame, scene.built.houses
    if not len(houses.x):
        return np.zeros((frame.size, frame.size), np.float32)
    x, y, _ = beam.as_lamp().direction()
    flat = math.hypot(x, y)
    along = np.abs(np.cos(houses.angle) * x + np.sin(houses.angle) * y) / flat
    across = np.sqrt(np.maximum(1 - along * along, 0))
    square = np.maximum(along, across)
    length = np.where(across > along, houses.length_m, houses.width_m)
    depth = np.where(across > along, houses.width_m, houses.length_m)
    rng = frame.rng("walls")
    gain = 1.2 + 14.0 * np.exp(-(1 - square) / 0.03)
    gain *= rng.lognormal(0, 0.9, len(length)) * length * houses.height_m / 60.0
    points = np.stack([houses.x + x / flat * depth / 2, houses.y + y / flat * depth / 2], axis=1)
    spots = splat(frame, points, (gain * (6.0 / max(frame.gsd_m, 2.0)) ** 1.0).astype(np.float32))
    return cv2.GaussianBlur(spots, (0, 0), 0.45)
