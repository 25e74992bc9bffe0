"""Near copies: whether generated pictures are training pictures again, brighter, compressed, mirrored or turned.

Features of a network bring pictures together that show the same kind of ground; patterns of thumbnails and perceptual
hashes do so for pictures of one ground alone. Each has a bound of its own under which two pictures are one; what real
pictures come to by the same bound, which the generator has not seen, is the floor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from earthloom.core.seeds import make_rng
from earthloom.evaluate.gathering import Gathered
from earthloom.evaluate.generation.copying import Pairs, Share, tell_share
from earthloom.evaluate.generation.pixels import PHASH, PIXELS, THUMBNAIL, PixelEncoder
from earthloom.evaluate.generation.spaces import Draws, draw_rows
from earthloom.evaluate.result import Figure
from earthloom.metrics import phash
from earthloom.metrics.neighbours import PERCENTILES, Nearest
from earthloom.metrics.patterns import COPY_DISTANCE, Patterns, find_nearest_patterns, make_patterns
from earthloom.metrics.phash import COPY_BITS, find_nearest_turned_hashes
from earthloom.models.encoders.encoder import Features, name_encoder

MOST = 5_000
"""Real pictures behind a floor, and training pictures whose nearest other one is searched: enough for percentiles."""
Distances = tuple[npt.NDArray[Any], npt.NDArray[Any]]
"""From generated and from real pictures to the nearest training picture, or bits."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NearCopies:
    """How many generated pictures are training pictures again."""

    figures: tuple[Figure, ...]
    pairs: tuple[Pairs, ...]
    """To be shown."""


def find_near_copies(
    real: Gathered, generated: Gathered, train: Gathered, groups: Sequence[str], draws: Draws
) -> NearCopies:
    """Look for every generated picture in the training set, by patterns and by hashes, in all eight turns.

    Args:
        real: that the generator has not seen; what they come to is the floor.
        generated: what is judged.
        train: what the generator learned from. All three are described by `PIXELS`.
        groups: of the generated pictures, what is drawn whole for intervals.
        draws: of the intervals, and of the real and training pictures where there are more than `MOST`.

    """
    name = name_encoder(THUMBNAIL)
    made, fresh, learned = (make_patterns(each.features[name]) for each in (generated, real, train))
    if not len(made.rows) or not len(fresh.rows) or len(learned.rows) < 2:
        why = "the pictures of a set are flat: there is nothing to tell one from another by"
        return NearCopies(
            figures=tuple(
                Figure(name="near_copies", value=None, encoder=name_encoder(each), reason=why)
                for each in PIXELS
            ),
            pairs=(),
        )
    fresh = fresh.take(_draw(len(fresh.rows), draws, "real"))
    sets = _Sets(
        made=made,
        fresh=fresh,
        learned=learned,
        groups=tuple(groups[row] for row in made.rows),
        grounds=tuple(train.groups[row] for row in learned.rows),
        draws=draws,
    )
    by_pattern = _judge_patterns(sets)
    by_hash = _judge_hashes(sets, *(each.features[name_encoder(PHASH)] for each in (generated, real, train)))
    return NearCopies(
        figures=(*by_pattern.figures, *by_hash.figures), pairs=(*by_pattern.pairs, *by_hash.pairs)
    )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Sets:
    """What is compared."""

    made: Patterns
    fresh: Patterns
    learned: Patterns
    groups: tuple[str, ...]
    """Of those that were made."""
    grounds: tuple[str, ...]
    """Of those that were learned from."""
    draws: Draws

    def tell(self, name: str, encoder: PixelEncoder, found: Distances, within: float) -> Figure:
        """How many are as near to a training picture as `within`."""
        drawn, fresh = found
        details = {
            "within": within,
            "n_flat": self.made.n_flat,
            "n_flat_train": self.learned.n_flat,
            "generated_percentiles": np.percentile(drawn, PERCENTILES).tolist(),
            "real_percentiles": np.percentile(fresh, PERCENTILES).tolist(),
        }
        share = Share(
            name=name,
            flags=drawn <= within,
            better="lower",
            floor=float((fresh <= within).mean()),
            details=details,
        )
        return tell_share(share, self.groups, name_encoder(encoder), len(self.learned.rows), self.draws)

    def pair(self, order: npt.NDArray[np.int64], partners: npt.NDArray[np.int64], **told: Any) -> Pairs:
        """Pictures in an order, given by their places among those with a pattern."""
        return Pairs(rows=self.made.rows[order], partners=self.learned.rows[partners[order]], **told)


def _judge_patterns(sets: _Sets) -> NearCopies:
    drawn, fresh = (find_nearest_patterns(each, sets.learned) for each in (sets.made, sets.fresh))
    both = (drawn.distance, fresh.distance)
    first = float(np.percentile(_search_within(sets).distance, 1))
    figures = (
        sets.tell("near_copies", THUMBNAIL, both, COPY_DISTANCE),
        sets.tell("copied", THUMBNAIL, both, first),
    )
    order = np.argsort(drawn.distance, kind="stable")
    pairs = sets.pair(
        order,
        drawn.index,
        title="Nearest training pictures, by thumbnails",
        note=f"In any of eight turns, the nearest first; up to {COPY_DISTANCE:g} two pictures count as one.",
        labels=tuple(f"distance {distance:.3g}" for distance in drawn.distance[order]),
    )
    return NearCopies(figures=figures, pairs=(pairs,))


def _judge_hashes(sets: _Sets, made: Features, fresh: Features, learned: Features) -> NearCopies:
    drawn, floor = (
        find_nearest_turned_hashes(each, learned[sets.learned.rows])
        for each in (made[sets.made.rows], fresh[sets.fresh.rows])
    )
    figure = sets.tell("near_copies", PHASH, (drawn.bits, floor.bits), COPY_BITS)
    order = np.argsort(drawn.bits, kind="stable")[: int((drawn.bits <= COPY_BITS).sum())]
    pairs = sets.pair(
        order,
        drawn.index,
        title="Near copies, by perceptual hash",
        note=f"In any of eight turns, the nearest first; up to {COPY_BITS} bits two pictures count as one.",
        labels=tuple(f"{bits} of {phash.WIDTH} bits" for bits in drawn.bits[order]),
    )
    return NearCopies(figures=(figure,), pairs=(pairs,) if len(order) else ())


def _search_within(sets: _Sets) -> Nearest:
    """The nearest training picture of another ground, of some; of any other picture where all are of one ground."""
    names, owners = np.unique(np.asarray(sets.grounds, np.str_), return_inverse=True)
    numbers = np.asarray(owners if len(names) > 1 else np.arange(len(owners)), np.int64)
    chosen = _draw(len(numbers), sets.draws, "train")
    return find_nearest_patterns(sets.learned.take(chosen), sets.learned, (numbers[chosen], numbers))


def _draw(n: int, draws: Draws, purpose: str) -> npt.NDArray[np.int64]:
    return draw_rows(n, MOST, make_rng(draws.seed, "pixels", purpose))
