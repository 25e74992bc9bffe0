"""Captions to score: from a file, or from a captioner that is shown the pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from earthloom.core.records import Reason
from earthloom.evaluate.captioning.config import CaptionerSettings
from earthloom.evaluate.captioning.files import match_keys, read_captions
from earthloom.evaluate.sets import Entry, Picture
from earthloom.evaluate.work import Work


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidates:
    """Captions by the keys of their pictures."""

    texts: dict[str, str]
    author: str
    """Who wrote them: name and fingerprint of a model, or the file."""
    notes: tuple[str, ...] = ()


def read_candidates(path: Path, place: str, entries: Sequence[Entry]) -> Candidates:
    """Take captions from a file, of each picture the first. Raises UsageError as `read_captions`."""
    told = read_captions(path)
    found = match_keys(told, [entry.key for entry in entries])
    notes = []
    if n_idle := len(told) - len(found):
        notes.append(f"{n_idle:,} captions of {place} are of no picture that was measured.")
    if n_more := sum(len(texts) > 1 for texts in found.values()):
        notes.append(f"{n_more:,} pictures have several captions in {place}; the first of each was scored.")
    return Candidates(texts={key: texts[0] for key, texts in found.items()}, author=place, notes=tuple(notes))


def write_candidates(settings: CaptionerSettings, entries: Sequence[Entry], work: Work) -> Candidates:
    """Show pictures to a model. What it cannot take, and what cannot be read, is on record.

    Raises:
        UsageError: the model is not there, or torch or transformers are missing.

    """
    from earthloom.models.captioners.captioner import Batches, Unspoken
    from earthloom.models.captioners.loading import open_captioner

    captioner = open_captioner(
        _locate(settings.model, work.base),
        revision=settings.revision,
        adapter=None if settings.adapter is None else _locate(settings.adapter, work.base),
        prompt=settings.prompt,
        device=settings.device,
        precision=settings.precision,
        max_new_tokens=settings.max_new_tokens,
        beams=settings.beams,
        length_penalty=settings.length_penalty,
        trust_pickles=settings.trust_pickles,
    )
    batches = Batches(lambda pictures: captioner.describe(pictures, settings.prompt), settings.batch)
    texts: dict[str, str] = {}
    for keys, pictures in _read_pictures(entries, work, settings.batch):
        for key, said in zip(keys, batches.run(pictures), strict=True):
            if isinstance(said, Unspoken):
                work.refused[key] = {"reason": Reason.BAD_ANSWER.value, "detail": said.why}
            else:
                texts[key] = said.text.strip()
        work.tell(f"captioned {len(texts):,} of {len(entries):,}")
    return Candidates(texts=texts, author=f"{captioner.name} {captioner.fingerprint}, {captioner.served}")


def _locate(given: str, base: Path) -> str:
    """A path is relative to the recipe; what is none there is a name of the Hub's."""
    path = base / given
    return str(path) if path.exists() else given


def _read_pictures(
    entries: Sequence[Entry], work: Work, size: int
) -> Iterator[tuple[list[str], list[Picture]]]:
    for start in range(0, len(entries), size):
        read = [(entry.key, work.read(entry)) for entry in entries[start : start + size]]
        usable = [(key, picture) for key, picture in read if picture is not None]
        if usable:
            yield [key for key, _ in usable], [picture for _, picture in usable]
