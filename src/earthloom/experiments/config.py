"""What the file of an experiment says. The recipes of its steps are checked by the rooms that they are for."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from earthloom.core.settings import Settings

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
"""Of a step, a size or a value: what `$name` refers to."""
Kind = Literal["build", "train", "generate", "evaluate"]
KINDS: tuple[Kind, ...] = ("build", "train", "generate", "evaluate")
"""The verbs of `earthloom` that a step may be."""


class StepSettings(Settings):
    """One step: one of these verbs with its recipe, written as in a file of its own.

    A `name` that is left out is the step's. The step's folder is `$step` to those after it.
    """

    build: Any = None
    """A recipe of `earthloom build`; the folder is a work folder with a release."""
    train: Any = None
    """A recipe of `earthloom train`; the folder is that of a training, a model to generate with."""
    generate: Any = None
    """Settings of `earthloom generate`; the folder holds pictures."""
    evaluate: Any = None
    """A recipe of `earthloom evaluate run`; the folder holds `result.json` and `index.html`."""

    @model_validator(mode="after")
    def _check_verb(self) -> Self:
        if len(self.model_fields_set) != 1:
            said = ", ".join(sorted(self.model_fields_set)) or "none"
            raise ValueError(f"wants one of build, train, generate and evaluate, got {said}.")
        return self

    @property
    def kind(self) -> Kind:
        """The verb."""
        return next(kind for kind in KINDS if kind in self.model_fields_set)


class Question(Settings):
    """A part of the answer: one figure of one or more evaluations."""

    ask: str = Field(min_length=1)
    """The question in words."""
    figure: str = Field(min_length=1)
    """Name of a figure of the results, such as `kd:loom`; see `docs/evaluate.md`."""
    of: dict[str, Name] = Field(min_length=1)
    """What is measured, in words, to the step that measures it. The others are held against the first."""
    encoder: str | None = None
    """Where a figure is there by several encoders: the beginning of this one's name."""
    group: str | None = None
    """Where a figure is there of parts: this part."""
    sizes: tuple[Name, ...] = ()
    """Sizes at which it is asked; empty for all."""
    pair_by: str | None = None
    """Attribute, such as `scene`, whose verdicts on each picture are compared prompt by prompt, where the evaluations
    keep them; left out, intervals of the figures are compared."""


class ExperimentSettings(Settings):
    """A question and the steps that answer it. Paths are relative to the file."""

    experiment: Name
    """Its name; the folder is `NAME-SIZE` where none is given."""
    title: str = Field(min_length=1)
    """What is tried, in a few words."""
    question: str = Field(min_length=1)
    """What it is to answer."""
    about: str = ""
    """What a reader has to know: what each size wants and takes, what it can show and what not."""
    size: Name = "toy"
    """Which of `sizes` is done where none is asked for."""
    sizes: dict[Name, dict[Name, Any]] = Field(min_length=1)
    """Values by name for each size; `$name` in a step is the value, be it a number, a path or a whole recipe. What is
    null has to be given: `--set NAME=VALUE`."""
    wants: dict[Name, str] = Field(default_factory=dict)
    """What values are that have to be given, in words."""
    steps: dict[Name, StepSettings] = Field(min_length=1)
    """In the order in which they are done."""
    answers: tuple[Question, ...] = Field(min_length=1)
    """The figures that answer the question."""

    @model_validator(mode="after")
    def _check_size(self) -> Self:
        if self.size not in self.sizes:
            raise ValueError(f"size: wants one of {', '.join(self.sizes)}, got {self.size!r}.")
        return self

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        for size, values in self.sizes.items():
            for name in values:
                if name in self.steps:
                    raise ValueError(f"sizes: {name!r} of {size} is the name of a step, too; rename one.")
        return self

    @model_validator(mode="after")
    def _check_wants(self) -> Self:
        for size, values in self.sizes.items():
            for name, value in values.items():
                if value is None and name not in self.wants:
                    raise ValueError(f"wants: {name!r}, which is null in {size}, is not explained; add it.")
        return self

    @model_validator(mode="after")
    def _check_answers(self) -> Self:
        for question in self.answers:
            for size in question.sizes:
                if size not in self.sizes:
                    raise ValueError(f"answers: {size!r} is none of the sizes.")
            for step in question.of.values():
                if step not in self.steps or self.steps[step].kind != "evaluate":
                    raise ValueError(f"answers: {step!r} is no step that evaluates.")
        return self
