"""The join gives what a join written with dictionaries gives, from any part of a tile shard."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from release_inputs import Inputs, expected_pairs, make_inputs

from earthloom.core.errors import AccountError
from earthloom.core.records import Modality, Pair, Picture, Scene
from earthloom.export import Segment, TileShard, iter_pairs, join_segments, pair_schema
from earthloom.store.tables import schema_of


def make_segment(
    shard: TileShard, split: str, modality: str, skip: int = 0, take: int | None = None
) -> Segment:
    n = shard.pairs.get((split, modality), 0) - skip if take is None else take
    return Segment(
        tiles=shard.tiles,
        captions=shard.captions,
        verdicts=shard.verdicts,
        scenes=shard.scenes,
        split=split,
        modality=modality,
        skip=skip,
        take=n,
    )


def expected_rows(inputs: Inputs, split: str, modality: str) -> list[Pair]:
    """Pairs built field by field from the records that they come from."""
    pairs = []
    for scene, tile, captioned, verdict in expected_pairs(inputs).values():
        if (verdict.split, scene.modality.value) != (split, modality):
            continue
        made = {
            "image": Picture(bytes=tile.image, path=f"{tile.id}.{tile.media}"),
            "captions": captioned.captions,
            "proposals": captioned.proposals,
            "split": split,
            "class_legend": scene.mask.legend if scene.mask else (),
        }
        for field in dataclasses.fields(Pair):
            if field.name not in made:
                made[field.name] = getattr(tile if hasattr(tile, field.name) else scene, field.name)
        pairs.append(Pair(**made))
    return pairs


@pytest.mark.parametrize("modality", ["rgb", "nir", "sar"])
def test_every_field_of_a_pair_comes_from_its_record(tmp_path: Path, modality: str) -> None:
    inputs = make_inputs(6, 4)
    got = list(iter_pairs([make_segment(inputs.write(tmp_path), "train", modality)]))
    assert got == expected_rows(inputs, "train", modality)
    assert got


def test_order_of_sides_does_not_matter(tmp_path: Path) -> None:
    inputs = make_inputs(6, 4)
    wanted = expected_rows(inputs, "test", "rgb")
    inputs.captions.reverse()
    inputs.verdicts.sort(key=lambda verdict: verdict.id)
    inputs.scenes.reverse()
    assert list(iter_pairs([make_segment(inputs.write(tmp_path), "test", "rgb")])) == wanted


def test_tiles_without_captions_or_verdict_are_left_out(tmp_path: Path) -> None:
    inputs = make_inputs(4, 5, (Modality.RGB,), ("train",))
    uncaptioned, unjudged = inputs.tiles[3].id, inputs.tiles[11].id
    inputs.captions = [c for c in inputs.captions if c.id != uncaptioned]
    inputs.verdicts = [v for v in inputs.verdicts if v.id != unjudged]
    got = [pair.id for pair in iter_pairs([make_segment(inputs.write(tmp_path), "train", "rgb")])]
    assert got == [tile.id for tile in inputs.tiles if tile.id not in {uncaptioned, unjudged}]


def test_a_scene_without_mask_gives_an_empty_legend(tmp_path: Path) -> None:
    inputs = make_inputs(2, 1, (Modality.RGB,), ("train",))
    inputs.scenes = [dataclasses.replace(inputs.scenes[0], mask=None), inputs.scenes[1]]
    first, second = iter_pairs([make_segment(inputs.write(tmp_path), "train", "rgb")])
    assert first.class_legend == ()
    assert [entry.name for entry in second.class_legend] == ["water"]


@pytest.fixture(scope="module")
def long_shard(tmp_path_factory: pytest.TempPathFactory) -> tuple[TileShard, Inputs]:
    """150 tiles in three row groups, splits and modalities interleaved."""
    inputs = make_inputs(50, 1, side=4)
    return inputs.write(tmp_path_factory.mktemp("long")), inputs


@settings(max_examples=40)
@given(split=st.sampled_from(["train", "val", "test"]), skip=st.integers(0, 17), take=st.integers(0, 17))
def test_any_run_of_rows_equals_the_slice(
    long_shard: tuple[TileShard, Inputs], split: str, skip: int, take: int
) -> None:
    shard, inputs = long_shard
    wanted = expected_rows(inputs, split, "nir")[skip : skip + take]
    segment = make_segment(shard, split, "nir", skip, len(wanted))
    assert list(iter_pairs([segment])) == wanted


def test_segments_follow_each_other(tmp_path: Path) -> None:
    first, second = make_inputs(3, 3), make_inputs(3, 3, first=3)
    shards = [first.write(tmp_path, "a"), second.write(tmp_path, "b")]
    got = list(iter_pairs([make_segment(shard, "train", "rgb") for shard in shards]))
    assert got == expected_rows(first, "train", "rgb") + expected_rows(second, "train", "rgb")


def test_a_batch_is_at_most_a_row_group(long_shard: tuple[TileShard, Inputs]) -> None:
    shard, _ = long_shard
    batches = list(join_segments([make_segment(shard, "train", "rgb")]))
    assert sum(batch.num_rows for batch in batches) == 17
    assert len(batches) == 3
    assert all(batch.schema.equals(pair_schema()) for batch in batches)


def test_fewer_pairs_than_planned_is_an_account_error(tmp_path: Path) -> None:
    shard = make_inputs(3, 3).write(tmp_path)
    with pytest.raises(AccountError, match=r"should give 4 train rgb pairs after the first 0.*only 3"):
        list(join_segments([make_segment(shard, "train", "rgb", take=4)]))


def test_schema_is_that_of_pair_with_every_column_nullable() -> None:
    assert pair_schema().names == schema_of(Pair).names
    assert all(field.nullable for field in pair_schema())
    assert pair_schema().field("image").type.field("bytes").nullable


def test_every_column_has_one_home() -> None:
    from earthloom.core.records import Tile

    made = {"image", "captions", "proposals", "split", "class_legend"}
    names = {field.name for field in dataclasses.fields(Pair)} - made
    homes = {field.name for record in (Tile, Scene) for field in dataclasses.fields(record)}
    assert names <= homes
