import json
from pathlib import Path

import pytest

from earthloom.core.errors import AccountError
from earthloom.run.summary import StageSummary, Summary
from earthloom.store.shards import Counts


def _summary(**counts: Counts) -> Summary:
    stages = {
        "ingest": Counts(planned=3, written=2, refused={"empty": 1}, records=4),
        "tile": Counts(planned=10, written=8, refused={"flat": 1, "empty": 1}, records=8),
        "caption": Counts(planned=8, written=7, failed=1, records=7),
        "curate": Counts(planned=7, written=7, records=7),
        "export": Counts(planned=7, written=7, records=7),
    } | counts
    made = {
        name: StageSummary(counts=c, seconds=1.23456, n_shards=2, n_reused=1) for name, c in stages.items()
    }
    return Summary(name="x", work=Path("/w"), stages=made, seconds=9.0, n_workers=2, recipe_digest="d")


def test_what_goes_in_and_comes_out_is_counted() -> None:
    summary = _summary()
    summary.check()
    value = json.loads(json.dumps(summary.to_json()))
    counts = value["counts"]
    assert (counts["in"], counts["out"], counts["failed"]) == (3, 7, 1)
    assert counts["refused"] == {"empty": 2, "flat": 1}
    assert counts["stages"]["tile"]["planned"] == 10
    assert value["timings"]["stages"]["tile"] == {"seconds": 1.235, "shards": 2, "reused": 1}
    assert {"earthloom", "python", "rasterio"} <= set(value["versions"])


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({"tile": Counts(planned=10, written=8, records=8)}, "tile do not add up"),
        ({"caption": Counts(planned=9, written=9, records=9)}, "caption planned 9 records, but 8"),
        ({"export": Counts(planned=6, written=6, records=6)}, "export planned 6 records, but 7"),
    ],
)
def test_a_run_that_does_not_add_up_fails(counts: dict[str, Counts], words: str) -> None:
    with pytest.raises(AccountError, match=words):
        _summary(**counts).check()
