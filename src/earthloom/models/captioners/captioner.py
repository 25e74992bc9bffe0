"""Pictures in, texts out: one batch through a model, and as many pictures at a time as the memory holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from earthloom.core.errors import UsageError
from earthloom.models.captioners.families import Prepare, Prepared, Show
from earthloom.models.weights.quiet import quiet

if TYPE_CHECKING:
    from torch import Tensor

Picture = npt.NDArray[np.uint8]
"""H x W x 3, sRGB; grey pictures have three equal channels."""

BREAKS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What processors and networks raise for a picture that they cannot take; they have no common root."""
_OUT_OF_MEMORY = ("out of memory", "not enough memory", "can't allocate memory")
"""What allocators say that raise a plain RuntimeError: CUDA's libraries, and torch's on the CPU."""
_TRIAL_SIDE = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Spoken:
    """What a model said of one picture."""

    text: str
    """Without the prompt and without the model's special tokens."""
    tokens_in: int | None
    """Tokens of the prompt, those that stand for the picture among them; None where the model takes none."""
    tokens_out: int
    is_whole: bool
    """False where the text was cut off because it became too long."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unspoken:
    """Why a model said nothing of a picture."""

    why: str
    may_pass: bool
    """True where memory or the GPU is to blame and not the picture: another try may do it."""


Describe = Callable[[Sequence[Picture]], list[Spoken]]


@dataclass(frozen=True, kw_only=True)
class Captioner:
    """A model that is loaded and can be asked."""

    name: str
    fingerprint: str
    """Of its files, those of LoRA weights after a `+`."""
    served: str
    """Libraries, device and precision that it runs with."""
    network: Any
    prepare: Prepare
    show: Show
    decode: Callable[[list[int]], str]
    tokenizer: Any
    """With a token to pad with, whatever was saved."""
    ends: frozenset[int]
    """Tokens that end a text."""
    generation: Mapping[str, Any]
    """How texts are searched for: no draws at random."""

    def describe(self, pictures: Sequence[Picture], prompt: str = "") -> list[Spoken]:
        """Say what is in each picture, in their order.

        Greedy or beam search: the same pictures give the same texts. Batches of other sizes may round otherwise, which
        shows in reduced precision where two words are nearly equally likely.

        Raises what the model raises, `torch.OutOfMemoryError` among it; `Batches` takes care of that.
        """
        if not pictures:
            return []
        return self.speak(self.prepare([_check_picture(picture) for picture in pictures], prompt))

    def speak(self, prepared: Prepared) -> list[Spoken]:
        """Do the same for pictures and a prompt that are prepared already."""
        import torch

        inputs = {name: self._move(value) for name, value in prepared.inputs.items()}
        with torch.inference_mode(), quiet():
            found = self.network.generate(**inputs, **self.generation).cpu()
        n_prompt = _count_echo(found, prepared.prefix)
        n_in = int(inputs["input_ids"].shape[1]) if "input_ids" in inputs else None
        return [self._read(row[n_prompt:].tolist(), n_in) for row in found]

    def check(self, prompt: str = "") -> None:
        """Describe a grey picture with one word.

        Raises UsageError where model, processor and prompt do not go together.
        """
        gray = np.full((_TRIAL_SIDE, _TRIAL_SIDE, 3), 128, np.uint8)
        trial = replace(self, generation={"max_new_tokens": 1, "do_sample": False})
        try:
            trial.describe([gray], prompt)
        except BREAKS as error:
            raise UsageError(
                f"The model {self.name} cannot describe a grey picture: {explain_break(error)}. Check that its folder "
                "is whole, that its processor belongs to it, and that it takes the prompt."
            ) from error

    def _move(self, value: Any) -> Any:
        """To the network's device, floats in its precision; some processors give lists beside tensors."""
        import torch

        if not isinstance(value, torch.Tensor):
            return value
        return value.to(self.network.device, self.network.dtype if value.is_floating_point() else None)

    def _read(self, tokens: list[int], n_in: int | None) -> Spoken:
        n = next((i for i, token in enumerate(tokens) if token in self.ends), len(tokens))
        is_whole = n < len(tokens) or n < self.generation["max_new_tokens"]
        return Spoken(
            text=self.decode(tokens[:n]),
            tokens_in=n_in,
            tokens_out=min(n + 1, len(tokens)),
            is_whole=is_whole,
        )


class Batches:
    """Runs a model over pictures, so many at a time as the memory holds.

    Where it does not hold a batch, the batch is halved, and so are those after it; a picture that the model cannot take
    costs itself alone.
    """

    def __init__(self, describe: Describe, size: int) -> None:
        self._describe = describe
        self.size = size
        """Pictures at a time from now on."""

    def run(self, pictures: Sequence[Picture]) -> Iterator[Spoken | Unspoken]:
        """Describe pictures, in their order."""
        start = 0
        while start < len(pictures):
            batch = pictures[start : start + self.size]
            yield from self._try(batch)
            start += len(batch)

    def _try(self, batch: Sequence[Picture]) -> Iterator[Spoken | Unspoken]:
        try:
            spoken = self._describe(batch)
        except BREAKS as error:
            is_memory, why = _is_memory(error), explain_break(error)
            may_pass = is_memory or "cuda" in why.lower()
        else:
            yield from spoken
            return
        # Out of the handler: the exception holds the frames, and they the tensors that did not fit.
        if is_memory:
            _free_memory()
        if len(batch) == 1:
            yield Unspoken(why=why, may_pass=may_pass)
            return
        half = (len(batch) + 1) // 2 if is_memory else 1
        if is_memory:
            self.size = min(self.size, half)
        for start in range(0, len(batch), half):
            yield from self._try(batch[start : start + half])


def explain_break(error: BaseException) -> str:
    """Name an exception in one line."""
    line = " ".join(str(error).split())
    shown = line if len(line) <= 300 else f"{line[:300]}..."
    return f"{type(error).__name__}: {shown}" if shown else type(error).__name__


def _is_memory(error: Exception) -> bool:
    import torch

    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(said in str(error).lower() for said in _OUT_OF_MEMORY)


def _free_memory() -> None:
    import torch

    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.empty_cache()


def _count_echo(found: Tensor, prefix: Tensor | None) -> int:
    """How many tokens of an output repeat the prompt: all of them or, as some versions of transformers do, none."""
    if prefix is None or found.shape[1] < prefix.shape[1]:
        return 0
    n = int(prefix.shape[1])
    return n if bool((found[:, :n] == prefix).all()) else 0


def _check_picture(picture: Picture) -> Picture:
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:
        raise UsageError(f"H x W x 3 of uint8 was wanted, got {picture.dtype} of shape {picture.shape}.")
    return picture
