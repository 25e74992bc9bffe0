"""What the trials of the checks share: a claim as a true caption and a false twin, and what an image may be called."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Literal

from earthloom.caption.checks import Check
from earthloom.caption.facts.statements import Statements
from earthloom.caption.language.english import join_list
from earthloom.caption.language.lexicon import find_noun
from earthloom.core.records import Modality

Needs = Literal["facts", "texts", "eyes"]


@dataclass(frozen=True, slots=True)
class Claim:
    """A true caption, its false twin, the check that ought to tell them apart, and what the true one rests on."""

    true: str
    false: str
    check: Check
    needs: Needs = "facts"


def name_subject(said: Statements) -> str:
    """What a caption calls the content: `cropland and forest`."""
    things = [find_noun(cover.name).cover for cover in said.covers]
    things += [find_noun(group.name).many for group in said.objects if group.count > 1]
    return join_list(things[:2]) if things else "open terrain"


def name_image(said: Statements, rng: Random) -> str:
    """What a caption calls the image."""
    if said.signal.modality is Modality.SAR:
        return rng.choice(("radar image", "SAR scene", "SAR image"))
    return rng.choice(("image", "scene", "view"))
