"""Held-out trials: patterns that were written, and frozen, before anybody looked at how the checks read captions.

The other trials grew together with the checks, so what they measure flatters them. These imitate what GPT-4o,
LLaVA, BLIP-2 and the annotators of RSICD, RSITMD, NWPU-Captions and GAIA write; where a pattern has two readings,
a record is given both. A check may be mended because of what is found here; a pattern may not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from string import Formatter

from earthloom.caption.checks import Check
from earthloom.caption.trials.heldout_patterns import FALSE, PAIRS, TRUE
from earthloom.caption.trials.heldout_slots import Slots, fill_slots, vary_record
from earthloom.caption.trials.records import Record, make_trial_records
from earthloom.caption.trials.scoring import Trial

N_RECORDS = 540
N_OF_A_PAIR = 8
N_OF_TRUE = 10
N_OF_FALSE = 8
_READINGS = re.compile(r"\[([^|\]]*)\|([^\]]*)\]")


@dataclass(frozen=True, slots=True)
class Heldout:
    """A trial and the pattern that it was made of."""

    pattern: str
    trial: Trial


def make_heldout_trials(seed: int) -> Iterator[Heldout]:
    """Make the trials, about as many true as false ones; a pattern is given to records drawn for it."""
    rng = Random(f"held out {seed}")  # noqa: S311
    records = [vary_record(record, rng) for record in make_trial_records(N_RECORDS, seed)]
    filled = [(record, fill_slots(record, rng)) for record in records]
    for check, patterns in PAIRS.items():
        for pattern in patterns:
            for record, slots in _choose(pattern, filled, N_OF_A_PAIR, rng):
                yield Heldout(pattern, _make(pattern, record, slots, check, is_true=True))
                yield Heldout(pattern, _make(pattern, record, slots, check, is_true=False))
    for pattern in TRUE:
        for record, slots in _choose(pattern, filled, N_OF_TRUE, rng):
            yield Heldout(pattern, _make(pattern, record, slots, None, is_true=True))
    for check, patterns in FALSE.items():
        for pattern in patterns:
            for record, slots in _choose(pattern, filled, N_OF_FALSE, rng):
                yield Heldout(pattern, _make(pattern, record, slots, check, is_true=False))


def _choose(
    pattern: str, filled: list[tuple[Record, Slots]], n: int, rng: Random
) -> list[tuple[Record, Slots]]:
    """Draw up to `n` records that have all slots of a pattern."""
    needed = {name for _, name, _, _ in Formatter().parse(pattern) if name is not None}
    able = [(record, slots) for record, slots in filled if needed <= slots.keys()]
    return rng.sample(able, min(n, len(able)))


def _make(pattern: str, record: Record, slots: Slots, check: Check | None, *, is_true: bool) -> Trial:
    reading = _READINGS.sub(r"\1" if is_true else r"\2", pattern).format(**slots)
    text = reading[:1].upper() + reading[1:] if "{if_" in pattern or pattern[:1] in "[{" else reading
    return Trial(text, *record, is_true=is_true, check=check, needs="eyes")
