"""Texts in PNG files, read back by Pillow and by ourselves."""

from __future__ import annotations

import io
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from earthloom.core.errors import RecordError
from earthloom.core.images import decode_image, encode_png
from earthloom.core.records import Reason
from earthloom.generate.png import XMP, add_texts, read_first_keyword, read_texts

PICTURE = np.random.default_rng(0).integers(0, 255, (5, 7, 3), dtype=np.uint8)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=200)
KEYWORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=79)


@given(texts=st.dictionaries(KEYWORDS, TEXTS, max_size=4))
def test_pillow_reads_what_is_written(texts: dict[str, str]) -> None:
    png = add_texts(encode_png(PICTURE), texts)
    with Image.open(io.BytesIO(png)) as image:
        image.load()
        assert isinstance(image, PngImagePlugin.PngImageFile)
        assert {name: str(text) for name, text in image.text.items()} == texts
        np.testing.assert_array_equal(np.asarray(image), PICTURE)
    assert read_texts(png) == texts
    assert read_first_keyword(png) == next(iter(texts), None)
    np.testing.assert_array_equal(decode_image(png), PICTURE)


@given(texts=st.dictionaries(KEYWORDS, TEXTS, max_size=4), is_packed=st.booleans())
def test_what_pillow_writes_is_read(texts: dict[str, str], is_packed: bool) -> None:
    info = PngImagePlugin.PngInfo()
    for name, text in texts.items():
        info.add_text(name, text, zip=is_packed)
    out = io.BytesIO()
    Image.fromarray(PICTURE).save(out, "PNG", pnginfo=info)
    assert read_texts(out.getvalue()) == texts


def test_xmp_is_found_by_pillow() -> None:
    png = add_texts(encode_png(PICTURE), {XMP: "<x/>"})
    with Image.open(io.BytesIO(png)) as image:
        assert image.info["xmp"] == b"<x/>"


@given(st.data())
def test_a_file_that_is_not_whole_is_no_picture(data: st.DataObject) -> None:
    png = add_texts(encode_png(PICTURE), {"earthloom": "{}"})
    cut = data.draw(st.integers(0, len(png) - 1))
    with pytest.raises(RecordError):
        read_texts(png[:cut])
    place = data.draw(st.integers(8, len(png) - 1))
    broken = bytearray(png)
    broken[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(RecordError):
        read_texts(bytes(broken))
    assert read_first_keyword(png[:cut]) in {None, "earthloom"}


def test_a_bomb_in_a_text_is_not_unpacked() -> None:
    packed = zlib.compress(b" " * 2**26)
    info = PngImagePlugin.PngInfo()
    info.add(b"zTXt", b"bomb\0\0" + packed)
    out = io.BytesIO()
    Image.fromarray(PICTURE).save(out, "PNG", pnginfo=info)
    assert len(read_texts(out.getvalue())["bomb"]) == 2**24


def test_other_files_are_refused_as_such() -> None:
    for data in (b"", b"GIF89a", b"\xff\xd8\xff"):
        with pytest.raises(RecordError) as told:
            read_texts(data)
        assert told.value.reason is Reason.NOT_AN_IMAGE
        assert read_first_keyword(data) is None
