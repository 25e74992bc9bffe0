"""The rule captioner: prompts and plain captions from statements, varied by seed and never beyond the facts.

Functions take `max_tokens`, the longest that a text may be for CLIP (`earthloom.caption.language.tokens`), 0 for no
limit: what is too long is worded again, with fewer facts in the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TypeAlias

from earthloom.caption.checks import MAX_WORDS, MIN_WORDS, is_alike
from earthloom.caption.facts.statements import Cover, Statements
from earthloom.caption.language.english import fit_words
from earthloom.caption.language.lexicon import find_noun
from earthloom.caption.language.tokens import count_clip_tokens
from earthloom.caption.rules.content import name_classes
from earthloom.caption.rules.frames import Role, Tiers
from earthloom.caption.rules.gaia_frames import GAIA
from earthloom.caption.rules.grammar import Draw, Frame, render
from earthloom.caption.rules.inner import clean_inner
from earthloom.caption.rules.objects import say_objects
from earthloom.caption.rules.plain_frames import TIERS
from earthloom.caption.rules.prompt_frames import ENRICHED
from earthloom.caption.rules.slots import Wording
from earthloom.core.seeds import stable_hash
from earthloom.geo.levels import GsdLevel

Roles: TypeAlias = Mapping[Role, Tiers]

_MAX_TRIES = 8
_MAX_PROMPT_TRIES = 3
"""Prompts of one tier hold the same facts and differ little in length."""
_MAX_THINGS = 3
_LARGE = 0.6
"""A cover of this share or more is `a large area of` it in MMM-RS prompts (our choice)."""
_NOTABLE = 0.1


def mmm_rs_prompt(level: GsdLevel | None, weather: str | None, caption: str, satellite: str | None) -> str:
    """Join the parts of an MMM-RS prompt: `{level}, {weather}, {caption}, {satellite}`; what is unknown is left out.

    The published examples differ in the final full stop (arXiv 2410.22362, figures); it is left out.
    """
    parts = (None if level is None else level.value, weather, caption, satellite)
    return ", ".join(part for part in parts if part)


def write_mmm_rs(wording: Wording, inner: str | None = None, max_tokens: int = 0) -> str:
    """Write the MMM-RS prompt of an image; its inner caption holds no comma, so that the parts can be told apart.

    Args:
        wording: the phrases of the image.
        inner: what a model says the image shows, as BLIP-2 does in MMM-RS; without one, or where it makes the prompt
            too long, the labels say it.
        max_tokens: see above.

    """
    said = wording.said
    own = (write_inner_caption(wording, n) for n in range(_MAX_THINGS, -1, -1))
    for caption in (clean_inner(inner or ""), *own):
        prompt = mmm_rs_prompt(
            said.resolution.level if said.resolution is not None else None,
            said.weather.word if said.weather is not None else None,
            caption,
            said.platform.word if said.platform is not None else None,
        )
        if caption and _fits(prompt, max_tokens):
            break
    return prompt


def write_inner_caption(wording: Wording, most: int = _MAX_THINGS) -> str:
    """Say in a few words what an image shows: `a satellite image shows a large area of farmland`."""
    subject = wording.images.prompt
    named = [thing for thing in _name_things(wording.said) if "," not in thing] if most else []
    things = fit_words(named, most, 16)
    if not things:
        return subject
    first, *rest = things
    if len(rest) == 1 and not first.startswith(("a large area of", "large ")):
        return f"{subject} shows {first} and {rest[0]}"
    return f"{subject} shows {first}" + (f" with {' and '.join(rest)}" if rest else "")


def write_subject(wording: Wording, max_tokens: int = 0) -> str:
    """Say what is on the ground and nothing of how the image was taken: what a rich prompt is compared with."""
    for n in range(_MAX_THINGS, -1, -1):
        text = write_inner_caption(wording, n)
        if _fits(text, max_tokens):
            break
    return text


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


def write_enriched(wording: Wording, seed: int, tile_id: str, max_tokens: int = 0) -> str:
    """Write a prompt that names every known fact, or as many as fit: platform, metres, date, place, labels, shares."""
    draw = Draw(stable_hash(seed, tile_id, "enriched"))
    text = ""
    for text in _propose(ENRICHED, wording, draw, _MAX_PROMPT_TRIES):
        if _fits(text, max_tokens):
            break
    return text


def write_plain(
    wording: Wording, n: int, seed: int, tile_id: str, max_tokens: int = 0
) -> list[tuple[Role, str]]:
    """Write the plain captions of the first `n` roles, no two alike."""
    return _write_roles(TIERS, "", list(Role)[:n], wording, seed, tile_id, max_tokens)


def write_gaia(wording: Wording, seed: int, tile_id: str, max_tokens: int = 0) -> list[tuple[Role, str]]:
    """Write five dense captions in the manner of GAIA (arXiv 2502.09598), one of each role, no two alike."""
    return _write_roles(GAIA, "gaia", list(Role), wording, seed, tile_id, max_tokens)


def _write_roles(
    frames: Roles, style: str, roles: list[Role], wording: Wording, seed: int, tile_id: str, max_tokens: int
) -> list[tuple[Role, str]]:
    written: list[tuple[Role, str]] = []
    for role in roles:
        draw = Draw(stable_hash(seed, tile_id, f"{style}{role.value}"))
        for text in _propose(frames[role], wording, draw):
            if _fits(text, max_tokens) and not any(is_alike(text, other) for _, other in written):
                written.append((role, text))
                break
    return written


def _fits(text: str, max_tokens: int) -> bool:
    return not max_tokens or count_clip_tokens(text) <= max_tokens


def _propose(tiers: Tiers, wording: Wording, draw: Draw, tries: int = _MAX_TRIES) -> Iterator[str]:
    """Word frames until the reader has one that fits; richest facts first."""
    for frames in _find_frames(tiers, wording.known):
        for _ in range(tries):
            text = render(draw.pick(frames), wording, draw)
            if MIN_WORDS <= _count_words(text) <= MAX_WORDS:
                yield text


def _count_words(text: str) -> int:
    """Count what has a letter or a digit: `63 %` is one word. Marks alone are few: long texts are not looked into."""
    n_parts = text.count(" ") + 1
    if n_parts > 2 * MIN_WORDS:
        return n_parts
    return sum(word.isalnum() or any(map(str.isalnum, word)) for word in text.split())


@lru_cache(maxsize=8192)
def _find_frames(tiers: Tiers, known: int) -> tuple[tuple[Frame, ...], ...]:
    """The tiers, each with the frames that can be filled."""
    usable = (tuple(frame for frame in tier if frame.needs & ~known == 0) for tier in tiers.frames)
    return tuple(tier for tier in usable if tier)
