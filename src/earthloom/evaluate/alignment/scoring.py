"""CLIPScore of pairs, beside the same texts dealt to other pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from earthloom.evaluate.alignment.config import AlignmentRecipe
from earthloom.evaluate.alignment.pairs import Pair
from earthloom.evaluate.duals import OpenDual, see
from earthloom.evaluate.sets import Entry
from earthloom.evaluate.work import Work
from earthloom.metrics.clip_score import ClipScore, measure_clip_score
from earthloom.metrics.dealing import spell_key


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Scored:
    """Pairs whose pictures could be used, with their scores."""

    pairs: tuple[Pair, ...]
    """N."""
    score: ClipScore
    tokens: npt.NDArray[np.int64]
    """N, of each text with its prefix."""
    n_long: int
    """Texts that took more than one window."""

    @property
    def entries(self) -> list[Entry]:
        """The pictures, each once."""
        return list({id(pair.entry): pair.entry for pair in self.pairs}.values())

    @property
    def grounds(self) -> list[str]:
        """N, what is drawn together for intervals."""
        return [pair.ground for pair in self.pairs]

    @property
    def lifts(self) -> npt.NDArray[np.float64]:
        """N, score less null; not a number where there is none."""
        return self.score.scores - self.score.null_scores


def score_pairs(pairs: Sequence[Pair], dual: OpenDual, recipe: AlignmentRecipe, work: Work) -> Scored:
    """Score pairs; those whose picture cannot be used are on record.

    Raises:
        RunError: no picture can be used.
        UsageError: the prefix leaves no room for a text.

    """
    entries = list({id(pair.entry): pair.entry for pair in pairs}.values())
    kept, pictures = see(entries, dual, work, recipe.cache)
    rows = {id(entry): row for row, entry in enumerate(kept)}
    usable = [pair for pair in pairs if id(pair.entry) in rows]
    work.tell("reading texts")
    texts = dual.describe_texts([pair.text for pair in usable], recipe.prefix)
    score = measure_clip_score(
        pictures[[rows[id(pair.entry)] for pair in usable]],
        texts.features,
        [spell_key(pair.text) for pair in usable],
        strata=[pair.stratum for pair in usable],
        weight=recipe.weight,
        draws=recipe.draws,
        seed=recipe.seed,
    )
    return Scored(pairs=tuple(usable), score=score, tokens=texts.tokens, n_long=texts.n_long)
