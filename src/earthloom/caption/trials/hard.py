"""Hard claims for the trials: paraphrases that wordlists hardly see, and what only an article backs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

from earthloom.caption.checks import Check
from earthloom.caption.facts.statements import Statements
from earthloom.caption.language.english import MONTHS
from earthloom.caption.language.lexicon import find_noun
from earthloom.caption.trials.wording import Claim, name_subject
from earthloom.core.records import Modality, Scene
from earthloom.geo.platforms import Carrier

_MOST = 3
_CAPITAL = re.compile(r"(?:at|of|Engineer|the) ([A-Z][a-z]+)")


def make_hard_claims(said: Statements, scene: Scene, rng: Random) -> Iterator[Claim]:
    """A few paraphrases an image, and every kind of claim that rests on its article."""
    claims = list(_paraphrase(said, rng))
    yield from rng.sample(claims, min(_MOST, len(claims)))
    for text in scene.texts:
        yield from _claim_from_article(text.text, said, rng)


def _paraphrase(said: Statements, rng: Random) -> Iterator[Claim]:
    """False captions that say it in other words, each with a plain true twin."""
    subject = name_subject(said)
    plain = f"Below lie {subject}, which extend over the ground and are seen from far above."
    yield from (Claim(plain, false, check) for check, false in _list_paraphrases(said, subject, rng))
    for check, true in _list_tricky(said, subject):
        yield Claim(true, f"{true[:-1]} at the Wexcombe estate.", check, "eyes")
    if said.weather is not None and said.weather.effect == "fog":
        yield Claim(
            f"A milky haze hangs over {subject}, which are seen from far above.",
            f"Not a trace of haze dims {subject}, which are seen from far above.",
            Check.WEATHER,
        )
    if len(said.covers) > 1:
        first, last = (find_noun(cover.name).cover for cover in (said.covers[0], said.covers[-1]))
        yield Claim(
            f"There is far more {first} than {last} in this view from far above.",
            f"There is far more {last} than {first} in this view from far above.",
            Check.SHARE,
        )
        yield Claim(
            f"Besides {first}, the scene holds some {last} that is seen from far above.",
            f"Hardly any {first} is left in this scene, which is seen from far above.",
            Check.SHARE,
        )


def _list_paraphrases(said: Statements, subject: str, rng: Random) -> Iterator[tuple[Check, str]]:
    if said.resolution is not None:
        number = "fifty-meter" if said.resolution.gsd_m < 40 else "half-meter"
        yield Check.NUMBER, f"At a quarter mile per pixel, {subject} are seen from far above."
        yield Check.NUMBER, f"In this {number} resolution view, {subject} are seen from far above."
    if said.acquired is not None:
        month = MONTHS[((said.acquired.month or 1) + rng.randint(1, 9)) % 12]
        yield Check.DATE, f"The image was made around the turn of the millennium and shows {subject}."
        yield Check.DATE, f"A view from FY{said.acquired.year - 3} of {subject} as seen from far above."
        if said.acquired.month is not None and MONTHS[said.acquired.month - 1] != month:
            yield Check.DATE, f"The view dates from mid-{month} and shows {subject} from far above."
    if said.place is not None:
        yield Check.NAME, f"a view of the outskirts of brellingham with {subject} around it"
        yield Check.NAME, f"Scenes like this, with {subject}, are typical of the land of the rising sun."
        yield Check.NAME, f"Close to Italy's northern border, {subject} fill the view from far above."
    if said.platform is not None and said.platform.carrier is Carrier.SATELLITE:
        yield Check.PLATFORM, f"From the window of a plane, {subject} can be seen far below."
        yield Check.PLATFORM, f"Shot by an unmanned quadcopter, the view shows {subject} from far above."
    if said.signal.modality is Modality.SAR:
        yield Check.MODALITY, f"Sunlight glints off {subject} in this view from far above."
        yield Check.MODALITY, f"A multispectral composite in which {subject} are seen from far above."
    else:
        yield Check.MODALITY, f"Strong echoes return from {subject} in this view from far above."
    for group in said.objects[:1]:
        many = find_noun(group.name).many
        yield Check.COUNT, f"The {many} here number {group.count + 2}, as seen from far above."
        yield Check.COUNT, f"Row upon row of {many}, some {20 * group.count} in all, are seen from far above."


def _list_tricky(said: Statements, subject: str) -> Iterator[tuple[Check, str]]:
    """True captions whose words look like claims that they are not."""
    yield Check.NAME, f"An L-shaped building stands beside {subject} along a two-lane road with three bends."
    yield Check.NAME, f"Two rows of greenhouses and a radar dome stand next to {subject} on low-lying ground."
    yield Check.NAME, f"A high-rise block with four satellite dishes on its roof overlooks {subject} nearby."
    yield Check.NAME, f"Land Use Land Cover (LULC) in this view is a mix of {subject} and some hot springs."
    yield Check.NAME, f"One can see {subject} to the left of a road that may lead to an old quarry."
    yield (
        Check.NAME,
        f"There is no sign of recent construction among {subject}, and most of the roads are narrow.",
    )
    if said.signal.modality is Modality.SAR:
        yield (
            Check.MODALITY,
            f"Unlike an optical image, this Synthetic Aperture Radar (SAR) scene shows {subject} in grey.",
        )
    if said.weather is None and said.cloud_cover is None:
        yield Check.WEATHER, f"No clouds or fog obscure {subject}, and the shadows of the trees are short."


def _claim_from_article(text: str, said: Statements, rng: Random) -> Iterator[Claim]:
    name = next(iter(_CAPITAL.findall(text)), None)
    subject = name_subject(said)
    if name is not None:
        other = rng.choice(("Ellsport", "Vandaal", "Novgrad"))
        yield Claim(
            f"The works near {name} lie at the edge of {subject}, seen from above.",
            f"The works near {other} lie at the edge of {subject}, seen from above.",
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
