"""Which column says what, under which name, and what is no fact."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earthloom.core.errors import RecordError
from earthloom.core.records import Modality, Reason
from earthloom.ingest.released.fields import Columns, FieldsSettings, read_cells
from earthloom.ingest.released.known import Known


def read(row: dict[str, Any], names: tuple[str, ...] = (), **settings: Any) -> Known:
    return Columns(FieldsSettings.model_validate(settings)).read(row, "row 1", names)


def test_usual_names_are_understood() -> None:
    known = read(
        {
            "text": "A lake.",
            "captions": ["A lake .", "", "A lake ."],
            "longitude": "137.4",
            "latitude": -28.4,
            "timestamp": "2015-07-14T10:23:00Z",
            "gsd": "0.5 m",
            "satellite": "Landsat-8",
            "instrument": "OLI",
            "location": "Lake Eyre",
            "license": "CC-BY-4.0",
            "split": "test",
            "label": "SeaLake",
            "modality": "SAR",
            "cloud_share": 0.25,
            "unknown": object(),
        }
    )
    (facts,) = known.facts
    assert [text.text for text in known.texts] == ["A lake .", "A lake .", "A lake."]
    assert (facts.lon, facts.lat, facts.acquired) == (137.4, -28.4, "2015-07-14T10:23:00Z")
    assert (facts.gsd_x_m, facts.gsd_y_m, facts.platform, facts.sensor) == (0.5, 0.5, "Landsat-8", "OLI")
    assert (facts.place, facts.licence, facts.published_split) == ("Lake Eyre", "CC-BY-4.0", "test")
    assert facts.cloud_share == 0.25
    assert [label.name for label in known.labels] == ["sea lake"]
    assert known.modality is Modality.SAR


def test_a_recipe_says_which_column_it_is() -> None:
    row = {"t": "a", "u": "b", "meta": {"when": datetime(2019, 9, 4)}, "text": "no", "gsd": 5, "a.b": 3.0}
    known = read(row, fields={"caption": ["t", "u"], "date": "meta.when", "gsd_m": "a.b"})
    assert [text.text for text in known.texts] == ["a", "b"]
    assert (known.facts[0].acquired, known.facts[0].gsd_x_m) == ("2019-09-04", 3.0)
    assert read(row, fields={"caption": None, "gsd_m": None}).texts == ()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"lon": 5.0}, "wanted both or none"),
        ({"lon": 181, "lat": 0}, "from -180 to 180"),
        ({"gsd": 0}, "metres, above 0"),
        ({"gsd": "0.5 ft"}, "metres, above 0"),
        ({"date": "1437000000"}, "fields: {date: null}"),
        ({"platform": ["a", "b"]}, "wanted text"),
        ({"polarisation": "XX"}, "VV, VH, HH or HV"),
        ({"modality": "thermal"}, "rgb, nir or sar"),
        ({"caption": 5}, "wanted text or a list of texts"),
        ({"cloud_share": 40}, "0 to 1"),
        ({"sun_azimuth": "north"}, "a number"),
    ],
)
def test_what_makes_no_sense_is_said(row: dict[str, Any], said: str) -> None:
    with pytest.raises(RecordError, match=said) as error:
        read(row)
    assert error.value.reason is Reason.BAD_FACTS
    assert error.value.detail.startswith("row 1: ")


def test_a_number_is_a_class_only_where_it_has_a_name() -> None:
    assert [label.name for label in read({"label": 1}, ("Forest", "SeaLake")).labels] == ["sea lake"]
    assert read({"label": 7}).labels == ()
    assert read({"label": 7}, ("Forest",)).labels == ()
    assert [label.name for label in read({"label": 7}, class_names={"7": "harbour"}).labels] == ["harbour"]
    assert [label.name for label in read({"labels": ["Forest", 3, "Forest"]}).labels] == ["forest"]


@given(
    st.dictionaries(
        st.sampled_from(["caption", "lon", "lat", "date", "gsd", "label", "platform", "modality", "split"]),
        st.none()
        | st.floats()
        | st.text(max_size=8)
        | st.integers()
        | st.lists(st.text(max_size=3), max_size=2),
    )
)
def test_any_row_is_read_or_refused(row: dict[str, Any]) -> None:
    try:
        known = read(row)
    except RecordError as error:
        assert error.reason is Reason.BAD_FACTS
    else:
        (facts,) = known.facts
        assert (facts.lon is None) == (facts.lat is None)
        assert all(text.text.strip() for text in known.texts)


def test_lists_within_the_cells_of_a_csv() -> None:
    assert read_cells({"captions": '["a", "b"]', "text": "[sic] c"}) == {
        "captions": ["a", "b"],
        "text": "[sic] c",
    }
