"""The authors that are models: what they need before they write, and their conversations about a tile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from earthloom.caption.asking import Conversation, Talk
from earthloom.caption.config import CaptionSettings
from earthloom.caption.facts import gather
from earthloom.caption.facts.statements import Statements
from earthloom.core.errors import Fault, UsageError
from earthloom.core.ids import hash_json
from earthloom.core.records import Scene, Tile

if TYPE_CHECKING:
    from earthloom.caption.chat import Prompts

Model = Literal["blip2", "chat"]


@dataclass(frozen=True, kw_only=True)
class ModelAuthors:
    """Settings whose paths are absolute, with what is read once for a run. Can be pickled."""

    settings: CaptionSettings
    prompts: Prompts | None = None
    """What the remote model is told."""
    fingerprint: str = ""
    """Of the local model's files."""

    @property
    def digest(self) -> str:
        """Hash of what can change a caption, files by their content."""
        return hash_json([self.prompts.version if self.prompts is not None else None, self.fingerprint])

    def converse(self, model: Model, said: Statements, scene: Scene, tile: Tile) -> Conversation:
        """The conversation with one model about one tile."""
        settings = self.settings
        if model == "blip2":
            from earthloom.caption.local import write_local

            assert settings.blip2 is not None
            return write_local(said, tile, settings.blip2, self.fingerprint, settings.max_tokens)
        from earthloom.caption.chat import write_chat

        assert settings.chat is not None
        assert self.prompts is not None
        return write_chat(said, scene, tile, settings.chat, self.prompts, settings.max_tokens)

    def talk(
        self, model: Model, scene: Scene, tile: Tile, read_picture: Callable[[], tuple[bytes, str]]
    ) -> Talk:
        """What a driver needs to lead the conversation."""
        return Talk(id=tile.id, start=partial(self._begin, model, scene, tile), read_picture=read_picture)

    def _begin(self, model: Model, scene: Scene, tile: Tile) -> Conversation:
        """Gather the facts when the conversation begins, so that an error in that is the conversation's own."""
        return (yield from self.converse(model, gather(scene, tile), scene, tile))


def find_faults_of_models(settings: CaptionSettings, base: Path) -> list[Fault]:
    """What is wrong with the models that a recipe names, as far as it shows before any work."""
    faults: list[Fault] = []
    settings = resolve_paths(settings, base)
    if settings.chat is not None:
        from earthloom.caption.chat import read_prompts

        try:
            read_prompts(settings.chat.prompt)
        except UsageError as error:
            faults.append(Fault(place="caption.chat.prompt", problem=str(error), remedy=""))
    if settings.blip2 is not None:
        from earthloom.caption.local import check_local

        faults += check_local(settings.blip2)
    return faults


def open_authors(settings: CaptionSettings, base: Path) -> ModelAuthors:
    """Read what the models need; paths are relative to `base`. Raises UsageError where something is missing."""
    settings = resolve_paths(settings, base)
    prompts, fingerprint = None, ""
    if settings.chat is not None:
        from earthloom.caption.chat import read_prompts

        prompts = read_prompts(settings.chat.prompt)
    if settings.blip2 is not None:
        from earthloom.caption.local import fingerprint_local

        fingerprint = fingerprint_local(settings.blip2)
    return ModelAuthors(settings=settings, prompts=prompts, fingerprint=fingerprint)


def resolve_paths(settings: CaptionSettings, base: Path) -> CaptionSettings:
    """The settings with absolute paths; a name that is no folder below `base` stays a name."""
    changed: dict[str, object] = {}
    if settings.chat is not None and (base / settings.chat.prompt).is_dir():
        prompt = str((base / settings.chat.prompt).resolve())
        changed["chat"] = settings.chat.model_copy(update={"prompt": prompt})
    if settings.blip2 is not None:
        paths = {}
        if (base / settings.blip2.model).is_dir():
            paths["model"] = str((base / settings.blip2.model).resolve())
        if settings.blip2.adapter is not None:
            paths["adapter"] = str((base / settings.blip2.adapter).resolve())
        changed["blip2"] = settings.blip2.model_copy(update=paths)
    if settings.ledger is not None:
        changed["ledger"] = str((base / settings.ledger).resolve())
    return settings.model_copy(update=changed)
