"""Hostile bytes in, an upright 8-bit sRGB raster out; and back to a JPEG that carries nothing but the picture.

What was mended on the way is noted; what cannot be a photograph raises `BadImage` with a reason code of `sources.record.REASONS`.
"""

import contextlib
import io
import re
import struct
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from xxhash import xxh3_128

from quality.thresholds import MAX_PIXELS, MIN_SIDE, SRGB_WITHIN

FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP", "GIF", "JPEG2000")
"""Formats of still photographs. Pillow opens a multi-picture JPEG (MPO) through its JPEG reader."""
EXTENSIONS = {
    "jpg": "JPEG",
    "jpeg": "JPEG",
    "png": "PNG",
    "bmp": "BMP",
    "tif": "TIFF",
    "tiff": "TIFF",
    "webp": "WEBP",
    "gif": "GIF",
    "jp2": "JPEG2000",
}
RELEASE_QUALITY = 95
# Frame headers, tables and scans (ITU-T T.81, table B.1); everything else is not needed to decode.
_PICTURE_SEGMENTS = frozenset({*range(0xC0, 0xD0), *range(0xDA, 0xE0)} - {0xC8})
# Payload kept of JFIF (without its thumbnail) and of Adobe's colour transform, without which colours change.
_COLOUR_SEGMENTS = {0xE0: (b"JFIF\0", 14), 0xEE: (b"Adobe", 12)}
# Baseline and progressive frames; segments without EXIF, a profile or a second picture, with the least length that Pillow accepts.
_FRAMES = (0xC0, 0xC2)
_BARE_SEGMENTS = {0xC4: 2, 0xDB: 67, 0xDD: 4, 0xE0: 16, 0xFE: 2}
# In picture data ff is followed by 00 (a stuffed byte) or a restart marker; anything else ends the scan.
_NEXT_MARKER = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")
_UPRIGHT = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}


class BadImage(Exception):
    """Bytes that do not become an image: `reason` is a code of `sources.record.REASONS`, `detail` is for a person."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive the way back from a worker process."""
        return BadImage, (self.reason, self.detail)


@dataclass(frozen=True, slots=True)
class Raster:
    """An image: `rgb` is (height, width, 3) uint8, upright; `notes` are (reason code, detail) of what was mended."""

    rgb: np.ndarray
    format: str
    notes: tuple[tuple[str, str], ...]


def decode(data: bytes, name: str = "") -> Raster:
    """Decode a file completely. `name` is only compared with what the bytes are. Raises BadImage."""
    if not data:
        raise BadImage("empty_file", "0 bytes")
    kind, rgb, notes = "JPEG", _bare_jpeg(data), []
    if rgb is None:
        image = _open(data)
        kind = "JPEG" if image.format == "MPO" else str(image.format)
        plain = _plain_jpeg(image, data)
        rgb, notes = (plain, []) if plain is not None else _pixels(image)
    if min(rgb.shape[:2]) < MIN_SIDE:
        raise BadImage("too_small", f"{rgb.shape[1]} x {rgb.shape[0]} pixels, the shorter side must have {MIN_SIDE}")
    if _blank(rgb):
        raise BadImage("blank", f"every pixel is {rgb[0, 0].tolist()}")
    return Raster(rgb, kind, (*_name_note(name, kind), *notes))


def _blank(rgb: np.ndarray) -> bool:
    """Whether all pixels are the same; two tell for nearly every picture, a few hundred for nearly all of the others."""
    first, middle = rgb[0, 0], rgb[rgb.shape[0] // 2, rgb.shape[1] // 2]
    return middle.tolist() == first.tolist() and bool((rgb[::64, ::64] == first).all()) and bool((rgb == first).all())


def luminance(data: bytes, side: int) -> np.ndarray:
    """The (h, w) uint8 luminance of an image that `decode` accepted before, its shorter side at least `side` where it has as much.

    A plain JPEG is decoded at a fraction of its size, which libjpeg does in the frequency domain. Raises BadImage.
    """
    image = _open(data)
    if image.format == "JPEG" and image.mode in ("RGB", "L") and _orientation(image) == 1 and min(image.size) >= 2 * side:
        import simplejpeg

        with contextlib.suppress(ValueError):
            return simplejpeg.decode_jpeg(data, "GRAY", min_height=side, min_width=side, strict=True)[:, :, 0]
    from quality.resample_kernels import luminance as of

    return of(np.ascontiguousarray(decode(data).rgb))


def _open(data: bytes) -> Any:
    from PIL import Image, UnidentifiedImageError

    Image.init()  # `formats` may only name decoders that are registered
    try:
        with warnings.catch_warnings():
            # Pillow's own limits would warn first; ours is checked on the header, before a pixel is allocated.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=list(FORMATS))
    except UnidentifiedImageError as error:
        raise BadImage("not_an_image", f"{len(data):,} bytes starting with {data[:8]!r}") from error
    except Image.DecompressionBombError as error:
        raise BadImage("bomb", str(error)) from error
    except Exception as error:  # decoders raise whatever their format suggests
        raise BadImage("truncated", f"{type(error).__name__}: {error}") from error
    if image.width * image.height > MAX_PIXELS:
        raise BadImage("bomb", f"the header claims {image.width:,} x {image.height:,} pixels")
    return image


def _bare_jpeg(data: bytes) -> np.ndarray | None:
    """The raster of a JPEG whose header holds nothing but what decodes it; None for everything else, which Pillow reads."""
    width, height = _bare_size(data)
    return _libjpeg(data) if 0 < width * height <= MAX_PIXELS else None


def _bare_size(data: bytes) -> tuple[int, int]:
    """Width and height of an 8-bit JPEG of three colours whose segments are all in `_BARE_SEGMENTS`; zeros for everything else."""
    at, size = 2, (0, 0)
    while at + 10 <= len(data) and data[at] == 0xFF and data.startswith(b"\xff\xd8"):
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xDA:
            return size
        if marker in _FRAMES:
            depth, height, width, colours = struct.unpack_from(">BHHB", data, at + 4)
            if (depth, colours, length) != (8, 3, 17):
                break
            size = (width, height)
        elif marker not in _BARE_SEGMENTS or length < _BARE_SEGMENTS[marker]:
            break
        at += 2 + length
    return 0, 0


def _plain_jpeg(image: Any, data: bytes) -> np.ndarray | None:
    """The raster of an upright sRGB colour JPEG, straight from libjpeg: Pillow's pixels in three quarters of its time.

    None for everything else, and for a stream that libjpeg complains of: Pillow decides what that is.
    """
    if image.format != "JPEG" or image.mode != "RGB" or "icc_profile" in image.info or _orientation(image) != 1:
        return None
    return _libjpeg(data)


def _libjpeg(data: bytes) -> np.ndarray | None:
    import simplejpeg

    try:
        return simplejpeg.decode_jpeg(data, "RGB", strict=True)
    except ValueError:
        return None


def _pixels(image: Any) -> tuple[np.ndarray, list[tuple[str, str]]]:
    """The upright RGB raster and what was mended; whatever a decoder raises on the way is damage."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mended = [*_frame_note(image), *_depth_note(image)]
            image.load()
            image, rotated = _upright(image)
            rgb, converted = _rgb(image)
            rgb = _in_srgb(rgb, image.info.get("icc_profile"))
    except Image.DecompressionBombError as error:
        raise BadImage("bomb", str(error)) from error
    except Exception as error:  # a damaged stream ends in OSError, SyntaxError, TypeError, struct.error or worse
        raise BadImage("truncated", f"{type(error).__name__}: {error}") from error
    return rgb, [*mended, *rotated, *converted]


def _name_note(name: str, kind: str) -> list[tuple[str, str]]:
    stem, dot, extension = name.casefold().rpartition("/")[2].rpartition(".")
    expected = EXTENSIONS.get(extension) if stem and dot else None
    return [("extension_mismatch", f".{extension} holds {kind}")] if expected and expected != kind else []


def _frame_note(image: Any) -> list[tuple[str, str]]:
    frames = getattr(image, "n_frames", 1)
    return [("animated", f"{frames} frames")] if frames > 1 and image.format != "MPO" else []


def _depth_note(image: Any) -> list[tuple[str, str]]:
    """Pillow cuts 16-bit colour to 8 while it decodes; before that, the raw mode of its tiles tells."""
    deep = image.mode[0] not in "IF" and any(re.search(";16[BLN]", str(tile.args)) for tile in image.tile)
    return [("sixteen_bit", f"16-bit {image.mode}")] if deep else []


def _orientation(image: Any) -> int:
    """EXIF orientation, 1 (upright) to 8; damaged EXIF is no reason to lose the picture."""
    try:
        found = image.getexif().get(0x0112, 1)
    except Exception:
        return 1
    return found if found in _UPRIGHT else 1


def _upright(image: Any) -> tuple[Any, list[tuple[str, str]]]:
    from PIL import Image

    orientation = _orientation(image)
    if orientation == 1:
        return image, []
    # Not ImageOps.exif_transpose: it writes the other tags anew, and fails on those that are damaged.
    turned = image.transpose(Image.Transpose[_UPRIGHT[orientation]])
    return turned, [("exif_rotated", f"EXIF orientation {orientation}")]


def _in_srgb(rgb: np.ndarray, profile: bytes | None) -> np.ndarray:
    """The raster in sRGB: phones save Display P3, cameras Adobe RGB, and a release carries no profile."""
    from PIL import Image, ImageCms

    transform = _to_srgb(profile) if profile else None
    return rgb if transform is None else np.asarray(ImageCms.applyTransform(Image.fromarray(rgb), transform))


@lru_cache(maxsize=16)
def _to_srgb(profile: bytes) -> Any:
    """Transform from an RGB profile to sRGB; None for sRGB itself (by what it does, not by its name) and for unusable profiles."""
    from PIL import Image, ImageCms

    levels = np.arange(0, 256, 51, dtype=np.uint8)
    cube = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(6, 36, 3)
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), "RGB", "RGB")
        moved = np.asarray(ImageCms.applyTransform(Image.fromarray(cube), transform))
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
    return transform if np.abs(moved.astype(int) - cube).max() > SRGB_WITHIN else None


def _rgb(image: Any) -> tuple[np.ndarray, list[tuple[str, str]]]:
    if image.mode.startswith(("I", "F")):
        return _eight_bits(image), [("sixteen_bit", f"mode {image.mode}")]
    if image.mode in ("CMYK", "YCCK"):
        return np.asarray(image.convert("RGB")), [("cmyk", f"mode {image.mode}")]
    if "A" in image.mode or "transparency" in image.info:
        return _on_white(image.convert("RGBA"))
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB")), []


def _eight_bits(image: Any) -> np.ndarray:
    """Values over 255 scaled from 16 bits; floating images from their own range."""
    values = np.asarray(image, dtype=np.float64)
    values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    if image.mode.startswith("F"):
        low, high = float(values.min()), float(values.max())
        values = (values - low) * (255.0 / (high - low)) if high > low else values * 0
    else:
        values = values / 257.0 if values.max() > 255 else values
    grey = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)


def _on_white(image: Any) -> tuple[np.ndarray, list[tuple[str, str]]]:
    rgba = np.asarray(image)
    alpha = rgba[:, :, 3:].astype(np.uint16)
    if (alpha == 255).all():
        return np.ascontiguousarray(rgba[:, :, :3]), []
    mixed = (rgba[:, :, :3] * alpha + 255 * (255 - alpha) + 127) // 255
    return mixed.astype(np.uint8), [("alpha", f"{(alpha < 255).mean():.1%} of the pixels are not opaque")]


def pixel_hash(rgb: np.ndarray) -> str:
    """XXH3 (128 bits, hex) over shape and bytes of an (h, w, 3) uint8 raster: equal for equal pictures in any file format.

    A raster is fifteen times its file: sha256 over it would cost a fifth of the decoding. Equal hashes only ever propose a copy.
    """
    sink = xxh3_128(repr(rgb.shape).encode())
    sink.update(np.ascontiguousarray(rgb).data.cast("B"))
    return sink.hexdigest()


def release_jpeg(data: bytes) -> bytes:
    """The JPEG that a release may carry: no EXIF, XMP, ICC, comment or thumbnail. Raises BadImage.

    An upright RGB or grey JPEG in sRGB keeps its pixels' own bytes; anything else is decoded and encoded once, without subsampling.
    """
    from PIL import Image

    image = _open(data)
    profile = image.info.get("icc_profile")
    in_srgb = not profile or _to_srgb(profile) is None
    if image.format == "JPEG" and image.mode in ("RGB", "L") and _orientation(image) == 1 and in_srgb:
        with contextlib.suppress(BadImage):  # decoders forgive more than `strip_jpeg`: then the pixels are encoded anew
            return strip_jpeg(data)
    out = io.BytesIO()
    Image.fromarray(decode(data).rgb).save(out, "JPEG", quality=RELEASE_QUALITY, subsampling=0)
    return out.getvalue()


def strip_jpeg(data: bytes) -> bytes:
    """A JPEG of nothing but what decodes its first picture: no metadata, wherever it stands; compressed data untouched.

    Raises BadImage when it is not a JPEG that is well formed from its start to its end marker.
    """
    if not data.startswith(b"\xff\xd8"):
        raise BadImage("not_an_image", "no JPEG start marker")
    kept, at, scans = [data[:2]], 2, 0
    while at + 2 <= len(data):
        if data[at] != 0xFF:
            raise BadImage("truncated", f"no marker at byte {at:,}")
        marker = data[at + 1]
        if marker == 0xD9 and scans:
            return b"".join([*kept, b"\xff\xd9"])
        if marker == 0xFF:
            at += 1
            continue
        stop = at + 2 + _segment_length(data, at)
        kept.append(_kept(data[at:stop], marker))
        at = stop
        if marker == 0xDA:
            scans += 1
            at = _scan_end(data, stop)
            kept.append(data[stop:at])
    raise BadImage("truncated", "no end marker")


def _segment_length(data: bytes, at: int) -> int:
    """Bytes of the segment at `at` after its marker, its own length field included."""
    length = int.from_bytes(data[at + 2 : at + 4], "big")
    if length < 2 or data[at + 1] in (0x00, 0x01, *range(0xD0, 0xDA)):
        raise BadImage("truncated", f"a marker out of place at byte {at:,}")
    return length


def _kept(segment: bytes, marker: int) -> bytes:
    """What a release keeps of a segment."""
    if marker in _PICTURE_SEGMENTS:
        return segment
    name, size = _COLOUR_SEGMENTS.get(marker, (b"", 0))
    payload = segment[4 : 4 + size]
    if not name or not payload.startswith(name) or len(payload) < size:
        return b""
    if marker == 0xE0:
        payload = payload[:12] + b"\0\0"  # its thumbnail has no width and no height
    return segment[:2] + struct.pack(">H", 2 + size) + payload


def _scan_end(data: bytes, at: int) -> int:
    """Where the compressed data that starts at `at` ends: at the next marker. What follows the end marker stays out."""
    found = _NEXT_MARKER.search(data, at)
    if found is None:
        raise BadImage("truncated", "the picture data has no end")
    return found.start()
