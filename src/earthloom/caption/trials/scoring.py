"""Trials of the checks: captions known to be true or false, made from facts by code, and how well both are told.

Every false caption has a true twin in the same words. Some are hard on purpose, such as numbers in words, names in
lower case and paraphrases: none is left out because a check misses it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal

from earthloom.caption.checks import Check, Known, compile_known, judge
from earthloom.caption.facts import gather
from earthloom.caption.facts.statements import Statements
from earthloom.caption.rules import Wording, write_plain
from earthloom.caption.trials.claims import make_claims
from earthloom.caption.trials.free import make_free_claims
from earthloom.caption.trials.hard import make_hard_claims
from earthloom.caption.trials.records import Record
from earthloom.caption.trials.texts import NO_CAPTIONS
from earthloom.caption.trials.wording import Needs, name_subject
from earthloom.core.records import Scene, Tile

Mode = Literal["open", "closed"]


@dataclass(frozen=True, slots=True)
class Trial:
    """A caption of which it is known whether it is true."""

    text: str
    scene: Scene
    tile: Tile
    is_true: bool
    check: Check | None
    """What is false about it, or would be in its twin; None for the rules' own captions."""
    needs: Needs = "facts"
    """What a true caption rests on: the facts, a text that came with the image, or eyes."""

    def may_stand(self, mode: Mode) -> bool:
        """Tell whether it ought to pass: where nothing beyond the facts may be said, what needs more may not."""
        return self.is_true and (mode == "open" or self.needs == "facts")


@dataclass(frozen=True, slots=True)
class Score:
    """How well false captions are told from true ones; `refused` is the positive answer."""

    n_true: int
    n_false: int
    n_caught: int
    """False ones that were refused."""
    n_accused: int
    """True ones that were refused."""

    @property
    def precision(self) -> float:
        """Share of the refused that are false."""
        refused = self.n_caught + self.n_accused
        return self.n_caught / refused if refused else 1.0

    @property
    def recall(self) -> float:
        """Share of the false that are refused."""
        return self.n_caught / self.n_false if self.n_false else 1.0


def make_trials(records: Iterable[Record], seed: int) -> Iterator[Trial]:
    """Make the trials of some records, the same for the same seed."""
    for i, (scene, tile) in enumerate(records):
        rng = Random(f"{seed} {i}")  # noqa: S311
        said = gather(scene, tile)
        claims = (*make_claims(said, rng), *make_hard_claims(said, scene, rng), *make_free_claims(said, rng))
        for claim in claims:
            yield Trial(claim.true, scene, tile, is_true=True, check=claim.check, needs=claim.needs)
            yield Trial(claim.false, scene, tile, is_true=False, check=claim.check, needs=claim.needs)
        yield from _make_texts(said, scene, tile, rng)
        for _, text in write_plain(Wording(said), 5, seed, tile.id):
            yield Trial(text, scene, tile, is_true=True, check=None)


def _make_texts(said: Statements, scene: Scene, tile: Tile, rng: Random) -> Iterator[Trial]:
    for check, text in rng.sample(NO_CAPTIONS, 2):
        yield Trial(text, scene, tile, is_true=False, check=check)
        true = f"Seen from above, {name_subject(said)} fill the frame of this scene."
        yield Trial(true, scene, tile, is_true=True, check=check)


def score_trials(trials: Iterable[Trial], mode: Mode) -> dict[Check | None, Score]:
    """Judge trials and score them by what they are about; `None` stands for all of them together."""
    tallies: dict[Check | None, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for trial, is_refused in judge_trials(trials, mode):
        may_stand = trial.may_stand(mode)
        at = (0 if may_stand else 1, 3 if may_stand else 2)
        for tally in {None, trial.check}:
            tallies[tally][at[0]] += 1
            tallies[tally][at[1]] += is_refused
    return {check: Score(*tallies[check]) for check in (*Check, None) if check in tallies}


def judge_trials(trials: Iterable[Trial], mode: Mode) -> Iterator[tuple[Trial, bool]]:
    """Give each trial and whether its caption is refused."""
    latest: tuple[Tile, Known] | None = None
    for trial in trials:
        if latest is None or latest[0] is not trial.tile:
            latest = (trial.tile, _compile(trial, mode))
        yield trial, bool(judge(trial.text, latest[1]).faults)


def _compile(trial: Trial, mode: Mode) -> Known:
    texts = [text.text for text in trial.scene.texts]
    said = gather(trial.scene, trial.tile)
    return compile_known(said, sees=True, texts=texts) if mode == "open" else compile_known(said)
