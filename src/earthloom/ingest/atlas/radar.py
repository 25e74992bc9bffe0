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

from earthloom.ingest.atlas import cover as land
from earthloom.ingest.atlas import exact
from earthloom.ingest.atlas.frame import Frame, Raster, smoothstep
from earthloom.ingest.atlas.landscape import Landscape
from earthloom.ingest.atlas.shading import (
    Strip,
    cast_shadow,
    full,
    gradient,
    height_of_things,
    shadow_reach,
    strips,
)
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
_LEAST_SIN, _LEAST_COS = 0.16, 0.035
"""Of the local incidence: short of layover (9 degrees) and of grazing (88 degrees)."""


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
    frame = scene.frame
    antenna, rng = Antenna(scene), frame.rng("speckle")
    out = np.empty((frame.size, frame.size), np.float32)
    for strip in strips(frame.size):
        out[strip.rows] = to_db(add_speckle(antenna.receive(strip), looks, rng))
    return out


def mean_power(scene: Landscape) -> Raster:
    """Expected sigma0 with the noise floor, before speckle; linear power, (size, size)."""
    antenna = Antenna(scene)
    return np.concatenate([antenna.receive(strip) for strip in strips(scene.frame.size)])


def from_db(level: Raster) -> Raster:
    """Linear power of decibels."""
    return exact.exp(level * np.float32(math.log(10) / 10))


def to_db(power: Raster) -> Raster:
    """10 log10; power is positive."""
    return np.float32(10) * exact.log10(power)


def add_speckle(power: Raster, looks: int, rng: np.random.Generator) -> Raster:
    """Multiply by independent gamma noise with mean 1 and `looks` equivalent looks."""
    noise = rng.standard_gamma(looks, power.shape, dtype=np.float32)
    noise *= np.float32(1 / looks)
    np.maximum(noise, np.float32(1e-6), out=noise)
    noise *= power
    return noise


class Antenna:
    """Receives strips of a landscape."""

    def __init__(self, scene: Landscape) -> None:
        frame = scene.frame
        self._scene, self._gsd_m = scene, frame.gsd_m
        self._beam = draw_beam(frame)
        self._lamp = self._beam.as_lamp()
        x, y, _ = self._lamp.direction()
        self._towards = (np.float32(x / math.hypot(x, y)), np.float32(y / math.hypot(x, y)))
        tallest = max(0.8 * float(scene.plants.height_m.max()), 0.1 * float(scene.built.height_dm.max()))
        self._reach = shadow_reach(self._lamp, tallest, frame.gsd_m)
        self._soft = max(1.2, 5.0 / frame.gsd_m)
        self._moist = frame.noise("moisture", 900.0, 60.0, 1.6).astype(np.float16)
        self._wind = frame.noise("wind", 2500.0, 120.0, 1.7).astype(np.float16)
        self._breeze = np.float32(frame.rng("breeze").uniform(-1.5, 2.0))
        self._walls = _walls(scene, self._towards).astype(np.float16)

    def receive(self, strip: Strip) -> Raster:
        """Expected power of some rows, (rows, size)."""
        scene = self._scene
        power = self._ground(strip)
        power += full(scene.plants.crowns, strip) * (self._crowns(strip) - power)
        power[scene.built.height_dm[strip.rows] > 0] = _linear(_ROOF_DB)
        power *= self._tilt(strip)
        power *= self._heights(strip)
        power += full(self._walls, strip)
        power += _linear(NOISE_DB)
        return power

    def _ground(self, strip: Strip) -> Raster:
        """Backscatter of level ground and water."""
        scene, rows = self._scene, strip.rows
        classes, holdings = scene.cover.classes[rows], scene.estate.holdings
        table = np.full(256, -40.0, np.float32)
        table[list(MEAN_DB)] = list(MEAN_DB.values())
        crops = (
            np.array([crop.sigma0_db for crop in holdings.crops], np.float32)[holdings.crop]
            + holdings.lift_db
        )
        level = table[classes]
        fields = scene.cover.farmed[rows] & (classes != land.ROAD) & (classes != land.WATER)
        np.copyto(level, crops[scene.estate.labels[rows]], where=fields)
        level += np.float32(0.55) * full(self._moist, strip)
        if scene.ground.site.climate is Climate.ARID:
            level += np.float32(5.0) * full(scene.cover.rock, strip) * (classes == land.BARE)
        else:
            level += (
                np.float32(2.0)
                * (full(scene.cover.vigour, strip) - np.float32(0.8))
                * (classes == land.GRASS)
            )
        track = scene.built.track[rows] * np.float32(1 / 255)
        level += track * (np.float32(_TRACK_DB) - level)
        water = classes == land.WATER
        if water.any():
            np.copyto(level, self._water(strip), where=water)
        return from_db(level)

    def _water(self, strip: Strip) -> Raster:
        """Dark where calm, brighter where wind or surf roughens it; sheltered inland."""
        sea = self._scene.surface.sea[strip.rows]
        rough = full(self._wind, strip) * np.float32(1.4) + self._breeze
        surf = np.float32(6.0) * smoothstep(22.0, 4.0, -full(self._scene.surface.shore_m, strip))
        out: Raster = np.where(sea, rough + surf, np.float32(0.5) * rough - np.float32(0.5))
        out += np.float32(MEAN_DB[land.WATER])
        return out

    def _crowns(self, strip: Strip) -> Raster:
        """A canopy: crowns scatter unequally."""
        plants = self._scene.plants
        uneven = np.float32(0.22) * full(plants.tint, strip) - np.float32(0.1) * full(plants.conifers, strip)
        return exact.exp(uneven) * _linear(MEAN_DB[land.FOREST])

    def _facing(self, raster: Raster) -> Raster:
        """Rise per metre away from the radar, so positive on slopes that face it."""
        gx, gy = gradient(raster, self._gsd_m)
        return -(gx * self._towards[0] + gy * self._towards[1])

    def _tilt(self, strip: Strip) -> Raster:
        """Brighter on slopes towards the radar: sin(theta) / sin(local) (Ulander 1996), and a cosine law."""
        wide = strip.widen(8)
        relief = cv2.GaussianBlur(self._scene.surface.elevation_m[wide.rows], (0, 0), 1.6)
        rise = self._facing(relief)[strip.within(wide)]
        sin, cos = (np.float32(f(math.radians(self._beam.incidence_deg))) for f in (math.sin, math.cos))
        length = np.sqrt(1 + rise * rise)
        local_sin = np.maximum((sin - cos * rise) / length, np.float32(_LEAST_SIN))
        local_cos = np.maximum((cos + sin * rise) / length, np.float32(_LEAST_COS))
        local_cos /= cos
        out: Raster = exact.power(local_cos, 1.3)
        out *= sin / local_sin
        out[self._scene.surface.water[strip.rows] > 127] = 1
        return out

    def _heights(self, strip: Strip) -> Raster:
        """Bright where things rise towards the radar, such as the near edge of a wood; dark in their shadow."""
        wide = strip.widen(max(self._reach, math.ceil(4 * self._soft)) + 2)
        tall = height_of_things(self._scene, wide, trees=0.8)
        shadow = cast_shadow(tall, self._lamp, self._gsd_m, self._reach)
        rise = self._facing(cv2.GaussianBlur(tall, (0, 0), self._soft))
        out = (1 + np.float32(2.2) * np.clip(rise, 0, 1.2)) * (1 - np.float32(0.9) * shadow)
        return out[strip.within(wide)]


def _linear(level_db: float) -> np.float32:
    return np.float32(10 ** (level_db / 10))


def _walls(scene: Landscape, towards: tuple[np.float32, np.float32]) -> Raster:
    """Double bounce between street and wall: strong points, strongest where a wall squarely faces the radar."""
    frame, houses = scene.frame, scene.built.houses
    if not len(houses.x):
        return np.zeros((frame.size, frame.size), np.float32)
    along = np.abs(np.cos(houses.angle) * towards[0] + np.sin(houses.angle) * towards[1])
    across = np.sqrt(np.maximum(1 - along * along, 0))
    faces_length = across > along
    length = np.where(faces_length, houses.length_m, houses.width_m)
    depth = np.where(faces_length, houses.width_m, houses.length_m)
    gain = 1.2 + 14.0 * np.exp(-(1 - np.maximum(along, across)) / 0.03)
    gain *= frame.rng("walls").lognormal(0, 0.9, len(length)) * length * houses.height_m / 60.0
    points = np.stack([houses.x + towards[0] * depth / 2, houses.y + towards[1] * depth / 2], axis=1)
    spots = splat(frame, points, (gain * 6.0 / max(frame.gsd_m, 2.0)).astype(np.float32))
    soft: Raster = cv2.GaussianBlur(spots, (0, 0), 0.45)
    return np.minimum(soft, 1e4, out=soft)
