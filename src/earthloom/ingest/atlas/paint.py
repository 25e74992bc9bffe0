"""Colour: the reflectance of whatever covers each pixel, times the light on it, through a little haze."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from earthloom.ingest.atlas import cover as land
from earthloom.ingest.atlas import exact
from earthloom.ingest.atlas.built import ROOF_SHADES
from earthloom.ingest.atlas.frame import Frame, Half, Raster, smoothstep
from earthloom.ingest.atlas.landscape import Landscape
from earthloom.ingest.atlas.palette import (
    ASPHALT,
    CONCRETE,
    FOAM,
    FOREST_FLOOR,
    SNOW,
    WET_SAND,
    Colour,
    as_array,
    blend_colours,
)
from earthloom.ingest.atlas.shading import Strip, full
from earthloom.ingest.atlas.site import Climate

_SKY = as_array((0.130, 0.145, 0.170, 0.08))[:, None, None]
"""Light from the sky over that of the sun on level ground, by band."""
_HAZE = as_array((0.0030, 0.0050, 0.0085, 0.0010))[:, None, None]
"""Reflectance of the air below the camera on a clear day."""
_DIMMING = as_array((0.62, 0.24, 0.19, 3.0))[:, None, None]
"""How fast clear water dims light on its way down and up, 1/m, by band (after Pope and Fry 1997, with some silt)."""
_BREAKERS_M = 15.0
"""Between lines of surf."""
_BEDDED = (Climate.ARID, Climate.STEPPE, Climate.SAVANNA)
"""Climates in which the layers of rock show."""


@dataclass(frozen=True, slots=True)
class Texture:
    """Noise that the ground's colour varies with, (size, size), unit deviation."""

    soil: Half
    """30 to 700 m: what the ground is made of; runs on under fields and towns."""
    patch: Half
    """A few pixels to 90 m."""
    grain: Half
    """Pixel by pixel."""


def make_texture(frame: Frame) -> Texture:
    """The noise of one landscape."""
    return Texture(
        frame.noise("soil", 700.0, 30.0, 1.35).astype(np.float16),
        frame.noise("mottle", 90.0, 2.5 * frame.gsd_m, 0.95).astype(np.float16),
        frame.noise("grain fine", 14 * frame.gsd_m, 0.0, 0.35).astype(np.float16),
    )


class Painter:
    """Some rows of a landscape while they are coloured, in the order in which things lie on each other."""

    def __init__(self, scene: Landscape, texture: Texture, strip: Strip) -> None:
        self._scene, self._palette = scene, scene.ground.palette
        self._strip, self._rows = strip, strip.rows
        self._cover = scene.cover.classes[strip.rows]
        self._labels = scene.estate.labels[strip.rows]
        self._vigour, self._rock = (full(part, strip) for part in (scene.cover.vigour, scene.cover.rock))
        self._shore_m = full(scene.surface.shore_m, strip)
        self._soil, self._patch, self._grain = (
            full(part, strip) for part in (texture.soil, texture.patch, texture.grain)
        )
        self._albedo = np.empty((4, *self._cover.shape), np.float32)

    def reflect(self, light: Raster) -> Raster:
        """Radiance over that of a white level surface, (4, rows, size), under `light` of (rows, size)."""
        self._wild_ground()
        self._fields()
        self._towns()
        self._shores()
        self._roads()
        self._water()
        self._trees()
        self._roofs()
        self._albedo *= (1 - _SKY / 2) * light + _SKY
        self._albedo += _HAZE
        return self._albedo

    def _mix(self, share: Raster, colour: Colour | Raster, tone: Raster | None = None) -> None:
        """Blend towards a colour, (4,) or (4, rows, size), times a tone, (rows, size)."""
        step = np.empty(share.shape, np.float32)
        for band, target in enumerate(np.asarray(colour, np.float32)):
            np.multiply(target, np.float32(1) if tone is None else tone, out=step)
            step -= self._albedo[band]
            step *= share
            self._albedo[band] += step

    def _is(self, *classes: int) -> Raster:
        """1 where the cover is one of these, else 0."""
        table = np.zeros(256, np.float32)
        table[list(classes)] = 1
        out: Raster = table[self._cover]
        return out

    def _uneven(self, soil: float = 0.0, patch: float = 0.0, grain: float = 0.0) -> Raster:
        """A tone around one that varies with the textures by these amounts."""
        out: Raster = np.float32(grain) * self._grain + np.float32(1)
        for amount, texture in ((soil, self._soil), (patch, self._patch)):
            if amount:
                out += np.float32(amount) * texture
        return out

    def _wild_ground(self) -> None:
        p = self._palette
        pale = np.clip(self._uneven(soil=0.28, patch=0.12) - np.float32(0.55), 0, 1)
        self._albedo[:] = _between(pale, p.soil, p.soil_pale)
        dry = self._uneven(soil=-0.12, patch=-0.16) + np.float32(p.dryness - 1)
        dry += np.float32(0.5) * (np.float32(0.85) - self._vigour)
        green = _between(np.clip(dry, 0, 1), p.grass, p.grass_dry)
        self._mix(smoothstep(0.05, 0.62, self._vigour + np.float32(0.06) * self._patch), green)
        bushes = self._is(land.SHRUB) * smoothstep(-0.6, 0.9, self._patch)
        self._mix(np.float32(0.75) * bushes, p.shrub)
        self._mix(np.float32(0.7) * self._is(land.FOREST), FOREST_FLOOR)
        self._rocks()
        self._mix(self._is(land.SNOW), SNOW)
        self._albedo *= self._uneven(patch=0.05, grain=0.045)

    def _rocks(self) -> None:
        if float(self._rock.max()) < 0.02:
            return
        tone = self._uneven(soil=0.12, patch=0.13)
        if self._scene.ground.site.climate in _BEDDED:
            height = self._scene.surface.elevation_m[self._rows]
            beds = exact.sine(height * np.float32(0.049) + np.float32(0.08) * self._soil)
            beds += np.float32(0.6) * exact.sine(height * np.float32(0.132) + np.float32(0.175))
            tone += np.float32(0.10) * beds
        self._mix(self._rock, self._palette.rock, tone)

    def _fields(self) -> None:
        """Crops, greener or darker where the ground is damp, with rows, and a margin of grass."""
        farmed = self._scene.cover.farmed[self._rows] & (self._cover != land.FOREST)
        if not farmed.any():
            return
        colour = np.take(np.ascontiguousarray(self._scene.estate.holdings.colour.T), self._labels, axis=1)
        edge = full(self._scene.estate.edge_m, self._strip)
        tone = self._uneven(soil=0.055, patch=0.04, grain=0.028)
        tone += self._rows_of_crops()
        tone += np.float32(0.05) * (exact.exp(edge * np.float32(-1 / 9.0)) - np.float32(0.25))
        is_bare = colour[3] < np.float32(2.0) * colour[0]
        damp = smoothstep(0.6, 1.2, self._vigour + np.float32(0.05) * self._soil)
        tone *= 1 - np.float32(0.30) * damp * is_bare
        margin = (edge - np.float32(0.6 * self._scene.frame.gsd_m)) * np.float32(1 / 2.5)
        share = farmed * (np.float32(0.35) + np.float32(0.65) * np.clip(margin, 0, 1))
        self._mix(share, colour, tone)

    def _rows_of_crops(self) -> Raster:
        """Stripes along each field: rows of plants or the passes of machines, each a little different."""
        h, gsd_m = self._scene.estate.holdings, np.float32(self._scene.frame.gsd_m)
        x = (np.arange(self._labels.shape[1], dtype=np.float32) + 0.5) * gsd_m
        y = (np.arange(self._strip.top, self._strip.bottom, dtype=np.float32) + 0.5) * gsd_m
        normal = h.normal / h.spacing_m[:, None]
        across: Raster = normal[:, 0][self._labels] * x[None, :]
        across += normal[:, 1][self._labels] * y[:, None]
        across += np.float32(0.05) * self._soil
        each = np.floor(across)
        wave = exact.sine(across)
        each += self._labels
        each *= np.float32(0.7548777)  # scatters neighbouring rows over 0 to 1
        each -= np.floor(each)
        stripes: Raster = np.float32(0.55) * wave + np.float32(1.3) * (each - np.float32(0.5))
        return stripes * h.contrast[self._labels]

    def _towns(self) -> None:
        """Yards: paved in the heart of a town, lawns towards its edge."""
        town = self._is(land.TOWN)
        if not town.any():
            return
        p, potential = self._palette, self._scene.estate.holdings.potential
        heart = np.clip(potential[self._labels] * np.float32(1.1) - np.float32(0.1), 0, 1)
        lawn = self._uneven(soil=0.18, patch=0.30) - np.float32(0.75) * heart - np.float32(0.38)
        if self._scene.ground.site.climate is Climate.ARID:
            lawn -= np.float32(0.5)
        self._mix(town, blend_colours(CONCRETE, p.soil_pale, 0.5), self._uneven(patch=0.16, grain=0.16))
        self._mix(town * smoothstep(0.1, 0.8, lawn), blend_colours(p.grass, p.grass_dry, 0.25))

    def _shores(self) -> None:
        p = self._palette
        marsh = self._is(land.MARSH)
        if marsh.any():
            self._mix(np.float32(0.9) * marsh, p.marsh, self._uneven(patch=0.14, grain=0.06))
        sand = self._is(land.SAND)
        if sand.any():
            self._mix(sand, p.sand, self._uneven(soil=0.05, patch=0.035, grain=0.02))
            damp = smoothstep(9.0, 0.0, self._shore_m + 2 * self._patch) * (self._shore_m > 0)
            self._mix(np.float32(0.6) * damp * sand, WET_SAND)
        bed = self._scene.surface.dry_bed[self._rows]
        if bed.any():
            share = bed * (
                np.float32(0.8 / 255) - np.float32(0.55 / 255) * self._scene.cover.farmed[self._rows]
            )
            self._mix(share * self._uneven(patch=0.2), blend_colours(p.soil_pale, p.sand, 0.35))

    def _roads(self) -> None:
        built = self._scene.built
        track, paved = built.track[self._rows], built.paved[self._rows]
        if track.any():
            self._mix(track * np.float32(0.85 / 255), self._palette.track)
        if paved.any():
            self._mix(paved * np.float32(1 / 255), ASPHALT, self._uneven(soil=0.12, grain=0.03))

    def _water(self) -> None:
        """Water but under bridges; shallow along shores, more gently at sea."""
        scene, water = self._scene, self._scene.surface.water[self._rows]
        if not water.any():
            return
        share = water * np.float32(1 / 255)
        share *= 1 - self._is(land.ROAD) * scene.built.paved[self._rows] * np.float32(1 / 255)
        sea = scene.surface.sea[self._rows]
        depth = np.maximum(-self._shore_m, 0) * np.where(sea, np.float32(0.05), np.float32(0.3))
        depth *= exact.exp(np.float32(0.25) * self._soil)
        depth += np.where(sea, np.float32(0.3), np.float32(1.3))
        self._mix(share, self._see_through(depth), self._uneven(soil=0.05, patch=0.02, grain=0.025))
        if sea.any():
            self._surf(sea, share)

    def _see_through(self, depth: Raster) -> Raster:
        """The bed under water that dims each band at its rate (Beer-Lambert), over the water's own colour."""
        p = self._palette
        deep = as_array(p.deep)[:, None, None]
        bed = np.float32(0.67) * as_array(blend_colours(p.sand, p.soil, 0.38))[:, None, None]
        out: Raster = exact.exp(_DIMMING * np.float32(2.6 * p.clarity - 3.4) * depth)
        out *= bed - deep
        out += deep
        return out

    def _surf(self, sea: NDArray[np.bool_], share: Raster) -> None:
        """Lines of foam where waves break on open coasts, patchy along the shore."""
        near = (self._shore_m > -6 * _BREAKERS_M) & sea
        if not near.any():
            return
        away = np.maximum(-self._shore_m, 0)
        exposed = smoothstep(0.42, 0.68, full(self._scene.surface.exposure, self._strip))
        strength = np.clip(np.float32(0.6) + np.float32(0.5) * self._soil, 0, 1.2) * exposed
        phase = away * np.float32(1 / _BREAKERS_M)
        lines = exact.sine(phase + np.float32(0.27) * self._soil + np.float32(0.14) * self._patch)
        lines += np.float32(0.2) * self._grain + np.float32(0.3) * strength
        foam = smoothstep(0.45, 0.95, lines * exact.exp(away * np.float32(-1 / 17.0))) * strength
        wash = smoothstep(5.0, 0.0, away) * np.float32(0.6) * exposed
        self._mix(np.maximum(foam, wash) * near * share * np.float32(0.8), FOAM)

    def _trees(self) -> None:
        plants, p = self._scene.plants, self._palette
        crowns = full(plants.crowns, self._strip)
        if float(crowns.max()) <= 0:
            return
        conifers = full(plants.conifers, self._strip) * (self._cover != land.TOWN)
        colour = _between(conifers, p.leaf, p.needle)
        tint = full(plants.tint, self._strip)
        tone = exact.exp(self._uneven(soil=0.07, grain=0.04) + np.float32(0.16) * tint - np.float32(1))
        colour[0] *= 1 + np.float32(0.14) * tint
        self._mix(crowns, colour, tone)

    def _roofs(self) -> None:
        roof = self._scene.built.roof[self._rows]
        if not roof.any():
            return
        shades = [np.array(c) * (0.82 + 0.05 * k) for c in self._palette.roofs for k in range(ROOF_SHADES)]
        table = np.array([np.zeros(4), *shades], np.float32)
        colour = np.take(np.ascontiguousarray(table.T), roof, axis=1)
        self._mix((roof > 0).astype(np.float32), colour, self._uneven(grain=0.04))


def _between(share: Raster, first: Colour, second: Colour) -> Raster:
    """A colour for each pixel: the first where share is 0, the second where it is 1; (4, rows, size)."""
    a, b = (as_array(colour)[:, None, None] for colour in (first, second))
    out: Raster = (b - a) * share
    out += a
    return out
