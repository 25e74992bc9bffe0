"""What may be chosen when a generator is opened. No torch here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["auto", "float32", "bfloat16", "float16"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Over:
    """What is laid over a Stable Diffusion."""

    lora: tuple[tuple[str, float], ...] = ()
    """Files or folders of LoRA weights, and how much each counts, 1 as trained."""
    controlnet: str | None = None
    """Folder of a ControlNet, or its name on the Hub."""
    base: str | None = None
    """Stable Diffusion to lay an export of ours over, instead of the one that it names."""

    def name_all(self) -> list[str]:
        """Options of the command line that were given."""
        named = {"--lora": self.lora, "--controlnet": self.controlnet, "--base": self.base}
        return [name for name, value in named.items() if value]
