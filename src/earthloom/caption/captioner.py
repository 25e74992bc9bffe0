"""The stage: one tile in, its captions out, each checked before it leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from earthloom.caption.asking import Answer, Request, follow
from earthloom.caption.authors import Model, ModelAuthors
from earthloom.caption.checks import MIN_WORDS, Check, Finding, Known, compile_known, is_alike, judge
from earthloom.caption.config import CaptionSettings
from earthloom.caption.dropping import drop
from earthloom.caption.facts import gather
from earthloom.caption.facts.statements import Statements
from earthloom.caption.rules import (
    Role,
    Wording,
    write_enriched,
    write_gaia,
    write_mmm_rs,
    write_plain,
    write_subject,
)
from earthloom.core.errors import RecordError
from earthloom.core.records import Caption, Captioned, Dropped, Proposal, Reason, Scene, Tile

CAPTION_VERSION = "2"
"""Raised whenever a caption of unchanged facts may read otherwise."""
AUTHOR = f"rules@{CAPTION_VERSION}"

PROMPT_ROLE = "prompt"
SOURCE_ROLE = "caption"
PART_ROLE = "scene_caption"
"""A caption that the source gives for a scene of which the tile shows less than half: it may speak of the rest."""
_SHORT = frozenset({"mmm_rs", "subject"})
"""Styles that may be short: of a tile without labels there is nothing to say."""
_MIN_PROMPT_WORDS = 3
_MAX_PROMPT_WORDS = 90
_MOST_EXPLAINED = 5
"""Failed captions that a refusal names: a model may have tried fifteen times."""
_MODELS: tuple[Model, ...] = ("blip2", "chat")
"""In this order: a prompt may hold what the first says."""

Find = Callable[[Request], Answer]
"""Gives the answer to a request, or raises RecordError."""


@dataclass
class _Draft:
    """What has been written about a tile so far."""

    captions: list[Caption] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    proposals: list[Proposal] = field(default_factory=list)
    failures: list[RecordError] = field(default_factory=list)


def caption_tile(
    scene: Scene,
    tile: Tile,
    settings: CaptionSettings,
    models: ModelAuthors | None = None,
    find: Find | None = None,
) -> Captioned:
    """Write and check the captions of a tile, and keep beside them what its source says.

    Args:
        scene: what the tile was cut from.
        tile: its pixels are not looked at.
        settings: how captions are written.
        models: the authors that are models; wanted where `settings` names any.
        find: gives their answers. What it cannot give costs the captions of that author alone.

    Raises:
        RecordError: no caption is left: UNREACHABLE or BAD_ANSWER where a model's answer is missing, else NO_CAPTION.

    Only captions of ours are checked: those of a source stay as published, less surrounding space and exact repeats.

    """
    said = gather(scene, tile)
    draft = _Draft()
    for model in _MODELS:
        if model in settings.with_:
            assert models is not None, "a model wants its ModelAuthors"
            assert find is not None, "a model wants somebody who finds its answers"
            _ask(model, models, said, scene, tile, find, draft)
    if "rules" in settings.with_:
        _check(list(_write(said, tile.id, settings, draft.captions)), said, settings, draft)
    captions = (*draft.captions, *_keep_source(scene, tile))
    if not captions:
        raise _explain(draft)
    return Captioned(
        id=tile.id,
        captions=captions,
        dropped=tuple(draft.dropped),
        proposals=tuple(draft.proposals),
    )


def _ask(
    model: Model, models: ModelAuthors, said: Statements, scene: Scene, tile: Tile, find: Find, draft: _Draft
) -> None:
    """Add what a model wrote; one that cannot answer is noted beside the captions of the others."""
    try:
        written = follow(models.converse(model, said, scene, tile), find)
    except RecordError as error:
        draft.failures.append(error)
        draft.dropped.append(
            drop("", style="", role="", author=model, check=error.reason.value, evidence=error.detail)
        )
        return
    draft.captions += written.captions
    draft.dropped += written.dropped
    draft.proposals += written.proposals


def _explain(draft: _Draft) -> RecordError:
    """Why no caption is left: what could not be reached may come with the next run, so that counts first."""
    unreachable = [error for error in draft.failures if error.reason is Reason.UNREACHABLE]
    if draft.failures:
        return (unreachable or draft.failures)[0]
    found = "; ".join(f"{dropped.check}: {dropped.evidence}" for dropped in draft.dropped[-_MOST_EXPLAINED:])
    n = len(draft.dropped)
    return RecordError(
        Reason.NO_CAPTION, f"wanted at least one caption, got {n} that failed ({found or 'none asked for'})"
    )


def _write(
    said: Statements, tile_id: str, settings: CaptionSettings, by_models: list[Caption]
) -> Iterator[Caption]:
    wording, seed, most = Wording(said), settings.seed, settings.max_tokens
    for style in dict.fromkeys(settings.styles):
        if style == "mmm_rs":
            yield _write_mmm_rs(wording, by_models, most)
        elif style == "enriched":
            yield _ours(write_enriched(wording, seed, tile_id, most), style, PROMPT_ROLE)
        elif style == "subject":
            yield _ours(write_subject(wording, most), style, PROMPT_ROLE)
        elif style == "gaia":
            for role, text in write_gaia(wording, seed, tile_id, most):
                yield _ours(text, style, role)
    n_plain = max(settings.per_image, 1) if "plain" in settings.styles else settings.per_image
    for role, text in write_plain(wording, n_plain, seed, tile_id, most):
        yield _ours(text, "plain", role)


def _write_mmm_rs(wording: Wording, by_models: list[Caption], max_tokens: int) -> Caption:
    """The prompt as MMM-RS has it: around the caption of BLIP-2 where that wrote one that passed."""
    inner = next((caption for caption in by_models if caption.style == "plain"), None)
    if inner is None:
        return _ours(write_mmm_rs(wording, None, max_tokens), "mmm_rs", PROMPT_ROLE)
    text = write_mmm_rs(wording, inner.text, max_tokens)
    return _ours(text, "mmm_rs", PROMPT_ROLE, f"{AUTHOR}+{inner.author}")


def _ours(text: str, style: str, role: Role | str, author: str = AUTHOR) -> Caption:
    return Caption(text=text, style=style, role=str(role), author=author)


def _check(captions: list[Caption], said: Statements, settings: CaptionSettings, draft: _Draft) -> None:
    """Sort captions into those that pass and those that do not, among them such that say the same as an earlier one."""
    closed = compile_known(said)
    kept: list[Caption] = []
    for caption in captions:
        judged = judge(
            caption.text,
            _choose_known(caption, said, closed),
            min_words=_MIN_PROMPT_WORDS if caption.style in _SHORT else MIN_WORDS,
            max_words=_MAX_PROMPT_WORDS,
            max_tokens=settings.max_tokens,
        )
        faults = list(judged.faults)
        if _repeats(caption, kept):
            faults.append(Finding(Check.ALIKE, caption.text))
        if faults:
            draft.dropped.append(_drop(caption, faults[0]))
        else:
            checks = tuple(check.value for check in judged.checks)
            kept.append(
                Caption(
                    text=caption.text,
                    style=caption.style,
                    role=caption.role,
                    author=caption.author,
                    checks=checks,
                )
            )
    draft.captions += kept


def _choose_known(caption: Caption, said: Statements, closed: Known) -> Known:
    """A prompt around the words of a model may say what that saw."""
    return closed if caption.author == AUTHOR else compile_known(said, sees=True)


def _drop(caption: Caption, fault: Finding) -> Dropped:
    return drop(
        caption.text,
        style=caption.style,
        role=caption.role,
        author=caption.author,
        check=fault.check.value,
        evidence=fault.evidence,
    )


def _repeats(caption: Caption, kept: list[Caption]) -> bool:
    same_style = (other for other in kept if other.style == caption.style and caption.role != PROMPT_ROLE)
    return any(is_alike(caption.text, other.text) for other in same_style)


def _keep_source(scene: Scene, tile: Tile) -> list[Caption]:
    """Take the captions that the source brings, first to last, each text once."""
    role = SOURCE_ROLE if _shows_most(scene, tile) else PART_ROLE
    authors: dict[str, str] = {}
    for text in scene.texts:
        if text.role == "caption":
            authors.setdefault(text.text.strip(), text.author or "source")
    return [
        Caption(text=text, style="source", role=role, author=author)
        for text, author in authors.items()
        if text
    ]


def _shows_most(scene: Scene, tile: Tile) -> bool:
    return 2 * tile.crop.width * tile.crop.height >= scene.width * scene.height
