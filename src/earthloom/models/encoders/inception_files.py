"""Published weights of Inception: found, told apart by their hash, loaded without running what a pickle may hold."""

from __future__ import annotations

import hashlib
import pickle
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from earthloom.core.errors import UsageError
from earthloom.models.encoders.inception import Inception, ScriptedInception
from earthloom.models.encoders.inception_graph import InceptionV3
from earthloom.models.encoders.resizing import Resize
from earthloom.models.weights.fingerprints import fingerprint_files

if TYPE_CHECKING:
    from torch.jit import ScriptModule

PUBLISHED = "pt_inception-2015-12-05-6726825d.pth"
"""The weights of TensorFlow's graph for torch. The last part of the name is how its SHA-256 starts (torch.hub's rule);
torch-fidelity publishes the same file as `weights-inception-2015-12-05-6726825d.pth`."""
SCRIPTED = "inception-2015-12-05.pt"
"""NVIDIA's translation of the same graph with the same weights."""
_HASH = "6726825d"
_ZIP = b"PK\x03\x04"
_COUNTERS = "num_batches_tracked"
"""Of no use outside of training; older files lack them."""
_REMEDY = (
    f"Download {PUBLISHED} from the releases of pytorch-fid (github.com/mseitzer/pytorch-fid, fid_weights), "
    f"or NVIDIA's {SCRIPTED}."
)


def load_inception(weights: Path, rule: Resize, *, trust: bool) -> Inception | ScriptedInception:
    """Load either file onto the CPU.

    Args:
        weights: the state dict `pt_inception-2015-12-05-6726825d.pth`, or the TorchScript `inception-2015-12-05.pt`.
        rule: how pictures are resized.
        trust: also take a state dict whose hash is not that of the published one. Its distances are then not called
            FID.

    Raises:
        UsageError: there is no such file, it is another one, or holds no such network.

    """
    if not weights.is_file():
        raise UsageError(f"The file {PUBLISHED} or {SCRIPTED} was wanted, got {weights}. {_REMEDY}")
    if _is_script(weights):
        return _load_script(weights, rule)
    return _load_state(weights, rule, trust=trust)


def _is_script(path: Path) -> bool:
    """Whether it is an archive with code, as TorchScript is; or nothing that torch writes, which is then told."""
    with path.open("rb") as file:
        if file.read(4) != _ZIP:
            return False
    try:
        names = torch._C.PyTorchFileReader(str(path)).get_all_records()
    except RuntimeError:
        return True
    return any(name.startswith("code/") for name in names)


def _load_state(path: Path, rule: Resize, *, trust: bool) -> Inception:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    is_published = digest.startswith(_HASH)
    if not is_published and not trust:
        raise UsageError(
            f"{path} is not the published file: its SHA-256 starts with {digest[:8]}, that of {PUBLISHED} "
            f"with {_HASH}. It may be cut short, or hold other weights. {_REMEDY} To use it all the same, say that it "
            "is trusted (`trust: true`): its distances are then not called FID."
        )
    network = InceptionV3()
    network.load_state_dict(_read_state(path, network))
    network.requires_grad_(requires_grad=False).eval()
    placed = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Inception(version=digest[:16], network=placed, rule=rule, is_published=is_published)


def _read_state(path: Path, network: InceptionV3) -> dict[str, torch.Tensor]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the format; what is wrong with a file is told by the error
            state: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise UsageError(f"{path} is no state dict: {_first_line(error)} {_REMEDY}") from error
    wanted = network.state_dict()
    found = state if isinstance(state, dict) else {}
    odd = [name for name in wanted if name not in found and not name.endswith(_COUNTERS)]
    odd += [name for name in found if name not in wanted]
    odd += [name for name in wanted if name in found and found[name].shape != wanted[name].shape]
    if odd:
        raise UsageError(
            f"{path} holds another network: {odd[0]} and {len(odd) - 1} more are missing, too many or of another shape "
            f"than in Inception as FID has it. {_REMEDY}"
        )
    return {name: found.get(name, value) for name, value in wanted.items()}


def _load_script(path: Path, rule: Resize) -> ScriptedInception:
    try:
        with warnings.catch_warnings():
            # torch means to leave TorchScript; the published file exists in no other form.
            warnings.simplefilter("ignore", DeprecationWarning)
            network: ScriptModule = torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError) as error:
        raise UsageError(f"TorchScript was wanted, {path} is none: {_first_line(error)} {_REMEDY}") from error
    if "return_features" not in str(getattr(network.forward, "schema", "")):
        raise UsageError(f"{path} has no argument return_features: give NVIDIA's {SCRIPTED}.")
    network.eval()
    return ScriptedInception(version=fingerprint_files([path]), network=network, rule=rule)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
