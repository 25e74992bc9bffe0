"""Claims for the trials of the checks: each as a true caption and a false twin, in words that the rules do not use.

The phrasings are those of vision-language models ("The image, acquired by Landsat-8 in July 2015, shows ...") and of
small captioning models ("a satellite image of a river next to a forest").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from earthloom.caption.checks import Check
from earthloom.caption.facts.statements import Season, Statements
from earthloom.caption.language.english import MONTHS, say_number
from earthloom.caption.trials.contents import CONTENT_CLAIMS
from earthloom.caption.trials.sensing import SENSING_CLAIMS
from earthloom.caption.trials.wording import Claim, name_image, name_subject


def make_claims(said: Statements, rng: Random) -> Iterator[Claim]:
    """Word every kind of claim that the facts of an image allow."""
    subject = name_subject(said)
    for make in _MAKERS:
        yield from make(said, subject, rng)


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
        phrase, image = rng.choice(phrasings), name_image(said, rng)
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
        yield Claim(
            phrase.format(season=season.value, subject=subject),
            phrase.format(season=other.value, subject=subject),
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
            words = {"image": name_image(said, rng), "subject": subject}
            false = phrase.format(place=rng.choice(others), **words)
            yield Claim(phrase.format(place=named.name, **words), false, Check.NAME)
    plain = f"Roads run between {subject} toward the upper edge of this {name_image(said, rng)}."
    invented = rng.choice(
        ("the Wexcombe estate", "the Farrow River", "the town of Brellingham", "Mount Sedlak")
    )
    yield Claim(plain, f"Roads run between {subject} toward {invented} in this image.", Check.NAME, "eyes")
    if said.position is not None:
        north = said.position.lat > 0
        phrase = "A scene from the {side} hemisphere in which {subject} can be recognized from above."
        sides = ("northern", "southern") if north else ("southern", "northern")
        true, false = (phrase.format(side=side, subject=subject) for side in sides)
        yield Claim(true, false, Check.ZONE)
        if abs(said.position.lat) > 35:
            yield Claim(
                f"Within the frame, {subject} fill the scene, which is seen from above.",
                f"In this tropical setting, {subject} fill the scene, which is seen from above.",
                Check.ZONE,
            )


_MAKERS: tuple[Callable[[Statements, str, Random], Iterator[Claim]], ...] = (
    _claim_numbers,
    _claim_angles,
    _claim_dates,
    _claim_places,
    *SENSING_CLAIMS,
    *CONTENT_CLAIMS,
)
