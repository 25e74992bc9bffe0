"""Two evaluations of pictures from the same prompts, held against each other prompt by prompt.

Easy and hard prompts weigh on both alike, so a difference is told apart from chance with fewer pictures than two
intervals beside each other need.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from earthloom.core.errors import UsageError
from earthloom.evaluate.attributes.measuring import READINGS
from earthloom.metrics.bootstrap import Estimate, bootstrap

_FEWEST = 20
"""Prompts below which nothing is said of a difference."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """Whether a picture shows what its prompt asked for, as a probe reads it."""

    asked: str
    is_shown: bool


def read_verdicts(folder: Path, trait: str) -> dict[str, Verdict]:
    """The verdicts of an evaluation by prompt: of several pictures of one prompt, the first by name.

    Args:
        folder: of the evaluation; where it judged no attributes, there are none.
        trait: one that is a name, such as `scene`.

    Raises:
        UsageError: the file of readings cannot be read.

    """
    path = folder / READINGS
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
        chosen = sorted(
            (row for row in rows if row["trait"] == trait), key=lambda row: row["key"], reverse=True
        )
        return {
            row["prompt"]: Verdict(asked=row["asked"], is_shown=row["asked"] == row["read"]) for row in chosen
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is no list of readings: {error}.") from error


def compare_verdicts(
    first: Mapping[str, Verdict], second: Mapping[str, Verdict], *, resamples: int, seed: int, level: float
) -> Estimate | None:
    """Balanced accuracy of the second less that of the first over the prompts that both have; None for too few.

    Each prompt counts by one over how often its answer is asked for, so that every answer weighs alike however many
    prompts ask for it; prompts are drawn with replacement.
    """
    shared = sorted(first.keys() & second.keys())
    if len(shared) < _FEWEST:
        return None
    asked = np.array([first[prompt].asked for prompt in shared], np.str_)
    gains = np.array([second[prompt].is_shown - first[prompt].is_shown for prompt in shared], np.float64)

    def balance(rows: npt.NDArray[np.int64]) -> float:
        return float((gains[rows] * _weigh(asked[rows].tolist())).mean())

    n = len(shared)
    interval = bootstrap(balance, n, resamples=resamples, seed=seed, level=level)
    return Estimate(value=balance(np.arange(n)), interval=interval, n=n, n_units=n)


def _weigh(asked: Sequence[str]) -> npt.NDArray[np.float64]:
    """N weights with the mean 1, equal in sum for every answer."""
    counts = Counter(asked)
    return np.array([len(asked) / (len(counts) * counts[answer]) for answer in asked])
