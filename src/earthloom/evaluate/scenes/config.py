"""What is compared with what, and how."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from earthloom.core.errors import UsageError
from earthloom.core.settings import Settings

EncoderName = Literal["classical", "dinov2", "inception"]


class SceneSettings(Settings):
    """Synthetic weather of a release or of folders, and the real pictures that it is compared with."""

    release: str | None = Field(None, min_length=1)
    """Work folder or release; its RGB pairs with an effect are measured beside the pairs they are variants of."""
    synthetic: dict[str, str] = Field(default_factory=dict)
    """Instead of a release: effect to a folder of pictures with it."""
    clear: str | None = Field(None, min_length=1)
    """With `synthetic`: folder of the clear originals, paired by path and name without their endings."""
    real: dict[str, str] = Field(default_factory=dict)
    """Effect to a folder of real pictures with such weather."""
    real_clear: str | None = Field(None, min_length=1)
    """Folder of real clear pictures, best of the places of `real`; without it the clear originals stand in."""
    encoder: EncoderName = "classical"
    """What pictures are described by. `classical` needs no weights and is always measured too."""
    weights: str | None = Field(None, min_length=1)
    """Folder (DINOv2) or file (Inception) of the encoder's weights."""
    limit: int | None = Field(None, ge=1)
    """At most so many pictures of each set, chosen by a hash of their names."""
    subsets: int = Field(100, ge=10, le=10_000)
    """Random halves from which distances and their spread are taken."""
    folds: int = Field(5, ge=2, le=20)
    """Of the cross-validation of classifiers."""
    seed: int = 0
    """Of subsets, folds and `limit`."""

    @model_validator(mode="after")
    def _check_sources(self) -> Self:
        if (self.release is None) == (not self.synthetic):
            raise ValueError("wants either a release or --synthetic EFFECT=FOLDER.")
        if self.clear is not None and self.release is not None:
            raise ValueError("a release holds its clear originals: leave --clear out.")
        return self

    @model_validator(mode="after")
    def _check_weights(self) -> Self:
        if self.encoder == "classical" and self.weights is not None:
            raise ValueError(
                "the classical encoder has no weights: name one by --encoder, or leave --weights out."
            )
        if self.encoder != "classical" and self.weights is None:
            raise ValueError(f"{self.encoder} wants its weights: give their path by --weights.")
        return self


def parse_settings(*, synthetic: Sequence[str], real: Sequence[str], **others: Any) -> SceneSettings:
    """Make settings of what was typed: `EFFECT=FOLDER` in `synthetic` and `real`, fields by name for the others.

    Raises `UsageError` that names every fault.
    """
    made, seen = _split_folders("--synthetic", synthetic), _split_folders("--real", real)
    try:
        return SceneSettings(synthetic=made, real=seen, **others)
    except ValidationError as error:
        raise UsageError("; ".join(_say_fault(fault) for fault in error.errors())) from error


def _split_folders(option: str, told: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in told:
        effect, sign, folder = text.partition("=")
        if not (sign and effect and folder):
            raise UsageError(f"{option} wants EFFECT=FOLDER, such as fog=pictures/fog, got {text!r}.")
        if effect in found:
            raise UsageError(f"{option} wants one folder for {effect}, got {found[effect]!r} and {folder!r}.")
        found[effect] = folder
    return found


def _say_fault(fault: Any) -> str:
    """A fault of pydantic's as a person would say it."""
    place = ".".join(str(part).replace("_", "-") for part in fault["loc"])
    problem = str(fault["msg"]).removeprefix("Value error, ")
    return f"--{place}: {problem}, got {fault['input']!r}." if place else problem
