"""What a camera sees: reflectance of the ground times light, through a little haze, as 8-bit pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from earthloom.ingest.atlas import landscape as land
from earthloom.ingest.atlas.frame import Raster, smoothstep
from earthloom.ingest.atlas.landscape import ROOF_SHADES, Landscape
from earthloom.ingest.atlas.palette import ASPHALT, CONCRETE, FOAM, WET_SAND, Colour, as_array, blend_colours
from earthloom.ingest.atlas.site import Climate, Sun

_STRIP = 128
"""Rows that are coloured at once: the working set stays in the processor's cache."""
_SKY = as_array((0.130, 0.150, 0.185, 0.08))
"""Light from the sky over that of the sun on level ground, by band."""
_HAZE = as_array((0.0030, 0.0050, 0.0085, 0.0010))
"""Reflectance of the air below the camera on a clear day."""
_DIMMING = (0.62, 0.24, 0.19, 3.0)
"""How fast clear water dims light on its way down and up, 1/m, by band (after Pope and Fry 1997, with some silt)."""
_HALO = 3
"""Rows around a strip that its blur needs."""
_NIR_WHITE = 0.58


@dataclass(frozen=True, slots=True)
class Texture:
    """Noise that the ground's colour varies with, (size, size), unit deviation."""

    soil: Raster
    patch: Raster
    grain: Raster


def take_pictures(scene: Landscape) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """RGB (size, size, 3) and near infrared (size, size), uint8."""
    frame = scene.frame
    light = sunlight(scene)
    texture = Texture(
        frame.noise("soil", 700.0, 30.0, 1.35),
        frame.noise("mottle", 90.0, 2.5 * frame.gsd_m, 0.95),
        frame.noise("grain fine", 14 * frame.gsd_m, 0.0, 0.35),
    )
    white = _white(scene, texture, light)
    rgb = np.empty((frame.size, frame.size, 3), np.uint8)
    nir = np.empty((frame.size, frame.size), np.uint8)
    rng = frame.rng("sensor")
    for top in range(0, frame.size, _STRIP):
        bottom = min(top + _STRIP, frame.size)
        low, high = max(top - _HALO, 0), min(bottom + _HALO, frame.size)
        radiance = _Strip(scene, texture, slice(low, high)).reflect(light[low:high])
        planes = _expose(radiance, white, rng)[:, top - low : bottom - low]
        rgb[top:bottom] = np.moveaxis(planes[:3], 0, -1)
        nir[top:bottom] = planes[3]
    return rgb, nir


def _white(scene: Landscape, texture: Texture, light: Raster) -> float:
    """Radiance that becomes white: a little over the brightest of the scene, from a few of its rows."""
    size = scene.frame.size
    tops = np.linspace(0, size - 4, 12).astype(int)
    thin = [_Strip(scene, texture, slice(t, t + 4)).reflect(light[t : t + 4])[:3].max(axis=0) for t in tops]
    return float(np.clip(1.1 * np.quantile(np.stack(thin), 0.985), 0.31, 0.66))


def _expose(radiance: Raster, white: float, rng: np.random.Generator) -> Raster:
    """Blur as a lens does, scale to `white`, bend by a display's gamma, add the sensor's noise; 0 to 255."""
    noise = rng.standard_normal(radiance.shape[1:], dtype=np.float32) * np.float32(1.2)
    for band, plane in enumerate(radiance):
        cv2.GaussianBlur(plane, (0, 0), 0.55, dst=plane)
        plane *= np.float32(1 / (white if band < 3 else _NIR_WHITE))
        np.clip(plane, 0, 1, out=plane)
        bent = plane ** np.float32(0.54)
        plane *= np.float32(-0.1)
        plane += np.float32(1.1)
        plane *= bent
        plane *= np.float32(255)
        plane += np.roll(noise, 41 * band, axis=1)
        plane += np.float32(0.5)
        np.clip(plane, 0, 255, out=plane)
    return radiance


def sunlight(scene: Landscape) -> Raster:
    """Direct sunlight on each pixel over that on level, open ground: 0 in shadow, over 1 facing the sun."""
    frame, sun = scene.frame, scene.site.sun
    x, y, z = sun.direction()
    relief = cv2.GaussianBlur(scene.elevation_m, (0, 0), 0.8)
    gx = cv2.Sobel(relief, cv2.CV_32F, 1, 0, ksize=3, scale=1 / (8 * frame.gsd_m))
    gy = cv2.Sobel(relief, cv2.CV_32F, 0, 1, ksize=3, scale=1 / (8 * frame.gsd_m))
    light = (1 - gx * np.float32(x / z) - gy * np.float32(y / z)) / np.sqrt(1 + gx * gx + gy * gy)
    np.clip(light, 0.02, 2.4, out=light)
    light[scene.water > 127] = 1.0
    light *= frame.refine(_cast_by_relief(scene))
    tall = np.maximum(scene.canopy.height_m, scene.built.height_m)
    light *= _crown_light(scene, tall, (x, y, z))
    light *= 1 + np.float32(0.62 / max(math.tan(math.radians(sun.elevation_deg)), 0.4)) * scene.built.pitch
    light *= 1 - cast_shadow(tall, sun, frame.gsd_m)
    return light


def _crown_light(scene: Landscape, tall: Raster, direction: tuple[float, float, float]) -> Raster:
    """Crowns are bright towards the sun and dark behind."""
    x, y, z = direction
    crown = cv2.GaussianBlur(scene.canopy.height_m, (0, 0), 0.5)
    scale = 1 / (2 * scene.frame.gsd_m)
    kernel = np.array([[-1, 0, 1]], np.float32) * np.float32(scale)
    gx = cv2.filter2D(crown, cv2.CV_32F, kernel)
    gy = cv2.filter2D(crown, cv2.CV_32F, kernel.T.copy())
    slant = -(gx * np.float32(x / z) + gy * np.float32(y / z))
    slant *= np.float32(0.42)
    lit = 1 + slant / (1 + np.abs(slant))
    return 1 + (lit - 1) * scene.canopy.cover * np.float32(0.85)


def _cast_by_relief(scene: Landscape) -> Raster:
    """1 in the sun, 0 where a mountain stands before it; coarse, soft-edged."""
    frame, sun = scene.frame, scene.site.sun
    height = scene.drainage.elevation_m
    rise = math.tan(math.radians(sun.elevation_deg)) * frame.cell_m
    steps = int((float(height.max()) - float(height.min())) / rise)
    if steps < 2:
        return np.ones_like(height)
    x, y, _ = sun.direction()
    flat = math.hypot(x, y)
    horizon = np.full_like(height, -1e9)
    for k in range(1, min(steps, 160) + 1):
        ahead = _shifted(height, k * x / flat, k * y / flat)
        np.maximum(horizon, ahead - np.float32(k * rise), out=horizon)
    shade = smoothstep(-0.4 * rise, 0.6 * rise, horizon - height)
    return 1 - cv2.GaussianBlur(shade, (0, 0), 0.8)


def cast_shadow(tall: Raster, sun: Sun, gsd_m: float) -> Raster:
    """0 in the sun to 1 in the shadow of trees and houses."""
    rise = math.tan(math.radians(sun.elevation_deg)) * gsd_m
    steps = min(int(float(tall.max()) / rise), 48)
    x, y, _ = sun.direction()
    flat = math.hypot(x, y)
    horizon = np.zeros_like(tall)
    for k in range(1, steps + 1):
        ahead = _shifted(tall, k * x / flat, k * y / flat)
        np.maximum(horizon, ahead - np.float32(k * rise), out=horizon)
    return np.clip((horizon - tall) * np.float32(1 / max(0.9 * rise, 0.6)), 0, 1)


def _shifted(raster: Raster, dx: float, dy: float) -> Raster:
    """What lies (dx, dy) pixels ahead of each pixel; the edge's own value beyond it."""
    cols, rows = round(dx), round(dy)
    h, w = raster.shape
    cols, rows = max(-w + 1, min(w - 1, cols)), max(-h + 1, min(h - 1, rows))
    out = raster.copy()
    source = raster[max(0, rows) : h + min(0, rows), max(0, cols) : w + min(0, cols)]
    out[max(0, -rows) : h - max(0, rows), max(0, -cols) : w - max(0, cols)] = source
    return out


class _Strip:
    """Some rows of a landscape while they are coloured."""

    def __init__(self, scene: Landscape, texture: Texture, rows: slice) -> None:
        self.scene, self.palette, self.gsd_m = scene, scene.palette, scene.frame.gsd_m
        self.rows = rows
        self.cover = scene.cover[rows]
        self.labels = scene.labels[rows]
        self.vigour, self.rock = scene.vigour[rows], scene.rock[rows]
        self.shore = scene.shore_m[rows]
        self.soil, self.patch, self.grain = texture.soil[rows], texture.patch[rows], texture.grain[rows]
        self.albedo = np.empty((4, *self.cover.shape), np.float32)

    def reflect(self, light: Raster) -> Raster:
        """Radiance over that of a white level surface, (4, rows, size)."""
        self._wild()
        self._fields()
        self._town()
        self._shores()
        self._lines()
        self._water()
        self._trees()
        self._roofs()
        for plane, sky, haze in zip(self.albedo, _SKY, _HAZE, strict=True):
            plane *= light * (1 - sky / 2) + sky
            plane += haze
        return self.albedo

    def _mix(self, share: Raster, colour: Colour | Raster, tone: Raster | None = None) -> None:
        """Blend towards a colour, (4,) or (4, rows, size), times a tone, (rows, size)."""
        step = np.empty_like(share)
        for plane, target in zip(self.albedo, np.asarray(colour, np.float32), strict=True):
            if tone is None:
                np.subtract(target, plane, out=step)
            else:
                np.multiply(target, tone, out=step)
                step -= plane
            step *= share
            plane += step

    def _between(self, share: Raster, first: Colour, second: Colour) -> Raster:
        """A colour for each pixel: the first where share is 0, the second where it is 1; (4, rows, size)."""
        out = np.empty((4, *share.shape), np.float32)
        for plane, a, b in zip(out, first, second, strict=True):
            np.multiply(share, np.float32(b - a), out=plane)
            plane += np.float32(a)
        return out

    def _wild(self) -> None:
        p = self.palette
        pale = np.clip(np.float32(0.45) + np.float32(0.28) * self.soil + np.float32(0.12) * self.patch, 0, 1)
        self.albedo[:] = self._between(pale, p.soil, p.soil_pale)
        dry = np.float32(p.dryness) - np.float32(0.12) * self.soil - np.float32(0.16) * self.patch
        dry = np.clip(dry + np.float32(0.5) * (np.float32(0.85) - self.vigour), 0, 1)
        green = self._between(dry, p.grass, p.grass_dry)
        self._mix(smoothstep(0.05, 0.62, self.vigour + np.float32(0.06) * self.patch), green)
        bush = (self.cover == land.SHRUB).astype(np.float32) * smoothstep(-0.6, 0.9, self.patch)
        self._mix(bush * np.float32(0.75), p.shrub)
        self._mix((self.cover == land.FOREST).astype(np.float32) * np.float32(0.7), (0.05, 0.055, 0.035, 0.22))
        self._rocks()
        tone = 1 + np.float32(0.045) * self.grain + np.float32(0.05) * self.patch
        for plane in self.albedo:
            plane *= tone

    def _rocks(self) -> None:
        scene = self.scene
        if float(self.rock.max()) < 0.02:
            return
        height = scene.elevation_m[self.rows]
        tone = 1 + np.float32(0.12) * self.soil + np.float32(0.13) * self.patch
        if scene.site.climate in (Climate.ARID, Climate.STEPPE, Climate.SAVANNA):
            bed = np.sin(height * np.float32(0.31) + np.float32(0.5) * self.soil)
            bed += np.float32(0.6) * np.sin(height * np.float32(0.83) + np.float32(1.1))
            tone += np.float32(0.10) * bed
        self._mix(self.rock, self.palette.rock, tone)

    def _fields(self) -> None:
        scene, h = self.scene, self.scene.holdings
        farmed = scene.farmed[self.rows] & (self.cover != land.FOREST)
        if not farmed.any():
            return
        colour = np.take(np.ascontiguousarray(h.colour.T), self.labels, axis=1)
        edge = scene.edge_m[self.rows]
        tone = 1 + np.float32(0.055) * self.soil + np.float32(0.04) * self.patch + np.float32(0.028) * self.grain
        tone += self._rows_of_crops()
        tone += np.float32(0.05) * (np.exp(edge * np.float32(-1 / 9.0)) - np.float32(0.25))
        damp = np.float32(0.30) * smoothstep(0.6, 1.2, self.vigour + np.float32(0.05) * self.soil)
        tone *= 1 - damp * (colour[3] < np.float32(2.0) * colour[0])
        margin = np.clip((edge - np.float32(0.6 * self.gsd_m)) * np.float32(1 / 2.5), 0, 1)
        share = farmed * (np.float32(0.35) + np.float32(0.65) * margin)
        self._mix(share, colour, tone)

    def _rows_of_crops(self) -> Raster:
        """Stripes along each field: rows of plants or the passes of machines, each a little different."""
        h, gsd = self.scene.holdings, self.gsd_m
        n_rows, n_cols = self.labels.shape
        x = (np.arange(n_cols, dtype=np.float32) + 0.5) * np.float32(gsd)
        y = (np.arange(self.rows.start, self.rows.start + n_rows, dtype=np.float32) + 0.5) * np.float32(gsd)
        normal = h.normal / h.spacing_m[:, None]
        across = normal[:, 0][self.labels] * x[None, :]
        across += normal[:, 1][self.labels] * y[:, None]
        across += np.float32(0.05) * self.soil
        each = np.floor(across)
        wave = np.sin((across - each) * np.float32(2 * math.pi))
        each += self.labels
        each *= np.float32(0.7548777)
        each -= np.floor(each)
        return h.contrast[self.labels] * (wave * np.float32(0.55) + np.float32(1.3) * (each - np.float32(0.5)))

    def _town(self) -> None:
        town = self.cover == land.TOWN
        if not town.any():
            return
        p, h = self.palette, self.scene.holdings
        core = np.clip(h.potential[self.labels] * np.float32(1.1) - np.float32(0.1), 0, 1)
        lawn = np.float32(0.62) - np.float32(0.75) * core + np.float32(0.30) * self.patch + np.float32(0.18) * self.soil
        lawn -= np.float32(0.5) * (self.scene.site.climate is Climate.ARID)
        share = town.astype(np.float32)
        ground = blend_colours(CONCRETE, p.soil_pale, 0.5)
        self._mix(share, ground, 1 + np.float32(0.16) * self.grain + np.float32(0.16) * self.patch)
        self._mix(share * smoothstep(0.1, 0.8, lawn), blend_colours(p.grass, p.grass_dry, 0.25))

    def _shores(self) -> None:
        scene, p = self.scene, self.palette
        marsh = self.cover == land.MARSH
        if marsh.any():
            tone = 1 + np.float32(0.14) * self.patch + np.float32(0.06) * self.grain
            self._mix(marsh.astype(np.float32) * np.float32(0.9), p.marsh, tone)
        sand = self.cover == land.SAND
        if sand.any():
            fine = 1 + np.float32(0.05) * self.soil + np.float32(0.035) * self.patch + np.float32(0.02) * self.grain
            self._mix(sand.astype(np.float32), p.sand, fine)
            wet = sand & (self.shore > 0)
            damp = smoothstep(9.0, 0.0, self.shore + 2 * self.patch) * wet
            self._mix(damp * np.float32(0.6), WET_SAND)
        dry = scene.dry_stream[self.rows]
        if dry.any():
            share = dry * (np.float32(0.8 / 255) - np.float32(0.55 / 255) * scene.farmed[self.rows])
            self._mix(share * (1 + np.float32(0.2) * self.patch), p.sand)

    def _lines(self) -> None:
        built = self.scene.built
        track, paved = built.track[self.rows], built.paved[self.rows]
        if track.any():
            self._mix(track.astype(np.float32) * np.float32(0.85 / 255), self.palette.track)
        if paved.any():
            worn = np.float32(1.06) + np.float32(0.12) * self.soil + np.float32(0.03) * self.grain
            self._mix(paved.astype(np.float32) * np.float32(1 / 255), ASPHALT, worn)

    def _water(self) -> None:
        scene = self.scene
        water = scene.water[self.rows]
        if not water.any():
            return
        share = water.astype(np.float32) * np.float32(1 / 255)
        bridge = scene.built.paved[self.rows].astype(np.float32) * np.float32(1 / 255)
        share *= 1 - bridge * (self.cover == land.ROAD)
        sea = scene.sea[self.rows]
        slope = np.where(sea, np.float32(0.05), np.float32(0.3))
        depth = np.maximum(-self.shore, 0) * slope * np.exp(np.float32(0.25) * self.soil)
        depth += np.where(sea, np.float32(0.3), np.float32(1.3))
        tone = 1 + np.float32(0.05) * self.soil + np.float32(0.025) * self.grain + np.float32(0.02) * self.patch
        self._mix(share, self._water_colour(depth), tone)
        if sea.any():
            self._surf(sea, share)

    def _water_colour(self, depth: Raster) -> Raster:
        """The bed seen through water that dims each band at its rate (Beer-Lambert), over the water's own colour."""
        p = self.palette
        out = np.empty((4, *depth.shape), np.float32)
        murk = 3.4 - 2.6 * p.clarity
        for plane, rate, deep, sand, soil in zip(out, _DIMMING, p.deep, p.sand, p.soil, strict=True):
            np.exp(depth * np.float32(-rate * murk), out=plane)
            plane *= np.float32(0.42 * sand + 0.25 * soil - deep)
            plane += np.float32(deep)
        return out

    def _surf(self, sea: NDArray[np.bool_], share: Raster) -> None:
        """Lines of foam where waves break, patchy along the shore."""
        near = (self.shore > -90) & sea
        if not near.any():
            return
        away = np.maximum(-self.shore, 0)
        exposed = smoothstep(0.42, 0.68, self.scene.exposure[self.rows])
        strength = np.clip(np.float32(0.6) + np.float32(0.5) * self.soil, 0, 1.2) * exposed
        lines = np.sin(away * np.float32(2 * math.pi / 15.0) + np.float32(1.7) * self.soil + np.float32(0.9) * self.patch)
        reach = np.exp(away * np.float32(-1 / 17.0))
        foam = smoothstep(0.45, 0.95, reach * (lines + np.float32(0.2) * self.grain + np.float32(0.3) * strength))
        wash = smoothstep(5.0, 0.0, away) * np.float32(0.6) * exposed
        self._mix(np.maximum(foam * strength, wash) * near * share * np.float32(0.8), FOAM)

    def _trees(self) -> None:
        scene, p = self.scene, self.palette
        cover = scene.canopy.cover[self.rows]
        if float(cover.max()) <= 0:
            return
        mix = scene.conifers[self.rows] * (self.cover != land.TOWN)
        colour = self._between(mix, p.leaf, p.needle)
        tint = scene.canopy.tint[self.rows]
        tone = np.exp(np.float32(0.16) * tint + np.float32(0.07) * self.soil + np.float32(0.04) * self.grain)
        colour[0] *= 1 + np.float32(0.14) * tint
        self._mix(cover, colour, tone)

    def _roofs(self) -> None:
        roof = self.scene.built.roof[self.rows]
        if not roof.any():
            return
        shades = [np.array(c) * (0.82 + 0.05 * k) for c in self.palette.roofs for k in range(ROOF_SHADES)]
        table = np.array([np.zeros(4), *shades], np.float32)
        colour = np.take(np.ascontiguousarray(table.T), roof, axis=1)
        self._mix((roof > 0).astype(np.float32), colour, 1 + np.float32(0.04) * self.grain)
