"""LoRA (Hu et al., ICLR 2022) over the networks of a Stable Diffusion, by peft.

A layer's weight W becomes W + up · down · alpha / rank. At the start `up` is zero, so that nothing changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from earthloom.core.errors import UsageError
from earthloom.core.extras import explain_missing_models

TargetSet = Literal["attention", "attention+ff", "all-linear"]
_ATTENTION = ("to_q", "to_k", "to_v", "to_out.0", "q_proj", "k_proj", "v_proj", "out_proj")
"""Projections of attention, in the UNet and in text encoders."""
_FEED_FORWARD = ("ff.net.0.proj", "ff.net.2", "fc1", "fc2")
_SETS: Mapping[str, tuple[str, ...]] = {
    "attention": _ATTENTION,
    "attention+ff": (*_ATTENTION, *_FEED_FORWARD),
}
_ADAPTER = "default"


@dataclass(frozen=True, kw_only=True, slots=True)
class Factors:
    """What LoRA adds to one layer: up · down · alpha / rank."""

    down: Tensor
    """rank x inputs, of a convolution rank x channels x kh x kw."""
    up: Tensor
    """outputs x rank, of a convolution outputs x rank x 1 x 1."""
    alpha: float

    @property
    def rank(self) -> int:
        """Width of the layer between the two."""
        return int(self.down.shape[0])


def add_lora(
    network: Any,
    *,
    rank: int,
    alpha: float,
    targets: TargetSet | Sequence[str] = "attention",
    dropout: float = 0.0,
    seed: int = 0,
) -> list[nn.Parameter]:
    """Lay LoRA over a network; its output is what it was until `up` is trained.

    Args:
        network: UNet or text encoder; its own weights are frozen.
        rank: width between the two factors, from 1.
        alpha: the factors' product counts alpha / rank times.
        targets: a set of layers, or ends of layers' names such as `attn2.to_k`. `attention`, the default of diffusers'
            training scripts, is the four projections of every attention; `attention+ff` also the layers behind it;
            `all-linear` every linear layer.
        dropout: share of a layer's input that is dropped on the way through the factors while training, 0..1.
        seed: of the start of `down`; torch's own random state is left as it is.

    Returns:
        The parameters to train, in float32, in the order of the layers.

    Raises:
        UsageError: no layer is called so, or the network has LoRA already; peft is not installed.

    """
    _check_new(network)
    names = list_targets(network, targets)
    device = next(network.parameters()).device
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        _inject(network, _plan(dict.fromkeys(names, (rank, alpha))), dropout)
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


def lay_lora(network: Any, factors: Mapping[str, Factors], *, strength: float = 1.0) -> None:
    """Lay trained LoRA over a network, frozen, to draw pictures with.

    Args:
        network: UNet or text encoder.
        factors: by the names of the network's layers, as `read_lora` gives them.
        strength: what they count, 1 as trained.

    Raises:
        UsageError: they have shapes of another model, or the network has LoRA already; peft is not installed.

    """
    _check_new(network)
    _check_shapes(network, factors)
    shapes = {name: (entry.rank, entry.alpha * strength) for name, entry in factors.items()}
    _inject(network, _plan(shapes), dropout=0.0)
    layers = dict(_list_layers(network))
    with torch.no_grad():
        for name, entry in factors.items():
            layers[name].lora_A[_ADAPTER].weight.copy_(entry.down)
            layers[name].lora_B[_ADAPTER].weight.copy_(entry.up)
    network.requires_grad_(requires_grad=False).eval()


def take_factors(network: Any) -> dict[str, Factors]:
    """Factors of a network with LoRA, by the names of its layers; not copied. Empty where it has none."""
    return {
        name: Factors(
            down=layer.lora_A[_ADAPTER].weight.detach(),
            up=layer.lora_B[_ADAPTER].weight.detach(),
            alpha=float(layer.lora_alpha[_ADAPTER]),
        )
        for name, layer in _list_layers(network)
    }


def list_targets(network: nn.Module, targets: TargetSet | Sequence[str]) -> list[str]:
    """Names of the layers that are meant. Raises UsageError where one of the names meets no layer."""
    if targets == "all-linear":
        return [name for name, module in network.named_modules() if isinstance(module, nn.Linear)]
    names = [name for name, module in network.named_modules() if isinstance(module, nn.Linear | nn.Conv2d)]
    if isinstance(targets, str) and targets in _SETS:
        ends = _SETS[targets]
    else:
        ends = (targets,) if isinstance(targets, str) else tuple(targets)
        _check_ends(ends, names)
    return [name for name in names if _ends_so(name, ends)]


def describe_factors(factors: Mapping[str, Factors]) -> dict[str, Any]:
    """What they are for peft's LoraConfig: `r`, `lora_alpha`, `target_modules` and what differs layer by layer."""
    return _plan({name: (entry.rank, entry.alpha) for name, entry in factors.items()})


def _plan(shapes: Mapping[str, tuple[int, float]]) -> dict[str, Any]:
    """From layers' ranks and alphas; the pairs that occur most are told once."""
    rank, alpha = Counter(shapes.values()).most_common(1)[0][0]
    # Patterns of peft are regular expressions; ^ keeps them from meeting the ends of longer names.
    return {
        "r": rank,
        "lora_alpha": _as_number(alpha),
        "target_modules": sorted(shapes),
        "rank_pattern": {f"^{name}": shape[0] for name, shape in sorted(shapes.items()) if shape[0] != rank},
        "alpha_pattern": {
            f"^{name}": _as_number(shape[1]) for name, shape in sorted(shapes.items()) if shape[1] != alpha
        },
    }


def _inject(network: Any, plan: Mapping[str, Any], dropout: float) -> None:
    with explain_missing_models("LoRA wants"):
        import peft
    config = peft.LoraConfig(**plan, lora_dropout=dropout)
    network.requires_grad_(requires_grad=False)
    peft.inject_adapter_in_model(config, network, _ADAPTER)
    for _, layer in _list_layers(network):
        # peft gives them the precision of the layer, in which small steps would be lost.
        layer.lora_A.to(torch.float32)
        layer.lora_B.to(torch.float32)


def _list_layers(network: nn.Module) -> Iterable[tuple[str, Any]]:
    with explain_missing_models("LoRA wants"):
        from peft.tuners.lora import LoraLayer
    for name, module in network.named_modules():
        if isinstance(module, LoraLayer) and _ADAPTER in module.lora_A:
            yield name, module


def _check_new(network: nn.Module) -> None:
    if any(True for _ in _list_layers(network)):
        raise UsageError("The network has LoRA already: open it anew.")


def _check_shapes(network: nn.Module, factors: Mapping[str, Factors]) -> None:
    if not factors:
        raise UsageError("There are no LoRA weights to lay over the network.")
    layers = dict(network.named_modules())
    for name, entry in factors.items():
        weight = layers[name].weight if name in layers else None
        if not isinstance(weight, Tensor):
            raise UsageError(f"The LoRA weights want a layer {name}, which the network lacks: {_REMEDY}")
        wanted = ((entry.rank, *weight.shape[1:]), (weight.shape[0], entry.rank))
        got = (tuple(entry.down.shape), tuple(entry.up.shape[:2]))
        if got != wanted:
            raise UsageError(f"The LoRA weights of {name} have shapes {got}, {wanted} were wanted: {_REMEDY}")


_REMEDY = "give those that were trained for this very model."


def _check_ends(ends: Sequence[str], names: Sequence[str]) -> None:
    unknown = [end for end in ends if not any(_ends_so(name, (end,)) for name in names)]
    if unknown or not ends:
        known = sorted({name.rpartition(".")[2] for name in names} - {"0", "2"})
        raise UsageError(
            f"targets: no layer is called {', '.join(unknown) or 'nothing'}. Give {', '.join([*_SETS, 'all-linear'])}, "
            f"or ends of layers' names, such as {', '.join(known[:8])}."
        )


def _ends_so(name: str, ends: Sequence[str]) -> bool:
    return any(name == end or name.endswith(f".{end}") for end in ends)


def _as_number(alpha: float) -> float | int:
    """Whole numbers as such: so peft and kohya's scripts write them."""
    return int(alpha) if float(alpha).is_integer() else alpha
