"""Asking models for captions, in this process, before the workers write the shards from the answers."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from earthloom.caption import CaptionSettings, Model, ModelAuthors, Talk, resolve_paths
from earthloom.core.errors import Fault, StoppedError, UsageError
from earthloom.run.jobs import CaptionJob
from earthloom.run.progress import Listener
from earthloom.run.reading import find_scenes, iter_tile_groups
from earthloom.run.standing import is_done
from earthloom.store.layout import WorkFolder
from earthloom.store.lock import hold_lock
from earthloom.store.shards import Counts

if TYPE_CHECKING:
    from earthloom.caption import Asked
    from earthloom.caption.config import ChatSettings
    from earthloom.caption.endpoint.batch_answers import BatchRead
    from earthloom.caption.endpoint.estimate import Estimate
    from earthloom.caption.ledger import Ledger
    from earthloom.run.recipe import Recipe

_MODELS: tuple[Model, ...] = ("blip2", "chat")
_LIMITS = {"budget": "the budget", "requests": "the number of requests"}
_MAX_PASSES = 3
"""What failed for reasons that may pass is asked again once all else has been; a pass leads every conversation anew."""


@dataclass(frozen=True, kw_only=True)
class Asking:
    """What a run has to ask."""

    models: ModelAuthors
    ledger: Path
    jobs: tuple[CaptionJob, ...]
    """Shards that are not captioned yet."""
    n_tiles: int
    """That they hold."""

    def talks(self, model: Model) -> Iterator[Talk]:
        """A conversation for every tile, in the order of the shards."""
        for job in self.jobs:
            tiles = job.source.rows(job.work, job.name)
            scenes = find_scenes([tiles], job.source.scene_rows(job.work))
            for pictures, group in iter_tile_groups(tiles):
                for row, tile in enumerate(group):
                    scene = scenes[tile.scene_id]
                    yield self.models.talk(model, scene, tile, partial(pictures.read, row))


def plan_asking(jobs: Iterable[CaptionJob], sizes: Mapping[str, int], folder: WorkFolder) -> Asking | None:
    """What is to be asked for the shards that are not done; None where nothing is. `sizes` are the tiles of each."""
    missing = tuple(job for job in jobs if job.answers is not None and not is_done(folder, job))
    if not missing:
        return None
    models, ledger = missing[0].models, missing[0].answers
    assert models is not None, "jobs with answers have models"
    assert ledger is not None, "jobs with answers have a ledger"
    return Asking(models=models, ledger=ledger, jobs=missing, n_tiles=sum(sizes[job.name] for job in missing))


def find_missing_key(settings: CaptionSettings) -> list[Fault]:
    """A fault where the endpoint wants a key that is not there."""
    chat = settings.chat
    if chat is None or chat.batch or chat.key_env is None or _read_key(chat) is not None:
        return []
    return [
        Fault(
            place="caption.chat.key_env",
            problem=f"the environment variable {chat.key_env} is not set.",
            remedy=f"`export {chat.key_env}=...`, or `key_env: null` where the endpoint wants no key.",
        )
    ]


def ask_models(asking: Asking, folder: WorkFolder, listener: Listener) -> None:
    """Get the answers that are missing.

    Raises:
        StoppedError: a limit is reached, or requests wait in batch files. What was answered is in the ledger.
        RunError: the endpoint does not answer, or refuses the key.
        UsageError: the local model cannot be loaded.

    """
    from earthloom.caption.ledger import Ledger

    with Ledger(asking.ledger) as ledger:
        for model in _MODELS:
            if model not in asking.models.settings.with_:
                continue
            chat = asking.models.settings.chat
            if model == "chat" and chat is not None and chat.batch:
                _ask_by_batch(asking, ledger, folder, listener)
            else:
                _ask(model, asking, ledger, listener)


def estimate_asking(asking: Asking) -> Estimate | None:
    """What asking would cost; nothing is sent. None where no remote model is asked."""
    from earthloom.caption.endpoint.estimate import estimate
    from earthloom.caption.ledger import Ledger

    chat = asking.models.settings.chat
    if chat is None:
        return None
    with Ledger(asking.ledger, read_only=True) as ledger:
        return estimate(asking.talks("chat"), ledger, chat)


def _ask(model: Model, asking: Asking, ledger: Ledger, listener: Listener) -> None:
    start = time.monotonic()
    listener.start_stage(f"ask {model}", asking.n_tiles)
    n_ended = 0

    def advance(n: int) -> None:
        nonlocal n_ended
        n_ended += n
        listener.advance(n)

    asked = _pass(model, asking, ledger, advance)
    for _ in range(_MAX_PASSES - 1):
        if asked.stopped is not None or not asked.n_failed or model == "blip2":
            break
        asked = _pass(model, asking, ledger, lambda n: None)
    counts = Counts(planned=asking.n_tiles, written=n_ended, records=n_ended)
    listener.finish_stage(counts, time.monotonic() - start, 0)
    if asked.stopped is not None:
        raise StoppedError(_explain_stop(asked.stopped, asking, ledger, n_ended))


def _ask_by_batch(asking: Asking, ledger: Ledger, folder: WorkFolder, listener: Listener) -> None:
    """Write what is missing as batch files; go on where nothing is."""
    from earthloom.caption.endpoint.batch import write_batch
    from earthloom.caption.ledger.prices import show_money

    chat = asking.models.settings.chat
    assert chat is not None, "only a remote model takes batches"
    start = time.monotonic()
    listener.start_stage("ask chat", asking.n_tiles)
    written = write_batch(asking.talks("chat"), ledger, chat, folder.batches, advance=listener.advance)
    n_ended = written.n_ended + written.n_failed
    listener.finish_stage(
        Counts(planned=asking.n_tiles, written=n_ended, records=n_ended), time.monotonic() - start, 0
    )
    if written.paths:
        cost = show_money(written.cost) if chat.prices else "unknown: the recipe has no prices"
        named = ", ".join(str(path) for path in written.paths)
        more = (
            "" if written.stopped is None else f" More was kept back: {_LIMITS[written.stopped]} is reached."
        )
        raise StoppedError(
            f"{written.n_requests:,} requests wait in {named} (highest price {cost}).{more} Hand them to the "
            "provider, take the answers in with `earthloom batch RECIPE FILES`, and run this again."
        )
    if written.stopped is not None:
        raise StoppedError(_explain_stop(written.stopped, asking, ledger, n_ended))
    if written.n_out:
        raise StoppedError(
            f"{written.n_out:,} pictures wait for the answers to batch files in {folder.batches}. "
            "Take them in with `earthloom batch RECIPE FILES` and run this again."
        )


def read_answers(
    recipe: Recipe, work: str | os.PathLike[str], paths: Sequence[Path], *, base: str | os.PathLike[str] = "."
) -> BatchRead:
    """Put the answers of batch files into the ledger of a run.

    Raises:
        UsageError: the recipe asks no remote model; a file is not there; no line of any is of use.
        LockedError: a run works in the folder.

    """
    from earthloom.caption.endpoint.batch import read_batch

    with _open_ledger(recipe, work, base) as (ledger, settings):
        found = read_batch(paths, ledger, settings)
    if found.n_lines and found.n_lines == found.n_unknown + found.n_bad:
        raise UsageError(
            f"None of {found.n_lines:,} lines answers a request of this run: {found.n_unknown:,} belong to other runs, "
            f"{found.n_bad:,} are no answers. Name the provider's output and error files, and the run's recipe."
        )
    return found


def release_batches(
    recipe: Recipe, work: str | os.PathLike[str], *, base: str | os.PathLike[str] = "."
) -> int:
    """Let requests be written again that are out in batch files, because those were lost; how many there are.

    Raises what `read_answers` does.
    """
    with _open_ledger(recipe, work, base) as (ledger, _):
        return ledger.release_batches()


@contextmanager
def _open_ledger(
    recipe: Recipe, work: str | os.PathLike[str], base: str | os.PathLike[str]
) -> Iterator[tuple[Ledger, ChatSettings]]:
    from earthloom.caption.ledger import Ledger

    settings = resolve_paths(recipe.caption_settings(), Path(base).resolve())
    if settings.chat is None:
        raise UsageError("This recipe asks no remote model: there is nothing that batch files could answer.")
    folder = WorkFolder(Path(work).resolve())
    path = Path(settings.ledger) if settings.ledger is not None else folder.ledger
    if not path.is_file():
        raise UsageError(
            f"There is no ledger at {path}: `earthloom build` has written no batch files there yet."
        )
    with hold_lock(folder.lock), Ledger(path) as ledger:
        yield ledger, settings.chat


def _pass(model: Model, asking: Asking, ledger: Ledger, advance: Callable[[int], None]) -> Asked:
    settings = asking.models.settings
    if model == "blip2":
        from earthloom.caption.local import ask_local

        assert settings.blip2 is not None
        return ask_local(asking.talks(model), ledger, settings.blip2, advance=advance)
    from earthloom.caption.endpoint.remote import ask_remote

    assert settings.chat is not None
    return ask_remote(
        asking.talks(model), ledger, settings.chat, key=_read_key(settings.chat), advance=advance
    )


def _read_key(settings: ChatSettings) -> str | None:
    key = os.environ.get(settings.key_env, "").strip() if settings.key_env is not None else ""
    return key or None


def _explain_stop(limit: str, asking: Asking, ledger: Ledger, n_ended: int) -> str:
    chat = asking.models.settings.chat
    assert chat is not None, "only a remote model has limits"
    asked = f"{n_ended:,} of {asking.n_tiles:,} tiles have all their answers"
    again = "and run the same command again: nothing that was answered is asked twice."
    if limit == "budget":
        spent = ledger.totals().spent
        return (
            f"The budget of {chat.limits.budget:g} is used up: {spent:.4g} spent, {asked}. "
            f"Raise `caption.chat.limits.budget` {again}"
        )
    return f"All {chat.limits.requests:,} requests are spent: {asked}. Raise `caption.chat.limits.requests` {again}"
