from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from earthloom.core.records import ByteRange, Item, Part, Reason
from earthloom.run.plan import _describe, pack_spans
from earthloom.run.recipe import AtlasEntry, GeotiffEntry, ImagesEntry


@given(st.lists(st.integers(0, 40), max_size=12), st.integers(1, 17))
def test_windows_are_packed_whole_in_order_and_evenly(counts: list[int], size: int) -> None:
    shards = list(pack_spans(counts, size))
    windows = [(span.row, w) for spans in shards for span in spans for w in range(span.first, span.stop)]
    assert windows == [(row, w) for row, count in enumerate(counts) for w in range(count)]
    sizes = [sum(span.stop - span.first for span in spans) for spans in shards]
    assert all(n == size for n in sizes[:-1])
    assert not sizes or 0 < sizes[-1] <= size


def test_a_changed_file_changes_what_the_key_is_made_of() -> None:
    part = Part(uri="/a", size=3, mtime_ns=5, within=ByteRange(offset=0, size=3))
    item = Item(key="a", parts=(part,))
    for other in (
        Item(key="a", parts=(Part(uri="/a", size=4, mtime_ns=5, within=part.within),)),
        Item(key="a", parts=(Part(uri="/a", size=3, mtime_ns=6, within=part.within),)),
        Item(key="a", parts=(Part(uri="/a", size=3, mtime_ns=5, within=ByteRange(offset=1, size=3)),)),
        Item(key="a", parts=(part,), refused=Reason.UNSAFE_PATH),
        Item(key="b", parts=(part,)),
    ):
        assert _describe(other) != _describe(item)
    assert _describe(Item(key="a", parts=(part,))) == _describe(item)


def test_slow_items_come_in_small_shards() -> None:
    path = str(Path())
    sizes = [
        AtlasEntry(kind="atlas").items_a_shard,
        GeotiffEntry(kind="geotiff", path=path).items_a_shard,
        ImagesEntry(kind="images", path=path).items_a_shard,
    ]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]
