"""Hard claims for the trials: paraphrases that wordlists hardly see, and what only an article backs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

from earthloom.caption.english import MONTHS
from earthloom.caption.lexicon import find_noun
from earthloom.caption.reading import Check
from earthloom.caption.statements import Statements
from earthloom.caption.trial_claims import Claim, name_subject
from earthloom.core.records import Modality, Scene
from earthloom.geo.platforms import Carrier

_CAPITAL = re.compile(r"(?:at|of|Engineer|the) ([A-Z][a-z]+)")


def make_hard_claims(said: Statements, scene: Scene, rng: Random) -> Iterator[Claim]:
    """One paraphrase an image, and every kind of claim that rests on its article."""
    claims = list(_paraphrase(said, rng))
    if claims:
        yield rng.choice(claims)
    for text in scene.texts:
        yield from _claim_from_article(text.text, said, rng)


def _paraphrase(said: Statements, rng: Random) -> Iterator[Claim]:
    subject = name_subject(said)
    plain = f"Below lie {subject}, which extend over the ground and are seen from far above."
    if said.resolution is not None:
        yield Claim(
            plain, f"At a quarter mile per pixel, {subject} are seen from far above.", Check.NUMBER, "eyes"
        )
    if said.acquired is not None:
        decade = f"The image was made around the turn of the millennium and shows {subject}."
        yield Claim(plain, decade, Check.DATE)
        month = MONTHS[(said.acquired.month or 1) - 1]
        true = f"Dated {month} of {said.acquired.year}, the image shows {subject} from above."
        if said.acquired.month is not None:
            yield Claim(
                true, f"A {said.acquired.year - 2} vintage image that shows {subject} from above.", Check.DATE
            )
    if said.place is not None:
        yield Claim(
            plain, f"a view of the outskirts of brellingham with {subject} around it", Check.NAME, "eyes"
        )
        yield Claim(
            plain,
            f"Scenes like this, with {subject}, are typical of the land of the rising sun.",
            Check.NAME,
            "eyes",
        )
    if said.platform is not None and said.platform.carrier is Carrier.SATELLITE:
        yield Claim(
            plain, f"From the window of a plane, {subject} can be seen far below.", Check.PLATFORM, "eyes"
        )
    if said.signal.modality is Modality.SAR:
        yield Claim(
            plain, f"Sunlight glints off {subject} in this view from far above.", Check.MODALITY, "eyes"
        )
    if said.weather is not None and said.weather.effect == "fog":
        yield Claim(
            f"A milky haze hangs over {subject}, which are seen from far above.",
            f"Not a trace of haze dims {subject}, which are seen from far above.",
            Check.WEATHER,
        )
    for group in said.objects[:1]:
        noun = find_noun(group.name)
        yield Claim(
            f"Several objects, {noun.many} among them, are seen from far above here.",
            f"The {noun.many} here number {group.count + 2}, as seen from far above.",
            Check.COUNT,
        )
    if len(said.covers) > 1:
        first, last = (find_noun(cover.name).cover for cover in (said.covers[0], said.covers[-1]))
        yield Claim(
            f"There is far more {first} than {last} in this view from far above.",
            f"There is far more {last} than {first} in this view from far above.",
            Check.SHARE,
        )


def _claim_from_article(text: str, said: Statements, rng: Random) -> Iterator[Claim]:
    name = next(iter(_CAPITAL.findall(text)), None)
    subject = name_subject(said)
    if name is not None:
        yield Claim(
            f"The works near {name} lie at the edge of {subject}, seen from above.",
            f"The works near {rng.choice(('Ellsport', 'Vandaal', 'Novgrad'))} lie at the edge of {subject}, seen from above.",
            Check.NAME,
            "texts",
        )
    year = next(iter(re.findall(r"\b(?:19|20)\d\d\b", text)), None)
    if year is not None and said.acquired is not None:
        yield Claim(
            f"The dikes that cross {subject} were finished after {year}, when the works grew.",
            f"The dikes that cross {subject} were finished after {int(year) - 7}, when the works grew.",
            Check.DATE,
            "texts",
        )
        yield Claim(
            f"The image, acquired in {said.acquired.year}, shows {subject} as seen from above.",
            f"The image, acquired in {year}, shows {subject} as seen from above.",
            Check.DATE,
        )
    number = next(iter(re.findall(r"(\d+) (?:km|hectares|meters)", text)), None)
    unit = next(iter(re.findall(r"\d+ (km|hectares|meters)", text)), None)
    if number is not None:
        phrase = "About {n} {unit} of dikes and banks divide {subject}, seen from above."
        words = {"unit": unit, "subject": subject}
        yield Claim(
            phrase.format(n=number, **words), phrase.format(n=int(number) + 6, **words), Check.NUMBER, "texts"
        )
