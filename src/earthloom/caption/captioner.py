"""The stage: one tile in, its captions out, each checked before it leaves."""

from __future__ import annotations

from collections.abc import Iterator

from earthloom.caption.checks import MIN_WORDS, Finding, find_faults, is_alike
from earthloom.caption.config import CaptionSettings
from earthloom.caption.facts import gather
from earthloom.caption.frames import Role
from earthloom.caption.known import compile_known
from earthloom.caption.reading import Check
from earthloom.caption.rules import write_enriched, write_mmm_rs, write_plain
from earthloom.caption.slots import Wording
from earthloom.caption.statements import Statements
from earthloom.core.errors import RecordError
from earthloom.core.records import Caption, Captioned, Reason, Scene, Tile

CAPTION_VERSION = "1"
"""Raised whenever a caption of unchanged facts may read otherwise."""
AUTHOR = f"rules@{CAPTION_VERSION}"

PROMPT_ROLE = "prompt"
SOURCE_ROLE = "caption"
PART_ROLE = "scene_caption"
"""A caption that the source gives for a scene of which the tile shows less than half: it may speak of the rest."""
_MIN_PROMPT_WORDS = 3


def caption_tile(scene: Scene, tile: Tile, settings: CaptionSettings) -> Captioned:
    """Write and check the captions of a tile, and keep beside them what its source says.

    Raises `RecordError(NO_CAPTION)` where none is left. Only captions of ours are checked: those of a source stay as
    published, less surrounding space and exact repeats.
    """
    said = gather(scene, tile)
    written = list(_write(said, tile.id, settings))
    kept, findings = _check(written, said)
    captions = (*kept, *_keep_source(scene, tile))
    if not captions:
        found = "; ".join(f"{finding.check.value}: {finding.evidence}" for finding in findings)
        raise RecordError(
            Reason.NO_CAPTION,
            f"wanted at least one caption, got {len(written)} that failed ({found or 'none asked for'})",
        )
    return Captioned(id=tile.id, captions=captions)


def _write(said: Statements, tile_id: str, settings: CaptionSettings) -> Iterator[Caption]:
    wording = Wording(said)
    for style in dict.fromkeys(settings.styles):
        if style == "mmm_rs":
            yield _ours(write_mmm_rs(wording), style, PROMPT_ROLE)
        elif style == "enriched":
            yield _ours(write_enriched(wording, settings.seed, tile_id), style, PROMPT_ROLE)
    n_plain = max(settings.per_image, 1) if "plain" in settings.styles else settings.per_image
    for role, text in write_plain(wording, n_plain, settings.seed, tile_id):
        yield _ours(text, "plain", role)


def _ours(text: str, style: str, role: Role | str) -> Caption:
    return Caption(text=text, style=style, role=str(role), author=AUTHOR)


def _check(captions: list[Caption], said: Statements) -> tuple[list[Caption], list[Finding]]:
    """Drop captions that fail a check, among them plain ones that say the same as an earlier one."""
    known = compile_known(said)
    kept: list[Caption] = []
    findings: list[Finding] = []
    for caption in captions:
        min_words = _MIN_PROMPT_WORDS if caption.style == "mmm_rs" else MIN_WORDS
        faults = find_faults(caption.text, known, min_words)
        if _repeats(caption, kept):
            faults.append(Finding(Check.ALIKE, caption.text))
        findings += faults
        if not faults:
            kept.append(caption)
    return kept, findings


def _repeats(caption: Caption, kept: list[Caption]) -> bool:
    plain = (other for other in kept if other.style == caption.style == "plain")
    return any(is_alike(caption.text, other.text) for other in plain)


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
