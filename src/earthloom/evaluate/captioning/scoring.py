"""Captions to figures: scores with their intervals, beside dealt captions and beside people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from earthloom.core.errors import UsageError
from earthloom.evaluate.averages import average, resample
from earthloom.evaluate.captioning.config import CaptioningRecipe
from earthloom.evaluate.captioning.meteor import Meteor, find_meteor, open_meteor
from earthloom.evaluate.result import Figure
from earthloom.evaluate.sets import Entry
from earthloom.metrics.words import NAMES, Captioning, measure_captions, tokenize
from earthloom.metrics.words.bleu import bleu

Indices = npt.NDArray[np.int64]
Score = Callable[[Sequence[str], Sequence[Sequence[str]]], dict[str, float]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pairing:
    """N captions and what people said of the same pictures."""

    entries: tuple[Entry, ...]
    candidates: tuple[str, ...]
    references: tuple[tuple[str, ...], ...]

    @property
    def groups(self) -> list[str]:
        """N, what is drawn together for intervals."""
        return [entry.group for entry in self.entries]


def score_words(pairing: Pairing, recipe: CaptioningRecipe, rng: np.random.Generator) -> Iterator[Figure]:
    """BLEU-1 to BLEU-4, ROUGE-L and CIDEr-D."""
    found = measure_captions(pairing.candidates, pairing.references)
    null = _score_dealt(pairing, _score_all, rng, recipe.shuffles)
    ceiling = _score_people(pairing, _score_all)
    for order, name in enumerate(NAMES):
        more: dict[str, Any] = {
            "better": "higher",
            "null": null.get(name),
            "ceiling": ceiling.get(name),
            "details": {"n_references": found.n_references},
            "reason": "one picture: all weights of words are 0"
            if name == "cider_d" and found.n == 1
            else None,
        }
        if name.startswith("bleu"):
            yield resample(name, _Bleu(found, order), pairing.groups, recipe, **more)
        else:
            each = found.rouge_l_each if name == "rouge_l" else found.cider_d_each
            yield average(name, each, pairing.groups, recipe, **more)


def score_meteor(pairing: Pairing, recipe: CaptioningRecipe, rng: np.random.Generator) -> Iterator[Figure]:
    """METEOR, or why there is none. Raises UsageError where a recipe insists on it and Java is missing."""
    if recipe.meteor is False:
        return
    try:
        jar = find_meteor()
    except UsageError as error:
        if recipe.meteor is True:
            raise
        yield Figure(name="meteor", value=None, better="higher", reason=str(error))
        return
    with open_meteor(jar) as meteor:
        score = _Meteor(meteor)
        value = score(pairing.candidates, pairing.references)["meteor"]
        yield Figure(
            name="meteor",
            value=value,
            better="higher",
            n=len(pairing.candidates),
            null=_score_dealt(pairing, score, rng, 1).get("meteor"),
            ceiling=_score_people(pairing, score).get("meteor"),
        )


class _Bleu:
    """BLEU-n of a choice of pictures."""

    def __init__(self, found: Captioning, order: int) -> None:
        self._counts = found.bleu_counts
        self._order = order

    def __call__(self, chosen: Indices) -> float:
        return float(bleu(self._counts[chosen].sum(axis=0))[self._order])


class _Meteor:
    """METEOR as a score among others."""

    def __init__(self, meteor: Meteor) -> None:
        self._meteor = meteor

    def __call__(self, candidates: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, float]:
        truth = [[tokenize(one) for one in group] for group in references]
        return {"meteor": self._meteor.score([tokenize(one) for one in candidates], truth).value}


def _score_all(candidates: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, float]:
    found = measure_captions(candidates, references)
    return found.of(np.arange(found.n))


def _score_dealt(pairing: Pairing, score: Score, rng: np.random.Generator, times: int) -> dict[str, float]:
    """The same captions dealt to other pictures, on average; nothing for a single picture."""
    n = len(pairing.candidates)
    if n < 2:
        return {}
    return _average([
        score([pairing.candidates[i] for i in _deal(n, rng)], pairing.references) for _ in range(times)
    ])  # fmt: skip


def _deal(n: int, rng: np.random.Generator) -> list[int]:
    """An order in which nothing stays at its place: along one random circle."""
    circle = rng.permutation(n)
    dealt = np.empty(n, np.int64)
    dealt[circle] = np.roll(circle, 1)
    return dealt.tolist()


def _score_people(pairing: Pairing, score: Score) -> dict[str, float]:
    """Each reference against the others of its picture, on average over the first ones, the second ones, ..."""
    groups = [group for group in pairing.references if len(group) > 1]
    rounds = []
    for place in range(max(map(len, groups), default=0)):
        held = [group for group in groups if len(group) > place]
        rounds.append(
            score([group[place] for group in held], [group[:place] + group[place + 1 :] for group in held])
        )
    return _average(rounds)


def _average(rounds: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([one[name] for one in rounds])) for name in rounds[0]} if rounds else {}
