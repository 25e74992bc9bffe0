"""A model on this machine as the author of captions: its files looked at before, its answers got in batches."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

from earthloom.caption.asking import Answer, Asked, BrokenTalkError, Conversation, Request, Talk, resume
from earthloom.caption.config import LocalSettings
from earthloom.caption.ledger import Ledger, find_outcome
from earthloom.caption.ledger.rows import Outcome
from earthloom.core.errors import Fault, RecordError, RunError, UsageError
from earthloom.core.ids import hash_bytes
from earthloom.core.images import decode_image, to_rgb
from earthloom.core.records import Reason

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from earthloom.models.captioners.captioner import Batches, Captioner, Spoken, Unspoken

_log = logging.getLogger(__name__)

_GIVE_UP_AFTER = 50
"""Pictures in a row that the model breaks on: it is at fault, not they."""


def fingerprint_local(settings: LocalSettings) -> str:
    """Fingerprint of the model's files and, after a `+`, of the LoRA weights; torch is not loaded.

    Raises UsageError where something is missing.
    """
    from earthloom.models.captioners.loading import fingerprint_captioner

    return fingerprint_captioner(
        settings.model,
        revision=settings.revision,
        adapter=settings.adapter,
        trust_pickles=settings.trust_pickles,
    )


def check_local(settings: LocalSettings) -> list[Fault]:
    """What is wrong with the settings, as far as it shows without loading the model. Paths are absolute."""
    from earthloom.models.captioners.families import check_prompt
    from earthloom.models.captioners.files import find_model
    from earthloom.models.weights.adapters import find_adapter

    wanted = ("torch", "transformers", "safetensors", *(("peft",) if settings.adapter is not None else ()))
    missing = [name for name in wanted if find_spec(name) is None]
    if missing:
        problem = f"a local model wants {', '.join(missing)}, not installed."
        return [Fault(place="caption.blip2", problem=problem, remedy="pip install 'earthloom[models]'")]

    def check_files() -> None:
        files = find_model(settings.model, settings.revision, trust_pickles=settings.trust_pickles)
        check_prompt(files, settings.prompt)

    def check_adapter() -> None:
        if settings.adapter is not None:
            find_adapter(settings.adapter, trust_pickles=settings.trust_pickles)

    faults = []
    for name, check in (("model", check_files), ("adapter", check_adapter)):
        try:
            check()
        except UsageError as error:
            faults.append(Fault(place=f"caption.blip2.{name}", problem=str(error), remedy=""))
    return faults


def ask_local(
    talks: Iterable[Talk], ledger: Ledger, settings: LocalSettings, *, advance: Callable[[int], None]
) -> Asked:
    """Lead conversations to their ends with answers of the ledger and, where one is missing, of the model.

    The model is loaded for the first question without an answer, and not at all where there is none. A batch's answers
    are on the disk before the next begins, so that whoever stops the run loses one batch.

    Args:
        talks: one for each tile.
        ledger: open for writing.
        settings: of the model.
        advance: told 1 for each talk that ended, well or badly.

    Raises:
        UsageError: the model is not there, or does not fit.
        RunError: its files changed since the run was planned, or it breaks on picture after picture.

    """
    driver = _Driver(ledger, settings, advance)
    for talk in talks:
        driver.take(talk)
    driver.flush()
    return Asked(n_sent=driver.n_sent, n_answered=driver.n_answered, n_failed=driver.n_failed)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A question without an answer, and who asks it: tiles with the same picture ask the same."""

    request: Request
    talk: Talk
    conversations: list[Conversation] = field(default_factory=list)


class _Driver:
    """Gathers questions until a batch is full, and hands out the answers."""

    def __init__(self, ledger: Ledger, settings: LocalSettings, advance: Callable[[int], None]) -> None:
        self._ledger = ledger
        self._settings = settings
        self._advance = advance
        self._waiting: dict[str, _Waiting] = {}
        self._loaded: tuple[Captioner, Batches] | None = None
        self._broken: list[Outcome] = []
        """Pictures in a row that the model broke on."""
        self.n_sent = self.n_answered = self.n_failed = 0

    def take(self, talk: Talk) -> None:
        """Begin a conversation; it goes on when its first question has an answer."""
        self._lead(talk, talk.start(), None)

    def flush(self) -> None:
        """Answer all that wait."""
        while self._waiting:
            batch = list(self._waiting.values())
            self._waiting = {}
            failures = self._answer(batch)
            for waiting in batch:
                key = waiting.request.key
                outcome = find_outcome(waiting.request, self._ledger) or failures[key]
                for conversation in waiting.conversations:
                    self._lead(waiting.talk, conversation, outcome)

    def _lead(self, talk: Talk, conversation: Conversation, outcome: Answer | RecordError | None) -> None:
        """Lead a conversation to its next question without an answer, or to its end."""
        while True:
            try:
                request = resume(conversation, outcome)
            except (StopIteration, RecordError, BrokenTalkError):
                # What was written, and why nothing was, is found again by whoever writes the shard.
                self._advance(1)
                return
            outcome = find_outcome(request, self._ledger)
            if outcome is None:
                break
        waiting = self._waiting.setdefault(request.key, _Waiting(request, talk))
        waiting.conversations.append(conversation)
        if len(self._waiting) >= self._size:
            self.flush()

    @property
    def _size(self) -> int:
        return self._settings.batch if self._loaded is None else self._loaded[1].size

    def _answer(self, batch: Sequence[_Waiting]) -> dict[str, RecordError]:
        """Run the model and keep what it says; give what went wrong, by the key of the request."""
        failures: dict[str, RecordError] = {}
        shown: list[_Waiting] = []
        pictures: list[npt.NDArray[np.uint8]] = []
        for waiting in batch:
            try:
                pictures.append(_read_picture(waiting))
                shown.append(waiting)
            except RecordError as error:
                failures[waiting.request.key] = error
                self._settle([Outcome(question=waiting.request, why=str(error), cost=0.0)])
        for waiting, outcome in self._run(shown, pictures):
            if outcome.answer is None:
                failures[waiting.request.key] = RecordError(Reason.BAD_ANSWER, outcome.why)
        return failures

    def _run(
        self, shown: Sequence[_Waiting], pictures: Sequence[npt.NDArray[np.uint8]]
    ) -> Iterator[tuple[_Waiting, Outcome]]:
        if not shown:
            return
        captioner, batches = self._load(shown[0].request)
        self.n_sent += len(shown)
        start = time.perf_counter()
        spoken = list(batches.run(pictures))
        seconds = (time.perf_counter() - start) / len(shown)
        outcomes = [
            _tell(waiting.request, said, captioner.served, seconds)
            for waiting, said in zip(shown, spoken, strict=True)
        ]
        self._settle(outcomes)
        self._count_broken(outcomes)
        yield from zip(shown, outcomes, strict=True)

    def _settle(self, outcomes: Sequence[Outcome]) -> None:
        n_answered = sum(outcome.answer is not None for outcome in outcomes)
        self.n_answered += n_answered
        self.n_failed += len(outcomes) - n_answered
        self._ledger.settle(outcomes)

    def _count_broken(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            self._broken = [*self._broken, outcome] if outcome.answer is None else []
        if len(self._broken) >= _GIVE_UP_AFTER:
            # The model was at fault, and not these pictures: the next run asks for all of them again.
            self._ledger.settle(replace(broken, is_final=False, tries=0) for broken in self._broken)
            raise RunError(
                f"The model broke on {len(self._broken)} pictures in a row, at last with {self._broken[-1].why}. What "
                "it said before is kept. Start the run again; if it breaks again, take a smaller `batch`, or "
                "`device: cpu`."
            )

    def _load(self, request: Request) -> tuple[Captioner, Batches]:
        if self._loaded is None:
            from earthloom.models.captioners.captioner import Batches

            captioner = _open(self._settings)
            if captioner.fingerprint != request.body["fingerprint"]:
                raise RunError(
                    f"The files of {self._settings.model} are not those that the run was planned with: start it again."
                )
            prompt = self._settings.prompt
            batches = Batches(lambda pictures: captioner.describe(pictures, prompt), self._settings.batch)
            self._loaded = captioner, batches
        return self._loaded


def _open(settings: LocalSettings) -> Captioner:
    from earthloom.models.captioners.loading import open_captioner

    captioner = open_captioner(
        settings.model,
        revision=settings.revision,
        adapter=settings.adapter,
        prompt=settings.prompt,
        device=settings.device,
        precision=settings.precision,
        max_new_tokens=settings.max_new_tokens,
        beams=settings.beams,
        length_penalty=settings.length_penalty,
        trust_pickles=settings.trust_pickles,
    )
    _log.info("loaded %s with %s", captioner.name, captioner.served)
    return captioner


def _tell(request: Request, said: Spoken | Unspoken, served: str, seconds: float) -> Outcome:
    from earthloom.models.captioners.captioner import Unspoken

    if isinstance(said, Unspoken):
        return Outcome(question=request, why=said.why, is_final=not said.may_pass, cost=0.0)
    answer = Answer(
        text=said.text,
        finish="stop" if said.is_whole else "length",
        tokens_in=said.tokens_in,
        tokens_out=said.tokens_out,
        served=served,
    )
    return Outcome(question=request, answer=answer, cost=0.0, seconds=seconds)


def _read_picture(waiting: _Waiting) -> npt.NDArray[np.uint8]:
    """Decode the picture of a question, H x W x 3; a grey one (radar, near infrared) in three equal channels."""
    try:
        data, _ = waiting.talk.read_picture()
    except OSError as error:
        raise RecordError(Reason.UNREADABLE, f"the tile's picture cannot be read: {error}") from error
    if hash_bytes(data) != waiting.request.picture:
        raise RecordError(
            Reason.UNREADABLE,
            "wanted the picture whose hash the tile has, got other bytes: the work folder was changed",
        )
    return to_rgb(decode_image(data))
