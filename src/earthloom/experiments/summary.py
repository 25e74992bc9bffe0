"""What an experiment found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from earthloom.core.durations import format_seconds
from earthloom.evaluate.result import Result
from earthloom.experiments.answering import Answer
from earthloom.experiments.config import ExperimentSettings, Kind
from earthloom.experiments.wording import write_answer


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """A step that is done."""

    name: str
    kind: Kind
    seconds: float
    is_kept: bool
    """Whether an earlier run did it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExperimentSummary:
    """The steps, and the answers to the question."""

    experiment: ExperimentSettings
    size: str
    folder: Path
    steps: tuple[Done, ...]
    answers: tuple[Answer, ...]
    results: Mapping[str, Result]
    """Of the steps that evaluate."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the results want their readers to know, each once."""
        return tuple(dict.fromkeys(note for result in self.results.values() for note in result.notes))

    def to_json(self) -> dict[str, Any]:
        """Everything but the results, which are in the folders of their steps. No times: equal runs, equal bytes."""
        return {
            "experiment": self.experiment.experiment,
            "question": self.experiment.question,
            "size": self.size,
            "steps": {step.name: step.kind for step in self.steps},
            "answers": [{**each.to_json(), "words": list(write_answer(each))} for each in self.answers],
            "notes": list(self.notes),
            "protocols": {name: asdict(result.protocol) for name, result in self.results.items()},
        }

    def to_text(self) -> str:
        """The answers in words."""
        return "\n".join(self._iter_lines())

    def to_log(self) -> str:
        """The answers, which steps were done, and where all of it lies."""
        taken = format_seconds(sum(step.seconds for step in self.steps))
        n_kept = sum(step.is_kept for step in self.steps)
        kept = f", {n_kept} done before" if n_kept else ""
        return f"{self.to_text()}\n\n{len(self.steps)} steps in {taken}{kept}\npage  {self.folder / 'index.html'}"

    def _iter_lines(self) -> Iterator[str]:
        settings = self.experiment
        yield f"{settings.title} ({settings.experiment}, {self.size})"
        yield settings.question
        for each in self.answers:
            yield ""
            yield each.question.ask
            yield from (f"  {sentence}" for sentence in write_answer(each))
        if self.notes:
            yield ""
            yield from (f"Note: {note}" for note in self.notes)
