import dataclasses
import typing
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from earthloom.core import records
from earthloom.core.records import (
    Box,
    Caption,
    Captioned,
    Label,
    Modality,
    Pair,
    Reason,
    Refused,
    Scene,
    Tile,
)
from earthloom.store.tables import from_rows, iter_row_groups, read_columns, read_records, schema_of, to_batch

RECORDS = [
    value for value in vars(records).values() if dataclasses.is_dataclass(value) and isinstance(value, type)
]
_TEXT = st.text(st.characters(blacklist_categories=["Cs"]), max_size=12)


def _strategy(hint: object) -> st.SearchStrategy[object]:
    """Any value of a field's type, built without the code under test."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        return st.lists(_strategy(args[0]), max_size=3).map(tuple)
    if args:
        return st.one_of(st.none(), *(_strategy(a) for a in args if a is not type(None)))
    if dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        fields = {f.name: _strategy(hints[f.name]) for f in dataclasses.fields(hint)}
        return st.builds(hint, **fields)  # type: ignore[arg-type]
    scalars: dict[object, st.SearchStrategy[object]] = {
        str: _TEXT,
        int: st.integers(-(2**63), 2**63 - 1),
        float: st.floats(allow_nan=False),
        bool: st.booleans(),
        bytes: st.binary(max_size=8),
    }
    return scalars[hint] if hint in scalars else st.sampled_from(list(typing.cast("type", hint)))  # type: ignore[call-overload]


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: r.__name__)
def test_every_record_comes_back_from_arrow_as_it_went(record: type) -> None:
    @given(st.lists(_strategy(record), max_size=3))
    def check(values: list[object]) -> None:
        batch = to_batch(values, record)
        assert batch.schema == schema_of(record)
        assert list(from_rows(batch.to_pylist(), record)) == values

    check()


def test_schema_says_types_and_what_may_be_unknown() -> None:
    schema = schema_of(Scene)
    assert schema.field("gsd_x_m").type == pa.float64()
    assert schema.field("gsd_x_m").nullable
    assert not schema.field("id").nullable
    assert schema.field("modality").type == pa.string()
    assert schema.field("labels").type.value_type.field("box").type.field("x0").type == pa.float64()
    assert schema_of(Tile).field("image").type == pa.binary()


def test_the_contract_of_a_release_is_kept() -> None:
    contract = (
        "id image modality platform sensor gsd_m native_gsd_m acquired lon lat footprint place licence credit source "
        "source_key scene_id base_id group effect labels captions split valid_share sha256"
    )
    assert set(contract.split()) <= set(schema_of(Pair).names)
    caption = schema_of(Pair).field("captions").type.value_type
    assert [field.name for field in caption] == ["text", "style", "role", "author", "checks"]


def test_parquet_files_are_read_by_rows_columns_and_groups(tmp_path: Path) -> None:
    rows = [Refused(id=str(i), key="k", reason=Reason.FLAT, detail="é\n", n=i) for i in range(10)]
    path = tmp_path / "a.parquet"
    with pq.ParquetWriter(path, schema_of(Refused)) as writer:
        writer.write_batch(to_batch(rows[:4], Refused))
        writer.write_batch(to_batch(rows[4:], Refused))
    assert read_records(path, Refused) == rows
    assert read_records(path, Refused, 2, 5) == rows[2:5]
    assert read_columns(path, ["n"]).column("n").to_pylist() == list(range(10))
    assert [t.num_rows for t in iter_row_groups(path, ["id"])] == [4, 6]
    assert duckdb.sql(f"select sum(n), max(reason) from '{path}'").fetchall() == [(45, "flat")]


def test_columns_that_a_record_lacks_are_ignored_and_defaults_fill_in() -> None:
    rows = [{"name": "water", "kind": "cover", "origin": "recipe", "later": 1}]
    assert list(from_rows(rows, Label)) == [
        Label(name="water", kind="cover", origin="recipe", box=None, share=None)
    ]


def test_a_record_field_of_two_types_is_a_bug() -> None:
    @dataclasses.dataclass
    class Odd:
        a: "int | str"

    with pytest.raises(AssertionError, match="one type or None"):
        schema_of(Odd)


def test_nested_records_come_back_as_records() -> None:
    label = Label(name="ship", kind="object", origin="sidecar file", box=Box(x0=1, y0=2, x1=3, y1=4.5))
    captioned = Captioned(
        id="a", captions=(Caption(text="t", style="plain", role="overview", author="rules@1"),)
    )
    for value in (label, captioned):
        assert list(from_rows(to_batch([value], type(value)).to_pylist(), type(value))) == [value]
    assert Modality("rgb") is Modality.RGB
