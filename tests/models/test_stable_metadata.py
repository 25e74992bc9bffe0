"""What is known of a picture, as words and as tokens."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from earthloom.core.errors import UsageError  # noqa: E402
from earthloom.models.stable.metadata import (  # noqa: E402
    FACTS,
    MetadataTokens,
    PictureFacts,
    load_metadata_tokens,
    save_metadata_tokens,
    scale_facts,
    write_clause,
)
from earthloom.models.weights.saving import save_tensors  # noqa: E402

WIDTH = 32


@pytest.mark.parametrize(
    ("facts", "clause"),
    [
        (PictureFacts(), ""),
        (PictureFacts(gsd_m=0.3), "0.3 m per pixel"),
        (PictureFacts(lon=0.0, lat=0.0), "longitude 0.00, latitude 0.00"),
        (PictureFacts(date="2019"), "2019"),
        (PictureFacts(date="2019-09-04T17:01:02Z", cloud_share=0.0), "2019-09-04, 0 % cloud"),
        (
            PictureFacts(gsd_m=10.0, lon=12.336, lat=-45.437, date="2019-09", cloud_share=0.049),
            "10 m per pixel, longitude 12.34, latitude -45.44, 2019-09, 5 % cloud",
        ),
        (PictureFacts(date="in autumn"), ""),
    ],
)
def test_clause(facts: PictureFacts, clause: str) -> None:
    assert write_clause(facts) == clause


def test_numbers_go_from_0_to_1000() -> None:
    """The spans of DiffusionSat's `metadata_normalize`, but for the ground sample distance: that goes by octaves."""
    low = PictureFacts(gsd_m=2**-7, lon=-180, lat=-90, date="1980-01-01", cloud_share=0)
    high = PictureFacts(gsd_m=2**14, lon=180, lat=90, date="2100-12-31", cloud_share=1)
    assert scale_facts(low)[0].tolist() == pytest.approx([0, 0, 0, 0, 0, 1000 / 12, 1000 / 31])
    assert scale_facts(high)[0].tolist() == pytest.approx([1000.0] * 7)
    assert scale_facts(high)[1].all()


def test_unknown_is_not_zero() -> None:
    values, known = scale_facts(PictureFacts(lon=-180.0, date="2019-09"))
    assert dict(zip(FACTS, known.tolist(), strict=True)) == {
        "lon": True, "lat": False, "gsd_m": False, "cloud_share": False, "year": True, "month": True, "day": False
    }  # fmt: skip
    assert values[0] == 0
    tokens = MetadataTokens(torch.randn(WIDTH, generator=torch.Generator().manual_seed(0)))
    zeros = torch.zeros(1, len(FACTS))
    as_zero = tokens(zeros, torch.ones(1, len(FACTS), dtype=torch.bool))
    as_unknown = tokens(zeros, torch.zeros(1, len(FACTS), dtype=torch.bool))
    assert (as_zero - as_unknown).abs().amax(-1).min() > 1e-3


def test_waves_are_those_of_diffusions_steps() -> None:
    from diffusers.models.embeddings import get_timestep_embedding

    from earthloom.models.stable.metadata import _make_waves

    values = torch.tensor([[0.0, 1.0, 12.5, 333.0, 999.9, 1000.0, 517.25]])
    wanted = get_timestep_embedding(values[0], 256, flip_sin_to_cos=True, downscale_freq_shift=0)
    torch.testing.assert_close(_make_waves(values)[0], wanted, rtol=0, atol=1e-4)


def test_tokens_begin_near_what_the_unet_knows() -> None:
    start = torch.randn(WIDTH)
    tokens = MetadataTokens(start)(torch.rand(3, 7) * 1000, torch.rand(3, 7) > 0.5)
    assert tokens.shape == (3, 7, WIDTH)
    assert (tokens - start).norm(dim=-1).max() < 0.2 * start.norm()


def test_what_is_unknown_does_not_reach_its_token() -> None:
    tokens = MetadataTokens(torch.randn(WIDTH))
    known = torch.tensor([[True, False, True, True, True, True, True]])
    one, other = torch.full((1, 7), 500.0), torch.full((1, 7), 500.0)
    other[0, 1] = 12.0
    assert torch.equal(tokens(one, known), tokens(other, known))
    other[0, 2] = 12.0
    differs = (tokens(one, known) != tokens(other, known)).any(-1)[0]
    assert differs.tolist() == [False, False, True, False, False, False, False]


@given(
    st.floats(0.01, 1e4),
    st.floats(-180, 180),
    st.floats(-90, 90),
    st.dates().map(str),
    st.floats(0, 1),
)
def test_any_facts_are_finite(gsd_m: float, lon: float, lat: float, date: str, cloud_share: float) -> None:
    facts = PictureFacts(gsd_m=gsd_m, lon=lon, lat=lat, date=date, cloud_share=cloud_share)
    values, known = scale_facts(facts)
    assert known.all()
    assert all(map(math.isfinite, values.tolist()))
    assert write_clause(facts).count(", ") == 4


def test_file(tmp_path: Path) -> None:
    tokens = MetadataTokens(torch.randn(WIDTH))
    path, again = tmp_path / "tokens.safetensors", tmp_path / "again.safetensors"
    save_metadata_tokens(path, tokens, {"name": "tiny"})
    loaded = load_metadata_tokens(path)
    values, known = torch.rand(2, 7) * 1000, torch.rand(2, 7) > 0.3
    assert torch.equal(loaded(values, known), tokens(values, known))
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    save_metadata_tokens(again, tokens, {"name": "tiny"})
    assert again.read_bytes() == path.read_bytes()


def test_files_of_others(tmp_path: Path) -> None:
    save_tensors(tmp_path / "other.safetensors", {"x": torch.zeros(1)}, {})
    with pytest.raises(UsageError, match="holds no metadata tokens that this version"):
        load_metadata_tokens(tmp_path / "other.safetensors")
    with pytest.raises(UsageError, match="There are no metadata tokens"):
        load_metadata_tokens(tmp_path / "missing.safetensors")
