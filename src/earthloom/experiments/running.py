"""An experiment from its first step to its answer. Run again, it goes on where it stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import yaml

from earthloom.core.durations import format_seconds
from earthloom.core.errors import StoppedError, UsageError
from earthloom.evaluate.result import read_result
from earthloom.experiments.answering import answer
from earthloom.experiments.doing import Ground, Summary, Tell, do_step
from earthloom.experiments.keeping import make_key, read_done, write_done
from earthloom.experiments.loading import Experiment, Step
from earthloom.experiments.page import render_page
from earthloom.experiments.shipped import load_experiment
from earthloom.experiments.summary import Done, ExperimentSummary
from earthloom.store.atomic import write_json, write_text
from earthloom.store.layout import ExperimentFolder
from earthloom.store.lock import hold_lock

Doer = Callable[[Step, Path, Ground], Summary]


def run_experiment(
    name: str,
    *,
    size: str | None = None,
    given: Mapping[str, str] | None = None,
    folder: Path | None = None,
    workers: int | None = None,
    fresh: bool = False,
    quiet: bool = True,
    tell: Tell = lambda text: None,
) -> ExperimentSummary:
    """Do what an experiment describes, and answer its question.

    Args:
        name: of one that comes with earthloom, or path of a file.
        size: one of its sizes, such as `toy` or `full`; its own where there is none.
        given: values by name in place of those of the size, such as `{"data": "eurosat_rgb.tar"}`.
        folder: where it is done; `NAME-SIZE` where there is none, beside the file or in the current folder.
        workers: processes of builds; None uses every core.
        fresh: begin trainings anew that are not done, whatever their folders hold.
        quiet: show no progress of builds, trainings and generations.
        tell: is told in a few words which step is under way.

    Returns:
        The answers, which are also in the folder: `summary.json`, `summary.txt`, `index.html`.

    Raises:
        RecipeError: the experiment has faults, those of its steps included; nothing was done.
        UsageError: there is no such experiment, the folder holds something else, or a step cannot be done so.
        LockedError: another process works in the folder.
        RunError: a step failed. What was finished is kept.

    """
    experiment = load_experiment(name, size=size, given=given, folder=folder)
    ground = Ground(base=experiment.base, workers=workers, fresh=fresh, quiet=quiet, tell=tell)
    return do_experiment(experiment, ground)


def do_experiment(experiment: Experiment, ground: Ground, do: Doer = do_step) -> ExperimentSummary:
    """Do the steps of an experiment that are not done yet, and answer its question. Raises as `run_experiment`.

    Args:
        experiment: checked.
        ground: where and how steps are done.
        do: does one step, for those who bring their own.

    """
    folder = experiment.folder
    with _hold(folder):
        write_text(folder.experiment, _dump(experiment))
        done = tuple(_do_steps(experiment, ground, do))
        results = {
            step.name: read_result(folder.step(step.name))
            for step in experiment.steps
            if step.kind == "evaluate"
        }
        summary = ExperimentSummary(
            experiment=experiment.settings,
            size=experiment.size,
            folder=folder.root,
            steps=done,
            answers=tuple(
                answer(question, results, folder)
                for question in experiment.settings.answers
                if not question.sizes or experiment.size in question.sizes
            ),
            results=results,
        )
        write_json(folder.summary, summary.to_json())
        write_text(folder.text, summary.to_text() + "\n")
        write_text(folder.page, render_page(summary))
    return summary


@contextmanager
def _hold(folder: ExperimentFolder) -> Iterator[None]:
    """Have the folder for this experiment alone."""
    if folder.root.is_dir() and not folder.lock.exists() and any(folder.root.iterdir()):
        raise UsageError(f"{folder.root} holds something else than an experiment. Choose another with -o.")
    with hold_lock(folder.lock):
        yield


def _do_steps(experiment: Experiment, ground: Ground, do: Doer) -> Iterator[Done]:
    keys: dict[str, str] = {}
    for number, step in enumerate(experiment.steps, 1):
        key = keys[step.name] = make_key(step, keys, version("earthloom"))
        place = f"step {number} of {len(experiment.steps)}, {step.kind} {step.name}"
        told = read_done(experiment.folder, step, key)
        if told is not None:
            ground.tell(f"{place}: done already")
            yield Done(name=step.name, kind=step.kind, seconds=0.0, is_kept=True)
            continue
        ground.tell(place)
        start = time.monotonic()
        _do(experiment, step, key, ground, do)
        seconds = time.monotonic() - start
        ground.tell(f"{place}: done in {format_seconds(seconds)}")
        yield Done(name=step.name, kind=step.kind, seconds=seconds, is_kept=False)


def _do(experiment: Experiment, step: Step, key: str, ground: Ground, do: Doer) -> None:
    folder = experiment.folder
    folder.done(step.name).unlink(missing_ok=True)
    try:
        summary = do(step, folder.step(step.name), ground)
    except KeyboardInterrupt as error:
        raise StoppedError("Stopped. Run the same command again to go on.") from error
    write_done(folder, step, key, summary)


def _dump(experiment: Experiment) -> str:
    """The experiment as YAML, at the size and with the values with which it is done."""
    plain = experiment.settings.model_dump(mode="json", exclude_unset=True)
    values = {**plain["sizes"][experiment.size], **experiment.given}
    plain |= {"size": experiment.size, "sizes": {experiment.size: values}}
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)
