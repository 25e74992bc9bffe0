"""A whole landscape: relief, water, what grows, what people built. No colour and no radar yet."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from earthloom.core.seeds import make_rng
from earthloom.ingest.atlas.character import Character, draw_character
from earthloom.ingest.atlas.fields import BLOCK, FIELD, WILD, Holdings, assign, draw_custom, parcel_means
from earthloom.ingest.atlas.frame import Frame, Points, Raster, smoothstep
from earthloom.ingest.atlas.palette import Palette, draw_crops, draw_palette
from earthloom.ingest.atlas.parcels import Bend, Parcels, bend_cuts, bend_polygons, divide, paint_labels
from earthloom.ingest.atlas.relief import Drainage, Terms, grow_relief
from earthloom.ingest.atlas.ribbon import draw_lines, draw_ribbon
from earthloom.ingest.atlas.site import Archetype, Climate, Site, draw_site
from earthloom.ingest.atlas.towns import (
    Building,
    Houses,
    Town,
    build_blocks,
    found_towns,
    plan_roads,
    town_potential,
)
from earthloom.ingest.atlas.trees import Canopy, Stand, draw_trees, rows_of_trees, scatter
from earthloom.ingest.atlas.water import WaterPlan, plan_water, trace_streams

WATER, FOREST, SHRUB, GRASS, CROP, TOWN, ROAD, BARE, SAND, SNOW, MARSH = range(1, 12)
COVER_NAMES = {
    WATER: "water",
    FOREST: "forest",
    SHRUB: "shrubland",
    GRASS: "grassland",
    CROP: "cropland",
    TOWN: "built-up area",
    ROAD: "road",
    BARE: "bare ground",
    SAND: "sand",
    SNOW: "snow",
    MARSH: "wetland",
}
"""Values of the land-cover mask."""
ROOF_SHADES = 8
"""Tones that a roof of one colour comes in."""
_COVER_OF = {"cropland": CROP, "grassland": GRASS, "forest": FOREST, "bare ground": BARE}

Bytes8 = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True, slots=True)
class Built:
    """What people built, (size, size)."""

    paved: Bytes8
    """Share of the pixel under asphalt, 0 to 255."""
    track: Bytes8
    """Share under a dirt track."""
    roof: NDArray[np.int16]
    """Index of the roof's colour plus one, 0 where there is no roof."""
    pitch: Raster
    """Slope of the roof towards the sun: -1 away from it to 1; 0 flat."""
    height_m: Raster
    houses: Houses


@dataclass(frozen=True, kw_only=True, slots=True)
class Landscape:
    """Everything known about a scene; rasters are (size, size)."""

    frame: Frame
    site: Site
    character: Character
    palette: Palette
    drainage: Drainage
    towns: tuple[Town, ...]
    roads: tuple[Points, ...]
    elevation_m: Raster
    """Of the ground; under 0 in the sea."""
    cover: Bytes8
    """Land cover, a key of COVER_NAMES."""
    water: Bytes8
    """Share of the pixel under water, 0 to 255."""
    sea: NDArray[np.bool_]
    exposure: Raster
    """Openness of the sea around, 0 a sheltered bay to 1."""
    shore_m: Raster
    """Distance to the shore, negative in water."""
    dry_stream: Bytes8
    """Share of the pixel in a dry river bed."""
    labels: NDArray[np.int32]
    holdings: Holdings
    edge_m: Raster
    """Distance to the nearest boundary between parcels."""
    vigour: Raster
    """How green the ground is, 0 bare to 1 lush."""
    rock: Raster
    """Share of bare rock, 0 to 1."""
    canopy: Canopy
    conifers: Raster
    """Share of conifers among the trees, 0 to 1."""
    built: Built
    farmed: NDArray[np.bool_]


def make_landscape(frame: Frame) -> Landscape:
    """Draw place and character, then the ground from the water up."""
    site = draw_site(frame.rng("site"), _turn(frame))
    character = draw_character(frame.rng("character"), site)
    palette = draw_palette(frame.rng("palette"), site)
    plan = plan_water(frame, character, site.archetype is Archetype.DELTA)
    drainage = grow_relief(_terms(frame, character, plan))
    return _Builder(frame, site, character, palette, plan, drainage).build()


def _turn(frame: Frame) -> float:
    """Golden-ratio steps through the archetypes: any few neighbouring scenes are a good mix (Kronecker sequence)."""
    start = float(make_rng(frame.seed, "atlas").random())
    return (start + frame.number * 0.6180339887498949) % 1.0


def _terms(frame: Frame, character: Character, plan: WaterPlan) -> Terms:
    n = frame.n_coarse
    hills = frame.coarse_noise("hills", 0.8 * frame.extent_m, frame.cell_m * 8, 1.9)
    hilly = smoothstep(-0.7, 0.7, hills + np.float32((character.hills - 0.5) * 3))
    valley = 60 + 16 * math.sqrt(character.river_km2) if character.hills < 0.8 else 40.0
    valley = min(valley, 0.2 * frame.extent_m)
    hilly *= smoothstep(0.12 * valley, 1.2 * valley, plan.away_m + np.float32(0.25 * valley) * hills)
    patchy = np.exp(np.float32(0.3) * frame.coarse_noise("rocks", 0.3 * frame.extent_m, frame.cell_m * 4, 1.5))
    steepness = np.float32(0.25) + hilly * patchy * np.float32(character.steepness)
    repose = np.float32(0.55) + np.float32(0.14) * frame.coarse_noise("repose", 600, frame.cell_m * 4, 1.5)
    return Terms(
        frame.cell_m,
        steepness,
        np.clip(repose, 0.3, 1.1),
        plan.base_m,
        plan.hollow > 0,
        frame.coarse_noise("network", frame.extent_m, 0, 1.2),
        frame.rng("grain").standard_normal((n, n), dtype=np.float32),
        max(60.0, 2 * frame.cell_m) ** 2,
    )


class _Builder:
    """One landscape in the making: the coarse rasters that the steps share."""

    def __init__(
        self, frame: Frame, site: Site, character: Character, palette: Palette, plan: WaterPlan, drainage: Drainage
    ) -> None:
        self.frame, self.site, self.character, self.palette = frame, site, character, palette
        self.plan, self.drainage = plan, drainage
        smooth = cv2.GaussianBlur(drainage.elevation_m, (0, 0), 0.8)
        self.smooth_m = smooth
        gy, gx = np.gradient(cv2.GaussianBlur(smooth, (0, 0), 1.5), frame.cell_m)
        self.slope = np.hypot(gx, gy).astype(np.float32)
        self.wet = self._wet_cells()
        self.dry_land = site.climate in (Climate.ARID,) or (site.climate is Climate.STEPPE and character.river_km2 == 0)

    def _wet_cells(self) -> Raster:
        """1 on water, 0 on land, coarse."""
        wet = (self.plan.hollow > 0).astype(np.uint8)
        if self.plan.sea is not None:
            wet |= self.plan.sea < 0
        for river in self.plan.rivers:
            cells = np.round(self.frame.to_cells(river.points)).astype(np.int32)
            thick = max(1, round(float(np.median(river.width_m)) / self.frame.cell_m + 0.5))
            cv2.polylines(wet, [cells.reshape(-1, 1, 2)], False, 1, thick)
        return wet.astype(np.float32)

    def build(self) -> Landscape:
        """Run all steps."""
        frame = self.frame
        sea_cells = self.plan.sea < 0 if self.plan.sea is not None else np.zeros(self.wet.shape, bool)
        towns = found_towns(frame, self.character, self.slope, self.plan.away_m, self.wet)
        potential = town_potential(frame, towns, self.slope)
        roads = plan_roads(frame, towns, self.slope, self.wet + 9 * sea_cells, wild=0.25 + 0.5 * (self.character.farms < 0.3))
        water, dry_stream, sea = self._paint_water()
        shore = _signed_distance(water > 127, frame.gsd_m)
        elevation = self._elevation(sea, shore)
        slope = _slope(elevation, frame.gsd_m)
        farm, forest = self._farm_field(potential), self._forest_field()
        custom, area, pivots = draw_custom(frame, self.site)
        parcels = divide(frame, custom, self._targets(area, farm, potential))
        bend = Bend(frame, custom.bend_m)
        outlines, corners = bend_polygons(parcels, bend)
        labels = paint_labels(frame, outlines)
        forest_fine = frame.refine(forest)
        means = parcel_means(
            frame, labels, len(outlines),
            {"slope": slope, "wet": water > 127, "farm": frame.refine(farm), "forest": forest_fine},
        )
        middles = np.array([o.mean(axis=0) for o in outlines])
        inside = frame.sample(potential, middles)
        crops = draw_crops(self.site, self.palette, self.character.trees)
        holdings = assign(frame, parcels, means, inside, crops, self.palette, pivots)
        edge = _edge_distance(labels, frame.gsd_m)
        paved, track = self._paint_roads(roads, parcels, bend, holdings, labels, potential, area)
        vigour, rock = self._vigour(elevation, slope, shore)
        cover, farmed = self._cover(labels, holdings, forest_fine, vigour, rock, shore, sea, slope, water)
        houses = self._houses(corners, holdings, water, paved)
        built = self._paint_built(houses, paved, track)
        cover[(built.height_m > 0) & (cover != WATER)] = TOWN
        cover[((paved > 110) | (track > 110)) & (built.height_m == 0) & ((water <= 127) | (paved > 180))] = ROAD
        canopy, conifers = self._trees(cover, labels, holdings, edge, shore, vigour, rock, built, parcels, farmed)
        return Landscape(
            frame=frame, site=self.site, character=self.character, palette=self.palette,
            drainage=self.drainage, towns=towns, roads=roads, elevation_m=elevation, cover=cover, water=water,
            sea=sea, exposure=self._exposure(), shore_m=shore, dry_stream=dry_stream, labels=labels, holdings=holdings, edge_m=edge,
            vigour=vigour, rock=rock, canopy=canopy, conifers=conifers, built=built, farmed=farmed,
        )

    def _paint_water(self) -> tuple[Bytes8, Bytes8, NDArray[np.bool_]]:
        frame = self.frame
        river = np.zeros((frame.size, frame.size), np.uint8)
        dry = np.zeros_like(river)
        least = max(0.12, (0.06 * frame.extent_m / 1000) ** 2) * (3.0 if self.dry_land else 1.0)
        streams = trace_streams(frame, self.drainage, least)
        for course in sorted(streams, key=lambda c: float(c.width_m[-1])):
            wide = course.width_m * (3.5 if self.dry_land else 1.0)
            draw_ribbon(dry if self.dry_land else river, frame, course.points, wide)
        for course in self.plan.rivers:
            draw_ribbon(river, frame, course.points, course.width_m)
        fine = frame.noise("shoreline", 60.0, 2 * frame.gsd_m, 1.6)
        shape = frame.refine(self.plan.hollow) * np.float32(1)
        lake = shape + np.float32(0.02) * fine > 0
        sea = np.zeros(river.shape, bool)
        if self.plan.sea is not None:
            sea = frame.refine(self.plan.sea) + np.float32(0.008) * fine < 0
        river[lake | sea] = 255
        return river, dry, sea

    def _exposure(self) -> Raster:
        """Share of open sea within some hundred metres."""
        if self.plan.sea is None:
            return np.zeros((self.frame.size, self.frame.size), np.float32)
        open_sea = (self.plan.sea < 0).astype(np.float32)
        return self.frame.refine(cv2.GaussianBlur(open_sea, (0, 0), min(220.0, 0.1 * self.frame.extent_m) / self.frame.cell_m))

    def _elevation(self, sea: NDArray[np.bool_], shore: Raster) -> Raster:
        """Fine elevation: detail that grows with the slope, dunes, and a sea floor."""
        frame = self.frame
        ground = frame.refine(self.smooth_m)
        slope = frame.refine(self.slope)
        rough = frame.noise("rough", 12 * frame.cell_m, 2.2 * frame.gsd_m, 1.9)
        ground += rough * slope * np.float32(1.1 * frame.cell_m ** 0.6)
        ground += np.float32(0.12) * rough
        if self.character.dunes > 0.03:
            ground += self._dunes(slope)
        depth = -shore * np.float32(0.035)
        return np.where(sea, -depth - np.float32(0.3), np.maximum(ground, 0.2)).astype(np.float32)

    def _dunes(self, slope: Raster) -> Raster:
        """Transverse dunes: gentle to the wind, steep in the lee, their crests wavering; m."""
        frame = self.frame
        rng = frame.rng("dunes")
        wave = max(float(rng.uniform(70, 190)), 14 * frame.gsd_m)
        wind = float(rng.uniform(0, 2 * math.pi))
        waver = frame.noise("crests", 7 * wave, 1.3 * wave, 1.5)
        axis = np.arange(frame.size, dtype=np.float32) * np.float32(frame.gsd_m)
        along = axis[None, :] * np.float32(math.cos(wind)) + axis[:, None] * np.float32(math.sin(wind))
        phase = along * np.float32(1 / wave) + np.float32(0.42) * waver
        phase -= np.floor(phase)
        profile = np.where(phase < 0.72, phase * np.float32(1 / 0.72), (1 - phase) * np.float32(1 / 0.28))
        profile = cv2.GaussianBlur(profile * profile * (3 - 2 * profile), (0, 0), max(0.045 * wave / frame.gsd_m, 0.6))
        field = frame.noise("dune field", 0.9 * frame.extent_m, 3 * wave, 1.8)
        share = smoothstep(-0.35, 0.5, field + np.float32(4 * (self.character.dunes - 0.4)))
        return profile * share * smoothstep(0.3, 0.1, slope) * np.float32(0.06 * wave)

    def _farm_field(self, potential: Raster) -> Raster:
        """Over 0 where the land is farmed."""
        noise = self.frame.coarse_noise("farms", 0.6 * self.frame.extent_m, 150.0, 1.7)
        bias = np.float32(3.0 * (self.character.farms - 0.42))
        field = bias + 0.8 * noise - self.slope * 9 + 0.6 * np.clip(potential + 0.8, 0, 1)
        if self.plan.sea is not None:
            field -= 1.5 * np.exp(-np.maximum(self.plan.sea, 0) / 0.04)
        return field.astype(np.float32)

    def _forest_field(self) -> Raster:
        """Over 0 where wood grows on what is not farmed."""
        noise = self.frame.coarse_noise("forest", 0.35 * self.frame.extent_m, 60.0, 1.35)
        bias = np.float32(3.4 * (self.character.trees - 0.5))
        return bias + noise + np.minimum(self.slope * 2.5, 0.8)

    def _targets(self, area: float, farm: Raster, potential: Raster) -> Raster:
        """Wanted area of a piece, m2: fields, town blocks, or large wild tracts."""
        frame = self.frame
        vary = np.exp(np.float32(0.45) * frame.coarse_noise("field size", 0.4 * frame.extent_m, 300.0, 1.8))
        out = np.where(farm > -1.3, np.float32(area) * vary, np.float32(max(16 * area, 3e5)))
        block = max(9000.0, (16 * frame.gsd_m) ** 2)
        town = block * np.where(potential > 0.75, 0.8, 1.0)
        return np.where(potential > -0.04, town, out).astype(np.float32)

    def _paint_roads(
        self,
        roads: tuple[Points, ...],
        parcels: Parcels,
        bend: Bend,
        holdings: Holdings,
        labels: NDArray[np.int32],
        potential: Raster,
        area: float,
    ) -> tuple[Bytes8, Bytes8]:
        """Tracks and lanes along old cuts, streets in towns, main roads over all."""
        frame = self.frame
        paved = np.zeros((frame.size, frame.size), np.uint8)
        track, minor, street = (np.zeros_like(paved) for _ in range(3))
        is_town = (holdings.use == BLOCK)[labels]
        is_field = (holdings.use == FIELD)[labels]
        lines = bend_cuts(parcels, bend)
        ages = [cut.parent_m2 / area for cut in parcels.cuts]
        middles = np.array([(cut.start, cut.end) for cut in parcels.cuts]).reshape(-1, 2, 2).mean(axis=1)
        towny = frame.sample(potential, middles) > -0.25
        draw_lines(minor, frame, [line for line, age in zip(lines, ages, strict=True) if age > 14], 5.5)
        draw_lines(track, frame, [line for line, age in zip(lines, ages, strict=True) if 3.2 < age <= 14], 3.2)
        draw_lines(street, frame, [line for line, near in zip(lines, towny, strict=True) if near], 7.5)
        wide = [line for line, cut in zip(lines, parcels.cuts, strict=True) if cut.parent_m2 > 2.5e5]
        draw_lines(street, frame, wide, 11.0)
        near_field = cv2.dilate(is_field.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        near_town = cv2.dilate(is_town.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        lively = near_field | near_town
        wet = cv2.dilate((frame.refine(self.wet) > 0.5).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        np.maximum(paved, np.where(lively & ~wet, minor, 0), out=paved)
        np.maximum(paved, np.where(near_town & ~wet, street, 0), out=paved)
        track[~near_field | wet] = 0
        draw_lines(paved, frame, roads[2:], 8.0)
        draw_lines(paved, frame, roads[:2], 12.0)
        return paved, track

    def _vigour(self, elevation: Raster, slope: Raster, shore: Raster) -> tuple[Raster, Raster]:
        """Greenness and bare rock of wild ground."""
        frame, dry = self.frame, self.palette.dryness
        moist = np.log10(np.maximum(self.drainage.area_m2, 1) / frame.cell_m**2) * 0.16
        moist = frame.refine(cv2.GaussianBlur(moist.astype(np.float32), (0, 0), 1.6))
        patch = frame.noise("patches", 420.0, 2.5 * frame.gsd_m, 1.25)
        near = np.exp(np.minimum(-shore, 0) * np.float32(1 / 45.0)) * (shore > 0)
        base = {Climate.ARID: 0.02, Climate.STEPPE: 0.45, Climate.SAVANNA: 0.6, Climate.MEDITERRANEAN: 0.62}
        level = base.get(self.site.climate, 0.9)
        vigour = level + np.float32(0.17 if level > 0.1 else 0.05) * patch + moist * np.float32(0.5) + near * np.float32(0.3)
        vigour -= slope * np.float32(0.25 + 0.3 * dry)
        rocky = frame.noise("rocks fine", 260.0, max(9.0, 2.2 * frame.gsd_m), 1.2)
        steep = {Climate.ARID: 0.16, Climate.STEPPE: 0.45}.get(self.site.climate, 0.74)
        rock = smoothstep(steep, steep + 0.22, slope + np.float32(0.09) * rocky)
        if self.site.climate is Climate.ARID:
            gravel = frame.noise('gravel', 0.5 * frame.extent_m, 60.0, 1.7)
            rock = np.maximum(rock, np.float32(0.6) * smoothstep(-0.6, 1.8, gravel + np.float32(0.12) * rocky + slope * 5))
        high = self._above_treeline(elevation)
        rock = np.maximum(rock, smoothstep(0.35, 0.85, high + np.float32(0.16) * rocky + slope * np.float32(0.25)))
        return np.clip(vigour - np.float32(0.5) * rock, 0, 1), rock

    def _above_treeline(self, elevation: Raster) -> Raster:
        """0 under the treeline, 1 at the highest ground; 0 everywhere unless this is a high range."""
        if not self.is_alpine:
            return np.zeros_like(elevation)
        low, high = (float(np.quantile(self.smooth_m, q)) for q in (0.55, 0.995))
        return np.clip((elevation - np.float32(low)) * np.float32(1 / max(high - low, 1.0)), 0, 1)

    @property
    def is_alpine(self) -> bool:
        """Whether the range rises above the trees: seeded, for steep scenes outside the tropics."""
        cold = self.site.climate in (Climate.TEMPERATE, Climate.BOREAL, Climate.STEPPE)
        return cold and self.character.steepness > 15 and self.frame.rng("alpine").random() < 0.5

    def _cover(
        self,
        labels: NDArray[np.int32],
        holdings: Holdings,
        forest: Raster,
        vigour: Raster,
        rock: Raster,
        shore: Raster,
        sea: NDArray[np.bool_],
        slope: Raster,
        water: Bytes8,
    ) -> tuple[Bytes8, NDArray[np.bool_]]:
        """The land-cover mask, but for roads and buildings."""
        frame = self.frame
        crumble = frame.noise("crumble", 90.0, 2 * frame.gsd_m, 1.2)
        cover = np.full(labels.shape, GRASS, np.uint8)
        bushy = vigour + np.float32(0.25) * crumble
        low, high = (0.42, 0.72) if self.palette.dryness > 0.5 else (0.5, 0.62)
        cover[(bushy > low) & (bushy < high)] = SHRUB
        cover[(vigour < 0.17) & (crumble < 1.2)] = BARE
        cover[rock > 0.5] = BARE
        high_ground = self._above_treeline(self.frame.refine(self.smooth_m)) if self.is_alpine else None
        wooded = forest + np.float32(0.35) * crumble
        if high_ground is not None:
            wooded = wooded - 6 * np.clip(high_ground - 0.05, 0, 1)
        cover[(wooded > 0) & (rock < 0.8)] = FOREST
        use = holdings.use[labels]
        kinds = np.array([_COVER_OF[c.cover] for c in holdings.crops], np.uint8)[holdings.crop]
        is_pivot = holdings.pivot_m[labels] > 0 if (holdings.pivot_m > 0).any() else None
        farmed = (use == FIELD) & (slope < 0.34) & (shore > 4)
        if is_pivot is not None:
            farmed &= ~is_pivot | (_from_middle(frame, labels, holdings) < holdings.pivot_m[labels])
        cover = np.where(farmed, kinds[labels], cover)
        cover[use == BLOCK] = TOWN
        if self.character.dunes > 0.03:
            cover[(use == WILD) & (vigour < 0.17) & (rock < 0.5)] = SAND
        self._paint_shores(cover, shore, sea, slope, crumble, use)
        cover[water > 127] = WATER
        return cover, farmed

    def _paint_shores(
        self, cover: Bytes8, shore: Raster, sea: NDArray[np.bool_], slope: Raster, crumble: Raster, use: Bytes8
    ) -> None:
        """Beaches where the coast is gentle, reeds around still water."""
        frame = self.frame
        free = use != BLOCK
        marsh = frame.noise("reeds", 500.0, 30.0, 1.6)
        reed = (shore > 0) & (shore < np.maximum(marsh, -0.6) * 9 + 7 + 2 * crumble) & (slope < 0.12)
        if self.site.archetype is Archetype.DELTA:
            reed |= (shore > 0) & (marsh + np.float32(0.3) * crumble > 0.2 + shore / 260) & (use == WILD)
        if self.site.climate is not Climate.ARID:
            cover[reed & free & (cover != FOREST)] = MARSH
        if not sea.any():
            return
        to_sea = _distance(sea, frame.gsd_m)
        broad = frame.noise("beach", 900.0, 90.0, 1.8)
        width = np.float32(9) + np.float32(17) * broad - slope * 60
        beach = (to_sea < np.maximum(width, 0) + 2 * crumble) & (shore > 0)
        cover[beach] = SAND
        cliff = (to_sea < 26) & (shore > 0) & ~beach & (slope > 0.2)
        cover[cliff] = BARE

    def _houses(
        self,
        corners: list[Points],
        holdings: Holdings,
        water: Bytes8,
        paved: Bytes8,
    ) -> Houses:
        """All buildings that stand on dry, unpaved ground."""
        frame = self.frame
        style = _building_style(self.site)
        blocks = np.flatnonzero(holdings.use == BLOCK)
        houses = build_blocks(frame, [corners[i] for i in blocks], holdings.potential[blocks], style)
        keep = np.ones(len(houses.x), bool)
        blocked = np.maximum((water > 60).astype(np.float32), paved.astype(np.float32) / 255)
        corner_points = houses.corners().reshape(-1, 2)
        if len(corner_points):
            keep = frame.sample_fine(blocked, corner_points).reshape(-1, 4).max(axis=1) < 0.3
            middle = np.stack([houses.x, houses.y], axis=1)
            keep &= frame.sample_fine(blocked, middle) < 0.2
        return houses.select(keep)

    def _paint_built(self, houses: Houses, paved: Bytes8, track: Bytes8) -> Built:
        frame = self.frame
        shape = (frame.size, frame.size)
        roof, height = np.zeros(shape, np.int16), np.zeros(shape, np.float32)
        pitch = np.zeros(shape, np.float32)
        sun_x, sun_y, _ = self.site.sun.direction()
        flat = math.hypot(sun_x, sun_y)
        n_roofs = len(self.palette.roofs)
        lit = (-np.sin(houses.angle) * sun_x + np.cos(houses.angle) * sun_y) / flat
        whole = np.round(frame.to_pixels(houses.corners().reshape(-1, 2)) * 16).astype(np.int32).reshape(-1, 4, 2)
        half = np.round(
            frame.to_pixels(houses.corners((0.0, 1.0)).reshape(-1, 2)) * 16
        ).astype(np.int32).reshape(-1, 4, 2)
        colour = (houses.tint * n_roofs * ROOF_SHADES).astype(int) + 1
        for i in range(len(houses.x)):
            cv2.fillConvexPoly(roof, whole[i], int(colour[i]), cv2.LINE_8, 4)
            cv2.fillConvexPoly(height, whole[i], float(houses.height_m[i]), cv2.LINE_8, 4)
            if houses.pitched[i]:
                cv2.fillConvexPoly(pitch, whole[i], float(-lit[i]), cv2.LINE_8, 4)
                cv2.fillConvexPoly(pitch, half[i], float(lit[i]), cv2.LINE_8, 4)
            else:
                cv2.fillConvexPoly(pitch, whole[i], 0.0, cv2.LINE_8, 4)
        return Built(paved=paved, track=track, roof=roof, pitch=pitch, height_m=height, houses=houses)

    def _trees(
        self,
        cover: Bytes8,
        labels: NDArray[np.int32],
        holdings: Holdings,
        edge: Raster,
        shore: Raster,
        vigour: Raster,
        rock: Raster,
        built: Built,
        parcels: Parcels,
        farmed: NDArray[np.bool_],
    ) -> tuple[Canopy, Raster]:
        frame, site = self.frame, self.site
        wild = {Climate.ARID: 0.01, Climate.STEPPE: 0.02, Climate.SAVANNA: 0.18, Climate.MEDITERRANEAN: 0.14}
        loose = wild.get(site.climate, 0.05)
        table = np.zeros(256, np.float32)
        table[FOREST], table[SHRUB], table[GRASS], table[MARSH] = 0.97, 3.0 * loose, 0.6 * loose, 0.02
        table[TOWN] = {Climate.ARID: 0.04}.get(site.climate, 0.12)
        density = cv2.LUT(cover, table.reshape(1, 256)) if False else table[cover]
        density[farmed & (cover != FOREST)] = 0.0
        density *= 1 - np.float32(0.85) * rock
        old = frame.noise("copses", 260.0, 24.0, 1.3)
        open_ground = (cover == SHRUB) | (cover == GRASS)
        density = np.where(open_ground & ~farmed, density * np.clip(1 + 1.2 * old, 0, 4), density)
        hedge = self._hedges(labels, holdings)
        density = np.where((edge < 2.2) & farmed, np.maximum(density, hedge[labels]), density)
        bank = (shore > 1) & (shore < 16) & (old > 0.0) & (cover != SAND) & (cover != ROAD) & (cover != TOWN)
        density[bank] = np.maximum(density[bank], 0.75 if site.climate is not Climate.ARID else 0.3)
        density[(built.height_m > 0) | (built.paved > 50) | (cover == WATER) | (cover == ROAD)] = 0
        stand = _stand(site)
        points = np.concatenate([scatter(frame, density, stand), *self._orchards(parcels, holdings)])
        points = points[((points > 0) & (points < frame.extent_m)).all(axis=1)]
        canopy = draw_trees(frame, points, stand)
        species = frame.noise("species", 700.0, 50.0, 1.5)
        share = {Climate.BOREAL: 0.75, Climate.TEMPERATE: 0.35}.get(site.climate, 0.2)
        rng = frame.rng("conifers")
        by_parcel = rng.normal(0, 0.7, len(holdings.use)).astype(np.float32) * (holdings.use != BLOCK)
        mix = smoothstep(-0.25, 0.25, species * np.float32(0.6) + by_parcel[labels] + np.float32(2 * (share - 0.5)))
        return canopy, mix

    def _hedges(self, labels: NDArray[np.int32], holdings: Holdings) -> NDArray[np.float32]:
        """Density of trees along each parcel's boundary."""
        usual = {Climate.TEMPERATE: 0.35, Climate.BOREAL: 0.2, Climate.TROPICAL: 0.35, Climate.SAVANNA: 0.2}
        level = usual.get(self.site.climate, 0.04)
        draw = self.frame.rng("hedges").random(len(holdings.use))
        return np.where(draw < level, 0.8, np.where(draw < 2 * level, 0.18, 0.02)).astype(np.float32)

    def _orchards(self, parcels: Parcels, holdings: Holdings) -> list[Points]:
        names = [holdings.crops[i].name for i in holdings.crop]
        out = []
        for i in np.flatnonzero(holdings.use == FIELD):
            if names[i] != "orchard":
                continue
            half = 0.42 * math.sqrt(parcels.areas_m2[i])
            out.append(
                rows_of_trees(
                    self.frame, holdings.middle[i].astype(np.float64), float(parcels.angles[i]), (half, half), 6.5
                )
            )
        return out


def _stand(site: Site) -> Stand:
    return {
        Climate.TROPICAL: Stand(crown_m=11.0, height_m=20.0),
        Climate.TEMPERATE: Stand(crown_m=8.0, height_m=15.0),
        Climate.BOREAL: Stand(crown_m=5.5, height_m=13.0),
        Climate.SAVANNA: Stand(crown_m=8.0, height_m=8.0),
    }.get(site.climate, Stand(crown_m=6.5, height_m=7.0))


def _building_style(site: Site) -> Building:
    return {
        Climate.TROPICAL: Building(spacing_m=14, setback_m=8, length_m=11, depth_m=8, pitched=0.8),
        Climate.SAVANNA: Building(spacing_m=16, setback_m=9, length_m=11, depth_m=8, pitched=0.6),
        Climate.ARID: Building(spacing_m=16, setback_m=8, length_m=14, depth_m=12, pitched=0.03),
        Climate.MEDITERRANEAN: Building(spacing_m=16, setback_m=8, length_m=13, depth_m=10, pitched=0.75),
        Climate.BOREAL: Building(spacing_m=24, setback_m=12, length_m=13, depth_m=9, pitched=0.95),
    }.get(site.climate, Building(spacing_m=19, setback_m=11, length_m=13, depth_m=9.5, pitched=0.92))


def _distance(mask: NDArray[np.bool_], gsd_m: float) -> Raster:
    if not mask.any():
        return np.full(mask.shape, 1e6, np.float32)
    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    away *= np.float32(gsd_m)
    return away


def _signed_distance(water: NDArray[np.bool_], gsd_m: float) -> Raster:
    """Metres to the shore: positive on land, negative in water."""
    return np.where(water, -_distance(~water, gsd_m), _distance(water, gsd_m))


def _slope(elevation: Raster, gsd_m: float) -> Raster:
    smooth = cv2.GaussianBlur(elevation, (0, 0), 1.2)
    gx = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3, scale=1 / (8 * gsd_m))
    gy = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3, scale=1 / (8 * gsd_m))
    return cv2.magnitude(gx, gy)


def _edge_distance(labels: NDArray[np.int32], gsd_m: float) -> Raster:
    """Metres to the nearest boundary between parcels."""
    edge = np.zeros(labels.shape, bool)
    edge[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    edge[1:, :] |= labels[1:, :] != labels[:-1, :]
    return _distance(edge, gsd_m)


def _from_middle(frame: Frame, labels: NDArray[np.int32], holdings: Holdings) -> Raster:
    axis = (np.arange(frame.size, dtype=np.float32) + 0.5) * np.float32(frame.gsd_m)
    middle = holdings.middle[labels]
    return np.hypot(axis[None, :] - middle[..., 0], axis[:, None] - middle[..., 1])
