"""Claims for the trials about what is there: counts, shares, positions, weather; and words that are not allowed."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from earthloom.caption.checks import Check
from earthloom.caption.facts.statements import Objects, Statements
from earthloom.caption.language.english import NUMBER_WORDS
from earthloom.caption.language.lexicon import find_noun
from earthloom.caption.trials.wording import Claim, name_image

_COUNTED = (
    "There are {n} visible in the scene, all seen from above.",
    "The scene contains {n} and plenty of open space around them.",
    "{n} can be counted in this picture, which is seen from above.",
)


def _say_objects(n: int, group: Objects, rng: Random) -> str:
    noun = find_noun(group.name)
    many = rng.choice(("airplanes", "planes")) if group.name == "airplane" else noun.many
    number = NUMBER_WORDS[n] if n < len(NUMBER_WORDS) and rng.random() < 0.7 else str(n)
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
    image = name_image(said, rng)
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


CONTENT_CLAIMS = (_claim_counts, _claim_shares, _claim_positions, _claim_weather, _claim_words)
