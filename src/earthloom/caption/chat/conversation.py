"""The conversation with a chat model about one picture: the gist of an article, five captions, and repairs.

Two steps as in GAIA (arXiv 2502.09598): a text model condenses the article, a vision model writes metadata and five
captions. What that design lacked is added: each caption has a role and a length, `unknown` is a good answer, nothing
rewards what is not seen, and every caption is held against the facts and asked for again, faults named, when it fails.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

from earthloom.caption.asking import Answer, Conversation, Request, Written
from earthloom.caption.chat.briefing import list_facts
from earthloom.caption.chat.draft import Draft
from earthloom.caption.chat.prompts import Prompts
from earthloom.caption.chat.proposals import list_proposals
from earthloom.caption.chat.quoting import Texts, take_texts, tame
from earthloom.caption.chat.replies import MAX_SUMMARY, Reply, read_reply, read_summary
from earthloom.caption.chat.requests import Desk, fence
from earthloom.caption.checks import compile_known, is_parroted
from earthloom.caption.config import ChatSettings
from earthloom.caption.facts.statements import Statements
from earthloom.core.errors import RecordError
from earthloom.core.records import Proposal, Reason, Scene, Tile

_SHORT_ARTICLE = 1_200
"""Letters up to which an article goes along as it is: a summary would save less than asking for it costs."""


def write_chat(
    said: Statements, scene: Scene, tile: Tile, settings: ChatSettings, prompts: Prompts, max_tokens: int
) -> Conversation:
    """Write five captions of a tile, each with another role, and propose facts.

    Where all captions failed their checks, only what was dropped is left. Raises `RecordError` BAD_ANSWER where no
    answer could be read at all; UNREACHABLE is passed on.

    Args:
        said: what is known of the tile.
        scene: whose texts (title, alternative text, article) may be quoted.
        tile: its picture's hash, and its id for people; nothing else of it is looked at.
        settings: the model and how it is asked.
        prompts: what it is told.
        max_tokens: longest caption in tokens of CLIP; 0: no limit.

    """
    texts = take_texts(scene)
    known = compile_known(said, sees=True, texts=texts.given)
    draft = Draft(author=name_author(settings, prompts), known=known, max_tokens=max_tokens)
    facts = list_facts(said) if settings.facts else ""
    desk = Desk(
        settings=settings,
        prompts=prompts,
        tile_id=tile.id,
        picture=tile.sha256,
        facts=facts,
        max_tokens=max_tokens,
    )
    quotes = yield from _quote(texts, desk, draft)
    reply = yield from _exchange(desk.ask_captions(quotes), draft)
    proposals: tuple[Proposal, ...] = ()
    if reply.metadata is not None:
        proposals = list_proposals(reply.metadata, known, draft.author)
    for attempt in range(settings.repairs):
        if not draft.missing or draft.is_parroted:
            break
        tries = f"{attempt + 2} of {settings.repairs + 1}"
        yield from _exchange(desk.ask_again(quotes, draft.missing, draft.faults, tries), draft)
    if not draft.has_read_any:
        raise draft.explain()
    return Written(captions=draft.captions, dropped=tuple(draft.dropped), proposals=proposals)


def name_author(settings: ChatSettings, prompts: Prompts) -> str:
    """What captions are signed with: `MODEL@REVISION/PROMPT`, without `@REVISION` where none is set."""
    revision = f"@{settings.revision}" if settings.revision else ""
    return f"{settings.model}{revision}/{prompts.version}"


def _quote(texts: Texts, desk: Desk, draft: Draft) -> Generator[Request, Answer, str]:
    """Fence the texts that go along, a long article by its summary; without it where no summary is to be had."""
    quoted = {"title": texts.title, "description": texts.alt}
    if len(texts.article) <= _SHORT_ARTICLE:
        return fence(quoted | {"article": texts.article})
    summary, fault = yield from _summarise(fence(quoted | {"article": texts.article}), desk)
    if fault is not None:
        draft.note(summary, fault, role="summary")
    return fence(quoted | {"summary of an article": tame(summary, MAX_SUMMARY)})


def _summarise(quotes: str, desk: Desk) -> Generator[Request, Answer, tuple[str, str | None]]:
    try:
        answer = yield desk.ask_summary(quotes)
    except RecordError as error:
        if error.reason is not Reason.BAD_ANSWER:
            raise
        return "", error.detail
    return read_summary(answer)


def _exchange(request: Request, draft: Draft) -> Generator[Request, Answer, Reply]:
    """Ask for what is missing and check the answer; what the server refuses to answer counts as an answer of no use."""
    try:
        answer = yield request
    except RecordError as error:
        if error.reason is not Reason.BAD_ANSWER:
            raise
        reply = Reply(useless=error.detail, is_from_server=True)
    else:
        reply = read_reply(answer, draft.missing)
        if reply.captions and is_parroted(answer.n_same, answer.n_all, "chat"):
            reply = replace(reply, metadata=None, is_parroted=True)
    draft.take(reply)
    return reply
