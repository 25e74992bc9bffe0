"""The rule captioner: prompts and plain captions from statements, varied by seed and never beyond the facts."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from earthloom.caption.checks import MAX_WORDS, MIN_WORDS, is_alike
from earthloom.caption.content import fit_words, name_classes, say_objects
from earthloom.caption.frames import ENRICHED, TIERS, Role
from earthloom.caption.grammar import Draw, Frame, render
from earthloom.caption.lexicon import find_noun
from earthloom.caption.slots import Wording
from earthloom.caption.statements import Cover, Statements
from earthloom.core.seeds import stable_hash
from earthloom.geo.levels import GsdLevel

_MAX_TRIES = 8
_LARGE = 0.6
"""A cover of this share or more is `a large area of` it in MMM-RS prompts (our choice)."""
_NOTABLE = 0.1


def mmm_rs_prompt(level: GsdLevel | None, weather: str | None, caption: str, satellite: str | None) -> str:
    """Join the parts of an MMM-RS prompt: `{level}, {weather}, {caption}, {satellite}`; what is unknown is left out.

    The published examples differ in the final full stop (arXiv 2410.22362, figures); it is left out.
    """
    parts = (None if level is None else level.value, weather, caption, satellite)
    return ", ".join(part for part in parts if part)


def write_mmm_rs(wording: Wording) -> str:
    """Write the MMM-RS prompt of an image; its inner caption holds no comma, so that the parts can be told apart."""
    said = wording.said
    return mmm_rs_prompt(
        said.resolution.level if said.resolution is not None else None,
        said.weather.word if said.weather is not None else None,
        write_inner_caption(wording),
        said.platform.word if said.platform is not None else None,
    )


def write_inner_caption(wording: Wording) -> str:
    """Say in a few words what an image shows: `a satellite image shows a large area of farmland`."""
    subject = wording.images.prompt
    things = fit_words((thing for thing in _name_things(wording.said) if "," not in thing), 3, 16)
    if not things:
        return subject
    first, *rest = things
    if len(rest) == 1 and not first.startswith(("a large area of", "large ")):
        return f"{subject} shows {first} and {rest[0]}"
    return f"{subject} shows {first}" + (f" with {' and '.join(rest)}" if rest else "")


def _name_things(said: Statements) -> list[str]:
    covers = [_name_cover(cover) for cover in said.covers if cover.share >= _NOTABLE]
    return [
        *name_classes(said.classes),
        *(say_objects(group) for group in said.objects),
        *covers,
    ]


def _name_cover(cover: Cover) -> str:
    noun = find_noun(cover.name)
    if cover.share < _LARGE or noun.quoted:
        return noun.cover
    if noun.cover.endswith("areas"):
        return f"large {noun.cover}"
    return f"a large area of {noun.cover}"


def write_enriched(wording: Wording, seed: int, tile_id: str) -> str:
    """Write a prompt that names every known fact: platform, metres, date, place, labels, shares."""
    draw = Draw(stable_hash(seed, tile_id, "enriched"))
    return next(_propose(None, wording, draw))


def write_plain(wording: Wording, n: int, seed: int, tile_id: str) -> list[tuple[Role, str]]:
    """Write the plain captions of the first `n` roles, no two alike."""
    written: list[tuple[Role, str]] = []
    for role in list(Role)[:n]:
        draw = Draw(stable_hash(seed, tile_id, role.value))
        before = [text for _, text in written]
        proposals = _propose(role, wording, draw)
        text = next((text for text in proposals if not any(is_alike(text, other) for other in before)), None)
        if text is not None:
            written.append((role, text))
    return written


def _propose(role: Role | None, wording: Wording, draw: Draw) -> Iterator[str]:
    """Word frames of a role, or prompts, until the reader has one that fits; richest facts first."""
    for frames in _find_frames(role, wording.known):
        for _ in range(_MAX_TRIES):
            text = render(draw.pick(frames), wording, draw)
            if MIN_WORDS <= text.count(" ") + 1 <= MAX_WORDS:
                yield text


@lru_cache(maxsize=4096)
def _find_frames(role: Role | None, known: int) -> tuple[tuple[Frame, ...], ...]:
    """The tiers of a role (of prompts where there is none), each with the frames that can be filled."""
    tiers = ENRICHED if role is None else TIERS[role]
    usable = (tuple(frame for frame in tier if frame.needs & ~known == 0) for tier in tiers)
    return tuple(tier for tier in usable if tier)
