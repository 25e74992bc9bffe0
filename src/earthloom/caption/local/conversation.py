"""What a model on this machine is asked, and what becomes of its answer: the local author's conversation."""

from __future__ import annotations

from pathlib import Path

from earthloom.caption.asking import PICTURE, Answer, Conversation, Request, Written
from earthloom.caption.checks import Check, Finding, compile_known, is_parroted, judge
from earthloom.caption.config import LocalSettings
from earthloom.caption.dropping import drop
from earthloom.caption.facts.statements import Statements
from earthloom.core.errors import RecordError
from earthloom.core.ids import hash_json
from earthloom.core.records import Caption, Reason, Tile
from earthloom.core.text import to_line

MIN_WORDS = 3
"""Fewest words of a caption, as in the baselines of DataComp (Gadre et al., 2023); BLIP-2 says `an aerial view of a
river`, which the eight words that are asked of others would refuse."""
_STYLE, _ROLE = "plain", "overview"
_ENDS = (".", "!", "?")


def write_local(
    said: Statements, tile: Tile, settings: LocalSettings, fingerprint: str, max_tokens: int
) -> Conversation:
    """Ask the model once and keep what passes the checks; it is not asked again, as it would say the same.

    Args:
        said: what is known of the tile.
        tile: its picture's hash stands in the question.
        settings: of the model.
        fingerprint: of the model's files, as `fingerprint_local` gives it.
        max_tokens: longest caption in tokens of CLIP; 0: no limit.

    Raises:
        RecordError: BAD_ANSWER for an empty answer; what the driver throws in.

    """
    request = _ask(tile, settings, fingerprint)
    answer = yield request
    author = name_author(settings, fingerprint)
    text, finding = _clean(answer, settings)
    if not text:
        raise RecordError(Reason.BAD_ANSWER, f"wanted a caption, {author} said nothing")
    judged = judge(text, compile_known(said, sees=True), min_words=MIN_WORDS, max_tokens=max_tokens)
    faults = [*([finding] if finding is not None else []), *judged.faults]
    if is_parroted(answer.n_same, answer.n_all, "blip2"):
        faults.append(Finding(Check.ALIKE, f"said of {answer.n_same} of {answer.n_all} pictures"))
    if faults:
        check, evidence = faults[0].check.value, faults[0].evidence
        failed = drop(text, style=_STYLE, role=_ROLE, author=author, check=check, evidence=evidence)
        return Written(dropped=(failed,))
    checks = tuple(check.value for check in judged.checks)
    caption = Caption(text=text, style=_STYLE, role=_ROLE, author=author, checks=checks)
    return Written(captions=(caption,))


def name_author(settings: LocalSettings, fingerprint: str) -> str:
    """`MODEL@REVISION/PROMPT`, as captions carry it.

    Eight digits of the fingerprint stand for a revision that is not given, eight of a hash for the prompt; LoRA weights
    follow the revision after a `+`.
    """
    own, _, adapter = fingerprint.partition("+")
    revision = settings.revision or own[:8]
    version = f"{revision}+{adapter[:8]}" if adapter else revision
    prompt = hash_json(settings.prompt)[:8] if settings.prompt else "unprompted"
    return f"{Path(settings.model).name}@{version}/{prompt}"


def _ask(tile: Tile, settings: LocalSettings, fingerprint: str) -> Request:
    return Request(
        author="blip2",
        purpose="captions",
        tile_id=tile.id,
        model=Path(settings.model).name,
        revision=settings.revision,
        body={
            "fingerprint": fingerprint,
            "prompt": settings.prompt,
            "precision": settings.precision,
            "max_new_tokens": settings.max_new_tokens,
            "beams": settings.beams,
            "length_penalty": settings.length_penalty,
            "picture": f"{PICTURE}{tile.sha256}",
        },
        picture=tile.sha256,
        tokens_out=settings.max_new_tokens,
    )


def _clean(answer: Answer, settings: LocalSettings) -> tuple[str, Finding | None]:
    """What a model said as sentences: one line, without the prompt, with a capital letter and a full stop.

    Of a text that was cut off only whole sentences are left; where there is none, the second value says so.
    """
    text, prompt = to_line(answer.text), to_line(settings.prompt)
    if prompt and text.casefold().startswith(prompt.casefold()):
        text = text[len(prompt) :].lstrip(" ,:;-")
    finding = None
    if answer.finish == "length":
        whole = text[: max(text.rfind(f"{end} ") for end in _ENDS) + 1]
        if whole:
            return _finish(whole), None
        finding = Finding(Check.LENGTH, f"cut off after {settings.max_new_tokens} tokens")
    return _finish(text), finding


def _finish(text: str) -> str:
    text = text.strip().rstrip(" ,:;-")
    if text and not text.endswith(_ENDS):
        text += "."
    return text[:1].upper() + text[1:]
