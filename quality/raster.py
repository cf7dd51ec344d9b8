"""Hostile bytes in, an upright 8-bit sRGB raster out; and back to a JPEG that carries nothing but the picture.

What was mended on the way is noted; what cannot be a photograph raises `BadImage` with a reason code of `sources.record.REASONS`.
"""

import hashlib
import io
import struct
import warnings
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from quality.thresholds import MAX_PIXELS, MIN_SIDE

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
_KEPT_SEGMENTS = frozenset({0xE0, 0xEE})  # JFIF, and Adobe's colour transform, without which colours change


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
    image = _open(data)
    kind = "JPEG" if image.format == "MPO" else str(image.format)
    rgb, notes = _pixels(image)
    if min(rgb.shape[:2]) < MIN_SIDE:
        raise BadImage("too_small", f"{rgb.shape[1]} x {rgb.shape[0]} pixels, the shorter side must have {MIN_SIDE}")
    if (rgb == rgb[0, 0]).all():
        raise BadImage("blank", f"every pixel is {rgb[0, 0].tolist()}")
    return Raster(rgb, kind, (*_name_note(name, kind), *notes))


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


def _pixels(image: Any) -> tuple[np.ndarray, list[tuple[str, str]]]:
    """The upright RGB raster and what was mended; whatever a decoder raises on the way is damage."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            frames = _frame_note(image)
            image.load()
            image, rotated = _upright(image)
            rgb, converted = _rgb(image)
    except Image.DecompressionBombError as error:
        raise BadImage("bomb", str(error)) from error
    except Exception as error:  # a damaged stream ends in OSError, SyntaxError, TypeError, struct.error or worse
        raise BadImage("truncated", f"{type(error).__name__}: {error}") from error
    return rgb, [*frames, *rotated, *converted]


def _name_note(name: str, kind: str) -> list[tuple[str, str]]:
    extension = PurePosixPath(name.casefold()).suffix.lstrip(".")
    expected = EXTENSIONS.get(extension)
    return [("extension_mismatch", f".{extension} holds {kind}")] if expected and expected != kind else []


def _frame_note(image: Any) -> list[tuple[str, str]]:
    frames = getattr(image, "n_frames", 1)
    return [("animated", f"{frames} frames")] if frames > 1 and image.format != "MPO" else []


def _upright(image: Any) -> tuple[Any, list[tuple[str, str]]]:
    from PIL import ImageOps

    try:
        orientation = image.getexif().get(0x0112, 1)
    except Exception:  # damaged EXIF is no reason to lose the picture
        return image, []
    if orientation not in range(2, 9):
        return image, []
    return ImageOps.exif_transpose(image), [("exif_rotated", f"EXIF orientation {orientation}")]


def _rgb(image: Any) -> tuple[np.ndarray, list[tuple[str, str]]]:
    if image.mode.startswith(("I", "F")):
        return _eight_bits(image), [("sixteen_bit", f"mode {image.mode}")]
    if image.mode in ("CMYK", "YCCK"):
        return np.asarray(image.convert("RGB")), [("cmyk", f"mode {image.mode}")]
    if "A" in image.mode or "transparency" in image.info:
        return _on_white(image.convert("RGBA"))
    return np.asarray(image.convert("RGB")), []


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
    """sha256 hex over shape and bytes of an (h, w, 3) uint8 raster: equal for equal pictures in any file format."""
    return hashlib.sha256(repr(rgb.shape).encode() + np.ascontiguousarray(rgb).tobytes()).hexdigest()


def release_jpeg(data: bytes) -> bytes:
    """The JPEG that a release may carry: no EXIF, XMP, ICC or comment.

    An upright RGB or grey JPEG keeps its pixels' own bytes; anything else is decoded and encoded once, without subsampling.
    """
    from PIL import Image

    image = _open(data)
    plain = image.format == "JPEG" and image.mode in ("RGB", "L") and image.getexif().get(0x0112, 1) in (0, 1)
    if plain:
        return strip_jpeg(data)
    out = io.BytesIO()
    Image.fromarray(decode(data).rgb).save(out, "JPEG", quality=RELEASE_QUALITY, subsampling=0)
    return out.getvalue()


def strip_jpeg(data: bytes) -> bytes:
    """A JPEG without its metadata segments; the compressed picture is untouched. Raises BadImage when it is not a JPEG."""
    if not data.startswith(b"\xff\xd8"):
        raise BadImage("not_an_image", "no JPEG start marker")
    kept, at = [data[:2]], 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            raise BadImage("truncated", f"no marker at byte {at:,}")
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == 0xDA:
            return b"".join([*kept, _scan(data[at:])])
        stop = at + 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
        if not (0xE0 <= marker <= 0xEF or marker == 0xFE) or marker in _KEPT_SEGMENTS:
            kept.append(data[at:stop])
        at = stop
    raise BadImage("truncated", "no picture data")


def _scan(data: bytes) -> bytes:
    """Picture data up to its end marker; whatever was appended after it stays out."""
    end = data.rfind(b"\xff\xd9")
    return data[: end + 2] if end >= 0 else data + b"\xff\xd9"
