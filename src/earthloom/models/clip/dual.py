"""A dual encoder: opened from what others or we have saved, asked for features, saved for plain transformers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import normalize

from earthloom.core.errors import UsageError
from earthloom.core.extras import explain_missing_models
from earthloom.models.clip.looks import Look, Picture, read_look
from earthloom.models.clip.positions import stretch_text
from earthloom.models.clip.tokens import tokenise
from earthloom.models.weights.origins import Origin
from earthloom.models.weights.quiet import quiet
from earthloom.models.weights.transformers_files import TransformersFiles, find_transformers
from earthloom.store.atomic import translate_write_errors

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Features = npt.NDArray[np.float64]
"""N x D, each of length 1."""
LongText = Literal["cut", "stretch"]

_BATCH = 64
_BREAKS = (ImportError, KeyError, OSError, RuntimeError, TypeError, ValueError)
"""What transformers raises for files that it cannot make a network of."""


@dataclass(frozen=True, kw_only=True)
class Dual:
    """A dual encoder with what makes its inputs."""

    network: Any
    """transformers' CLIPModel, whose types know neither what its configuration holds nor what it gives."""
    tokenizer: PreTrainedTokenizerBase
    look: Look
    origin: Origin | None
    """Whose weights it began with; None for one that was made here."""

    @property
    def length(self) -> int:
        """Longest text in tokens, with its start and its end."""
        return int(self.network.config.text_config.max_position_embeddings)

    def describe_pictures(self, pictures: Sequence[Picture]) -> Features:
        """Features of pictures, each H x W x 3, sRGB, of any size: N x D, each of length 1."""
        return self._describe(pictures, self._see)

    def describe_texts(self, texts: Sequence[str]) -> Features:
        """Features of texts: N x D, each of length 1. Texts that are too long are cut."""
        return self._describe(texts, self._read)

    def _see(self, pictures: Sequence[Picture]) -> Tensor:
        framed = np.stack([self.look.frame(picture) for picture in pictures]).transpose(0, 3, 1, 2)
        images = torch.from_numpy(np.ascontiguousarray(framed)).to(self.network.device)
        return encode_images(self.network, self.look.normalise(images))

    def _read(self, texts: Sequence[str]) -> Tensor:
        tokens = tokenise(self.tokenizer, texts, self.length)
        ids = torch.from_numpy(tokens.ids[:, : tokens.lengths.max()])
        return encode_texts(self.network, ids.to(self.network.device))

    def _describe(self, things: Sequence[Any], encode: Any) -> Features:
        was_training = self.network.training
        self.network.eval()
        parts: list[Features] = [np.empty((0, self.network.config.projection_dim))]
        with torch.inference_mode():
            for start in range(0, len(things), _BATCH):
                found = encode(things[start : start + _BATCH])
                parts.append(normalize(found.double(), dim=-1).cpu().numpy())
        self.network.train(was_training)
        return np.concatenate(parts)

    def save(self, folder: Path, network: Any | None = None) -> None:
        """Write what plain transformers loads: CLIPModel, AutoTokenizer and AutoImageProcessor.

        Args:
            folder: is made where it is missing.
            network: is written in place of this one's, of the same shape.

        Raises:
            WriteError: the disk is full or not writable.

        """
        with translate_write_errors(folder), quiet():
            (network or self.network).save_pretrained(folder)
            self.tokenizer.save_pretrained(folder)
            self.look.write(folder)


def encode_images(network: Any, pixels: Tensor, dropped: float = 0.0) -> Tensor:
    """Project images into the common space.

    Args:
        network: with both towers.
        pixels: normalised, N x 3 x H x W.
        dropped: share of the patches of each image that are left out, drawn from torch: FLIP (Li et al., CVPR 2023)
            learns as well with half of them, in half the time.

    Returns:
        Features, N x D, not normalised.

    """
    if dropped == 0.0:
        features: Tensor = network.get_image_features(pixel_values=pixels).pooler_output
        return features
    tower = network.vision_model
    states = tower.pre_layrnorm(_drop_patches(tower.embeddings(pixels), dropped))
    states = tower.encoder(inputs_embeds=states).last_hidden_state
    projected: Tensor = network.visual_projection(tower.post_layernorm(states[:, 0]))
    return projected


def encode_texts(network: Any, ids: Tensor) -> Tensor:
    """Project texts into the common space: features, N x D, not normalised, of ids, N x L, padded behind.

    The tower looks back only and its feature is the state at the end token, so padding behind it changes nothing and
    needs no mask.
    """
    features: Tensor = network.get_text_features(input_ids=ids).pooler_output
    return features


def _drop_patches(states: Tensor, dropped: float) -> Tensor:
    """Keep the class token, which comes first, and some of the others."""
    n, n_patches = len(states), states.shape[1] - 1
    n_kept = max(1, round(n_patches * (1 - dropped)))
    chosen = torch.rand(n, n_patches, device=states.device).argsort(1)[:, :n_kept].sort(1).values + 1
    kept = states.gather(1, chosen.unsqueeze(-1).expand(-1, -1, states.shape[2]))
    return torch.cat([states[:, :1], kept], 1)


def open_dual(
    model: str,
    revision: str = "",
    *,
    long_text: LongText = "cut",
    length: int = 248,
    trust_pickles: bool = False,
    device: torch.device | str = "cpu",
) -> Dual:
    """Load a CLIPModel in float32. Nothing is downloaded.

    Args:
        model: folder as transformers saves it, or its name on the Hub where it lies in the cache.
        revision: commit, tag or branch of a model of the Hub.
        long_text: `cut` leaves the text tower as it is; `stretch` makes it take `length` tokens where it takes fewer.
        length: tokens of a stretched tower; 248 are those of Long-CLIP.
        trust_pickles: also load weights that are no safetensors.
        device: where it goes.

    Raises:
        UsageError: it is not there, not whole, or no CLIPModel; transformers is not installed.

    """
    files = find_transformers(
        model, revision, trust_pickles=trust_pickles, example="openai/clip-vit-base-patch32"
    )
    if files.model_type != "clip":
        raise UsageError(
            f"A dual encoder of the type `clip` was wanted, {files.folder} holds one of the type `{files.model_type}`."
        )
    with explain_missing_models(f"The model {files.name} wants"):
        import transformers  # noqa: F401  (asked for first, so that a missing library is told as such)

        with quiet(), _translate_errors(files):
            network, tokenizer = _load_network(files), _load_tokenizer(files)
        if long_text == "stretch" and network.config.text_config.max_position_embeddings < length:
            stretch_text(network, length)
            tokenizer.model_max_length = length
    look = read_look(files.folder, int(network.config.vision_config.image_size))
    return Dual(network=network.to(device), tokenizer=tokenizer, look=look, origin=files.origin)


def _load_network(files: TransformersFiles) -> Any:
    from transformers import CLIPModel

    kind: Any = CLIPModel
    network, told = kind.from_pretrained(
        str(files.folder),
        local_files_only=True,
        use_safetensors=files.is_safe,
        variant=files.variant,
        dtype=torch.float32,
        output_loading_info=True,
    )
    _check_loaded(files, told)
    return network.eval()


def _check_loaded(files: TransformersFiles, told: Mapping[str, Any]) -> None:
    """The library fills what is missing with noise."""
    missing = sorted(told["missing_keys"])
    if missing:
        raise UsageError(
            f"The weights in {files.folder} lack {len(missing)} of the network's tensors, such as {missing[0]}: "
            "take the whole model."
        )


def _load_tokenizer(files: TransformersFiles) -> PreTrainedTokenizerBase:
    from transformers import AutoTokenizer

    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
        str(files.folder), local_files_only=True, trust_remote_code=False
    )
    return tokenizer


@contextmanager
def _translate_errors(files: TransformersFiles) -> Iterator[None]:
    try:
        yield
    except _BREAKS as error:
        raise UsageError(
            f"{files.folder} cannot be loaded as a CLIPModel: {' '.join(str(error).split())[:300]}"
        ) from error
