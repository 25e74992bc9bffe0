"""Free captions for the trials: long ones as large models write them, with a fact or two among what only eyes tell.

None was worded again after a check had failed on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from earthloom.caption.checks import Check
from earthloom.caption.facts.statements import Statements
from earthloom.caption.language.english import MONTHS, say_number
from earthloom.caption.language.lexicon import find_noun
from earthloom.caption.trials.wording import Claim, name_subject
from earthloom.core.records import Modality

_MOST = 3
_EYES = (
    "A meandering river cuts diagonally through {subject}, its braided channels and pale sandbars standing "
    "out clearly, while a thin line of trees follows the outer bank.",
    "Rectangular plots of varying tone form a patchwork around {subject}, separated by unpaved tracks that "
    "converge on a small cluster of farm buildings near the bottom of the frame.",
    "The urban fabric is dense in the north, with a regular street grid, and thins out toward {subject}, "
    "where detached houses with gardens and a few larger industrial halls can be distinguished.",
    "Smooth dark surfaces indicate calm water, whereas the rough, bright texture next to {subject} suggests "
    "buildings with flat roofs arranged in parallel rows.",
    "Long shadows cast by tall structures suggest a low sun angle, and several vehicles are parked along the "
    "road that borders {subject}.",
    "Coastal erosion is evident along the shoreline, where waves break on a narrow beach; inland, {subject} "
    "stretch toward gently sloping hills.",
    "Center-pivot irrigation produces circular patterns among {subject}, some of them lying fallow, which "
    "hints at crop rotation in a semi-arid setting.",
    "The linear feature that crosses {subject} is probably a railway line, since it curves gently and passes "
    "over the river on a steel bridge with four piers.",
    "Terraced slopes on the left give way to {subject} on the right, with a winding mountain road linking the "
    "two.",
    "A large stadium with an oval running track lies beside {subject}, close to a residential quarter with "
    "red-tiled roofs.",
    "Sediment plumes drift away from the river mouth and mix with clearer water offshore, leaving {subject} "
    "behind them.",
    "Ships are moored along the quay, cranes line the container yard, and {subject} are found further inland.",
)


def make_free_claims(said: Statements, rng: Random) -> Iterator[Claim]:
    """Word a few long captions; the false ones have one wrong clause among the right ones."""
    subject = name_subject(said)
    eyes = [text for text in _EYES if _may_be_true(text, said)]
    clauses = list(_list_clauses(said, rng))
    for _ in range(_MOST if clauses else 0):
        check, true, false = rng.choice(clauses)
        text = rng.choice(eyes).format(subject=subject)
        yield Claim(f"{text} {true}", f"{text} {false}", check, "eyes")


def _may_be_true(text: str, said: Statements) -> bool:
    """What tells colours needs some, and what tells where objects are needs that they have no boxes elsewhere."""
    is_grey = said.signal.modality is not Modality.RGB
    return not (is_grey and "red-tiled" in text) and not (
        said.objects and ("on the right" in text or "Ships" in text)
    )


def _list_clauses(said: Statements, rng: Random) -> Iterator[tuple[Check, str, str]]:
    """Sentences about a fact, each with a false one."""
    if said.resolution is not None:
        n = said.resolution.gsd_m
        yield (
            Check.NUMBER,
            f"At about {say_number(n)} m per pixel, such details are just discernible.",
            f"At about {say_number(n * 2.5)} m per pixel, such details are just discernible.",
        )
    if said.place is not None:
        other = rng.choice(("Zaragoza", "Gdańsk", "Tulsa", "Nagpur"))
        yield (
            Check.NAME,
            f"The setting is consistent with the outskirts of {said.place.name}.",
            f"The setting is consistent with the outskirts of {other}.",
        )
    if said.country is not None:
        yield (
            Check.NAME,
            f"Such a layout is common in {said.country.name} and its neighbors.",
            "Such a layout is common in Uzbekistan and its neighbors.",
        )
    if said.acquired is not None and said.acquired.month is not None:
        month = said.acquired.month
        yield (
            Check.DATE,
            f"The acquisition date in {MONTHS[month - 1]} fits the state of the vegetation.",
            f"The acquisition date in {MONTHS[(month + 4) % 12]} fits the state of the vegetation.",
        )
    if said.platform is not None and said.platform.carrier is not None:
        yield (
            Check.PLATFORM,
            f"The data come from {said.platform.name}, which looks at the same ground again and again.",
            "The data come from KOMPSAT-3, which looks at the same ground again and again.",
        )
    if said.weather is not None and said.weather.effect == "fog":
        yield (
            Check.WEATHER,
            "A foggy layer softens the contrast and hides part of the detail.",
            "The atmosphere is perfectly clear and the contrast is high.",
        )
    for cover in said.covers[:1]:
        name, share = find_noun(cover.name).cover, 100 * cover.share
        yield (
            Check.SHARE,
            f"An estimated {share:.0f}% of the ground is taken up by {name}.",
            f"An estimated {share - 25 if share > 50 else share + 25:.0f}% of the ground is taken up by {name}.",
        )
    for group in said.objects[:1]:
        noun = find_noun(group.name)
        n = group.count
        yield (
            Check.COUNT,
            f"All in all {n} {noun.one if n == 1 else noun.many} may be counted.",
            f"All in all {n + 3} {noun.many} may be counted.",
        )
