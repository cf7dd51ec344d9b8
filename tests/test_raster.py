"""Decoding hostile bytes and stripping released JPEGs."""

import contextlib
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

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


def test_what_was_appended_after_the_picture_is_cut_off():
    data = encoded(Image.fromarray(noise()))
    assert strip_jpeg(data + b"name=Jane Doe") == strip_jpeg(data)


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
