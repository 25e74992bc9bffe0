"""Where LoRA goes in each kind of captioner, and what is trained beside it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from earthloom.core.errors import UsageError
from earthloom.core.extras import explain_missing_models
from earthloom.train.blip2.config import Blip2Settings

if TYPE_CHECKING:
    from peft import PeftModel

_ATTENTION = "(q_proj|k_proj|v_proj|o_proj|out_proj|query|key|value|c_attn|q_attn|q|k|v|o)"
"""Names of attention's projections in the language models of transformers."""
_SPEAKING = {
    "blip-2": "language_model",
    "blip": "text_decoder",
    "git": r"git\.encoder",
    "vision-encoder-decoder": "decoder",
}
"""The part of each kind that speaks; of chat models `language_model`."""
_QFORMER = r"qformer\..*\.(query|key|value)"
_WHOLE = ("qformer", "language_projection")
"""Of BLIP-2: what `qformer: full` trains."""


def add_lora(network: Any, settings: Blip2Settings) -> PeftModel:
    """Put LoRA over a network, in place, and freeze the rest; what is trained is float32, drawn from torch's generator.

    What it says is unchanged at first, for one of LoRA's two matrices is zero.

    Raises:
        UsageError: no layer has a name that the settings ask for; or there is no Q-Former to train as a whole.

    """
    with explain_missing_models("LoRA wants"):
        import peft
    kind = network.config.model_type
    if settings.qformer == "full" and kind != "blip-2":
        raise UsageError(f"qformer: full is for BLIP-2, this model ({kind}) has no Q-Former: leave it out.")
    config = peft.LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=sorted(set(settings.targets)) or name_targets(kind, settings.qformer),
        modules_to_save=list(_WHOLE) if settings.qformer == "full" else None,
        fan_in_fan_out=False,
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # it sees by itself that GPT-2 keeps its matrices the other way round
            adapted = peft.get_peft_model(network, config)
    except ValueError as error:
        names = ", ".join(settings.targets) or str(config.target_modules)
        raise UsageError(
            f"targets: LoRA cannot be put over {names} in this model ({kind}): {error}"
        ) from error
    # What is remembered of earlier tokens serves writing alone, which asks for it by itself.
    network.config.get_text_config(decoder=True).use_cache = False
    for parameter in adapted.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    return adapted


def forget_activations(network: Any) -> None:
    """Let a network of transformers compute its layers once more on the way back instead of keeping what they gave.

    To be called after `add_lora`, which else lets embeddings want gradients, as transformers does here: the older kind
    of checkpoints needs that, and GIT, which adds to them in place, breaks by it. It is taken back.
    """
    old = "gradient_checkpointing_enable"  # its name in the first transformers 5, which now gives a warning
    enable = getattr(network, "activation_checkpointing_enable", None) or getattr(network, old)
    enable({"use_reentrant": False})
    if network.main_input_name == "input_ids":
        network.disable_input_require_grads()


def name_targets(kind: str, qformer: str) -> str:
    """A regular expression for the names of layers that get LoRA where a recipe names none."""
    speaking = rf"(.*\.)?{_SPEAKING.get(kind, 'language_model')}\..*\.{_ATTENTION}"
    return rf"{speaking}|{_QFORMER}" if kind == "blip-2" and qformer == "lora" else speaking
