"""Candidates beside their references: which n-grams they share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from earthloom.metrics.words.ngrams import ORDERS, GramTable
from earthloom.metrics.words.sorting import Ints, find_runs, sort_keys, spread

Numbers = npt.NDArray[np.int64] | npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Matches:
    """N candidates and M references in a table of n-grams, and the K pairs of rows that hold the same one."""

    table: GramTable
    candidate: Ints
    """N sentences."""
    reference: Ints
    """M sentences."""
    owner: Ints
    """M, the candidate that each reference is of."""
    own_row: Ints
    """Rows of all candidates, one candidate after the other."""
    own_place: Ints
    """The candidate of each."""
    n_holding: Ints
    """For each n-gram, candidates whose references hold it."""
    hit: Ints
    """K places in `own_row`."""
    hit_row: Ints
    """K rows of references."""
    hit_reference: Ints
    """K references, 0 to M - 1."""

    @property
    def n(self) -> int:
        """Candidates."""
        return len(self.candidate)

    @property
    def n_references(self) -> Ints:
        """N, of each candidate."""
        return np.bincount(self.owner, minlength=self.n)

    @property
    def hit_order(self) -> Ints:
        """K, n - 1 of the shared n-gram."""
        return self.table.order[self.table.gram[self.hit_row]]


def match_grams(table: GramTable, candidate: Ints, reference: Ints, owner: Ints) -> Matches:
    """Find the n-grams that candidates share with their own references."""
    own_row, own_place = table.rows_of(candidate)
    row, place = table.rows_of(reference)
    n_grams = max(1, table.n_grams)
    own_key = own_place * n_grams + table.gram[own_row]
    ordered, at = sort_keys(owner[place] * n_grams + table.gram[row], len(candidate) * n_grams)
    runs = find_runs(ordered)
    held = ordered[runs[:-1]]
    found = np.searchsorted(held, own_key)
    shared = np.flatnonzero(np.append(held, -1)[found] == own_key)
    times = np.diff(runs)[found[shared]]
    hit = at[spread(runs[found[shared]], times)]
    return Matches(
        table=table,
        candidate=candidate,
        reference=reference,
        owner=owner,
        own_row=own_row,
        own_place=own_place,
        n_holding=np.bincount(held % n_grams, minlength=table.n_grams),
        hit=np.repeat(shared, times),
        hit_row=row[hit],
        hit_reference=place[hit],
    )


def sum_orders(place: Ints, order: Ints, n: int, values: Numbers) -> npt.NDArray[np.float64]:
    """Sums of values by place and order: n x 4."""
    sums = np.bincount(place * ORDERS + order, weights=values, minlength=n * ORDERS)
    return np.asarray(sums.reshape(n, ORDERS), np.float64)
