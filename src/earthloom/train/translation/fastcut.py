"""FastCUT: one generator, one discriminator, and a contrast between patches (Park et al., ECCV 2020).

After github.com/taesungp/contrastive-unpaired-translation, mode FastCUT: the contrastive loss weighs 10, pictures of
the target are not translated, and half of the batches are mirrored, so that mirroring changes nothing. The
discriminator is updated first, then generator and heads at once. With `tps` the generator is also taught by the
triangle of TPSeNCE, whose gradient reaches it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from earthloom.models.translation.discriminator import PatchDiscriminator
from earthloom.models.translation.generator import ResnetGenerator
from earthloom.models.translation.losses import REAL, lsgan, lsgan_pair, structure_loss, triangle
from earthloom.models.translation.patch_nce import PatchHeads, draw_places, patch_nce
from earthloom.train.step import Batch, Update
from earthloom.train.translation.adversarial import (
    add_up,
    export_generator,
    frozen,
    make_adam,
    tell,
)
from earthloom.train.translation.config import TranslationRecipe


class FastCutStep:
    """Teach pictures `a` to look like pictures `b`: the protocol `train.step.Step`."""

    def __init__(self, recipe: TranslationRecipe, device: torch.device) -> None:
        """Draw first weights from torch's generator.

        Raises:
            UsageError: the recipe names layers that the generator does not have.

        """
        self._recipe = recipe
        self._at = sorted(set(recipe.nce_layers))
        self._generator = ResnetGenerator(recipe.width, recipe.blocks, blend=recipe.blend)
        self._heads = PatchHeads(self._generator.count_channels(self._at))
        self._discriminator = PatchDiscriminator(recipe.width)
        for network in self.modules().values():
            network.to(device)
        self._drawing = make_adam([self._generator, self._heads], recipe)
        self._judging = make_adam([self._discriminator], recipe)

    def modules(self) -> Mapping[str, torch.nn.Module]:
        """All three networks."""
        return {
            "generator": self._generator,
            "heads": self._heads,
            "discriminator": self._discriminator,
        }

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        """One for generator and heads, one for the discriminator."""
        return {"generator": self._drawing, "discriminator": self._judging}

    def extra_state(self) -> Mapping[str, Tensor]:
        """Nothing: no step depends on earlier pictures."""
        return {}

    def load_extra_state(self, state: Mapping[str, Tensor]) -> None:
        """Nothing to take back."""

    def learn(self, batch: Batch, number: int, update: Update) -> dict[str, Tensor]:
        """Update the discriminator, then the generator with its heads."""
        before, target = batch["a"], batch["b"]
        mirrored = self._recipe.flip and bool(torch.rand(()) < 0.5)
        shown, wanted = (_mirror(images, mirrored) for images in (before, target))
        drawn = self._generator(shown)
        judged = lsgan_pair(self._discriminator(wanted), self._discriminator(drawn.detach()))
        update("discriminator", judged)
        with frozen(self._discriminator):
            losses = self._judge(shown, wanted, drawn)
            losses["nce"] = self._contrast(before, drawn, mirrored)
            if self._recipe.structure:
                losses["structure"] = structure_loss(shown, drawn)
            weights = {
                "nce": self._recipe.nce,
                "tps": self._recipe.tps,
                "structure": self._recipe.structure,
            }
            update("generator", add_up(losses, weights))
        return tell({**losses, "discriminator": judged})

    def _judge(self, shown: Tensor, wanted: Tensor, drawn: Tensor) -> dict[str, Tensor]:
        scores = self._discriminator(drawn)
        losses = {"generator": lsgan(scores, REAL)}
        if self._recipe.tps:
            with torch.no_grad():
                before, target = self._discriminator(shown), self._discriminator(wanted)
            losses["tps"] = triangle(before, target, scores)
        return losses

    def _contrast(self, before: Tensor, drawn: Tensor, mirrored: bool) -> Tensor:
        """PatchNCE, mean over the layers; what was drawn mirrored is turned back, so that places agree."""
        with torch.no_grad():
            source = self._generator.encode(before, self._at)
            places = draw_places(source, self._recipe.patches)
            keys = self._heads(source, places)
        features = [_mirror(layer, mirrored) for layer in self._generator.encode(drawn, self._at)]
        queries = self._heads(features, places)
        return torch.stack([patch_nce(q, k) for q, k in zip(queries, keys, strict=True)]).mean()

    def measure(self, batch: Batch) -> dict[str, Tensor]:
        """Nothing: adversarial losses say little, and a recipe for translation holds nothing out."""
        return {}

    def sample(self, batch: Batch) -> Tensor:
        """Rows of: a picture, the same translated, a picture of the target."""
        before = batch["a"]
        return torch.stack([before, self._generator(before), batch["b"]], dim=1).flatten(0, 1)

    def export(self, folder: Path) -> None:
        """Write the generator as `translation.safetensors`."""
        export_generator(folder, self._generator, self._recipe)


def _mirror(images: Tensor, mirrored: bool) -> Tensor:
    return images.flip(3) if mirrored else images
