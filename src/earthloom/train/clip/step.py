"""Contrastive training: pictures and texts that belong together are brought together, the others are told apart."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from earthloom.models.clip.adapting import save_adapted
from earthloom.models.clip.contrast import MAX_LOG_SCALE, contrastive_loss, find_positives, score
from earthloom.models.clip.dual import Dual
from earthloom.models.clip.patching import patch_weights
from earthloom.store.atomic import write_json
from earthloom.train.clip.config import ClipRecipe
from earthloom.train.clip.gathering import gather
from earthloom.train.clip.towers import Towers
from earthloom.train.optimizers import make_adamw
from earthloom.train.step import Batch, Share, Update

if TYPE_CHECKING:
    from peft import PeftModel

ADAPTER = "adapter"
"""Folder of LoRA weights in the exported one."""
_N_FOUND = 3
"""Pictures that a sheet shows for each text."""


class ClipStep:
    """Teach a dual encoder: the protocol `train.step.Step`."""

    def __init__(
        self,
        recipe: ClipRecipe,
        dual: Dual,
        *,
        adapted: PeftModel | None = None,
        share: Share | None = None,
        tells_cut: bool = False,
    ) -> None:
        """Take a dual encoder on its device; what is to be trained of it wants gradients.

        Args:
            recipe: what to train.
            dual: with the network that is trained.
            adapted: the same network with the LoRA weights that are trained, where there are some.
            share: of several processes.
            tells_cut: whether to log the share of captions that were too long.

        """
        self._recipe, self._dual, self._adapted = recipe, dual, adapted
        self._network: Any = dual.network
        self._towers = Towers(self._network, dual.look, recipe.chunk)
        self._world = (share or Share()).world
        self._tells_cut = tells_cut
        self._original = _copy(self._network) if adapted is None and recipe.patch < 1 else {}
        self._optimizer = make_adamw(self._network.parameters(), recipe)

    def modules(self) -> Mapping[str, nn.Module]:
        """Both towers, as one network."""
        return {"clip": self._network}

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        """One over all that is trained."""
        return {"clip": self._optimizer}

    def extra_state(self) -> Mapping[str, Tensor]:
        """Nothing."""
        return {}

    def load_extra_state(self, state: Mapping[str, Tensor]) -> None:
        """Nothing."""

    def learn(self, batch: Batch, number: int, update: Update) -> dict[str, Tensor]:
        """One batch: features of all, the loss over all of them, gradients."""
        self._network.train()
        with torch.no_grad():  # before and not after, so that averages of the weights stay within, too
            self._network.logit_scale.clamp_(max=MAX_LOG_SCALE)
        images, texts = self._towers.encode(batch, dropped=self._recipe.drop_patches)
        loss = self._compare(batch, images, texts)
        update("clip", loss)
        told = {"loss": loss.detach(), "temperature": (-self._network.logit_scale).exp().detach()}
        if self._tells_cut:
            told["cut"] = batch["n_cut"].sum() / batch["texts"].numel()
        return told

    def measure(self, batch: Batch) -> dict[str, Tensor]:
        """The loss, and for which share of the batch the first text or picture found is one that belongs to it."""
        self._network.eval()
        images, texts = self._towers.encode(batch)
        positives = find_positives(batch["marks"], batch["known"], batch["texts"])
        scale = self._network.logit_scale
        scores = score(images, texts, scale)
        return {
            "loss": contrastive_loss(images, texts, scale, positives),
            "right_text": positives.gather(1, scores.argmax(1, keepdim=True)).float().mean(),
            "right_picture": positives.t().gather(1, scores.t().argmax(1, keepdim=True)).float().mean(),
        }

    def sample(self, batch: Batch) -> Tensor:
        """Each picture, and beside it those of the batch that its first text finds first: 4 columns."""
        self._network.eval()
        images, texts = self._towers.encode(batch)
        n = len(images)
        scores = score(images, texts[:: len(texts) // n], self._network.logit_scale)
        found = torch.argsort(scores.t(), dim=1, descending=True, stable=True)[:, : min(_N_FOUND, n)]
        rows = torch.cat([torch.arange(n, device=found.device).unsqueeze(1), found], 1)
        return batch["image"][rows.reshape(-1)].float() / 127.5 - 1.0

    def export(self, folder: Path) -> None:
        """Write a folder that plain transformers loads; LoRA weights beside it as one that peft loads."""
        if self._adapted is not None:
            self._dual.save(folder, save_adapted(self._adapted, folder / ADAPTER, self._recipe.patch))
        else:
            self._dual.save(folder, self._patch())
        write_json(folder / "earthloom.json", self._describe())

    def _compare(self, batch: Batch, images: Tensor, texts: Tensor) -> Tensor:
        """The loss over what all processes hold."""
        marks, known, drawn = (gather(batch[name], self._world) for name in ("marks", "known", "texts"))
        return contrastive_loss(
            gather(images.float(), self._world),
            gather(texts.float(), self._world),
            self._network.logit_scale,
            find_positives(marks, known, drawn),
        )

    def _patch(self) -> Any:
        """The network, or a copy of it that lies between the original and what was learnt."""
        if not self._original:
            return self._network
        between = copy.deepcopy(self._network)
        between.load_state_dict(patch_weights(self._original, between.state_dict(), self._recipe.patch))
        return between

    def _describe(self) -> dict[str, Any]:
        recipe, origin = self._recipe, self._dual.origin
        return {
            "kind": "clip",
            "name": recipe.name,
            "steps": recipe.steps,
            "patch": recipe.patch,
            "recipe": recipe.digest(),
            "data": recipe.data.digest(),
            "base": None if origin is None else origin.to_json(),
        }


def _copy(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}
