"""Claims for the trials of the checks: each as a true caption and a false twin, in words that the rules do not use.

The phrasings are those of vision-language models ("The image, acquired by Landsat-8 in July 2015, shows ...") and of
small captioning models ("a satellite image of a river next to a forest").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal

from earthloom.caption.english import MONTHS, join_list, say_number
from earthloom.caption.lexicon import find_noun
from earthloom.caption.reading import Check
from earthloom.caption.statements import Objects, Season, Statements
from earthloom.core.records import Modality
from earthloom.geo.platforms import Carrier

Needs = Literal["facts", "texts", "eyes"]


@dataclass(frozen=True, slots=True)
class Claim:
    """A true caption, its false twin, the check that ought to tell them apart, and what the true one rests on."""

    true: str
    false: str
    check: Check
    needs: Needs = "facts"


def make_claims(said: Statements, rng: Random) -> Iterator[Claim]:
    """Word every kind of claim that the facts of an image allow."""
    subject = name_subject(said)
    for make in _MAKERS:
        yield from make(said, subject, rng)


def name_subject(said: Statements) -> str:
    """What a caption calls the content: `cropland and forest`."""
    things = [find_noun(cover.name).cover for cover in said.covers]
    things += [find_noun(group.name).many for group in said.objects if group.count > 1]
    return join_list(things[:2]) if things else "open terrain"


def _name_image(said: Statements, rng: Random) -> str:
    if said.signal.modality is Modality.SAR:
        return rng.choice(("radar image", "SAR scene", "SAR image"))
    return rng.choice(("image", "scene", "view"))


# --- numbers -----------------------------------------------------------------------------------------------------

_FACTORS = (1.15, 1.3, 1.5, 2.0, 4.0, 10.0, 0.5, 0.8)
_GSD = (
    "The {image}, acquired at a spatial resolution of {n}, shows {subject} from above.",
    "With a ground sample distance of {n}, the {image} reveals {subject} across the frame.",
    "At {n} per pixel, {subject} can be made out throughout the {image}.",
    "This {n} resolution {image} shows {subject} in a patchwork across the frame.",
)
_EXTENT = (
    "The frame covers approximately {n} from west to east and shows {subject}.",
    "Spanning about {n} on each side, the {image} is filled with {subject}.",
)


def _say_metres(metres: float, rng: Random) -> str:
    if metres >= 1000 and rng.random() < 0.7:
        return f"{say_number(metres / 1000)} {rng.choice(('km', 'kilometers'))}"
    return f"{say_number(metres)}{rng.choice((' m', ' meters', '-meter'))}"


def _claim_numbers(said: Statements, subject: str, rng: Random) -> Iterator[Claim]:
    for fact, phrasings in (
        (said.resolution.gsd_m if said.resolution is not None else None, _GSD),
        (said.extent.width_m if said.extent is not None else None, _EXTENT),
    ):
        if fact is None:
            continue
        phrase, image = rng.choice(phrasings), _name_image(said, rng)
        true = _say_metres(fact, rng)
        number, unit = true.rstrip("abcdefghijklmnopqrstuvwxyz- "), "".join(c for c in true if c.isalpha())
        swapped = {"m": "km", "meters": "kilometers", "meter": "kilometer", "km": "m", "kilometers": "meters"}
        falses = [_say_metres(fact * rng.choice(_FACTORS), rng), f"{number} {swapped[unit]}"]
        for false in falses[: 1 + (rng.random() < 0.4)]:
            words = {"image": image, "subject": subject}
            yield Claim(phrase.format(n=true, **words), phrase.format(n=false, **words), Check.NUMBER)


def _claim_angles(said: Statements, subject: str, rng: Random) -> Iterator[Claim]:
    if said.sun is not None:
        phrase = "With the sun {n} degrees above the horizon, shadows are cast over {subject} in this scene."
        true, false = said.sun.elevation_deg, said.sun.elevation_deg * rng.choice((1.2, 0.6)) + 2
        yield Claim(
            phrase.format(n=f"{true:g}", subject=subject),
            phrase.format(n=f"{false:.1f}", subject=subject),
            Check.NUMBER,
        )
    if said.position is not None:
        side = "N" if said.position.lat > 0 else "S"
        phrase = "The scene, centered near {lat}° {side}, shows {subject} from above."
        lat = abs(said.position.lat)
        other = {"N": "S", "S": "N"}[side] if rng.random() < 0.5 else side
        moved = lat if other != side else lat + rng.choice((0.4, 2, 11))
        yield Claim(
            phrase.format(lat=f"{lat:.2f}", side=side, subject=subject),
            phrase.format(lat=f"{moved:.2f}", side=other, subject=subject),
            Check.NUMBER,
        )


# --- dates and places --------------------------------------------------------------------------------------------


def _say_date(year: int, month: int | None, day: int | None, rng: Random) -> str:
    if month is None:
        return f"in {year}"
    name = MONTHS[month - 1]
    if day is None:
        return f"in {name} {year}"
    return rng.choice((f"on {name} {day}, {year}", f"on {day} {name} {year}", f"in {name} {year}"))


def _claim_dates(said: Statements, subject: str, rng: Random) -> Iterator[Claim]:
    date = said.acquired
    if date is None:
        return
    phrase = rng.choice(
        (
            "The image, acquired {when}, shows {subject} arranged across the frame.",
            "Captured {when}, the scene presents {subject} as seen from above.",
            "An image taken {when} in which {subject} can be seen from above.",
        )
    )
    year, month, day = date.year, date.month, date.day
    wrong: list[tuple[int, int | None, int | None]] = [(year + rng.choice((-5, -1, 1, 3)), month, day)]
    if month is not None:
        wrong.append((year, (month + rng.randint(0, 9)) % 12 + 1, day))
    if day is not None:
        wrong.append((year, month, (day + rng.randint(0, 24)) % 28 + 1))
    when = _say_date(year, month, day, rng)
    for bad in (bad for bad in wrong if bad != (year, month, day)):
        said_wrong = _say_date(*bad, rng)
        if bad[2] != day and str(bad[2]) not in said_wrong.split():
            said_wrong = f"on {bad[2]} {MONTHS[(month or 1) - 1]} {year}"
        if said_wrong != when and bad != (year, month, day):
            yield Claim(
                phrase.format(when=when, subject=subject),
                phrase.format(when=said_wrong, subject=subject),
                Check.DATE,
            )
    if said.season is not None:
        season = said.season.season
        other = rng.choice([each for each in Season if each is not season])
        phrase = "The {season} landscape in this image is made up of {subject}, seen from above."
        spoken = {Season.AUTUMN: rng.choice(("autumn", "autumn"))}.get(other, other.value)
        yield Claim(
            phrase.format(season=season.value, subject=subject),
            phrase.format(season=spoken, subject=subject),
            Check.DATE,
        )


_OTHER_PLACES = (
    "Sacramento",
    "Kraków",
    "Osaka",
    "Lusaka",
    "Tromsø",
    "Medellín",
    "Bakersfield",
    "Tarn Valley",
    "Oak Ridge",
)
_OTHER_COUNTRIES = ("Mexico", "Poland", "Japan", "Zambia", "Colombia", "Kazakhstan", "Italy")
_PLACE = (
    "The {image} captures the surroundings of {place}, where {subject} can be seen.",
    "In this {image} of {place}, {subject} are spread across the frame.",
    "{place} stretches across the {image}, with {subject} taking up much of the frame.",
)


def _claim_places(said: Statements, subject: str, rng: Random) -> Iterator[Claim]:
    for named, others in ((said.place, _OTHER_PLACES), (said.country, _OTHER_COUNTRIES)):
        if named is not None:
            phrase = rng.choice(_PLACE)
            words = {"image": _name_image(said, rng), "subject": subject}
            false = phrase.format(place=rng.choice(others), **words)
            yield Claim(phrase.format(place=named.name, **words), false, Check.NAME)
    plain = f"Roads run between {subject} toward the upper edge of this {_name_image(said, rng)}."
    invented = rng.choice(
        ("the Wexcombe estate", "the Farrow River", "the town of Brellingham", "Mount Sedlak")
    )
    yield Claim(plain, f"Roads run between {subject} toward {invented} in this image.", Check.NAME, "eyes")
    if said.position is not None:
        north = said.position.lat > 0
        phrase = "A scene from the {side} hemisphere in which {subject} can be recognized from above."
        sides = ("northern", "southern") if north else ("southern", "northern")
        yield Claim(*(phrase.format(side=side, subject=subject) for side in sides), Check.ZONE)
        if abs(said.position.lat) > 35:
            yield Claim(
                f"Within the frame, {subject} fill the scene, which is seen from above.",
                f"In this tropical setting, {subject} fill the scene, which is seen from above.",
                Check.ZONE,
            )


# --- sensing -----------------------------------------------------------------------------------------------------

_OTHER_PLATFORMS = {
    Modality.SAR: ("TerraSAR-X", "RADARSAT-2", "ICEYE", "Capella"),
    Modality.RGB: ("Landsat-5", "WorldView-2", "PlanetScope", "SPOT 5", "QuickBird", "Sentinel-3"),
    Modality.NIR: ("Landsat-5", "WorldView-2", "RapidEye", "Sentinel-2"),
}
_PLATFORM = (
    "The {image}, captured by {platform}, features {subject} across the frame.",
    "Acquired by {platform}, the {image} shows {subject} from above.",
)


def _claim_platforms(said: Statements, subject: str, rng: Random) -> Iterator[Claim]:
    if said.platform is not None:
        words = {"image": _name_image(said, rng), "subject": subject}
        phrase = rng.choice(_PLATFORM)
        name = said.platform.name
        spelt = rng.choice((name, name.replace("Landsat ", "Landsat-")))
        others = [other for other in _OTHER_PLATFORMS[said.signal.modality] if other != name]
        false = phrase.format(platform=rng.choice(others), **words)
        yield Claim(phrase.format(platform=spelt, **words), false, Check.PLATFORM)
    if said.sensor is not None:
        sensor = said.sensor.name
        phrase = "The {sensor} sensor recorded this scene, which contains {subject} throughout."
        other = rng.choice(("OLI", "AVHRR", "ETM+", "ASTER"))
        yield Claim(
            phrase.format(sensor=sensor, subject=subject),
            phrase.format(sensor=other, subject=subject),
            Check.PLATFORM,
        )
    carrier = said.platform.carrier if said.platform is not None else None
    if carrier is not None and said.signal.modality is not Modality.SAR:
        kinds = ("satellite image", "aerial photo" if rng.random() < 0.3 else "drone image")
        true, false = kinds if carrier is Carrier.SATELLITE else ("aerial image", "satellite image")
        phrase = "{kind} of {subject} that extend over much of the frame"
        yield Claim(
            phrase.format(kind=f"a {true}".replace("a aerial", "an aerial"), subject=subject),
            phrase.format(kind=f"a {false}", subject=subject),
            Check.PLATFORM,
        )


_MODALITIES = {
    Modality.RGB: (
        "RGB image",
        ("SAR image", "radar backscatter image", "near-infrared image", "C-band radar scene"),
    ),
    Modality.NIR: ("near-infrared image", ("SAR image", "RGB image", "true-color image", "radar image")),
    Modality.SAR: ("SAR image", ("RGB image", "optical image", "multispectral image", "true-color image")),
}


def _claim_modality(said: Statements, subject: str, rng: Random) -> Iterator[Claim]:
    name, others = _MODALITIES[said.signal.modality]
    phrase = rng.choice(
        (
            "This {kind} shows {subject} distributed over the whole frame.",
            "In the {kind}, {subject} form many patches of their own.",
        )
    )
    yield Claim(
        phrase.format(kind=name, subject=subject),
        phrase.format(kind=rng.choice(others), subject=subject),
        Check.MODALITY,
    )
    if said.signal.modality is not Modality.RGB:
        shade = "Bright" if said.signal.modality is Modality.SAR else "Light grey"
        yield Claim(
            f"{shade} patches of {subject} stand out against darker ground in this scene.",
            f"{rng.choice(('Green', 'Blue', 'Reddish brown'))} patches of {subject} stand out against darker ground here.",
            Check.MODALITY,
        )
    if said.polarisation is not None:
        other = rng.choice([name for name in ("VV", "VH", "HH") if name != said.polarisation.name])
        phrase = "Recorded in {p} polarization, the radar scene distinguishes {subject} by their brightness."
        yield Claim(
            phrase.format(p=said.polarisation.name, subject=subject),
            phrase.format(p=other, subject=subject),
            Check.MODALITY,
        )


def _claim_resolution(said: Statements, subject: str, rng: Random) -> Iterator[Claim]:
    if said.resolution is None:
        return
    gsd_m = said.resolution.gsd_m
    right = "very high" if gsd_m < 1 else "high" if gsd_m < 5 else "moderate" if gsd_m < 60 else "low"
    wrong = {
        "very high": ("low", "moderate"),
        "high": ("low",),
        "moderate": ("very high",),
        "low": ("high", "very high"),
    }
    phrase = rng.choice(
        ("This {level}-resolution image shows {subject} in a single frame.",
         "The {level} spatial resolution of the scene lets the viewer see {subject} from above.")
    )  # fmt: skip
    false = rng.choice(wrong[right])
    yield Claim(
        phrase.format(level=right.replace(" ", "-"), subject=subject),
        phrase.format(level=false.replace(" ", "-"), subject=subject),
        Check.RESOLUTION,
    )


# --- what is there -----------------------------------------------------------------------------------------------

_NUMBERS = (
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)
_COUNTED = (
    "There are {n} visible in the scene, all seen from above.",
    "The scene contains {n} and plenty of open space around them.",
    "{n} can be counted in this picture, which is seen from above.",
)


def _say_objects(n: int, group: Objects, rng: Random) -> str:
    noun = find_noun(group.name)
    many = rng.choice(("airplanes", "planes")) if group.name == "airplane" else noun.many
    number = _NUMBERS[n] if n < len(_NUMBERS) and rng.random() < 0.7 else str(n)
    return f"{number} {noun.one if n == 1 else many}"


def _claim_counts(said: Statements, _subject: str, rng: Random) -> Iterator[Claim]:
    for group in said.objects:
        phrase, n = rng.choice(_COUNTED), group.count
        phrase = phrase.replace("are {n}", "is {n}") if n == 1 else phrase
        others = sorted({max(n - 1, 1), n + 1, n + 2, 3 * n} - {n, *(g.count for g in said.objects)})
        true = phrase.format(n=_say_objects(n, group, rng))
        for other in rng.sample(others, min(2, len(others))):
            false = phrase.format(n=_say_objects(other, group, rng))
            yield Claim(
                _capital(true), _capital(false), Check.COUNT, "eyes" if " planes" in true else "facts"
            )
        noun = find_noun(group.name)
        few = f"No {noun.many} can be seen anywhere in this picture from above." if n > 1 else (
            f"Many {noun.many} are spread over the ground in this picture from above."
        )  # fmt: skip
        yield Claim(_capital(true), few, Check.COUNT, "eyes" if " planes" in true else "facts")


def _claim_shares(said: Statements, _subject: str, rng: Random) -> Iterator[Claim]:
    if len(said.covers) < 2:
        return
    cover = rng.choice(said.covers)
    name, share = find_noun(cover.name).cover, 100 * cover.share
    phrase = rng.choice(
        ("{name} occupies about {n}% of the frame, the remainder being other land cover.",
         "Roughly {n} percent of the scene consists of {name}, seen from above.",
         "{name} makes up {n}% of this scene, as seen from above.")
    )  # fmt: skip
    shift = rng.choice((-30, -18, -12, 12, 18, 30))
    moved = share + shift if 2 < share + shift < 98 else share - shift
    yield Claim(
        _capital(phrase.format(name=name, n=f"{share:.0f}")),
        _capital(phrase.format(name=name, n=f"{moved:.0f}")),
        Check.SHARE,
    )
    first, last = said.covers[0], said.covers[-1]
    if first.share - last.share > 0.2:
        phrase = "The scene is dominated by {name}, with smaller patches of other land cover around."
        names = (find_noun(first.name).cover, find_noun(last.name).cover)
        yield Claim(phrase.format(name=names[0]), phrase.format(name=names[1]), Check.SHARE)


_CORNERS = {("upper", "left"): ("lower", "right"), ("upper", "right"): ("lower", "left"),
            ("lower", "left"): ("upper", "right"), ("lower", "right"): ("upper", "left")}  # fmt: skip
_AT = (
    "{n} can be seen in the {row} {side} corner of the image, seen from above.",
    "In the {row}-{side} part of the frame, {n} stand out from the ground.",
    "The image shows {n} in the {row} {side} portion of the scene.",
)


def _claim_positions(said: Statements, _subject: str, rng: Random) -> Iterator[Claim]:
    for group in said.objects:
        corner = next(
            ((a, b) for a, b in _CORNERS if all(f"{a} {b}" == cell.value for cell in group.cells)), None
        )
        if corner is None or not group.cells:
            continue
        phrase, noun = rng.choice(_AT), find_noun(group.name)
        things = noun.one if group.count == 1 else noun.many
        row = {"upper": rng.choice(("upper", "top")), "lower": rng.choice(("lower", "bottom"))}
        where, mirrored = corner, _CORNERS[corner]
        words = {"n": f"{'a' if group.count == 1 else 'the'} {things}".replace("a air", "an air")}
        yield Claim(
            _capital(phrase.format(row=row[where[0]], side=where[1], **words)),
            _capital(phrase.format(row=row[mirrored[0]], side=mirrored[1], **words)),
            Check.POSITION,
        )


_FALSE_WEATHER = {
    "fog": (
        "under a clear sky",
        "in clear, cloudless conditions",
        "with fresh snow on the ground",
        "on a sunny day",
    ),
    "snow": ("in heavy rain", "under dense fog", "in snow-free conditions", "at night"),
    "night": ("in bright daylight", "on a sunny day", "during the daytime", "in thick fog"),
}
_TRUE_WEATHER = {"fog": "under a veil of fog", "snow": "under a layer of snow", "night": "at night"}


def _claim_weather(said: Statements, subject: str, rng: Random) -> Iterator[Claim]:
    if said.weather is None or said.weather.effect not in _TRUE_WEATHER:
        return
    phrase = "The image shows {subject} {weather}, seen from above."
    for false in rng.sample(_FALSE_WEATHER[said.weather.effect], 3):
        yield Claim(
            phrase.format(subject=subject, weather=_TRUE_WEATHER[said.weather.effect]),
            phrase.format(subject=subject, weather=false),
            Check.WEATHER,
        )


def _claim_words(said: Statements, subject: str, rng: Random) -> Iterator[Claim]:
    image = _name_image(said, rng)
    word = rng.choice(("beautiful", "stunning", "breathtaking", "picturesque", "serene", "spectacular"))
    true = f"This {image} shows {subject} in the wide area below."
    yield Claim(true, true.replace("the wide", f"the {word}"), Check.WORDS)
    yield Claim(true, true.replace(f"This {image}", "This photograph"), Check.WORDS)
    yield Claim(true, f"The image showcases: {_capital(subject)} in the wide area below.", Check.WORDS)
    words = true.split()
    cut = " ".join(words[:-3])
    yield Claim(true, f"{cut} with a road that runs along the", Check.CUT)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


_MAKERS: tuple[Callable[[Statements, str, Random], Iterator[Claim]], ...] = (
    _claim_numbers,
    _claim_angles,
    _claim_dates,
    _claim_places,
    _claim_platforms,
    _claim_modality,
    _claim_resolution,
    _claim_counts,
    _claim_shares,
    _claim_positions,
    _claim_weather,
    _claim_words,
)
