"""What a training recipe for dual encoders may say."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from earthloom.core.settings import Settings
from earthloom.store.selection import Selection
from earthloom.train.config import Beta, OptimizerSettings, TrainingSettings

Target = Literal["q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"]
Width = Annotated[int, Field(ge=64, le=2048, multiple_of=64)]
Layers = Annotated[int, Field(ge=1, le=48)]


class FreshSettings(Settings):
    """A small dual encoder that begins with random weights: nothing has to be downloaded."""

    side: int = Field(128, ge=16, le=1024)
    """Side of its pictures, pixels."""
    patch: int = Field(16, ge=2, le=64)
    """Side of the patches that are one token each, pixels; divides `side`."""
    width: Width = 192
    """Channels of the image tower."""
    layers: Layers = 6
    """Blocks of the image tower."""
    text_width: Width = 192
    """Channels of the text tower."""
    text_layers: Layers = 2
    """Blocks of the text tower."""
    features: int = Field(192, ge=8, le=4096)
    """Numbers that a picture or a text becomes."""
    words: int = Field(8192, ge=514, le=65536)
    """Most tokens of its vocabulary, which is learnt from the training captions."""
    length: int = Field(77, ge=8, le=1024)
    """Longest text in tokens, with its start and its end."""

    @model_validator(mode="after")
    def _check_patches(self) -> Self:
        if self.side % self.patch:
            raise ValueError(
                f"patch: wants a divisor of `side` ({self.side}), got {self.patch}. 16 and 128 fit, or 32 and 224."
            )
        return self


class LoraSettings(Settings):
    """Small updates beside frozen weights (Hu et al., ICLR 2022)."""

    rank: int = Field(16, ge=1, le=1024)
    """Rank of the update of each weight."""
    alpha: float = Field(16.0, gt=0)
    """Updates are scaled by `alpha / rank`."""
    targets: tuple[Target, ...] = Field(("q_proj", "k_proj", "v_proj", "out_proj"), min_length=1)
    """Layers of the blocks that get one: those of attention, and `fc1`, `fc2` of the perceptrons."""
    dropout: float = Field(0.0, ge=0, lt=1)
    """Share of the input of updates that is set to zero in training."""


class ClipSettings(Settings):
    """Which dual encoder is trained, and how."""

    model: str | None = Field(None, min_length=1)
    """Folder of a CLIPModel as transformers saves it, or its name on the Hub where it lies in the cache."""
    revision: str = ""
    """Commit, tag or branch of a model of the Hub."""
    trust_pickles: bool = False
    """Also load weights that are no safetensors; a pickle can run any code."""
    from_scratch: FreshSettings | None = None
    """In place of `model`: a small one with random weights."""
    lora: LoraSettings | None = None
    """Train LoRA weights; left out, all weights."""
    locked: Literal["none", "image", "text"] = "none"
    """A tower that stays as it is; `image` is LiT (Zhai et al., CVPR 2022)."""
    batch: int = Field(256, ge=2)
    """Pictures of one step, which are each other's negatives; several processes show theirs to each other."""
    chunk: int | None = Field(None, ge=1)
    """Pictures that are in the towers at a time: the memory of small batches, the gradients of the large one, a third
    more work (GradCache: Gao et al., RepL4NLP 2021). Left out, the whole batch."""
    texts: int = Field(1, ge=1, le=64)
    """Captions of each picture in a step. 1: one is drawn anew every time; 5 of five: all of them."""
    styles: tuple[str, ...] = ()
    """Captions of these styles alone; empty for all."""
    known_texts: int = Field(16, ge=1, le=1024)
    """Captions of each picture by which duplicates are found, those that were not drawn included."""
    long_text: Literal["cut", "stretch"] = "cut"
    """What to do with captions that are longer than the text tower takes, 77 tokens in most. `cut`: their end is lost,
    and the training says how many lose it. `stretch`: codes of position are interpolated so that it takes `length`
    tokens (Long-CLIP: Zhang et al., ECCV 2024), and so does what is exported."""
    length: int = Field(248, ge=22, le=4096)
    """Tokens of a stretched text tower."""
    zoom: tuple[Annotated[float, Field(gt=0, le=1)], Annotated[float, Field(gt=0, le=1)]] = (0.7, 1.0)
    """Side of the random square crop, from and to, as shares of the shorter side."""
    turn: bool = True
    """Turn and mirror pictures at random: seen from above there is no up. Captions that tell left from right want
    `false`."""
    drop_patches: float = Field(0.0, ge=0, le=0.9)
    """Share of the patches of each picture that are left out in training, drawn anew every time (FLIP: Li et al., CVPR
    2023): 0.5 is twice as fast."""
    patch: float = Field(1.0, gt=0, le=1)
    """What is exported lies this share of the way from the original to the trained weights: 0.5 keeps most of what the
    model could do before (Wortsman et al., CVPR 2022; Ilharco et al., NeurIPS 2022)."""
    n_held: int = Field(1024, ge=2)
    """Pictures of `validate` on which the loss is measured."""

    @model_validator(mode="after")
    def _check_start(self) -> Self:
        if (self.model is None) == (self.from_scratch is None):
            raise ValueError("wants either `model` or `from_scratch`.")
        if self.from_scratch is not None:
            self._check_fresh()
        if self.zoom[0] > self.zoom[1]:
            raise ValueError(f"zoom: wants the smaller share first, got {list(self.zoom)}.")
        return self

    def _check_fresh(self) -> None:
        """What is trained from random weights has nothing to keep."""
        odd = {
            "lora": self.lora is not None,
            "locked": self.locked != "none",
            "patch": self.patch != 1,
            "revision": self.revision != "",
            "long_text": self.long_text != "cut",
        }
        for name, is_set in odd.items():
            if is_set:
                raise ValueError(
                    f"{name}: goes with `model` only; weights `from_scratch` are random. Leave it out."
                )


class ClipRecipe(ClipSettings, OptimizerSettings, TrainingSettings):
    """A training recipe for dual encoders. Paths are relative to the recipe."""

    train: Literal["clip"]
    """What is trained."""
    data: Selection
    """Pictures with captions."""
    validate_with: Selection | None = Field(None, alias="validate")
    """Others, on which the loss and how often the right text comes first are measured."""
    steps: int = Field(5000, ge=1)
    """Updates in all."""
    rate: float = Field(1e-5, gt=0, le=1)
    """Learning rate at its full height: 1e-5 for all weights of a trained model, 1e-4 for LoRA, 1e-3 from scratch."""
    betas: tuple[Beta, Beta] = (0.9, 0.98)
    """AdamW's decay rates, as CLIP was trained."""
    eps: float = Field(1e-6, gt=0)
    """AdamW's smallest divisor, as CLIP was trained."""
    weight_decay: float = Field(0.1, ge=0)
    """Share of the rate by which matrices shrink in each step; norms and biases do not."""
    warmup: int = Field(100, ge=0)
    """Steps in which the rate rises linearly from zero to its full height."""
    decay: float = Field(1.0, ge=0, le=1)
    """Share of the steps, the last ones, in which the rate falls to zero."""
    fall: Literal["linear", "cosine"] = "cosine"
    """How it falls."""
    clip: float | None = Field(1.0, gt=0)
    """Longest gradient, by its norm over all weights; longer ones are shortened to it."""
