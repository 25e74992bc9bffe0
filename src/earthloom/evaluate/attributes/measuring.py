"""Attribute faithfulness of a set of generated pictures, from files to figures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from earthloom.evaluate.attributes.config import AttributeSettings
from earthloom.evaluate.attributes.judging import Judged, judge_all
from earthloom.evaluate.attributes.readings import Resampling
from earthloom.evaluate.attributes.traits import Sample, find_asked, read_traits
from earthloom.evaluate.encoders import open_encoders
from earthloom.evaluate.gathering import Gathered, gather
from earthloom.evaluate.result import Figure, SetInfo, Table
from earthloom.evaluate.sets import Entry, OpenSet
from earthloom.evaluate.sizes import Shrunk, survey
from earthloom.evaluate.work import Work
from earthloom.models.encoders.encoder import Encoder
from earthloom.store.atomic import write_text

READINGS = "attributes.jsonl"
"""In the folder of the evaluation: what was asked for and what was read, a line for each picture and trait."""
RULES = {
    "faithful": "linear probes learned from standardised features of real pictures: of names logistic regression, by "
    "balanced accuracy over the names that were asked for; of distances ridge regression on octaves",
    "faithful, ceiling": "real pictures, read by probes that saw nothing of their ground",
    "faithful, null": "one answer for all: one in the names that were asked for; the median distance",
    "faithful, asked": "what the generator was told; else the record of the pair whose caption it was given",
}
"""Of the protocol."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Faithfulness:
    """What was found, as parts of an `Outcome`."""

    figures: tuple[Figure, ...]
    tables: tuple[Table, ...]
    notes: tuple[str, ...]
    sets: tuple[SetInfo, ...]
    encoders: Mapping[str, str]
    rules: Mapping[str, str]


def measure_attributes(
    settings: AttributeSettings,
    work: Work,
    *,
    real: Sequence[OpenSet],
    generated: OpenSet,
    resampling: Resampling,
    cache: str | None = None,
) -> Faithfulness:
    """Judge whether generated pictures show what was asked for, and leave every reading in `READINGS`.

    Pictures of several sizes are brought to the smaller of the two usual sides first, and distances with them.

    Args:
        settings: of the recipe.
        work: under way.
        real: pictures that probes learn from, opened: those of `settings.probes`, or of the set that is compared with.
        generated: what is judged.
        resampling: of the intervals, over prompts.
        cache: folder of features that are kept.

    Raises:
        UsageError: an encoder or a set cannot be used.
        RunError: no picture of a set can be used.

    """
    side = _find_side([*real, generated])
    encoders = _open_all(settings, work, [*real, generated], side)
    learned = [gather(work, opened, encoders, cache) for opened in real]
    drawn = gather(work, generated, encoders, cache)
    pairs = open_pairs(settings, work)
    judged = judge_all(
        _join([_sample_real(each, side) for each in learned]),
        _sample_generated(drawn, pairs, side),
        encoder="+".join(drawn.features),
        resampling=resampling,
        folds=settings.folds,
    )
    _write_readings(work, judged, drawn)
    return Faithfulness(
        figures=tuple(figure for each in judged for figure in each.figures),
        tables=tuple(table for each in judged for table in each.tables),
        notes=tuple(_list_notes(judged, drawn, pairs)),
        sets=tuple(work.inform(each.opened, list(each.entries)) for each in learned),
        encoders=drawn.resize,
        rules=RULES,
    )


def open_probes(settings: AttributeSettings, work: Work) -> list[OpenSet]:
    """List the pictures of `settings.probes`; those of one ground share a group across sets."""
    return [work.open(f"probes[{place}]", chosen) for place, chosen in enumerate(settings.probes)]


def open_pairs(settings: AttributeSettings, work: Work) -> dict[str, Entry]:
    """The pairs that prompts came from, by key; none where the recipe names no release."""
    if settings.asked is None:
        return {}
    return {entry.key: entry for entry in work.open("asked", settings.asked).entries}


def _find_side(sets: Sequence[OpenSet]) -> int | None:
    """The smallest usual side."""
    return min((side for opened in sets if (side := survey(opened.entries).side) is not None), default=None)


def _open_all(
    settings: AttributeSettings, work: Work, sets: Sequence[OpenSet], side: int | None
) -> tuple[Encoder, ...]:
    encoders = open_encoders(settings.probe_encoders, work.base)
    widest = max((found.sides[1] for opened in sets if (found := survey(opened.entries)).sides), default=0)
    if side is None or widest <= side:
        return encoders
    return tuple(Shrunk(encoder=encoder, side=side) for encoder in encoders)


def _sample_real(gathered: Gathered, side: int | None) -> Sample:
    return Sample(
        features=np.hstack(list(gathered.features.values())),
        traits=tuple(read_traits(entry, side) for entry in gathered.entries),
        groups=gathered.groups,
    )


def _sample_generated(gathered: Gathered, pairs: Mapping[str, Entry], side: int | None) -> Sample:
    return Sample(
        features=np.hstack(list(gathered.features.values())),
        traits=tuple(find_asked(entry, pairs, side) for entry in gathered.entries),
        groups=gathered.groups,
    )


def _join(samples: Sequence[Sample]) -> Sample:
    return Sample(
        features=np.concatenate([sample.features for sample in samples]),
        traits=tuple(traits for sample in samples for traits in sample.traits),
        groups=tuple(group for sample in samples for group in sample.groups),
    )


def _write_readings(work: Work, judged: Sequence[Judged], drawn: Gathered) -> None:
    lines = [
        json.dumps(
            {
                "key": drawn.entries[reading.row].key,
                "prompt": reading.prompt,
                "trait": reading.trait,
                "asked": reading.asked,
                "read": reading.read,
            },
            ensure_ascii=False,
        )
        for each in judged
        for reading in each.readings
    ]
    write_text(work.folder / READINGS, "".join(f"{line}\n" for line in lines))


def _list_notes(judged: Sequence[Judged], drawn: Gathered, pairs: Mapping[str, Entry]) -> Iterator[str]:
    if not judged:
        yield (
            "No picture says what it was asked to show, so that no attribute is judged: generate with facts, or name "
            "the release of the prompts in `asked`."
        )
    lost = sum(bool(pairs) and entry.prompt_key not in pairs for entry in drawn.entries)
    if lost:
        yield f"{lost:,} generated pictures were drawn from no caption of `asked`."
