"""What a landscape is like: the numbers that a seed draws around its archetype and climate."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from earthloom.ingest.atlas.site import Archetype, Climate, Site


@dataclass(frozen=True, kw_only=True, slots=True)
class Character:
    """Continuous traits of one landscape."""

    steepness: float
    """k of Flint's law on the hills (see relief): 1 nearly flat, 8 hills, 25 mountains."""
    hills: float
    """Share of the ground that is hilly; the rest is near flat."""
    sea: float
    """Share of the scene under the sea; 0 is inland."""
    river_km2: float
    """Drainage area of the river that enters the scene; 0 is none."""
    meander: float
    """Largest angle between the river and its valley, radians: 0.3 nearly straight, 1.8 looping."""
    lakes: float
    """Share of the ground in lakes."""
    farms: float
    """How far farming has gone, 0 wild to 1 every suitable hectare."""
    trees: float
    """How much of what is not farmed is forest, 0 to 1."""
    towns: float
    """Number of towns, drawn around this."""
    town_km2: float
    """Area of the largest town."""
    dunes: float
    """Share of dry ground under dunes."""


_TRAITS = {
    Archetype.COAST: Character(
        steepness=9,
        hills=0.55,
        sea=0.42,
        river_km2=40,
        meander=0.9,
        lakes=0,
        farms=0.45,
        trees=0.5,
        towns=1.3,
        town_km2=0.55,
        dunes=0.0,
    ),
    Archetype.RIVER: Character(
        steepness=8,
        hills=0.5,
        sea=0,
        river_km2=2500,
        meander=1.35,
        lakes=0.01,
        farms=0.8,
        trees=0.5,
        towns=1.0,
        town_km2=0.35,
        dunes=0,
    ),
    Archetype.PLAIN: Character(
        steepness=2.0,
        hills=0.3,
        sea=0,
        river_km2=60,
        meander=1.3,
        lakes=0.01,
        farms=1.0,
        trees=0.35,
        towns=0.8,
        town_km2=0.25,
        dunes=0,
    ),
    Archetype.MOUNTAIN: Character(
        steepness=42,
        hills=0.9,
        sea=0,
        river_km2=150,
        meander=0.6,
        lakes=0.02,
        farms=0.25,
        trees=0.85,
        towns=0.5,
        town_km2=0.12,
        dunes=0,
    ),
    Archetype.TOWN: Character(
        steepness=3.5,
        hills=0.35,
        sea=0,
        river_km2=500,
        meander=1.0,
        lakes=0.01,
        farms=0.75,
        trees=0.45,
        towns=1.6,
        town_km2=1.9,
        dunes=0,
    ),
    Archetype.DESERT: Character(
        steepness=15,
        hills=0.45,
        sea=0,
        river_km2=0,
        meander=1.0,
        lakes=0,
        farms=0.12,
        trees=0.1,
        towns=0.4,
        town_km2=0.15,
        dunes=0.55,
    ),
    Archetype.LAKES: Character(
        steepness=8,
        hills=0.7,
        sea=0,
        river_km2=80,
        meander=1.0,
        lakes=0.22,
        farms=0.35,
        trees=0.8,
        towns=0.5,
        town_km2=0.2,
        dunes=0,
    ),
    Archetype.DELTA: Character(
        steepness=0.6,
        hills=0.1,
        sea=0.3,
        river_km2=30000,
        meander=1.1,
        lakes=0.03,
        farms=0.4,
        trees=0.35,
        towns=0.5,
        town_km2=0.2,
        dunes=0,
    ),
}

_SPREAD = {"steepness": 0.35, "river_km2": 0.7, "town_km2": 0.35, "lakes": 0.4, "sea": 0.2, "farms": 0.15}
"""Deviation of the natural logarithm of a trait between landscapes of one archetype."""


def draw_character(rng: np.random.Generator, site: Site) -> Character:
    """Blend the archetype with another one, then vary every trait and bend it to the climate."""
    kinds = list(_TRAITS)
    other = _TRAITS[kinds[int(rng.integers(len(kinds)))]]
    own = _TRAITS[site.archetype]
    blend = 0.35 * float(rng.beta(1.2, 3.0))
    values = {}
    for name in (field.name for field in fields(Character)):
        a, b = getattr(own, name), getattr(other, name)
        mixed = a if name in ("sea", "river_km2", "dunes", "lakes") else a + blend * (b - a)
        values[name] = mixed * float(np.exp(rng.normal(0, _SPREAD.get(name, 0.12))))
    drawn = Character(**values)
    return _suit_climate(_limit(drawn), site.climate, rng)


def _limit(c: Character) -> Character:
    return replace(
        c,
        hills=min(c.hills, 1.0),
        sea=min(c.sea, 0.62),
        meander=min(c.meander, 1.65),
        farms=min(c.farms, 1.0),
        trees=min(c.trees, 0.97),
        lakes=min(c.lakes, 0.35),
    )


def _suit_climate(c: Character, climate: Climate, rng: np.random.Generator) -> Character:
    """Fewer trees where it is dry, more where it is wet or cold; rivers of dry lands are small."""
    trees = {
        Climate.ARID: 0.05,
        Climate.STEPPE: 0.3,
        Climate.SAVANNA: 0.7,
        Climate.MEDITERRANEAN: 0.75,
        Climate.BOREAL: 1.35,
        Climate.TROPICAL: 1.3,
    }.get(climate, 1.0)
    farms = {Climate.ARID: 0.45, Climate.BOREAL: 0.6, Climate.TROPICAL: 0.85}.get(climate, 1.0)
    dry = climate in (Climate.ARID, Climate.STEPPE)
    has_river = not dry or rng.random() < 0.5
    return replace(
        c,
        trees=min(0.97, c.trees * trees),
        farms=c.farms * farms,
        dunes=c.dunes if climate is Climate.ARID else 0.3 * c.dunes if climate is Climate.STEPPE else 0.0,
        river_km2=c.river_km2 if has_river else 0.0,
        lakes=c.lakes * (0.1 if climate is Climate.ARID else 1.0),
    )
