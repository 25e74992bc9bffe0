"""What the JSON of an fMoW image says: facts, outline and boxes, gaps and nonsense."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import shapely
from dataset_contents import read_dataset
from fakes import fmow as fake
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from earthloom.core.errors import RecordError
from earthloom.core.records import Box, Label, Reason
from earthloom.ingest.datasets import fmow_facts

ROUGH = {"category": "fountain", "box": [466, 299, 72, 60]}
PUBLISHED = {
    "approximate_wavelengths": [661, 545, 477], "cloud_cover": 0, "country_code": "CHE", "gsd": 0.468074887991,
    "img_height": 663, "img_width": 977, "mean_pixel_height": 4.595430769222e-06,
    "mean_pixel_width": 4.597314657113e-06, "off_nadir_angle_dbl": 21.8978748322,
    "raw_location": "POLYGON ((8.5808360117899998 47.447516092500003, 8.5853275882099993 47.447516092500003, "
    "8.5853275882099993 47.450562863099996, 8.5808360117899998 47.450562863099996, "
    "8.5808360117899998 47.447516092500003))",
    "sensor_platform_name": "GEOEYE01", "sun_azimuth_dbl": 159.207946777, "sun_elevation_dbl": 46.1834640503,
    "target_azimuth_dbl": 31.2082061768, "timestamp": "2012-04-02T10:32:22Z", "utm": "32T",
    "bounding_boxes": [{"ID": -1, "crowd_rank": 0.662536, **ROUGH}, {"ID": 47768, "visible": "True", **ROUGH}],
}  # fmt: skip
"""The ground truth of train/fountain/fountain_514/fountain_514_1_rgb, as a public project quotes it."""


def test_the_published_example(tmp_path: Path) -> None:
    folder = tmp_path / "train/fountain/fountain_514"
    folder.mkdir(parents=True)
    Image.new("RGB", (977, 663)).save(folder / "fountain_514_1_rgb.jpg")
    (folder / "fountain_514_1_rgb.json").write_text(json.dumps(PUBLISHED))
    scene = read_dataset("fmow", tmp_path).alone()["train/fountain/fountain_514/fountain_514_1_rgb"]
    assert scene.labels == (
        Label(name="fountain", kind="object", origin="sidecar file", box=Box(x0=466, y0=299, x1=538, y1=359)),
    ), "the crowd's first box is not counted twice"
    assert (scene.country, scene.platform, scene.acquired) == ("CH", "GeoEye-1", "2012-04-02T10:32:22Z")
    assert scene.transform is not None
    assert scene.transform[0] == pytest.approx(4.597314657113e-06, rel=1e-5), "mean_pixel_width"
    assert -scene.transform[4] == pytest.approx(4.595430769222e-06, rel=1e-5), "mean_pixel_height"
    assert scene.gsd_x_m == pytest.approx(0.3467, abs=5e-4)
    assert scene.gsd_y_m == pytest.approx(0.5110, abs=5e-4)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"cloud_cover": 101}, Reason.BAD_FACTS),
        ({"cloud_cover": float("nan")}, None),
        ({"gsd": "half a metre"}, Reason.BAD_FACTS),
        ({"timestamp": "yesterday"}, Reason.BAD_FACTS),
        ({"timestamp": None}, None),
        ({"raw_location": "POLYGON ((0 0"}, Reason.BAD_FACTS),
        ({"raw_location": "POINT (0 0)"}, Reason.BAD_FACTS),
        ({"raw_location": "POLYGON ((200 0, 201 0, 201 1, 200 0))"}, Reason.BAD_FACTS),
        ({"raw_location": ""}, None),
        ({"bounding_boxes": None}, None),
        ({"bounding_boxes": ["airport"]}, Reason.BAD_FACTS),
        ({"bounding_boxes": {"category": "zoo", "box": [1, 2, 3]}}, Reason.BAD_FACTS),
        ({"bounding_boxes": {"category": "zoo", "box": [1, 2, 0, 3]}}, Reason.BAD_FACTS),
        ({"bounding_boxes": {"category": "zoo", "box": [1, 2, None, 3]}}, Reason.BAD_FACTS),
        ({"bounding_boxes": {"category": "zoo", "box": [900, 2, 5, 3]}}, Reason.BAD_FACTS),
        ({"bounding_boxes": {"category": "false_detection", "box": [1, 2, 5, 3]}}, None),
        ({"sun_azimuth_dbl": 365.5}, None),
    ],
)
def test_gaps_are_unknown_and_nonsense_is_refused(
    tmp_path: Path, change: dict[str, object], reason: Reason | None
) -> None:
    fake.write(tmp_path)
    path = tmp_path / "train/airport/airport_0/airport_0_0_rgb.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    assert read_dataset("fmow", tmp_path).refused.get("train/airport/airport_0/airport_0_0_rgb") is reason


def test_an_outline_that_is_no_rectangle_gives_no_grid(tmp_path: Path) -> None:
    fake.write(tmp_path)
    path = tmp_path / "train/airport/airport_0/airport_0_0_rgb.json"
    slanted = "POLYGON ((8 47, 8.01 47.002, 8.012 47.01, 8.002 47.008, 8 47))"
    path.write_text(json.dumps({**json.loads(path.read_text()), "raw_location": slanted}))
    scene = read_dataset("fmow", tmp_path).alone()["train/airport/airport_0/airport_0_0_rgb"]
    assert (scene.crs, scene.gsd_x_m, scene.gsd_y_m) == (None, 0.5, 0.5)
    assert scene.lon == pytest.approx(8.006)
    assert scene.lat == pytest.approx(47.005)
    assert scene.footprint is not None
    assert shapely.from_wkb(scene.footprint).equals(shapely.from_wkt(slanted))


def test_categories_are_plain_words() -> None:
    assert len(fmow_facts.CATEGORIES) == 63
    assert fmow_facts.name_category("multi-unit_residential") == "multi-unit residential"
    with pytest.raises(RecordError, match="62 categories"):
        fmow_facts.name_category("multi-unit residential")


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["ID", "box", "category"]), inner)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(sorted(set(PUBLISHED) | {"sun_azimuth_dbl"})), JUNK))
def test_any_json_is_read_or_refused(meta: dict[str, object]) -> None:
    try:
        facts = fmow_facts.read_facts(meta, "to_target")
        fmow_facts.read_outline(meta)
        fmow_facts.read_labels(meta, (100, 100))
        fmow_facts.read_size(meta)
    except RecordError as error:
        assert error.reason in {Reason.BAD_FACTS, Reason.UNKNOWN_CLASS}
    else:
        assert facts.view_azimuth_deg is None or 0 <= facts.view_azimuth_deg < 360
        assert facts.gsd_x_m is None or math.isfinite(facts.gsd_x_m)
