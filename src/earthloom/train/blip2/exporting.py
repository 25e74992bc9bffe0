"""What is used after captioning was trained: LoRA in peft's form, and the whole model where that is wanted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from earthloom.models.captioners.loading import open_captioner
from earthloom.models.captioners.memory import Precision
from earthloom.models.weights.quiet import quiet
from earthloom.store.atomic import write_json
from earthloom.train.blip2.config import Blip2Recipe

ABOUT = "earthloom.json"
"""What LoRA was trained over, and by which recipe."""
_CONFIG = "adapter_config.json"
_CARD = "README.md"
_MERGED = "merged"
_READING = (
    "preprocessor_config.json", "processor_config.json", "tokenizer*", "special_tokens_map.json", "added_tokens.json",
    "vocab*", "merges.txt", "*.model", "chat_template*",
)  # fmt: skip
"""Files beside a model's weights that make its input and read its output."""


class CaptionerExport:
    """Writes what a training made into a folder: the same weights, the same bytes."""

    def __init__(
        self, recipe: Blip2Recipe, model: Path, origin: Mapping[str, Any], precision: Precision
    ) -> None:
        """Take the folder of the model below and where it comes from."""
        self._recipe = recipe
        self._model = model
        self._origin = origin
        self._precision = precision

    def __call__(self, network: Any, folder: Path) -> None:
        """Write LoRA, files of the model's processors, `earthloom.json` and, where asked for, `merged/`."""
        with quiet():
            network.save_pretrained(str(folder), save_embedding_layers=False)
        (folder / _CARD).unlink(missing_ok=True)  # peft's form to fill in
        self._settle(folder / _CONFIG)
        self._copy_readers(folder)
        write_json(folder / ABOUT, self._describe())
        if self._recipe.merge:
            self._write_merged(folder, folder / _MERGED)

    def _settle(self, path: Path) -> None:
        """Name the model below as others know it, and put lists that come from sets in order."""
        config = json.loads(path.read_bytes())
        config["base_model_name_or_path"] = self._origin["name"]
        config["revision"] = self._origin["revision"]
        for name in ("target_modules", "modules_to_save"):
            if isinstance(config[name], list):
                config[name] = sorted(config[name])
        write_json(path, config)

    def _copy_readers(self, folder: Path) -> None:
        for path in sorted({path for pattern in _READING for path in self._model.glob(pattern)}):
            if path.is_file():
                shutil.copyfile(path, folder / path.name)

    def _describe(self) -> dict[str, Any]:
        recipe = self._recipe
        return {
            "kind": "blip2",
            "name": recipe.name,
            "base": dict(self._origin),
            "prompt": recipe.prompt,
            "steps": recipe.steps,
            "seed": recipe.seed,
            "recipe": recipe.digest(),
        }

    def _write_merged(self, adapter: Path, folder: Path) -> None:
        """Read the model anew from its files, so that the one in training keeps its bits."""
        captioner = open_captioner(
            str(self._model),
            adapter=str(adapter),
            prompt=self._recipe.prompt,
            device="cpu",
            precision=self._precision,
            trust_pickles=self._recipe.trust_pickles,
        )
        with quiet():
            captioner.network.save_pretrained(str(folder))
        self._copy_readers(folder)
        write_json(folder / ABOUT, self._describe())
