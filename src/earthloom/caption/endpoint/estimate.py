"""What asking would cost, before anything is asked.

Every conversation is led as far as the answers in the ledger go; the request at which it stops is missing and known to
the word. What would follow depends on answers that nobody has: it is estimated with stand-ins, an article's summary of
the greatest length and captions that are never any use, so that the sums are upper bounds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from earthloom.caption.asking import Answer, BrokenTalkError, Request, Talk, resume
from earthloom.caption.chat.replies import MAX_SUMMARY
from earthloom.caption.config import ChatSettings
from earthloom.caption.ledger.ledger import Ledger, find_outcome
from earthloom.caption.ledger.prices import cost_of, highest_cost, show_money
from earthloom.caption.ledger.totals import Habit
from earthloom.core.errors import RecordError

_MOST_ROUNDS = 32
"""No conversation asks so often."""
_LETTERS_PER_TOKEN = 4

Stage = Literal["answered", "missing", "later", "repairs"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """Requests of one kind and the most that they take."""

    n_requests: int = 0
    n_pictures: int = 0
    """Requests with a picture."""
    tokens_in: int = 0
    tokens_out: int = 0
    live: float | None = 0.0
    """Price when sent one by one; None where a model has no price."""
    batch: float | None = 0.0
    """Price as batch files."""

    def __add__(self, other: Part) -> Part:
        return Part(
            n_requests=self.n_requests + other.n_requests,
            n_pictures=self.n_pictures + other.n_pictures,
            tokens_in=self.tokens_in + other.tokens_in,
            tokens_out=self.tokens_out + other.tokens_out,
            live=_add(self.live, other.live),
            batch=_add(self.batch, other.batch),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """What is missing, and what it would cost. Equal requests count once, whoever asks."""

    n_talks: int
    """Conversations, one for each tile and author."""
    n_ended: int
    """Those that need no more answers."""
    n_answered: int
    """Requests that the ledger has an answer to, or a failure for good, and that are not asked again."""
    missing: Part
    """Requests that would be sent first."""
    later: Part
    """Requests that wait for the summary of an article."""
    repairs: Part
    """Requests that are sent only where captions fail their checks, if all failed each time: up to so many."""
    expected: Part | None
    """`missing` and `later` as they would turn out if answers were as those in the ledger were on average; None where
    it has none of some model and purpose yet."""
    spent: float
    maybe: float
    """As in `ledger_totals.ModelTotals`: what the ledger has come to so far."""
    budget: float | None

    @property
    def most(self) -> Part:
        """All together."""
        return self.missing + self.later + self.repairs

    def to_text(self) -> str:
        """A table for people, in the currency of the prices."""
        rows = [
            ("", "requests", "pictures", "tokens in", "tokens out", "live", "batch"),
            _row("missing now", self.missing),
            _row("after summaries", self.later),
            _row("repairs, up to", self.repairs),
            _row("at most", self.most),
        ]
        if self.expected is not None:
            rows.append(_row("expected, no repairs", self.expected))
        return "\n".join([*_align(rows), *self._say_standing()])

    def to_json(self) -> dict[str, Any]:
        """The same as JSON; money is null where a model has no price."""
        return asdict(self) | {"most": asdict(self.most)}

    def _say_standing(self) -> Iterator[str]:
        ended = f"Conversations: {self.n_talks:,}, at their end: {self.n_ended:,}"
        yield f"{ended}; requests answered: {self.n_answered:,}."
        unsure = f" (and up to {show_money(self.maybe)} for requests never answered)" if self.maybe else ""
        budget = "no budget" if self.budget is None else f"budget {show_money(self.budget)}"
        yield f"Spent so far: {show_money(self.spent)}{unsure}; {budget}."


def estimate(talks: Iterable[Talk], ledger: Ledger, settings: ChatSettings) -> Estimate:
    """Count what is missing for `talks` and what it would cost; nothing is sent, nothing written.

    Requests to local models, which cost nothing, are left out.
    """
    counting = _Counting(ledger, settings)
    n_talks = n_ended = 0
    for talk in talks:
        n_talks += 1
        n_ended += counting.add(talk)
    totals = ledger.totals()
    return Estimate(
        n_talks=n_talks,
        n_ended=n_ended,
        n_answered=counting.n_answered,
        missing=counting.parts["missing"],
        later=counting.parts["later"],
        repairs=counting.parts["repairs"],
        expected=counting.expected,
        spent=totals.spent,
        maybe=totals.maybe,
        budget=settings.limits.budget,
    )


class _Counting:
    """Sums over conversations, each request once."""

    def __init__(self, ledger: Ledger, settings: ChatSettings) -> None:
        self._ledger = ledger
        self._live = settings.model_copy(update={"batch": False})
        self._batch = settings.model_copy(update={"batch": True})
        self._habits = ledger.habits()
        self._factors = {model: ledger.factor(model) for model in settings.models}
        self._seen: set[bytes] = set()
        self.n_answered = 0
        self.parts: dict[str, Part] = {"missing": Part(), "later": Part(), "repairs": Part()}
        self.expected: Part | None = Part()

    def add(self, talk: Talk) -> bool:
        """Add what a conversation asks for; True where it needs no more answers."""
        has_ended = True
        for request, stage in _explore(talk, self._ledger):
            if request.author != "chat":
                continue
            has_ended &= stage == "answered"
            digest = bytes.fromhex(request.key)
            if digest not in self._seen:
                self._seen.add(digest)
                self._add(request, stage)
        return has_ended

    def _add(self, request: Request, stage: Stage) -> None:
        if stage == "answered":
            self.n_answered += 1
            return
        if stage == "repairs":  # what failed is quoted in it, which the stand-in has nothing of
            request = replace(request, tokens_in=request.tokens_in + request.tokens_out)
        self.parts[stage] += self._bound(request)
        if stage != "repairs" and self.expected is not None:
            habit = self._habits.get((request.model, request.purpose))
            self.expected = None if habit is None else self.expected + self._expect(request, habit)

    def _bound(self, request: Request) -> Part:
        factor = self._factors.get(request.model, 1.0)
        return Part(
            n_requests=1,
            n_pictures=int(request.picture is not None),
            tokens_in=round(request.tokens_in * factor),
            tokens_out=request.tokens_out,
            live=self._money(request, highest_cost(request, self._live, factor)),
            batch=self._money(request, highest_cost(request, self._batch, factor)),
        )

    def _expect(self, request: Request, habit: Habit) -> Part:
        tokens_in, tokens_out = round(request.tokens_in * habit.ratio_in), round(habit.tokens_out)
        answer = Answer(text="", tokens_in=tokens_in, tokens_out=tokens_out)
        return Part(
            n_requests=1,
            n_pictures=int(request.picture is not None),
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            live=self._money(request, cost_of(request, answer, self._live)),
            batch=self._money(request, cost_of(request, answer, self._batch)),
        )

    def _money(self, request: Request, cost: float) -> float | None:
        return cost if request.model in self._live.prices else None


def _explore(talk: Talk, ledger: Ledger) -> Iterator[tuple[Request, Stage]]:
    """The requests of a conversation: those with an answer, the first without, and what may follow."""
    conversation = talk.start()
    outcome: Answer | RecordError | None = None
    is_known = True
    try:
        for _ in range(_MOST_ROUNDS):
            request = resume(conversation, outcome)
            outcome = find_outcome(request, ledger) if is_known else None
            if outcome is not None:
                yield request, "answered"
                continue
            yield request, _name_stage(request, is_first=is_known)
            is_known = False
            outcome = _stand_in(request)
    except (StopIteration, RecordError, BrokenTalkError):
        return
    finally:
        conversation.close()


def _name_stage(request: Request, *, is_first: bool) -> Stage:
    if is_first:
        return "missing"
    return "repairs" if request.purpose == "repair" else "later"


def _stand_in(request: Request) -> Answer:
    """The longest summary that is taken, or captions that are no use, so that repairs are asked for."""
    if request.purpose != "summary":
        return Answer(text="")
    n_letters = min(request.tokens_out * _LETTERS_PER_TOKEN, MAX_SUMMARY)
    words = " ".join(
        f"feature {index} lies north of feature {index + 1};" for index in range(n_letters // 30 + 1)
    )
    return Answer(text=words[:n_letters])


def _add(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first + second


def _row(name: str, part: Part) -> tuple[str, ...]:
    counts = (part.n_requests, part.n_pictures, part.tokens_in, part.tokens_out)
    return (name, *(f"{count:,}" for count in counts), show_money(part.live), show_money(part.batch))


def _align(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
        yield "  ".join((first.ljust(widths[0]), *cells))
