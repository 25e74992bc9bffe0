"""An encoder by its name."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, cast, get_args

from earthloom.core.errors import UsageError
from earthloom.core.extras import explain_missing_models
from earthloom.models.encoders.encoder import Encoder

EncoderName = Literal["ours", "inception", "dinov2", "clip"]
InceptionResize = Literal["clean", "legacy"]
NAMES: tuple[str, ...] = get_args(EncoderName)


def load_encoder(
    name: EncoderName,
    weights: Path | None = None,
    *,
    resize: InceptionResize = "clean",
    trust: bool = False,
) -> Encoder:
    """Read an encoder from its weights, onto the CPU.

    Args:
        name: which network.
        weights: of `ours` none, for those that come with the package, or a file of `earthloom.models.loom.files`; of
            `inception` the file `pt_inception-2015-12-05-6726825d.pth` or `inception-2015-12-05.pt`; of `dinov2` and
            `clip` a folder as transformers saves it.
        resize: how Inception's pictures are resized: `clean` as clean-fid, `legacy` as pytorch-fid. The others have one
            way.
        trust: also take weights of Inception whose hash is not that of the published ones.

    Raises:
        UsageError: torch or transformers are not installed, or the weights are not there or not of this kind.

    """
    if name not in NAMES:
        raise UsageError(f"One of {', '.join(NAMES)} was wanted for an encoder, got {name!r}.")
    if weights is None and name != "ours":
        raise UsageError(
            f"The encoder {name} wants a path of its weights; `ours` alone comes with the package."
        )
    with explain_missing_models(f"The encoder {name} wants"):
        return _load(name, cast(Path, weights), resize, trust=trust)


def _load(name: EncoderName, weights: Path, resize: InceptionResize, *, trust: bool) -> Encoder:
    if name == "inception":
        from earthloom.models.encoders.inception_files import load_inception
        from earthloom.models.encoders.resizing import RULES

        return load_inception(weights, RULES[resize], trust=trust)
    if name == "dinov2":
        from earthloom.models.encoders.dinov2 import load_dinov2

        return load_dinov2(weights)
    if name == "clip":
        from earthloom.models.encoders.clip import load_clip

        return load_clip(weights)
    from earthloom.models.loom.files import SHIPPED, load_loom

    return load_loom(weights or SHIPPED)
