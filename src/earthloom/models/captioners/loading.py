"""From files to a captioner that can be asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from earthloom.core.errors import UsageError
from earthloom.core.extras import explain_missing_models
from earthloom.models.captioners.captioner import BREAKS, Captioner, explain_break
from earthloom.models.captioners.families import Speech, check_prompt, learn_speech
from earthloom.models.captioners.files import find_model
from earthloom.models.captioners.memory import Device, Precision, check_memory
from earthloom.models.weights.adapters import AdapterFiles, find_adapter, merge_adapter
from earthloom.models.weights.quiet import quiet
from earthloom.models.weights.transformers_files import TransformersFiles

_FAMILY_CLASSES = {
    "blip-2": "Blip2ForConditionalGeneration",
    "blip": "BlipForConditionalGeneration",
    "git": "GitForCausalLM",
    "vision-encoder-decoder": "VisionEncoderDecoderModel",
}
_CHAT_CLASS = "AutoModelForImageTextToText"


def open_captioner(
    model: str,
    *,
    revision: str = "",
    adapter: str | None = None,
    prompt: str = "",
    device: Literal["auto", "cpu", "cuda"] = "auto",
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto",
    max_new_tokens: int = 40,
    beams: int = 3,
    length_penalty: float = 1.0,
    trust_pickles: bool = False,
) -> Captioner:
    """Load a model and try it on one picture. Nothing is downloaded.

    Args:
        model: folder of a saved model, or its name on the Hub where it lies in the cache.
        revision: commit of a model of the Hub.
        adapter: LoRA weights, which are merged into the model's.
        prompt: what it will be asked, for the trial.
        device: `auto` is the first GPU where there is one.
        precision: `auto` is bfloat16 on a GPU and float32 on a CPU.
        max_new_tokens: longest text.
        beams: width of the beam search.
        length_penalty: over 0 longer texts win the beam search.
        trust_pickles: also load weights that are no safetensors.

    Raises:
        UsageError: it is not there, not whole, of a kind that does not turn pictures into text, or does not fit; torch
            and transformers are not installed.

    """
    files = find_model(model, revision, trust_pickles=trust_pickles)
    laid_over = find_adapter(adapter, trust_pickles=trust_pickles) if adapter is not None else None
    check_prompt(files, prompt)
    with explain_missing_models(f"The model {files.name} wants"):
        place = choose_device(device)
        exact = choose_precision(precision, place)
        check_memory(files.weights, exact, place)
        with quiet(), _translate_errors(files):
            network, speech = _load(files, exact)
            if laid_over is not None:
                network = merge_adapter(network, laid_over)
            network = network.to(place).eval()
        captioner = _assemble(
            files, laid_over, network, speech, _plan_search(max_new_tokens, beams, length_penalty), exact
        )
        captioner.check(prompt)
    return captioner


def fingerprint_captioner(
    model: str, *, revision: str = "", adapter: str | None = None, trust_pickles: bool = False
) -> str:
    """What `Captioner.fingerprint` will be, found without loading anything. Raises UsageError as `open_captioner`."""
    files = find_model(model, revision, trust_pickles=trust_pickles)
    laid_over = find_adapter(adapter, trust_pickles=trust_pickles) if adapter is not None else None
    return _fingerprint(files, laid_over)


def choose_device(device: Literal["auto", "cpu", "cuda"]) -> Device:
    """The device that is meant. Raises UsageError for a GPU that is not there."""
    import torch

    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise UsageError("device: cuda was asked for, but torch finds no GPU: set `device: cpu` or `auto`.")
    return device


def choose_precision(
    precision: Literal["auto", "float32", "bfloat16", "float16"], device: Device
) -> Precision:
    """The precision that is meant."""
    if precision != "auto":
        return precision
    return "bfloat16" if device == "cuda" else "float32"


@contextmanager
def _translate_errors(files: TransformersFiles) -> Iterator[None]:
    try:
        yield
    except (*BREAKS, ImportError) as error:
        if isinstance(error, ModuleNotFoundError) and error.name in {"torch", "transformers", "safetensors"}:
            raise
        raise UsageError(
            f"The model in {files.folder} ({files.model_type}) cannot be loaded as one that turns pictures into text: "
            f"{explain_break(error)}"
        ) from error


def _load(files: TransformersFiles, precision: Precision) -> tuple[Any, Speech]:
    import torch
    import transformers

    folder = str(files.folder)
    config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    speech = learn_speech(files, config)
    kind = getattr(transformers, _FAMILY_CLASSES.get(files.model_type, _CHAT_CLASS))
    network, loaded = kind.from_pretrained(
        folder,
        config=config,
        dtype=getattr(torch, precision),
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors=files.is_safe,
        variant=files.variant,
        output_loading_info=True,
    )
    # transformers fills what is missing with noise.
    missing = sorted(loaded["missing_keys"])
    if missing:
        raise UsageError(
            f"The weights in {files.folder} lack {len(missing)} of the model's tensors, such as {missing[0]}: "
            "take the whole model."
        )
    return network, speech


def _plan_search(max_new_tokens: int, beams: int, length_penalty: float) -> dict[str, Any]:
    plan: dict[str, Any] = {"max_new_tokens": max_new_tokens, "num_beams": beams, "do_sample": False}
    if beams > 1:
        plan["length_penalty"] = length_penalty
    return plan


def _assemble(
    files: TransformersFiles,
    adapter: AdapterFiles | None,
    network: Any,
    speech: Speech,
    search: dict[str, Any],
    precision: Precision,
) -> Captioner:
    import torch
    import transformers

    tokenizer = speech.tokenizer
    ends = _find_ends(network, tokenizer)
    _choose_padding(network, tokenizer, ends)
    return Captioner(
        name=files.name,
        fingerprint=_fingerprint(files, adapter),
        served=f"transformers {transformers.__version__}, torch {torch.__version__}, {network.device.type} {precision}",
        network=network,
        prepare=speech.prepare,
        show=speech.show,
        decode=lambda tokens: str(tokenizer.decode(tokens, skip_special_tokens=True)),
        tokenizer=tokenizer,
        ends=ends,
        generation=search,
    )


def _choose_padding(network: Any, tokenizer: Any, ends: frozenset[int]) -> None:
    """Give a model that has none (GPT-2, LLaMA) a token to fill up the shorter texts of a batch with."""
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    padding = next((token for token in (tokenizer.pad_token_id, *sorted(ends)) if token is not None), 0)
    for generation in _list_generations(network):
        if generation.pad_token_id is None:
            generation.pad_token_id = padding


def _find_ends(network: Any, tokenizer: Any) -> frozenset[int]:
    """Tokens that end a text, wherever a model keeps them."""
    text = network.config.get_text_config(decoder=True)
    found = [generation.eos_token_id for generation in _list_generations(network)]
    found += [getattr(text, "eos_token_id", None), tokenizer.eos_token_id]
    if network.config.model_type in {"blip", "git"}:
        found.append(tokenizer.sep_token_id)
    ends: set[int] = set()
    for entry in found:
        ends.update(entry if isinstance(entry, list | tuple) else () if entry is None else (entry,))
    return frozenset(ends)


def _list_generations(network: Any) -> list[Any]:
    """How the network and, in BLIP-2, the language model in it generate."""
    models = (network, getattr(network, "language_model", None))
    found = (getattr(model, "generation_config", None) for model in models)
    return [generation for generation in found if generation is not None]


def _fingerprint(files: TransformersFiles, adapter: AdapterFiles | None) -> str:
    own = files.fingerprint()
    return own if adapter is None else f"{own}+{adapter.fingerprint()}"
