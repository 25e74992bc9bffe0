"""Dates, bands, places and classes out of names."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from earthloom.core.errors import RecordError
from earthloom.core.records import Reason
from earthloom.ingest.config import GeotiffSettings
from earthloom.ingest.names import (
    NamedFacts,
    capture,
    find_date,
    is_constant_date,
    name_class,
    parse_date,
    read_product_name,
    split_band,
)

AMAZON = r"Sentinel2_(?P<band>B\d+|QA60)_(?P<lon>-?[\d.]+)_(?P<lat>-?[\d.]+)_(?P<date>\d{4}_\d\d_\d\d)"
DAYS = st.dates(date(1840, 1, 1), date(2199, 12, 31))


def refused(text: str) -> bool:
    with pytest.raises(RecordError) as caught:
        parse_date(text)
    return caught.value.reason is Reason.BAD_FACTS


@given(DAYS, st.sampled_from(["%Y%m%d", "%Y-%m-%d", "%Y_%m_%d", "%Y.%m.%d", "%Y/%m/%d", "%Y%j", "%Y-%j"]))
def test_every_day_in_every_form(day: date, form: str) -> None:
    assert parse_date(day.strftime(form).rjust(7, "0")) == day.isoformat()


@given(DAYS)
def test_coarser_dates_stay_coarse(day: date) -> None:
    assert parse_date(f"{day.year}") == f"{day.year}"
    for form in (f"{day.year}{day.month:02d}", f"{day.year}-{day.month:02d}", f"{day.year}_{day.month}"):
        assert parse_date(form) == f"{day.year}-{day.month:02d}"


@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)), st.integers(-12 * 60, 14 * 60))
def test_a_time_with_its_zone_becomes_utc(moment: datetime, offset_min: int) -> None:
    zone = f"{'+' if offset_min >= 0 else '-'}{abs(offset_min) // 60:02d}:{abs(offset_min) % 60:02d}"
    wanted = (moment - timedelta(minutes=offset_min)).replace(microsecond=0, tzinfo=UTC)
    assert parse_date(moment.strftime("%Y-%m-%dT%H:%M:%S") + zone) == wanted.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2019-09-04T17:01:02Z", "2019-09-04T17:01:02Z"),
        ("2019-09-04T17:01:02.123Z", "2019-09-04T17:01:02Z"),
        ("2019-09-04 17:01 UTC", "2019-09-04T17:01:00Z"),
        ("2019:09:11 11:57:46", "2019-09-11"),
        ("20160625T190312", "2016-06-25"),
        (" 2019-09-04 ", "2019-09-04"),
        ("2020366", "2020-12-31"),
        ("2019_1_7", "2019-01-07"),
    ],
)
def test_known_dates(text: str, wanted: str) -> None:
    assert parse_date(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "", "hello", "20190229", "20191301", "2019-13", "2019366", "2019000", "0000:00:00 00:00:00", "1492", "9999",
        "2019-09-04T25:00:00Z", "12-31-2019", "2019-09_04", "٢٠١٩x", "201909041", "2019_05_27_1", "2019-9-4-1",
    ],
)  # fmt: skip
def test_what_no_calendar_has_is_refused(text: str) -> None:
    assert refused(text)


@given(st.text(max_size=20))
def test_any_text_is_a_date_or_refused(text: str) -> None:
    try:
        assert re.fullmatch(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d:\d\dZ)?)?)?", parse_date(text), re.ASCII)
    except RecordError as error:
        assert error.reason is Reason.BAD_FACTS


@pytest.mark.parametrize(
    ("pattern", "key", "wanted"),
    [
        (r"_(\d{8})\.tif$", "m_4709963_se_14_1_20090818.tif", "2009-08-18"),
        (r"LC8\d{6}(\d{7})", "LC80460282016177LGN00_B4.TIF", "2016-06-25"),
        (r"(?P<year>\d{4})_(?P<month>\d\d)", "a_2017_08.tif", "2017-08"),
        (r"(?P<day>\d\d)\.(?P<month>\d\d)\.(?P<year>\d{4})", "a_27.08.2017.tif", "2017-08-27"),
        (r"(?P<tile>\w\d)_(?P<date>\d{8})", "T1_20170827.tif", "2017-08-27"),
        (r"_(\d{8})\.tif$", "no date here.tif", None),
        (r"a(_\d{8})?\.tif$", "a.tif", None),
    ],
)
def test_dates_in_keys(pattern: str, key: str, wanted: str | None) -> None:
    assert find_date(pattern, key) == wanted


@pytest.mark.parametrize(
    ("pattern", "key"),
    [(r"_(\d{8})", "a_20171345.tif"), (r"(?P<year>\d{4})(?P<month>\d\d)", "201713"), (r"(?P<year>\w+)", "x")],
)
def test_a_captured_non_date_is_refused_not_ignored(pattern: str, key: str) -> None:
    with pytest.raises(RecordError, match="bad_facts"):
        find_date(pattern, key)


def test_constant_dates_are_told_from_expressions() -> None:
    assert all(map(is_constant_date, ("2017", "2017-08", "2017-08-27", "2017-08-27T10:00:00Z")))
    assert not any(map(is_constant_date, (r"(\d{8})", "(2017)", r"_(\d{4})-")))


@pytest.mark.parametrize("date", ["2017-13", "1066", r"_\d{8}", "("])
def test_a_bad_date_is_a_fault_of_the_recipe(date: str) -> None:
    with pytest.raises(ValidationError):
        GeotiffSettings(kind="geotiff", path="x", date=date)


@pytest.mark.parametrize(
    ("folder", "words"),
    [
        ("AnnualCrop", "annual crop"),
        ("SeaLake", "sea lake"),
        ("baseball_diamond", "baseball diamond"),
        ("Storage-Tanks", "storage tanks"),
        ("HRRSDImages", "hrrsd images"),
        ("class2Road", "class2 road"),
        ("водоём", "водоём"),
        ("T junction", "t junction"),
        ("__", ""),
    ],
)
def test_folders_name_classes(folder: str, words: str) -> None:
    assert name_class(folder) == words


def test_a_product_is_named_by_its_files_without_the_band() -> None:
    named = split_band(AMAZON, "x/Sentinel2_B4_-54.68_-4.17_2021_05_06.tiff")
    assert named is not None
    assert (named.band, named.product) == ("B4", "x/Sentinel2_*_-54.68_-4.17_2021_05_06.tiff")
    assert split_band(AMAZON, "Sentinel2_cloud_-54.68_-4.17_2021_05_06.tiff") is None


@given(st.floats(-180, 180).map(lambda v: round(v, 2)), st.floats(-90, 90).map(lambda v: round(v, 2)), DAYS)
def test_a_product_name_gives_back_what_was_written(lon: float, lat: float, day: date) -> None:
    key = f"a*b/Sentinel2_*_{lon:.2f}_{lat:.2f}_{day.strftime('%Y_%m_%d')}.tiff"
    assert read_product_name(AMAZON, key, "QA60") == NamedFacts(acquired=day.isoformat(), lon=lon, lat=lat)


@pytest.mark.parametrize(
    "key",
    [
        "Sentinel2_*_-254.68_-4.17_2021_05_06.tiff",
        "Sentinel2_*_1.2.3_4_2021_05_06",
        "Sentinel2_*_1_2_2021_02_31",
    ],
)
def test_a_name_of_no_place_or_day_is_refused(key: str) -> None:
    with pytest.raises(RecordError, match="bad_facts"):
        read_product_name(AMAZON, key, "B1")


def test_longitude_alone_is_refused() -> None:
    with pytest.raises(RecordError, match="both or none"):
        read_product_name(r"(?P<lon>\d+)_(?P<band>B\d)", "12_*.tif", "B1")


def test_captures_of_several_groups_are_joined() -> None:
    assert capture(r"_s[12]_(\d+)_p(\d+)", "x_s1_90_p33.png") == "90|33"
    assert capture(r"_s[12]_(\d+)", "none") is None
    assert capture(None, "x") is None
