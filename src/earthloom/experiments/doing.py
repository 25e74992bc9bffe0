"""One step: its recipe is handed to the room that it is for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from earthloom.core.errors import RunError
from earthloom.core.extras import explain_missing_models
from earthloom.experiments.loading import Step

Tell = Callable[[str], None]
Summary = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ground:
    """Where and how steps are done."""

    base: Path
    """Folder that the paths of recipes are relative to."""
    workers: int | None = None
    """Processes of a build; None uses every core."""
    fresh: bool = False
    """Whether trainings begin anew."""
    quiet: bool = False
    """Whether rooms show no progress of their own."""
    tell: Tell = lambda text: None
    """Is told in a few words how far the work is."""


def do_step(step: Step, folder: Path, ground: Ground) -> Summary:
    """Do one step into its folder; what an earlier run of it left there is gone on from.

    Returns the summary of its room as plain values.

    Raises:
        EarthloomError: as the room's function.

    """
    return _VERBS[step.kind](step.recipe, folder, ground)


def _build(recipe: Any, folder: Path, ground: Ground) -> Summary:
    from earthloom.run.build import build
    from earthloom.run.progress import Silence, choose_listener

    listener = Silence() if ground.quiet else choose_listener()
    summary = build(recipe, folder, base=ground.base, workers=ground.workers, listener=listener)
    if not summary.n_out:
        raise RunError(f"Nothing came out of the build in {folder}: its run.json says why.")
    return summary.to_json()


def _train(recipe: Any, folder: Path, ground: Ground) -> Summary:
    with explain_missing_models("Training needs"):
        from earthloom.train.training import train
    from earthloom.train.progress import Silence, choose_listener

    listener = Silence() if ground.quiet else choose_listener()
    return train(recipe, folder, base=ground.base, fresh=ground.fresh, listener=listener).to_json()


def _generate(recipe: Any, folder: Path, ground: Ground) -> Summary:
    from earthloom.generate.generating import generate
    from earthloom.generate.progress import Silence, choose_listener

    listener = Silence() if ground.quiet else choose_listener()
    summary = generate(recipe, folder, base=ground.base, listener=listener)
    if not summary.n_drawn + summary.n_kept:
        raise RunError(f"No picture could be drawn into {folder}: its refused.json says why.")
    return summary.to_json()


def _evaluate(recipe: Any, folder: Path, ground: Ground) -> Summary:
    from earthloom.generate.progress import Silence, choose_listener
    from earthloom.run.evaluating import run_evaluation

    listener = Silence() if ground.quiet else choose_listener()
    result = run_evaluation(recipe, folder, base=ground.base, tell=ground.tell, listener=listener)
    return {"kind": result.kind, "figures": len(result.figures), "seconds": round(result.seconds, 3)}


_VERBS: dict[str, Callable[[Any, Path, Ground], Summary]] = {
    "build": _build,
    "train": _train,
    "generate": _generate,
    "evaluate": _evaluate,
}
