"""The run: everything is checked first, then pictures are drawn, listed and laid out."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from earthloom.core.errors import RecordError, StoppedError, UsageError
from earthloom.generate import GENERATE_VERSION
from earthloom.generate.config import GenerateSettings
from earthloom.generate.controls import Controls
from earthloom.generate.folder import PictureFolder, Recipe
from earthloom.generate.plan import Task, plan_tasks
from earthloom.generate.progress import Listener, Silence
from earthloom.generate.releases import Release
from earthloom.generate.sheets import write_sheets
from earthloom.generate.summary import GenerateSummary
from earthloom.generate.wishes import explain_places, read_asked
from earthloom.models.generators.briefs import FACTS, About, Brief, Generator

Opener = Callable[[GenerateSettings], Generator]


def generate(
    settings: GenerateSettings,
    output: str | os.PathLike[str],
    *,
    base: str | os.PathLike[str] = ".",
    listener: Listener | None = None,
    open_model: Opener | None = None,
) -> GenerateSummary:
    """Draw the pictures that are asked for, going on from what an earlier run has drawn.

    Args:
        settings: the model, the prompts and how to draw.
        output: folder for pictures, `metadata.jsonl` and grids; or a file `.png` for one picture.
        base: folder that all paths in the settings are relative to.
        listener: is told how it goes on.
        open_model: opens the generator, for those who bring their own.

    Raises:
        RecipeError: the file of prompts has faults; all of them are told.
        UsageError: no such model, release or picture; something is asked for that the model cannot do; a file is in
            the way that was not generated here.
        LockedError: another process draws into the folder.
        WriteError: the disk is full or not writable. Finished pictures are kept.
        StoppedError: on Ctrl-C or SIGTERM. Finished pictures are kept.
        RunError: memory did not suffice.

    """
    ears = listener or Silence()
    opener = open_model or partial(_open, base=Path(base))
    try:
        return _Run(settings, PictureFolder(Path(output)), Path(base), ears, opener).do()
    except KeyboardInterrupt as error:
        raise StoppedError("Stopped. Run the same command again to go on.") from error
    finally:
        ears.close()


def _open(settings: GenerateSettings, base: Path) -> Generator:
    from earthloom.models.generators.choices import Over
    from earthloom.models.generators.opening import TINY, open_generator

    def locate(name: str) -> str:
        """A file or folder where there is one, else a name as it is."""
        return str(base / name) if name != TINY and (base / name).exists() else name

    strengths = (split_strength(lora, base) for lora in settings.lora)
    over = Over(
        lora=tuple((locate(path), strength) for path, strength in strengths),
        controlnet=None if settings.controlnet is None else locate(settings.controlnet),
        base=None if settings.base is None else locate(settings.base),
    )
    return open_generator(
        locate(settings.model),
        over=over,
        revision=settings.revision,
        device=settings.device,
        precision=settings.precision,
        trust_pickles=settings.trust_pickles,
    )


def split_strength(lora: str, base: Path) -> tuple[str, float]:
    """Split `FILE:0.8` into the file and what it counts; a file alone counts 1.

    Raises `UsageError` for what counts no finite number.
    """
    path, colon, text = lora.rpartition(":")
    try:
        strength = float(text)
    except ValueError:
        return lora, 1.0
    if not colon or (base / lora).exists():
        return lora, 1.0
    if not math.isfinite(strength):
        raise UsageError(f"--lora: {path} is to count {text}; wants a finite number such as 0.8.")
    return path, strength


@dataclass
class _Run:
    """One run, with what it has counted so far."""

    settings: GenerateSettings
    folder: PictureFolder
    base: Path
    listener: Listener
    open_model: Opener
    refused: dict[str, str] = field(default_factory=dict)
    n_drawn: int = 0
    n_cut: int = 0

    def do(self) -> GenerateSummary:
        start = time.monotonic()
        settings = self.settings
        asked = read_asked(settings, self.base)
        generator = self.open_model(settings)
        release = None
        if asked is None:
            release = Release(settings, self.base, generator.about)
            asked = release.list_asked()
            self.refused |= release.refused
            if release.unknown:
                self.listener.say(
                    f"Left open, for the model was never shown it: {', '.join(sorted(release.unknown))}."
                )
        tasks = plan_tasks(asked, settings, settings.size or generator.about.size)
        self._check_single(tasks)
        controls = Controls(self.base, release)
        _check_all(generator, tasks, controls)
        for note in _list_notes(generator.about, tasks):
            self.listener.say(note)
        drawing = _Drawing(generator, controls, settings)
        number, of = settings.share
        mine = tasks[number::of]
        with self.folder.hold(settings.share):
            self.folder.check_free(task.key for task in tasks)
            todo = [
                task for task in mine if self.folder.find_done(task.key, drawing.make_recipe(task)) is None
            ]
            self._draw(todo, drawing)
            n_listed, grids = self._list(tasks, drawing)
        return GenerateSummary(
            model=" + ".join(origin.name for origin in generator.about.origins),
            output=self.folder.path(tasks[0].key) if self.folder.is_single else self.folder.root,
            n_asked=len(mine),
            n_drawn=self.n_drawn,
            n_kept=len(mine) - len(todo),
            refused=dict(self.refused),
            n_listed=n_listed,
            n_cut=self.n_cut,
            grids=grids,
            seconds=time.monotonic() - start,
            device=generator.about.device,
        )

    def _check_single(self, tasks: Sequence[Task]) -> None:
        if self.folder.is_single and len(tasks) != 1:
            raise UsageError(
                f"-o {self.folder.path('')} is one picture, and {len(tasks):,} are asked for: name a folder."
            )

    def _draw(self, todo: Sequence[Task], drawing: _Drawing) -> None:
        self.listener.start(len(todo))
        for batch in _cut(todo, self.settings.batch or drawing.generator.about.batch):
            ready = [(task, brief) for task in batch if (brief := self._prepare(task, drawing)) is not None]
            for (task, _), (picture, recipe) in zip(ready, drawing.draw(ready), strict=True):
                self.folder.write(task.key, picture, recipe)
                self.n_drawn += 1
                self.n_cut += bool(recipe["is_cut"])
            self.listener.advance(len(batch))

    def _prepare(self, task: Task, drawing: _Drawing) -> Brief | None:
        """What is asked for, with the picture to draw from; None where that cannot be used, which is told."""
        try:
            brief = task.to_brief(drawing.controls.read(task))
        except RecordError as error:
            self.refused[task.key] = str(error)
            return None
        faults = drawing.generator.find_faults(brief, has_control=task.has_control)
        if faults:
            self.refused[task.key] = " ".join(faults)
            return None
        return brief

    def _list(self, tasks: Sequence[Task], drawing: _Drawing) -> tuple[int, tuple[Path, ...]]:
        if self.folder.is_single:
            return self.n_drawn, ()
        expected = ((task.key, drawing.make_recipe(task)) for task in tasks)
        number, of = self.settings.share
        others = {task.key for place, task in enumerate(tasks) if place % of != number}
        found, n_listed = self.folder.write_list(expected, self.refused, others)
        shown = [task for task in tasks if task.key in found]
        sheets = write_sheets(shown, self.folder, drawing.controls, self.settings.sheets)
        return n_listed, tuple(sheets)


@dataclass(frozen=True)
class _Drawing:
    """A generator and how it is asked."""

    generator: Generator
    controls: Controls
    settings: GenerateSettings

    @property
    def steps(self) -> int:
        return self.settings.steps or self.generator.about.steps

    @property
    def guidance(self) -> float:
        given = self.settings.guidance
        return self.generator.about.guidance if given is None else given

    def make_recipe(self, task: Task) -> Recipe:
        """All that the picture of a task follows from, as JSON values."""
        about = self.generator.about
        return {
            **task.to_recipe(),
            "control": self.controls.describe(task.asked),
            "steps": self.steps,
            "guidance": self.guidance,
            "sampler": about.sampler,
            "precision": about.precision,
            "models": [origin.to_json() for origin in about.origins],
            "generator": GENERATE_VERSION,
        }

    def draw(self, ready: Sequence[tuple[Task, Brief]]) -> Iterator[tuple[Any, Mapping[str, Any]]]:
        """Pictures, and their recipes with what came of them."""
        briefs = [brief for _, brief in ready]
        drawn = self.generator.draw(briefs, steps=self.steps, guidance=self.guidance) if briefs else []
        for (task, _), one in zip(ready, drawn, strict=True):
            outcome = {
                "told": one.told,
                "is_cut": one.is_cut,
                "device": self.generator.about.device,
                "earthloom": version("earthloom"),
                "generated": True,
            }
            yield one.picture, {**self.make_recipe(task), **outcome}


def _check_all(generator: Generator, tasks: Sequence[Task], controls: Controls) -> None:
    """Hold all that is asked for against what the model can do, and look at all files to draw from."""
    problems: dict[str, list[str]] = {}
    for task in tasks:
        faults = generator.find_faults(task.to_brief(), has_control=task.has_control)
        try:
            controls.describe(task.asked)
        except RecordError as error:
            faults.append(f"control: {error}.")
        for fault in faults:
            problems.setdefault(fault, []).append(task.asked.place)
    if problems:
        raise UsageError("\n  ".join(["This cannot be drawn:", *explain_places(problems)]))


def _list_notes(about: About, tasks: Sequence[Task]) -> Iterator[str]:
    yield from about.notes
    given = [name for name in FACTS if any(getattr(task.asked.wish, name) is not None for task in tasks)]
    is_usual = all(task.asked.wish.modality in {None, about.modality} for task in tasks)
    words = [name for name in given if name not in about.facts and not (name == "modality" and is_usual)]
    if words:
        yield f"{about.origins[0].name} is told {', '.join(words)} as words of the prompt."


def _cut(tasks: Sequence[Task], n: int) -> Iterator[Sequence[Task]]:
    for start in range(0, len(tasks), n):
        yield tasks[start : start + n]
