"""The recipe and the mark in a picture, as programs of others look for them."""

from __future__ import annotations

import io
import json
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from earthloom.core.errors import RecordError
from earthloom.core.images import encode_png
from earthloom.generate.marks import NOTE, encode_marked, is_ours, read_recipe
from earthloom.generate.png import add_texts

RECIPE: dict[str, Any] = {
    "prompt": "a lake", "told": 'a lake <"&> Zürich 湖, 10 m per pixel', "negative": "clouds", "steps": 25, "sampler":
    "DPM++ 2M", "guidance": 7.5, "seed": 1234, "width": 7, "height": 5,
    "models": [{"name": "some/model, v1", "revision": None, "licence": "MIT", "fingerprint": "00ff"}],
}  # fmt: skip
NAMES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "ext": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "dc": "http://purl.org/dc/elements/1.1/",
}


@pytest.fixture(scope="module", params=[1, 3])
def png(request: pytest.FixtureRequest) -> bytes:
    picture = np.random.default_rng(0).integers(0, 255, (5, 7, request.param), dtype=np.uint8)
    return encode_marked(picture, RECIPE)


def read_info(png: bytes) -> dict[Any, Any]:
    with Image.open(io.BytesIO(png)) as image:
        image.load()
        return image.info


def test_pillow_reads_the_recipe(png: bytes) -> None:
    assert json.loads(read_info(png)["earthloom"]) == RECIPE
    assert read_recipe(png) == RECIPE
    assert is_ours(png)


def test_the_parameters_are_those_of_web_interfaces(png: bytes) -> None:
    """They take the last line for settings where it has three pairs of a name and a value or more."""
    *lines, last = read_info(png)["parameters"].split("\n")
    assert lines == [RECIPE["told"], "Negative prompt: clouds"]
    told = dict(pair.split(": ", 1) for pair in last.split(", "))
    assert len(told) == last.count(": ") >= 3
    assert (told["Steps"], told["Seed"], told["CFG scale"], told["Size"]) == ("25", "1234", "7.5", "7x5")
    assert (told["Sampler"], told["Model hash"]) == ("DPM++ 2M", "00ff")


def test_the_mark_is_found_in_xmp(png: bytes) -> None:
    root = ElementTree.fromstring(read_info(png)["xmp"].decode().strip("\ufeff"))
    found = root.find(".//rdf:Description", NAMES)
    assert found is not None
    kind = found.get(f"{{{NAMES['ext']}}}DigitalSourceType")
    assert kind == "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    assert str(found.get(f"{{{NAMES['xmp']}}}CreatorTool")).startswith("earthloom ")
    said = found.find("dc:description/rdf:Alt/rdf:li", NAMES)
    assert said is not None
    assert said.text == f"{NOTE} {RECIPE['told']}"


def test_equal_pictures_give_equal_bytes(png: bytes) -> None:
    with Image.open(io.BytesIO(png)) as image:
        picture = np.asarray(image)
    shuffled = dict(reversed(RECIPE.items()))
    assert encode_marked(picture.reshape(5, 7, -1), shuffled) == png


def test_pictures_of_others_carry_no_recipe() -> None:
    plain = encode_png(np.zeros((4, 4, 3), np.uint8))
    assert read_recipe(plain) is None
    assert not is_ours(plain)
    with pytest.raises(RecordError, match="no JSON"):
        read_recipe(add_texts(plain, {"earthloom": "{"}))
    assert read_recipe(add_texts(plain, {"earthloom": "[]"})) is None
