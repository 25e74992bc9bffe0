"""What a training recipe for translation may say."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from earthloom.core.settings import Settings
from earthloom.store.selection import Selection
from earthloom.train.config import Precision, TrainingSettings

Weight = Annotated[float, Field(ge=0, le=1000)]


class CropSettings(Settings):
    """How pictures become batches."""

    crop: int = Field(256, ge=32, le=2048, multiple_of=4)
    """Side of the square crops to learn from, pixels."""
    batch: int = Field(1, ge=1)
    """Crops of each set in one step."""
    load: int | None = Field(None, ge=32, le=8192)
    """Pixels to which the shorter side of every picture is scaled before it is cropped. Left out, the scale stays as it
    is, and with it the ground sample distance."""
    small: Literal["enlarge", "drop"] = "enlarge"
    """What to do with a picture that is smaller than `crop`: enlarge it, or count it as refused."""
    turn: bool = True
    """Turn and mirror crops at random: seen from above there is no up."""
    memory_mb: int = Field(1024, ge=0)
    """Decoded pictures of one set that are kept in memory, MiB."""

    @model_validator(mode="after")
    def _check_sides(self) -> Self:
        if self.load is not None and self.load < self.crop:
            raise ValueError(f"load: wants at least `crop` ({self.crop}), got {self.load}.")
        return self


class TranslationSettings(CropSettings):
    """How pictures of one look are taught to take on another, without pairs."""

    method: Literal["fastcut", "cyclegan"] = "fastcut"
    """`fastcut`: one generator and a contrastive loss on patches (Park et al., ECCV 2020), about half the memory and
    time. `cyclegan`: two generators that undo each other (Zhu et al., ICCV 2017)."""
    width: int = Field(32, ge=4, le=256)
    """Channels of the first layer of generators and discriminators (`ngf`, `ndf`; 64 in the papers)."""
    blocks: int = Field(6, ge=1, le=16)
    """Residual blocks of a generator: 6 or 9 in the papers."""
    blend: bool = False
    """Let generators draw colours and a mask, and mix these with the picture: sharp from the first step on, and right
    for what veils the ground, such as snow. What moves or replaces things wants the plain form of the papers."""
    nce: Weight = 10.0
    """FastCUT: weight of the contrastive loss."""
    nce_layers: tuple[int, ...] = Field((0, 4, 8, 12, 16), min_length=1)
    """FastCUT: layers of the generator whose features are compared."""
    patches: int = Field(256, ge=2, le=4096)
    """FastCUT: places of each layer that are compared."""
    flip: bool = True
    """FastCUT: mirror whole batches at random, so that a generator which mirrors nothing is learnt."""
    tps: Weight = 0.0
    """FastCUT: weight of the triangle loss of TPSeNCE (Ruan et al., WACV 2024) on the discriminator's patch scores."""
    cycle: Weight = 10.0
    """CycleGAN: weight of there-and-back."""
    identity: Weight = 0.5
    """CycleGAN: weight, as a share of `cycle`, of leaving the other set's pictures alone."""
    structure: Weight = 0.0
    """Weight of keeping the structure of the picture: 1 minus the structure term of SSIM."""
    rate: float = Field(2e-4, gt=0, le=1)
    """Learning rate of Adam before it falls."""
    betas: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]] = (0.5, 0.999)
    """Adam's decay rates."""
    seed: int = 0
    """Another seed, other first weights and other crops."""


class TranslationRecipe(TranslationSettings, TrainingSettings):
    """A training recipe for translation. Paths are relative to the recipe."""

    train: Literal["translation"]
    """What is trained."""
    precision: Precision = "float32"
    """Numbers that forward passes compute with; adversarial training is at home in `float32`."""
    from_: Selection = Field(alias="from")
    """Pictures as they are: the clear ones."""
    to: Selection
    """Pictures as the others shall look; they need not show the same places."""
