"""Pictures that a set holds more than once, and those that two sets share: equal to the last bit of their features.

One content has one row of features wherever it lies, under whatever name. Contents that an encoder cannot tell apart,
such as two sizes of plain black, count as one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from itertools import combinations

import numpy as np
import numpy.typing as npt

from earthloom.models.encoders.encoder import Features

_WHY = {
    frozenset(
        {"real", "generated"}
    ): "what was to be measured was drawn into the measure, and distances are too small",
    frozenset(
        {"train", "real"}
    ): "the held-out distribution that copies are judged by holds training pictures itself",
    frozenset({"train", "generated"}): "they are copies of training pictures",
}


def list_doubles(features: Mapping[str, Features]) -> Iterator[str]:
    """A sentence for each set with doubles, and for each two sets that share pictures.

    Args:
        features: name of a set to its features by one encoder, N x D, as they were kept: scaled in no way.

    """
    counts = {name: Counter(map(_digest, np.ascontiguousarray(rows))) for name, rows in features.items()}
    for name, held in counts.items():
        yield from _tell_doubles(name, held)
    for one, other in combinations(counts, 2):
        shared = sum(n for content, n in counts[other].items() if content in counts[one])
        if shared and counts[one].keys() != counts[other].keys():  # equal sets are told of by name
            yield (
                f"Of the {counts[other].total():,} pictures of {other}, {shared:,} {_be(shared)} in {one} too, equal "
                f"to the last bit of their features: {_WHY[frozenset({one, other})]}."
            )


def _digest(row: npt.NDArray[np.float64]) -> bytes:
    return blake2b(row.tobytes(), digest_size=16).digest()


def _tell_doubles(name: str, held: Counter[bytes]) -> Iterator[str]:
    doubles, most = held.total() - len(held), max(held.values(), default=0)
    if doubles:
        yield (
            f"Of the {held.total():,} pictures of {name}, {doubles:,} {_be(doubles)} there again, equal to the last "
            f"bit of their features; one is there {most:,} times. Intervals take each for a picture of its own."
        )


def _be(n: int) -> str:
    return "is" if n == 1 else "are"
