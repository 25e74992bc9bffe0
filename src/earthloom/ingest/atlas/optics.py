"""What a camera sees: reflectance of the ground times light, through a little haze, as 8-bit pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from earthloom.ingest.atlas import cover as land
from earthloom.ingest.atlas.built import ROOF_SHADES
from earthloom.ingest.atlas.frame import Half, Raster, smoothstep
from earthloom.ingest.atlas.ground import Ground
from earthloom.ingest.atlas.landscape import Landscape
from earthloom.ingest.atlas.palette import ASPHALT, CONCRETE, FOAM, SNOW, WET_SAND, Colour, as_array, blend_colours
from earthloom.ingest.atlas.shading import (
    Strip,
    cast_shadow,
    full,
    gradient,
    height_of_things,
    raise_horizon,
    shadow_reach,
    strips,
)
from earthloom.ingest.atlas.site import Climate

_SKY = as_array((0.130, 0.150, 0.185, 0.08))
"""Light from the sky over that of the sun on level ground, by band."""
_HAZE = as_array((0.0030, 0.0050, 0.0085, 0.0010))
"""Reflectance of the air below the camera on a clear day."""
_DIMMING = (0.62, 0.24, 0.19, 3.0)
"""How fast clear water dims light on its way down and up, 1/m, by band (after Pope and Fry 1997, with some silt)."""
_HALO = 3
"""Rows around a strip that its blur needs."""
_NIR_WHITE = 0.66


@dataclass(frozen=True, slots=True)
class Texture:
    """Noise that the ground's colour varies with, (size, size), unit deviation."""

    soil: Half
    patch: Half
    grain: Half


def take_pictures(scene: Landscape) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """RGB (size, size, 3) and near infrared (size, size), uint8."""
    frame = scene.frame
    camera = _Camera(scene)
    rgb = np.empty((frame.size, frame.size, 3), np.uint8)
    nir = np.empty((frame.size, frame.size), np.uint8)
    rng = frame.rng("sensor")
    white = camera.find_white()
    for strip in strips(frame.size):
        wide = strip.widen(_HALO)
        planes = _expose(camera.look(wide), white, rng)[:, strip.within(wide)]
        rgb[strip.rows] = np.moveaxis(planes[:3], 0, -1)
        nir[strip.rows] = planes[3]
    return rgb, nir


class _Camera:
    """Looks at strips of a landscape."""

    def __init__(self, scene: Landscape) -> None:
        frame = scene.frame
        self._scene = scene
        self._light = Sunlight(scene)
        self._texture = Texture(
            frame.noise("soil", 700.0, 30.0, 1.35).astype(np.float16),
            frame.noise("mottle", 90.0, 2.5 * frame.gsd_m, 0.95).astype(np.float16),
            frame.noise("grain fine", 14 * frame.gsd_m, 0.0, 0.35).astype(np.float16),
        )

    def look(self, strip: Strip) -> Raster:
        """Radiance over that of a white level surface, (4, rows, size)."""
        return _Painter(self._scene, self._texture, strip).reflect(self._light.on(strip))

    def find_white(self) -> float:
        """Radiance that becomes white: a little over the brightest of the scene, from a few of its rows."""
        size = self._scene.frame.size
        tops = np.linspace(0, size - 4, 12).astype(int)
        thin = [self.look(Strip(int(top), int(top) + 4, size))[:3].max(axis=0) for top in tops]
        return float(np.clip(1.1 * np.quantile(np.stack(thin), 0.985), 0.36, 0.66))


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


class Sunlight:
    """Direct sunlight on each pixel over that on level, open ground: 0 in shadow, over 1 facing the sun."""

    def __init__(self, scene: Landscape) -> None:
        self._scene, self._sun = scene, scene.ground.site.sun
        self._open = scene.frame.refine(_cast_by_relief(scene.ground)).astype(np.float16)
        tallest = max(float(scene.plants.height_m.max()), 0.1 * float(scene.built.height_dm.max()))
        self._reach = shadow_reach(self._sun, tallest, scene.frame.gsd_m)

    def on(self, strip: Strip) -> Raster:
        """The light on some rows, (rows, size)."""
        wide = strip.widen(self._reach + 3)
        inner = strip.within(wide)
        tall = height_of_things(self._scene, wide)
        shadow = cast_shadow(tall, self._sun, self._scene.frame.gsd_m, self._reach)[inner]
        light = self._on_relief(strip)
        light *= full(self._open, strip)
        light *= self._on_crowns(strip)
        slope = self._scene.built.pitch[strip.rows] * np.float32(0.01) - np.float32(1.28)
        light *= 1 + slope * np.float32(0.62 / max(math.tan(math.radians(self._sun.elevation_deg)), 0.4))
        light *= 1 - shadow
        return light

    def _on_relief(self, strip: Strip) -> Raster:
        x, y, z = self._sun.direction()
        wide = strip.widen(4)
        gx, gy = gradient(cv2.GaussianBlur(self._scene.surface.elevation_m[wide.rows], (0, 0), 0.8), self._scene.frame.gsd_m)
        gx, gy = gx[strip.within(wide)], gy[strip.within(wide)]
        light = (1 - gx * np.float32(x / z) - gy * np.float32(y / z)) / np.sqrt(1 + gx * gx + gy * gy)
        light[self._scene.surface.water[strip.rows] > 127] = 1
        return np.clip(light, 0.02, 2.4)

    def _on_crowns(self, strip: Strip) -> Raster:
        """Crowns are bright towards the sun and dark behind."""
        x, y, z = self._sun.direction()
        wide = strip.widen(3)
        crown = cv2.GaussianBlur(full(self._scene.plants.height_m, wide), (0, 0), 0.5)
        kernel = np.array([[-0.5, 0, 0.5]], np.float32) / np.float32(self._scene.frame.gsd_m)
        slant = cv2.filter2D(crown, cv2.CV_32F, kernel * np.float32(x / z))
        slant += cv2.filter2D(crown, cv2.CV_32F, np.ascontiguousarray(kernel.T) * np.float32(y / z))
        slant = slant[strip.within(wide)] * np.float32(-0.42)
        return 1 + slant / (1 + np.abs(slant)) * full(self._scene.plants.crowns, strip) * np.float32(0.85)


def _cast_by_relief(ground: Ground) -> Raster:
    """1 in the sun, 0 where a mountain stands before it; coarse, soft-edged."""
    sun, height = ground.site.sun, ground.height_m
    rise = math.tan(math.radians(sun.elevation_deg)) * ground.frame.cell_m
    steps = int((float(height.max()) - float(height.min())) / rise)
    if steps < 2:
        return np.ones_like(height)
    x, y, _ = sun.direction()
    flat = math.hypot(x, y)
    horizon = np.full_like(height, -1e9)
    for k in range(1, min(steps, 160) + 1):
        raise_horizon(horizon, height, (k * x / flat, k * y / flat), k * rise)
    shade = smoothstep(-0.4 * rise, 0.6 * rise, horizon - height)
    return 1 - cv2.GaussianBlur(shade, (0, 0), 0.8)


class _Painter:
    """Some rows of a landscape while they are coloured."""

    def __init__(self, scene: Landscape, texture: Texture, strip: Strip) -> None:
        self.scene, self.palette, self.gsd_m = scene, scene.ground.palette, scene.frame.gsd_m
        self.strip, self.rows = strip, strip.rows
        rows = strip.rows
        self.cover = scene.cover.classes[rows]
        self.labels = scene.estate.labels[rows]
        self.vigour, self.rock = full(scene.cover.vigour, strip), full(scene.cover.rock, strip)
        self.shore = full(scene.surface.shore_m, strip)
        self.soil, self.patch, self.grain = (full(t, strip) for t in (texture.soil, texture.patch, texture.grain))
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
        self._mix((self.cover == land.SNOW).astype(np.float32), SNOW)
        tone = 1 + np.float32(0.045) * self.grain + np.float32(0.05) * self.patch
        for plane in self.albedo:
            plane *= tone

    def _rocks(self) -> None:
        scene = self.scene
        if float(self.rock.max()) < 0.02:
            return
        height = scene.surface.elevation_m[self.rows]
        tone = 1 + np.float32(0.12) * self.soil + np.float32(0.13) * self.patch
        if scene.ground.site.climate in (Climate.ARID, Climate.STEPPE, Climate.SAVANNA):
            bed = np.sin(height * np.float32(0.31) + np.float32(0.5) * self.soil)
            bed += np.float32(0.6) * np.sin(height * np.float32(0.83) + np.float32(1.1))
            tone += np.float32(0.10) * bed
        self._mix(self.rock, self.palette.rock, tone)

    def _fields(self) -> None:
        scene, h = self.scene, self.scene.estate.holdings
        farmed = scene.cover.farmed[self.rows] & (self.cover != land.FOREST)
        if not farmed.any():
            return
        colour = np.take(np.ascontiguousarray(h.colour.T), self.labels, axis=1)
        edge = full(scene.estate.edge_m, self.strip)
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
        h, gsd = self.scene.estate.holdings, self.gsd_m
        x = (np.arange(self.labels.shape[1], dtype=np.float32) + 0.5) * np.float32(gsd)
        y = (np.arange(self.strip.top, self.strip.bottom, dtype=np.float32) + 0.5) * np.float32(gsd)
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
        p, h = self.palette, self.scene.estate.holdings
        core = np.clip(h.potential[self.labels] * np.float32(1.1) - np.float32(0.1), 0, 1)
        lawn = np.float32(0.62) - np.float32(0.75) * core + np.float32(0.30) * self.patch + np.float32(0.18) * self.soil
        lawn -= np.float32(0.5) * (self.scene.ground.site.climate is Climate.ARID)
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
        dry = scene.surface.dry_bed[self.rows]
        if dry.any():
            share = dry * (np.float32(0.8 / 255) - np.float32(0.55 / 255) * scene.cover.farmed[self.rows])
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
        water = scene.surface.water[self.rows]
        if not water.any():
            return
        share = water.astype(np.float32) * np.float32(1 / 255)
        bridge = scene.built.paved[self.rows].astype(np.float32) * np.float32(1 / 255)
        share *= 1 - bridge * (self.cover == land.ROAD)
        sea = scene.surface.sea[self.rows]
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
        exposed = smoothstep(0.42, 0.68, full(self.scene.surface.exposure, self.strip))
        strength = np.clip(np.float32(0.6) + np.float32(0.5) * self.soil, 0, 1.2) * exposed
        lines = np.sin(away * np.float32(2 * math.pi / 15.0) + np.float32(1.7) * self.soil + np.float32(0.9) * self.patch)
        reach = np.exp(away * np.float32(-1 / 17.0))
        foam = smoothstep(0.45, 0.95, reach * (lines + np.float32(0.2) * self.grain + np.float32(0.3) * strength))
        wash = smoothstep(5.0, 0.0, away) * np.float32(0.6) * exposed
        self._mix(np.maximum(foam * strength, wash) * near * share * np.float32(0.8), FOAM)

    def _trees(self) -> None:
        scene, p = self.scene, self.palette
        cover = full(scene.plants.crowns, self.strip)
        if float(cover.max()) <= 0:
            return
        mix = full(scene.plants.conifers, self.strip) * (self.cover != land.TOWN)
        colour = self._between(mix, p.leaf, p.needle)
        tint = full(scene.plants.tint, self.strip)
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
