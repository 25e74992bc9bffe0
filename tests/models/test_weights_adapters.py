"""Files of LoRA weights as peft saves them. How they are merged is tested with captioners."""

from __future__ import annotations

from pathlib import Path

import pytest

from earthloom.core.errors import UsageError
from earthloom.models.weights.adapters import find_adapter


def test_adapters_are_found_or_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"adapter_model\.safetensors"):
        find_adapter(str(tmp_path))
    with pytest.raises(UsageError, match=r"no such\.safetensors"):
        find_adapter(str(tmp_path / "no such.safetensors"))
    (tmp_path / "adapter_model.bin").write_bytes(b"pickle")
    with pytest.raises(UsageError, match=r"wants adapter_config\.json beside it"):
        find_adapter(str(tmp_path))
    (tmp_path / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    with pytest.raises(UsageError, match="trust_pickles"):
        find_adapter(str(tmp_path))
    assert find_adapter(str(tmp_path), trust_pickles=True).weights.name == "adapter_model.bin"
    (tmp_path / "adapter_model.safetensors").write_bytes(b"cut")
    with pytest.raises(UsageError, match="no safetensors file"):
        find_adapter(str(tmp_path))
    (tmp_path / "adapter_model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    (tmp_path / "adapter_config.json").write_text('{"peft_type": "IA3"}')
    with pytest.raises(UsageError, match="type 'IA3', LORA was wanted"):
        find_adapter(str(tmp_path))
