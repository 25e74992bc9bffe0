"""Captions that people wrote of real pictures are not refused, but for words that are not allowed."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
from caption_records import make_rsicd, make_scene, make_tile
from fakes import released_gaia, released_mmm_rs

from earthloom.caption.checks import Check, compile_known, judge
from earthloom.caption.facts import gather

FORM = {Check.LENGTH, Check.REPETITION, Check.CUT, Check.GENERIC}
"""Checks of degenerate and repeated text."""
SUBJECTIVE = (
    "beautiful",
    "magnificent",
    "bustling",
    "majestic",
    "spectacular",
    "picturesque",
    "amazing",
    "photos",
)


@pytest.fixture(scope="module")
def drawn(real_data: Path) -> list[str]:
    """A thousand captions of RSICD, drawn with a fixed seed."""
    folder = real_data / "rsicd"
    if not folder.is_dir():
        pytest.skip("wants ../shared/data/rsicd")
    captions = [
        caption
        for name in ("train", "val")
        for line in (folder / f"captions_{name}.jsonl").read_text(encoding="utf-8").splitlines()
        for caption in json.loads(line)["captions"]
    ]
    return Random(7).sample(captions, 1000)


def test_that_fewer_than_two_in_a_hundred_are_refused(drawn: list[str]) -> None:
    known = compile_known(gather(*make_rsicd()), sees=True)
    judged = [
        (text, [fault for fault in judge(text, known).faults if fault.check not in FORM]) for text in drawn
    ]
    refused = [(text, faults) for text, faults in judged if faults]
    assert 0 < len(refused) < 20
    unexplained = [text for text, _ in refused if not any(word in text.lower() for word in SUBJECTIVE)]
    assert len(unexplained) <= 2, unexplained


def test_that_the_prompts_of_mmm_rs_pass() -> None:
    for prompt in (*released_mmm_rs.PROMPTS.values(), released_mmm_rs.WHU_PROMPT):
        level, *_, word = prompt.rstrip(".").split(", ")
        gsd_m = {"Ordinary": 2.0, "High": 0.6, "Low": 16.0}[level.split(" ")[0]]
        record = (make_scene(platform=word), make_tile(gsd_m=gsd_m, pixel_m=gsd_m))
        known = compile_known(gather(*record), sees=True)
        assert judge(prompt, known, min_words=3).faults == ()
        wrong = compile_known(gather(make_scene(platform="Landsat 8"), make_tile(gsd_m=120.0)), sees=True)
        assert {Check.PLATFORM, Check.RESOLUTION} <= {fault.check for fault in judge(prompt, wrong).faults}


def test_that_captions_of_gaia_fail_by_their_opening_alone() -> None:
    record = released_gaia.make_record("Lake Eyre", "https://x.example/1.png")
    scene = make_scene(platform="Terra", sensor="MODIS", place="Lake Eyre, Australia")
    known = compile_known(gather(scene, make_tile()), sees=True, texts=(record["image_alt"],))
    for caption in record["captions"]:
        assert [fault.check for fault in judge(caption, known).faults] == [Check.WORDS]
        plain = caption.removeprefix("The image showcases: ")
        assert judge(plain[0].upper() + plain[1:], known, min_words=5).faults == ()
