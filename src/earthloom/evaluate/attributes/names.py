"""Traits that are names: whether the class, the scene or the modality is the one that was asked for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from earthloom.evaluate.attributes.readings import (
    LEAST_GROUPS,
    LEAST_PICTURES,
    Agreement,
    Judgement,
    Readings,
    Resampling,
    Telling,
    Unjudged,
    average,
)
from earthloom.evaluate.attributes.traits import Name, Sample, list_names, match_names
from earthloom.evaluate.result import Figure, Table
from earthloom.metrics.bootstrap import bootstrap
from earthloom.metrics.probe import cross_validate, fit_probe

_NEAR_NULL = 0.1
"""A ceiling so near the null says that the probe cannot read the trait."""
_NAMED = 10
"""Names that a message lists."""


def judge_name(
    trait: Name, real: Sample, generated: Sample, *, folds: int, seed: int
) -> Judgement[np.str_] | Unjudged:
    """Read a name in generated pictures, and in real ones by probes that saw nothing of their ground.

    Args:
        trait: which.
        real: real pictures, with what they show.
        generated: generated ones, with what was asked for.
        folds: of the cross-validation over grounds.
        seed: of the folds.

    """
    names = list_names(real.traits, trait)
    learned = _find_learned(names, real.groups)
    if len(learned) < 2:
        return Unjudged(trait=trait, reason=_explain_lack(learned))
    asked = list_names(generated.traits, trait)
    wanted = match_names(asked, learned)
    rows = _rows_of(wanted)
    if not len(rows):
        return Unjudged(
            trait=trait, reason=f"no picture was asked for what real ones teach: {_list(learned)}"
        )
    known = real.take(_rows_of([name if name in learned else None for name in names]))
    labels = np.array(list_names(known.traits, trait), np.str_)
    seen = Readings(
        rows=np.arange(len(labels)),
        wanted=labels,
        read=cross_validate(known.features, labels, known.groups, folds, seed).predicted,
        groups=known.groups,
    )
    questions = np.array([wanted[row] for row in rows], np.str_)
    return Judgement(
        trait=trait,
        generated=Readings(
            rows=rows,
            wanted=questions,
            read=fit_probe(known.features, labels).predict(generated.features[rows]),
            groups=tuple(generated.groups[row] for row in rows),
        ),
        real=seen.take(np.isin(labels, questions)),
        n_learned=len(labels),
        n_unlearned=sum(name is not None for name in asked) - len(rows),
    )


def list_name_figures(judged: Judgement[np.str_], encoder: str, resampling: Resampling) -> list[Figure]:
    """Balanced accuracy over the names that were asked for, and the share of each that shows it."""
    telling = Telling(judgement=judged, encoder=encoder)
    names = _list_asked(judged)
    found, ceiling = (balance(readings, resampling) for readings in (judged.generated, judged.real))
    whole = telling.tell(
        f"faithful:{judged.trait}",
        found,
        ceiling,
        null=1 / len(names),
        better="higher",
        reason=_doubt(len(names), ceiling.value),
        details={
            "accuracy": float((judged.generated.read == judged.generated.wanted).mean()),
            "accuracy_held_out": float((judged.real.read == judged.real.wanted).mean()),
        },
    )
    if len(names) < 2:
        return [whole]
    return [whole, *(_tell_name(judged, name, encoder, resampling) for name in names)]


def tabulate(judged: Judgement[np.str_]) -> list[Table]:
    """What was read against what was asked for, of generated pictures and of real ones that were held out."""
    columns = sorted({*judged.real.read.tolist(), *judged.generated.read.tolist(), *_list_asked(judged)})
    return [
        Table(
            title=f"{judged.trait}: {of}",
            columns=(head, *columns),
            rows=tuple(_count_row(readings, name, columns) for name in _list_asked(judged)),
            note="Share of the pictures of a row in which the probe reads the name of a column.",
            is_matrix=True,
        )
        for readings, of, head in (
            (judged.generated, "generated pictures", "asked for"),
            (judged.real, "real pictures, held out", "shown"),
        )
    ]


def _tell_name(judged: Judgement[np.str_], name: str, encoder: str, resampling: Resampling) -> Figure:
    """Share of those asked for one name that show it; the null is how often it is read in any of them."""
    one = Judgement(
        trait=judged.trait,
        generated=judged.generated.take(judged.generated.wanted == name),
        real=judged.real.take(judged.real.wanted == name),
        n_learned=judged.n_learned,
    )
    found, ceiling = (
        average(readings.read == name, readings.groups, resampling) for readings in (one.generated, one.real)
    )
    assert found is not None  # a name that was asked for has pictures
    return Telling(judgement=one, encoder=encoder).tell(
        f"faithful:{judged.trait}",
        found,
        ceiling,
        null=float((judged.generated.read == name).mean()),
        group=name,
        better="higher",
    )


def balance(readings: Readings[np.str_], resampling: Resampling) -> Agreement:
    """Balanced accuracy; groups are drawn anew, and a name that a draw lacks does not count in it."""
    classes, index = np.unique(readings.wanted, return_inverse=True)
    owners, owner = np.unique(np.array(readings.groups, np.str_), return_inverse=True)
    hits, counts = np.zeros((2, len(owners), len(classes)))
    np.add.at(counts, (owner, index), 1)
    np.add.at(hits, (owner, index), readings.read == readings.wanted)

    def measure(rows: npt.NDArray[np.int64]) -> float:
        n = counts[rows].sum(axis=0)
        return float((hits[rows].sum(axis=0)[n > 0] / n[n > 0]).mean())

    interval = None
    if len(owners) > 1:
        interval = bootstrap(
            measure,
            len(owners),
            resamples=resampling.resamples,
            seed=resampling.seed,
            level=resampling.level,
        )
    return Agreement(value=measure(np.arange(len(owners))), interval=interval, n_groups=len(owners))


def _doubt(n_names: int, ceiling: float) -> str | None:
    if n_names < 2:
        return "one name alone was asked for: one answer for all is right"
    if ceiling < 1 / n_names + _NEAR_NULL:
        return "the probe hardly reads this in real pictures either"
    return None


def _count_row(
    readings: Readings[np.str_], name: str, columns: Sequence[str]
) -> tuple[str | float | int | None, ...]:
    read = readings.read[readings.wanted == name]
    return f"{name} ({len(read):,})", *(float((read == column).mean()) for column in columns)


def _list_asked(judged: Judgement[np.str_]) -> list[str]:
    return sorted(set(judged.generated.wanted.tolist()))


def _find_learned(names: Sequence[str | None], groups: Sequence[str]) -> list[str]:
    """Names with enough pictures and grounds, sorted."""
    counts = Counter(name for name in names if name is not None)
    grounds = defaultdict(set)
    for name, group in zip(names, groups, strict=True):
        grounds[name].add(group)
    return sorted(
        name for name, n in counts.items() if n >= LEAST_PICTURES and len(grounds[name]) >= LEAST_GROUPS
    )


def _explain_lack(learned: Sequence[str]) -> str:
    return (
        f"wants real pictures of two names or more, {LEAST_PICTURES} pictures and {LEAST_GROUPS} grounds of each; "
        f"they teach {f'only {learned[0]}' if learned else 'none'}"
    )


def _rows_of(names: Sequence[str | None]) -> npt.NDArray[np.int64]:
    return np.array([row for row, name in enumerate(names) if name is not None], np.int64)


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    return f"{shown} and {len(names) - _NAMED} more" if len(names) > _NAMED else shown
