"""Decoding hostile bytes and stripping released JPEGs."""

import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from quality import raster
from quality.raster import BadImage, decode, pixel_hash, release_jpeg, strip_jpeg


def noise(seed: int = 0, height: int = 48, width: int = 64) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)


def encoded(image: Image.Image, kind: str = "JPEG", **how) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **how)
    return out.getvalue()


def tagged() -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "Maker of cameras"
    exif[0x8825] = {1: "N", 2: (48.0, 12.0, 30.0)}
    return encoded(Image.fromarray(noise()), exif=exif, comment=b"patient Jane Doe", icc_profile=b"profile" * 20)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_bad_image(data):
    with pytest.raises(BadImage):
        decode(data)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 255), st.sampled_from(["JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP"]))
def test_damaged_images_decode_or_say_why(position, value, kind):
    data = bytearray(encoded(Image.fromarray(noise()), kind))
    data[position % len(data)] = value
    try:
        assert decode(bytes(data)).rgb.dtype == np.uint8
    except BadImage as error:
        assert error.reason and error.detail


def judged(data: bytes) -> tuple[str, ...]:
    try:
        found = decode(data)
    except BadImage as error:
        return error.reason, error.detail
    return found.format, pixel_hash(found.rgb), repr(found.notes)


WAYS = [{}, {"progressive": True}, {"subsampling": 0, "comment": b"a word"}, {"exif": Image.Exif()}, {"restart_marker_rows": 1}]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(WAYS), st.sampled_from(["RGB", "L", "CMYK"]), st.integers(0, 700), st.integers(0, 255))
def test_a_jpeg_read_without_pillow_is_judged_as_pillow_would(how, mode, position, value):
    data = bytearray(encoded(Image.fromarray(noise()).convert(mode), **how))
    for damaged in (bytes(data), bytes(data[:position]), bytes([*data[:position], value, *data[position + 1 :]])):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(raster, "_bare_jpeg", lambda _: None)
            by_pillow = judged(damaged)
        assert judged(damaged) == by_pillow


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_lossless_formats_give_the_same_pixel_hash(kind):
    rgb = noise(1)
    assert pixel_hash(decode(encoded(Image.fromarray(rgb), kind)).rgb) == pixel_hash(rgb)


def test_the_pixel_hash_knows_the_shape():
    rgb = noise(2, 32, 64)
    assert pixel_hash(rgb) != pixel_hash(rgb.reshape(64, 32, 3))


@pytest.mark.parametrize("orientation", range(2, 9))
def test_every_exif_orientation_is_turned_upright(orientation):
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.fromarray(noise(3)), exif=exif)
    upright = decode(data)
    assert [code for code, _ in upright.notes] == ["exif_rotated"]
    assert np.array_equal(upright.rgb, np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")))


def test_sixteen_bits_keep_their_range():
    ramp = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64)
    image = decode(encoded(Image.fromarray(ramp), "PNG"))
    assert image.rgb.min() == 0 and image.rgb.max() == 255
    assert image.notes[0][0] == "sixteen_bit"


@pytest.mark.parametrize(("colour_type", "channels"), [(2, 3), (6, 4)])
def test_sixteen_bit_colour_is_noted_though_the_decoder_cuts_it_silently(colour_type, channels):
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    values = np.full((40, 40, channels), 65535, ">u2")
    values[:20, :, 0] = 256 * 77
    header = struct.pack(">IIBBBBB", 40, 40, 16, colour_type, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + row.tobytes() for row in values))
    image = decode(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))
    assert [code for code, _ in image.notes] == ["sixteen_bit"]
    assert image.rgb[0, 0].tolist() == [77, 255, 255]


def test_an_opaque_alpha_channel_is_dropped_without_a_word_and_a_real_one_is_laid_on_white():
    rgba = np.dstack([noise(4), np.full((48, 64), 255, np.uint8)])
    plain = decode(encoded(Image.fromarray(rgba), "PNG"))
    assert plain.notes == () and np.array_equal(plain.rgb, rgba[:, :, :3])
    rgba[:10, :, 3] = 0
    laid = decode(encoded(Image.fromarray(rgba), "PNG"))
    assert (laid.rgb[:10] == 255).all() and laid.notes[0][0] == "alpha"


def test_an_animation_gives_its_first_frame():
    frames = [Image.fromarray(noise(n)) for n in range(3)]
    image = decode(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert "animated" in [code for code, _ in image.notes]


def test_stripping_removes_every_word_about_the_person_and_no_pixel():
    data = tagged()
    assert b"Jane Doe" in data and b"Maker" in data
    clean = strip_jpeg(data)
    assert b"Jane Doe" not in clean and b"Maker" not in clean and b"profile" not in clean
    assert np.array_equal(decode(clean).rgb, decode(data).rgb)
    assert strip_jpeg(clean) == clean


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, 2 + len(body)) + body


@pytest.mark.parametrize("tail", [b"x", b"name=Jane Doe", tagged()])
def test_what_was_appended_after_the_picture_is_cut_off(tail):
    data = encoded(Image.fromarray(noise()))
    assert strip_jpeg(data + tail) == strip_jpeg(data)


@pytest.mark.parametrize(
    "hidden",
    [
        segment(0xFE, b"Jane Doe"),
        segment(0xE0, b"JFXX\0Jane Doe"),
        segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\1\3Jane Doe!"),
        segment(0xEE, b"Jane Doe"),
        segment(0xF7, b"Jane Doe"),
    ],
    ids=["comment", "JFXX thumbnail", "JFIF thumbnail", "APP14 that is not Adobe's", "reserved marker"],
)
@pytest.mark.parametrize("progressive", [False, True])
def test_no_segment_is_a_hiding_place(hidden, progressive):
    data = encoded(Image.fromarray(noise()), progressive=progressive)
    last_table = data.rfind(b"\xff\xda") if not progressive else data.rfind(b"\xff\xc4")
    for at in (2, last_table):  # in a progressive file the second place lies between two scans
        stuffed = data[:at] + hidden + data[at:]
        clean = strip_jpeg(stuffed)
        assert b"Jane Doe" in stuffed and b"Jane Doe" not in clean
        assert np.array_equal(decode(clean).rgb, decode(data).rgb)


@pytest.mark.parametrize(
    "how", [{}, {"progressive": True}, {"restart_marker_blocks": 2}, {"subsampling": 2}, {"keep_rgb": True}]
)
def test_an_ordinary_jpeg_is_released_byte_for_byte(how):
    data = encoded(Image.fromarray(noise(8)), **how)
    assert release_jpeg(data) == strip_jpeg(data) == data


def test_a_jpeg_cut_short_is_not_given_an_end():
    data = encoded(Image.fromarray(noise()))
    for refused in (strip_jpeg, release_jpeg):
        with pytest.raises(BadImage, match="truncated"):
            refused(data[: len(data) // 2])


def test_a_jpeg_that_only_a_lenient_decoder_reads_is_released_anew():
    smooth = np.repeat(np.repeat(noise(12, 6, 8), 8, axis=0), 8, axis=1)
    data = encoded(Image.fromarray(smooth), subsampling=0, comment=b"Jane Doe")
    data = data[:2] + b"\xff\x00" + data[2:]
    with pytest.raises(BadImage, match="out of place"):
        strip_jpeg(data)
    released = release_jpeg(data)
    assert b"Jane Doe" not in released and strip_jpeg(released) == released
    assert np.abs(decode(released).rgb.astype(int) - decode(data).rgb).mean() < 4


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_stripping_never_raises_anything_but_bad_image(tail):
    with contextlib.suppress(BadImage):
        strip_jpeg(b"\xff\xd8" + tail)


@pytest.mark.parametrize("mode", ["CMYK", "L", "RGB"])
def test_a_release_carries_baseline_jpeg_whatever_came_in(mode):
    data = encoded(Image.fromarray(noise(6)).convert(mode))
    out = Image.open(io.BytesIO(release_jpeg(data)))
    assert out.format == "JPEG" and out.mode in ("RGB", "L")
    assert release_jpeg(data) == release_jpeg(data)


def test_a_rotated_jpeg_is_released_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    out = Image.open(io.BytesIO(release_jpeg(encoded(Image.fromarray(noise(7)), exif=exif))))
    assert out.size == (48, 64) and not out.getexif()


def profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def test_colours_of_another_space_are_brought_into_srgb():
    swapped = profile().replace(b"rXYZ", b"tXYZ").replace(b"gXYZ", b"rXYZ").replace(b"tXYZ", b"gXYZ")
    rgb = noise(9)
    read = decode(encoded(Image.fromarray(rgb), "PNG", icc_profile=swapped)).rgb
    assert np.abs(read.astype(int) - rgb[:, :, [1, 0, 2]]).max() <= 2
    smooth = np.repeat(np.repeat(noise(10, 6, 8), 8, axis=0), 8, axis=1)
    jpeg = encoded(Image.fromarray(smooth), icc_profile=swapped, subsampling=0)
    released = Image.open(io.BytesIO(release_jpeg(jpeg)))
    assert "icc_profile" not in released.info
    assert np.abs(np.asarray(released).astype(int) - smooth[:, :, [1, 0, 2]]).mean() < 8


@pytest.mark.parametrize("unneeded", [profile(), b"damaged" * 40])
def test_an_srgb_or_a_damaged_profile_changes_no_pixel(unneeded):
    rgb = noise(11)
    assert np.array_equal(decode(encoded(Image.fromarray(rgb), "PNG", icc_profile=unneeded)).rgb, rgb)
    data = encoded(Image.fromarray(rgb), icc_profile=unneeded)
    assert release_jpeg(data) == strip_jpeg(data)
