"""Decoding and encoding pictures, against Pillow, rasterio and closed forms; every kind of bad picture."""

from __future__ import annotations

import contextlib
import io
import struct
import tracemalloc
import zlib

import cv2
import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from earthloom.core.errors import RecordError
from earthloom.core.images import MAX_DECODED_BYTES, decode_image, encode_jpeg, encode_png, probe_image
from earthloom.core.records import Reason

RNG = np.random.default_rng(3)
GRAY = RNG.integers(0, 256, (20, 30), dtype=np.uint8)
RGB = RNG.integers(0, 256, (20, 30, 3), dtype=np.uint8)
RGBA = RNG.integers(0, 256, (20, 30, 4), dtype=np.uint8)
GRAY16 = RNG.integers(0, 65536, (20, 30), dtype=np.uint16)
RGB16 = RNG.integers(0, 65536, (20, 30, 3), dtype=np.uint16)
RGBA16 = RNG.integers(0, 65536, (20, 30, 4), dtype=np.uint16)
SMOOTH = np.stack(np.broadcast_arrays(*np.ogrid[0:200:20j, 0:250:30j], 128.0), axis=2).astype(np.uint8)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def tiff(array: np.ndarray, **options: object) -> bytes:
    """A TIFF written by GDAL: an independent encoder."""
    bands = array[None] if array.ndim == 2 else array.transpose(2, 0, 1)
    profile = {"driver": "GTiff", "width": 30, "height": 20, "count": len(bands), "dtype": array.dtype.name}
    profile["transform"] = rasterio.Affine.scale(2, -2)
    with rasterio.MemoryFile() as memory:
        with memory.open(**profile, **options) as dataset:
            dataset.write(bands)
        return bytes(memory.read())


def refusal(data: bytes) -> RecordError:
    """What both functions say of bytes that cannot be used; they must agree."""
    with pytest.raises(RecordError) as at_probe:
        probe_image(data)
    with pytest.raises(RecordError) as at_decode:
        decode_image(data)
    assert at_probe.value.reason is at_decode.value.reason
    return at_decode.value


def check_header(data: bytes) -> None:
    header = probe_image(data)
    pixels = decode_image(data)
    assert pixels.shape == (header.height, header.width, header.channels)
    assert pixels.dtype == header.dtype
    assert header.has_alpha == (header.channels in {2, 4})


@pytest.mark.parametrize(
    "array", [GRAY, RGB, RGBA, GRAY16, RGB16, RGBA16], ids=lambda a: f"{a.shape}{a.dtype}"
)
@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_lossless_formats_keep_every_value(array: np.ndarray, kind: str) -> None:
    alpha = {"alpha": "yes"} if array.ndim == 3 and array.shape[2] == 4 else {}
    photometric = {"photometric": "RGB"} if array.ndim == 3 else {}
    data = encode_png(array) if kind == "png" else tiff(array, **photometric, **alpha)
    check_header(data)
    np.testing.assert_array_equal(decode_image(data), array.reshape(20, 30, -1))


@pytest.mark.parametrize("array", [GRAY, RGB, RGBA], ids=["gray", "rgb", "rgba"])
def test_png_of_ours_is_read_by_pillow(array: np.ndarray) -> None:
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(encode_png(array)))), array)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("array", [GRAY16, RGB16], ids=["gray", "rgb"])
def test_16_bit_png_of_ours_is_read_by_gdal(array: np.ndarray) -> None:
    with rasterio.MemoryFile(encode_png(array)) as memory, memory.open() as dataset:
        np.testing.assert_array_equal(dataset.read().transpose(1, 2, 0), array.reshape(20, 30, -1))


@given(
    hnp.arrays(
        st.sampled_from([np.uint8, np.uint16]),
        st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3, 4])),
    )
)
def test_png_round_trip(array: np.ndarray) -> None:
    data = encode_png(array)
    assert data == encode_png(array.copy())
    np.testing.assert_array_equal(decode_image(data), array)


@pytest.mark.parametrize(
    "array", [GRAY, GRAY[:, :, None], SMOOTH[:, ::-1]], ids=["HxW", "HxWx1", "strided RGB"]
)
def test_jpeg_of_ours_is_read_by_pillow(array: np.ndarray) -> None:
    data = encode_jpeg(array, 95)
    assert data == encode_jpeg(array.copy(), 95)
    image = Image.open(io.BytesIO(data))
    decoded = np.asarray(image).reshape(array.shape)
    assert np.abs(decoded.astype(int) - array).mean() < 3
    np.testing.assert_array_equal(decode_image(data), decoded.reshape(20, 30, -1))


def test_jpeg_keeps_full_colour_resolution() -> None:
    image = Image.open(io.BytesIO(encode_jpeg(SMOOTH, 90)))
    assert {component[1:3] for component in image.layer} == {(1, 1)}  # type: ignore[attr-defined]


def test_a_jpeg_header() -> None:
    header = probe_image(encode_jpeg(SMOOTH, 90))
    assert (header.width, header.height, header.channels, header.format) == (30, 20, 3, "JPEG")
    assert (header.dtype, header.has_alpha) == ("uint8", False)


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("RGB", 3), ("CMYK", 3)])
@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_colour_models_become_gray_or_rgb(mode: str, channels: int, kind: str) -> None:
    picture = Image.fromarray(SMOOTH).convert(mode)
    data = saved(picture, kind, **({"quality": 98, "subsampling": 0} if kind == "JPEG" else {}))
    check_header(data)
    wanted = np.asarray(picture.convert("L" if channels == 1 else "RGB")).reshape(20, 30, channels)
    assert np.abs(decode_image(data).astype(int) - wanted).mean() < 2


@pytest.mark.parametrize(
    ("mode", "channels"), [("1", 1), ("L", 1), ("LA", 2), ("P", 3), ("RGB", 3), ("RGBA", 4)]
)
def test_png_modes_against_pillow(mode: str, channels: int) -> None:
    picture = Image.fromarray(RGB if mode == "P" else RGBA).convert(mode)
    data = saved(picture, "PNG")
    check_header(data)
    target = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels]
    np.testing.assert_array_equal(decode_image(data), np.asarray(picture.convert(target)).reshape(20, 30, -1))


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP"])
def test_a_transparent_palette_becomes_rgba(kind: str) -> None:
    picture = Image.fromarray((GRAY > 99).astype(np.uint8), "P")
    picture.putpalette([10, 20, 30, 200, 100, 50])
    source = picture if kind != "WEBP" else picture.convert("RGB")
    options: dict[str, object] = {"lossless": True} if kind == "WEBP" else {"transparency": 0}
    pixels = decode_image(saved(source, kind, **options))
    assert pixels.shape[2] == (3 if kind == "WEBP" else 4)
    assert {tuple(p) for p in pixels[GRAY > 99][:, :3].tolist()} == {(200, 100, 50)}
    if kind != "WEBP":
        np.testing.assert_array_equal(pixels[:, :, 3], np.where(GRAY > 99, 255, 0))


def test_a_transparent_colour_of_16_bits_becomes_alpha() -> None:
    data = bytearray(encode_png(GRAY16))
    chunk = struct.pack(">H", int(GRAY16[4, 5]))
    trns = struct.pack(">I", 2) + b"tRNS" + chunk + struct.pack(">I", zlib.crc32(b"tRNS" + chunk))
    place = data.index(b"IDAT") - 4
    data[place:place] = trns
    check_header(bytes(data))
    pixels = decode_image(bytes(data))
    np.testing.assert_array_equal(pixels[:, :, 0], GRAY16)
    np.testing.assert_array_equal(pixels[:, :, 1] == 0, np.equal(GRAY16, GRAY16[4, 5]))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_exif_orientation_turns_nothing(kind: str) -> None:
    picture = Image.fromarray(SMOOTH)
    exif = picture.getexif()
    exif[274] = 6
    options = {"quality": 98, "subsampling": 0} if kind == "JPEG" else {"lossless": True}
    data = saved(picture, kind, exif=exif, **(options if kind != "PNG" else {}))
    pixels = decode_image(data)
    assert pixels.shape == (20, 30, 3)
    assert np.abs(pixels.astype(int) - SMOOTH).mean() < 2


def test_a_turned_tiff_is_refused() -> None:
    picture = Image.fromarray(SMOOTH)
    exif = picture.getexif()
    exif[274] = 6
    assert refusal(saved(picture, "TIFF", exif=exif)).reason is Reason.UNSUPPORTED_PIXELS


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_several_frames_are_refused(kind: str) -> None:
    frames = [Image.fromarray(RGB), Image.fromarray(255 - RGB)]
    data = saved(frames[0], kind, save_all=True, append_images=frames[1:])
    assert refusal(data).reason is Reason.ANIMATED


def test_one_frame_of_a_gif_is_a_picture() -> None:
    picture = Image.fromarray(GRAY)
    np.testing.assert_array_equal(decode_image(saved(picture, "GIF"))[:, :, 0], GRAY)


def test_overviews_of_a_tiff_are_no_frames() -> None:
    large = np.kron(GRAY, np.ones((8, 8), np.uint8))
    with rasterio.MemoryFile() as memory:
        profile = {"driver": "GTiff", "width": 240, "height": 160, "count": 1, "dtype": "uint8"}
        profile["transform"] = rasterio.Affine.scale(2, -2)
        with memory.open(**profile) as dataset:
            dataset.write(large, 1)
            dataset.build_overviews([2, 4])
        data = bytes(memory.read())
    assert Image.open(io.BytesIO(data)).n_frames == 3  # type: ignore[attr-defined]
    np.testing.assert_array_equal(decode_image(data)[:, :, 0], large)


@pytest.mark.parametrize(
    ("array", "options"),
    [
        (RGBA, {"photometric": "RGB", "alpha": "no"}),
        (RGBA16, {"photometric": "RGB", "alpha": "no"}),
        (GRAY.astype(np.float32), {}),
        (GRAY.astype(np.int16), {}),
        (GRAY.astype(np.uint32), {}),
        (GRAY16, {"photometric": "MINISWHITE"}),
        (GRAY, {"photometric": "MINISWHITE"}),
        (GRAY // 128, {"nbits": 1}),
        (GRAY16 // 16, {"nbits": 12}),
    ],
    ids=["fourth", "fourth 16", "float", "signed", "32 bit", "inverted 16", "inverted", "1 bit", "12 bit"],
)
def test_tiffs_that_are_no_pictures_name_the_remedy(array: np.ndarray, options: dict[str, object]) -> None:
    error = refusal(tiff(array, **options))
    assert error.reason is Reason.UNSUPPORTED_PIXELS
    assert "kind: geotiff" in error.detail


@pytest.mark.parametrize(
    "data",
    [b"<!DOCTYPE html><html>", b"hello", b"%PDF-1.7 ...", bytes(1000), saved(Image.fromarray(RGB), "PPM")],
    ids=["html", "text", "pdf", "zeros", "ppm"],
)
def test_other_bytes_are_no_image(data: bytes) -> None:
    assert refusal(data).reason is Reason.NOT_AN_IMAGE


def test_no_bytes_are_empty() -> None:
    assert refusal(b"").reason is Reason.EMPTY


PICTURES = {
    "jpeg": encode_jpeg(RGB, 90),
    "gray jpeg": encode_jpeg(GRAY, 90),
    "cmyk jpeg": saved(Image.fromarray(RGB).convert("CMYK"), "JPEG"),
    "progressive": saved(Image.fromarray(RGB), "JPEG", progressive=True),
    "png": encode_png(RGB),
    "png16": encode_png(RGB16),
    "webp": saved(Image.fromarray(RGB), "WEBP"),
    "tiff": tiff(RGB, photometric="RGB"),
    "tiff lzw": tiff(GRAY16, compress="lzw"),
    "bmp": saved(Image.fromarray(RGB), "BMP"),
    "gif": saved(Image.fromarray(GRAY), "GIF"),
}


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.9])
def test_a_picture_cut_short_is_refused(name: str, share: float) -> None:
    data = PICTURES[name]
    with pytest.raises(RecordError) as caught:
        decode_image(data[: max(4, int(len(data) * share))])
    assert caught.value.reason is Reason.UNREADABLE


@given(st.sampled_from(sorted(PICTURES)), st.data())
def test_damaged_bytes_never_leak_a_decoder_error(name: str, data: st.DataObject) -> None:
    picture = bytearray(PICTURES[name])
    for _ in range(data.draw(st.integers(1, 4))):
        picture[data.draw(st.integers(0, len(picture) - 1))] = data.draw(st.integers(0, 255))
    for read in (probe_image, decode_image):
        with contextlib.suppress(RecordError):
            assert read(bytes(picture)) is not None


def test_one_pixel_is_a_picture() -> None:
    assert decode_image(encode_png(GRAY[:1, :1])).tolist() == [[[int(GRAY[0, 0])]]]


def bomb_png(side: int) -> bytes:
    """A PNG that promises side x side zeros."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    body = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def bomb_jpeg(side: int) -> bytes:
    """A JPEG whose frame header promises side x side pixels."""
    data = bytearray(encode_jpeg(GRAY, 90))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", side, side)
    return bytes(data)


@pytest.mark.parametrize("data", [bomb_png(30_000), bomb_png(12_000 * 2), bomb_jpeg(40_000)])
def test_bombs_are_refused_without_their_memory(data: bytes) -> None:
    tracemalloc.start()
    assert refusal(data).reason is Reason.TOO_LARGE
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20 < MAX_DECODED_BYTES


def test_opencv_agrees_on_16_bit_colours() -> None:
    stored = cv2.imdecode(np.frombuffer(encode_png(RGB16), np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(stored[:, :, ::-1], RGB16)
