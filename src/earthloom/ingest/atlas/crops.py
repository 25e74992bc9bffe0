"""What fields may grow: kinds of crops with their colour, rows and backscatter, and how likely each is now."""

from __future__ import annotations

from dataclasses import dataclass

from earthloom.ingest.atlas.palette import Colour, Palette, blend_colours
from earthloom.ingest.atlas.site import Climate, Site


@dataclass(frozen=True, slots=True)
class Crop:
    """A kind of field."""

    name: str
    cover: str
    """What the mask calls it."""
    spread: float
    """Deviation of ln reflectance between fields."""
    rows: float
    """Contrast of its rows."""
    sigma0_db: float
    """Mean C-band backscatter, VV: bare soil by its roughness, crops by their stage."""
    colour: Colour = (0, 0, 0, 0)
    weight: float = 0.0


_KINDS = (
    Crop("tilled", "cropland", 0.16, 0.05, -10.5),
    Crop("fallow", "cropland", 0.14, 0.04, -12.5),
    Crop("young", "cropland", 0.15, 0.10, -12.5),
    Crop("tall", "cropland", 0.10, 0.05, -9.8),
    Crop("green cereal", "cropland", 0.12, 0.04, -13.0),
    Crop("ripe cereal", "cropland", 0.10, 0.04, -12.0),
    Crop("stubble", "cropland", 0.12, 0.09, -11.3),
    Crop("meadow", "grassland", 0.12, 0.03, -12.8),
    Crop("pasture", "grassland", 0.10, 0.0, -12.2),
    Crop("wood", "forest", 0.05, 0.0, -8.8),
    Crop("rapeseed", "cropland", 0.08, 0.03, -10.0),
    Crop("orchard", "cropland", 0.10, 0.0, -10.0),
    Crop("vineyard", "cropland", 0.10, 0.22, -11.0),
    Crop("paddy", "cropland", 0.22, 0.02, -14.0),
)
_ORCHARDS = {Climate.MEDITERRANEAN: 2.2, Climate.STEPPE: 1.4, Climate.ARID: 2.2, Climate.TROPICAL: 2.0}
_VINEYARDS = {Climate.MEDITERRANEAN: 1.2, Climate.STEPPE: 0.5, Climate.ARID: 0.6}
_GREEN: Colour = (0.062, 0.098, 0.045, 0.40)
_LUSH: Colour = (0.040, 0.082, 0.030, 0.47)


def draw_crops(site: Site, palette: Palette, trees: float) -> tuple[Crop, ...]:
    """All kinds of crops, coloured for the landscape and weighted by climate and season."""
    weights, colours = _weigh(site, palette.dryness, trees), _colour(site, palette)
    return tuple(
        Crop(
            kind.name,
            kind.cover,
            kind.spread,
            kind.rows,
            kind.sigma0_db,
            colours[kind.name],
            weights[kind.name],
        )
        for kind in _KINDS
    )


def _weigh(site: Site, dryness: float, trees: float) -> dict[str, float]:
    """How often each kind is grown; 0 where or when it is not."""
    season, autumn, climate = site.season, site.autumn, site.climate
    ripe = max(0.0, 1 - abs(autumn - 0.25) / 0.35)
    is_cool = climate in (Climate.TEMPERATE, Climate.BOREAL)
    blooms = max(0.0, 1 - abs(season - 0.62) / 0.3) if is_cool and autumn == 0 else 0.0
    return {
        "tilled": 1.6 - season,
        "fallow": 0.5,
        "young": 0.9,
        "tall": 2.4 * min(1.0, 1.3 * season) * (1 - 0.6 * dryness),
        "green cereal": 1.8 * (1 - autumn) * (1 - 0.4 * dryness),
        "ripe cereal": 2.2 * ripe + 0.7 * dryness,
        "stubble": 1.4 * autumn + 0.7 * dryness,
        "meadow": 1.7,
        "pasture": 1.4,
        "wood": 1.3 * trees,
        "rapeseed": 0.7 * blooms,
        "orchard": _ORCHARDS.get(climate, 0.0),
        "vineyard": _VINEYARDS.get(climate, 0.0),
        "paddy": 3.2 if climate is Climate.TROPICAL else 0.0,
    }


def _colour(site: Site, palette: Palette) -> dict[str, Colour]:
    """Reflectance of each kind, on this landscape's soil."""
    soil, pale, dryness = palette.soil, palette.soil_pale, palette.dryness
    under_trees = palette.grass if site.climate is Climate.TROPICAL else pale
    return {
        "tilled": blend_colours(soil, pale, 0.25),
        "fallow": blend_colours(pale, palette.grass_dry, 0.4),
        "young": blend_colours(soil, _LUSH, 0.5),
        "tall": (0.036, 0.072, 0.027, 0.46),
        "green cereal": (0.052, 0.098, 0.036, 0.45),
        "ripe cereal": (0.255, 0.205, 0.112, 0.355),
        "stubble": (0.27, 0.225, 0.145, 0.36),
        "meadow": blend_colours(_GREEN, palette.grass_dry, 0.9 * dryness),
        "pasture": blend_colours(palette.grass, palette.grass_dry, dryness),
        "wood": palette.leaf,
        "rapeseed": (0.29, 0.285, 0.055, 0.47),
        "orchard": blend_colours(under_trees, soil, 0.4),
        "vineyard": blend_colours(pale, _GREEN, 0.5),
        "paddy": (0.042, 0.073, 0.040, 0.26),
    }
