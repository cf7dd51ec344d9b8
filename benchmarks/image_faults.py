"""Faults of pictures, put into a sound one: what cameras, clinics and collectors do. Shares no code with the gates that look for them.

A fault takes an (h, w, 3) uint8 picture, a generator and the pool of sound pictures, and gives another picture or the bytes of a file.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from io import BytesIO

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

Picture = np.ndarray
Pool = Sequence[Picture]
Fault = Callable[[Picture, np.random.Generator, Pool], Picture | bytes]


def _long(picture: Picture) -> int:
    return max(picture.shape[:2])


def _pick(rng: np.random.Generator, options: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    return options[int(rng.integers(len(options)))]


def defocus(picture: Picture, rng: np.random.Generator, _: Pool) -> Picture:
    """A Gaussian of 2 to 3.5 % of the longer side."""
    return cv2.GaussianBlur(picture, (0, 0), _long(picture) * rng.uniform(0.02, 0.035))


def shaken(picture: Picture, rng: np.random.Generator, _: Pool) -> Picture:
    """Moved along a line of 8 to 14 % of the longer side."""
    length = max(9, round(_long(picture) * rng.uniform(0.08, 0.14)) | 1)
    line = np.zeros((length, length), np.float32)
    turn, middle = rng.uniform(0, np.pi), length // 2
    ends = [(round(middle + sign * middle * np.cos(turn)), round(middle + sign * middle * np.sin(turn))) for sign in (-1, 1)]
    cv2.line(line, ends[0], ends[1], 1.0, 1)
    return cv2.filter2D(picture, -1, line / line.sum(), borderType=cv2.BORDER_REFLECT)


def enlarged(picture: Picture, rng: np.random.Generator, _: Pool) -> Picture:
    """Made of 20 to 34 pixels of the longer side, as of a thumbnail's thumbnail."""
    height, width = picture.shape[:2]
    scale = rng.uniform(20, 34) / max(height, width)
    small = cv2.resize(picture, (max(4, round(width * scale)), max(4, round(height * scale))), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def tiny(picture: Picture, rng: np.random.Generator, _: Pool) -> Picture:
    """A file of 36 to 60 pixels of the shorter side."""
    scale = rng.uniform(36, 60) / min(picture.shape[:2])
    return cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def underexposed(picture: Picture, rng: np.random.Generator, _: Pool) -> Picture:
    """A tenth to a fifth of the light (of the sensor's values), with the noise that comes with it."""
    dark = picture * rng.uniform(0.08, 0.18) + rng.normal(0, 1.5, picture.shape)
    return np.clip(dark, 0, 255).astype(np.uint8)


def overexposed(picture: Picture, rng: np.random.Generator, _: Pool) -> Picture:
    """So much light that the median pixel would be 1.3 to 1.8 times white."""
    gain = rng.uniform(1.3, 1.8) * 255 / max(float(np.median(picture.max(axis=2))), 1.0)
    return np.clip(picture * gain + 25, 0, 255).astype(np.uint8)


def recompressed(picture: Picture, rng: np.random.Generator, _: Pool) -> Picture:
    """Through a JPEG of quality 3 to 10; the file that is left is another."""
    out = BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=int(rng.integers(3, 11)))
    return np.asarray(Image.open(out))


def low_quality_file(picture: Picture, rng: np.random.Generator, _: Pool) -> bytes:
    """A JPEG file of quality 5 to 20."""
    out = BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=int(rng.integers(5, 21)))
    return out.getvalue()


def dark_corners(picture: Picture, rng: np.random.Generator, _: Pool) -> Picture:
    """What a dermoscope's round window leaves."""
    height, width = picture.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    radius = rng.uniform(0.38, 0.46) * np.hypot(height, width)
    centre = np.array([height, width]) * (0.5 + rng.uniform(-0.03, 0.03, 2))
    edge = np.clip((radius - np.hypot(y - centre[0], x - centre[1])) / (0.02 * width) + 0.5, 0, 1)
    return (picture * edge[:, :, None] + rng.uniform(0, 12)).clip(0, 255).astype(np.uint8)


def hairs(picture: Picture, rng: np.random.Generator, _: Pool) -> Picture:
    """Ten to eighteen dark curved hairs."""
    out = picture.copy()
    height, width = out.shape[:2]
    t = np.linspace(0, 1, 48)[:, None]
    colour = tuple(int(c) for c in rng.integers(8, 45, 3))
    for _n in range(int(rng.integers(10, 19))):
        start, turn = rng.uniform(0, 1, 2) * [width, height], rng.uniform(0, 2 * np.pi)
        reach = rng.uniform(0.35, 0.8) * max(height, width)
        end = start + reach * np.array([np.cos(turn), np.sin(turn)])
        middle = (start + end) / 2 + rng.uniform(-0.15, 0.15, 2) * reach
        curve = (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end
        cv2.polylines(out, [curve.astype(np.int32)], False, colour, max(1, round(width / rng.uniform(130, 260))), cv2.LINE_AA)
    return out


def ruler(picture: Picture, rng: np.random.Generator, _: Pool) -> Picture:
    """A scale at an edge: a white or clear strip with long and short ticks."""
    out = np.ascontiguousarray(np.rot90(picture, int(rng.integers(4)))).copy()
    height, width = out.shape[:2]
    strip = round(height * rng.uniform(0.1, 0.16))
    if rng.random() < 0.6:
        out[height - strip :] = rng.integers(215, 250)
    step, thick = width / rng.uniform(18, 34), max(1, round(width / 220))
    for n in range(int(width / step)):
        long = 0.75 if n % 5 == 0 else 0.45
        x = round((n + 0.5) * step)
        cv2.line(out, (x, height - strip), (x, height - strip + round(strip * long)), (20, 20, 24), thick)
    return out


INKS = ((70, 50, 150), (40, 70, 160), (96, 60, 140), (30, 110, 90), (30, 60, 120))


def ink(picture: Picture, rng: np.random.Generator, _: Pool) -> Picture:
    """A surgeon's pen around the lesion or beside it: violet, blue or green, translucent, of uneven pressure."""
    height, width = picture.shape[:2]
    t = np.linspace(0, rng.uniform(1.3, 2) * np.pi, 90)
    wobble = 1 + 0.08 * np.cos(3 * t + rng.uniform(0, 6))
    radius = rng.uniform(0.26, 0.4) * min(height, width)
    start = rng.uniform(0, 6)
    curve = np.stack([width / 2 + radius * wobble * np.cos(t + start), height / 2 + radius * wobble * np.sin(t + start)], 1)
    layer = np.zeros((height, width), np.float32)
    cv2.polylines(layer, [curve.astype(np.int32)], False, 1.0, max(2, round(width * rng.uniform(0.012, 0.03))), cv2.LINE_AA)
    layer = cv2.GaussianBlur(layer, (0, 0), max(0.6, width / 400)) * rng.uniform(0.6, 0.9)
    colour = np.array(_pick(rng, INKS), np.float32)
    return (picture * (1 - layer[:, :, None]) + colour * layer[:, :, None]).clip(0, 255).astype(np.uint8)


def text(picture: Picture, rng: np.random.Generator, _: Pool) -> Picture:
    """A date, a name or a mark of origin, printed somewhere."""
    letters = "ABCDEFGHKLMNPRSTUVXYZ0123456789"
    said = "".join(letters[int(n)] for n in rng.integers(0, len(letters), int(rng.integers(8, 15))))
    said = f"{said[:4]} {said[4:]}" if rng.random() < 0.5 else said
    image = Image.fromarray(picture)
    height, width = picture.shape[:2]
    font = ImageFont.load_default(size=max(11.0, width * rng.uniform(0.055, 0.09)))
    draw = ImageDraw.Draw(image)
    left, top, right, bottom = draw.textbbox((0, 0), said, font=font)
    place = rng.uniform(0.02, 0.98, 2) * np.maximum([width - (right - left), height - (bottom - top) * 1.4], 0)
    fill = _pick(rng, ((255, 255, 255), (0, 0, 0), (255, 220, 60)))
    here = picture[int(place[1]) : int(place[1]) + int(bottom), int(place[0]) : int(place[0]) + int(right)]
    if fill[0] and here.mean() > 150:  # who prints white on white is not read either
        fill = (0, 0, 0)
    draw.text((float(place[0]), float(place[1])), said, fill=fill, font=font)
    return np.asarray(image)


def frame(picture: Picture, rng: np.random.Generator, _: Pool) -> Picture:
    """One colour around the picture: 6 to 15 % of each side, or two bars."""
    height, width = picture.shape[:2]
    share = rng.uniform(0.06, 0.15)
    top, left = round(height * share), round(width * share)
    bars = int(rng.integers(3))
    top, left = (0 if bars == 1 else top), (0 if bars == 2 else left)
    colour = _pick(rng, ((0, 0, 0), (255, 255, 255), (128, 128, 128)))
    return cv2.copyMakeBorder(picture, top, top, left, left, cv2.BORDER_CONSTANT, value=colour)


def collage(picture: Picture, rng: np.random.Generator, pool: Pool) -> Picture:
    """Two pictures side by side or four in a square, with or without a gutter."""
    height, width = picture.shape[:2]
    others = [pool[int(n)] for n in rng.integers(0, len(pool), 3)]
    parts = [picture, *(cv2.resize(other, (width, height), interpolation=cv2.INTER_AREA) for other in others)]
    gap = round(width * rng.choice([0, 0.02]))
    shade = int(rng.choice([0, 255]))

    def joined(a: Picture, b: Picture, axis: int) -> Picture:
        size = (height, gap) if axis else (gap, a.shape[1])
        return np.concatenate([a, np.full((*size, 3), shade, np.uint8), b], axis=axis)

    rows = [joined(parts[0], parts[1], 1), joined(parts[2], parts[3], 1)]
    return rows[0] if rng.random() < 0.5 else joined(rows[0], rows[1], 0)


def near_blank(picture: Picture, rng: np.random.Generator, _: Pool) -> Picture:
    """A lens cap or a sheet of paper: one colour and the sensor's noise."""
    shade = rng.uniform(5, 250, 3) if rng.random() < 0.5 else np.full(3, rng.uniform(0, 250))
    return np.clip(shade + rng.normal(0, rng.uniform(0.6, 1.5), picture.shape), 0, 255).astype(np.uint8)


def drawing(picture: Picture, rng: np.random.Generator, _: Pool) -> Picture:
    """A chart or a diagram: flat areas, lines, words on paper."""
    height, width = picture.shape[:2]
    image = Image.new("RGB", (width, height), _pick(rng, ((255, 255, 255), (250, 246, 236), (236, 240, 250))))
    draw = ImageDraw.Draw(image)
    for _n in range(int(rng.integers(3, 8))):
        x, y = rng.uniform(0, 0.7, 2) * [width, height]
        box = (x, y, x + rng.uniform(0.1, 0.4) * width, y + rng.uniform(0.1, 0.4) * height)
        colour = tuple(int(c) for c in rng.integers(40, 255, 3))
        shape = draw.ellipse if rng.random() < 0.5 else draw.rectangle
        shape(box, fill=colour if rng.random() < 0.6 else None, outline=(20, 20, 20), width=max(1, width // 200))
    font = ImageFont.load_default(size=max(10.0, width * 0.05))
    for _n in range(int(rng.integers(2, 6))):
        place = rng.uniform(0, 0.8, 2) * [width, height]
        draw.text((float(place[0]), float(place[1])), f"Fig. {int(rng.integers(99))}", fill=(10, 10, 10), font=font)
    return recompressed_well(np.asarray(image), rng)


def recompressed_well(picture: Picture, rng: np.random.Generator) -> Picture:
    """Half of the drawings were JPEG files once."""
    if rng.random() < 0.5:
        return picture
    out = BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=90)
    return np.asarray(Image.open(out))


def histology(picture: Picture, rng: np.random.Generator, _: Pool) -> Picture:
    """A stained section: eosin with gaps, haematoxylin nuclei."""
    height, width = picture.shape[:2]
    coarse = rng.uniform(0, 1, (height // 24 + 3, width // 24 + 3)).astype(np.float32)
    tissue = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) > rng.uniform(0.1, 0.3)
    fibre = cv2.GaussianBlur(rng.normal(0, 1, (height, width)).astype(np.float32), (0, 0), 1.5)
    eosin = np.array([222, 150, 190], np.float32) + rng.uniform(-12, 12, 3)
    out = np.where(tissue[:, :, None], eosin + fibre[:, :, None] * np.array([40.0, 60, 40]), 243.0).astype(np.float32)
    nucleus = np.array([112, 70, 150], np.float32) + rng.uniform(-15, 15, 3)
    for _n in range(int(width * height * rng.uniform(0.002, 0.005))):
        y, x = int(rng.integers(height)), int(rng.integers(width))
        if tissue[y, x]:
            axes = (int(rng.integers(2, 5)), int(rng.integers(2, 4)))
            shade = nucleus * rng.uniform(0.75, 1.15)
            cv2.ellipse(out, (x, y), axes, float(rng.uniform(0, 180)), 0, 360, shade.tolist(), -1, cv2.LINE_AA)
    return np.clip(out + rng.normal(0, 2, out.shape), 0, 255).astype(np.uint8)


COLOURED, GREY = (
    ("chelsea", "coffee", "rocket", "hubble_deep_field"),
    ("grass", "gravel", "brick", "page", "coins", "moon", "camera"),
)
"""Photographs that scikit-image ships: a cat, coffee, a rocket, stars; textures, a page, coins, the moon, a man with a camera."""


@lru_cache
def photograph(name: str) -> Picture:
    """What scikit-image ships under a name, with three channels."""
    from skimage import data

    found = np.asarray(getattr(data, name)())
    return np.repeat(found[:, :, None], 3, axis=2) if found.ndim == 2 else found[:, :, :3]


def off_topic(picture: Picture, rng: np.random.Generator, _: Pool) -> Picture:
    """A window of a coloured photograph of something else."""
    return window(photograph(COLOURED[int(rng.integers(len(COLOURED)))]), picture, rng)


def off_topic_grey(picture: Picture, rng: np.random.Generator, _: Pool) -> Picture:
    """A window of a grey photograph of something else."""
    return window(photograph(GREY[int(rng.integers(len(GREY)))]), picture, rng)


def window(whole: Picture, picture: Picture, rng: np.random.Generator) -> Picture:
    """A square of 60 to 100 % of the shorter side of `whole`, stretched over the size of `picture`."""
    side = round(min(whole.shape[:2]) * rng.uniform(0.6, 1))
    y, x = (int(rng.integers(0, n - side + 1)) for n in whole.shape[:2])
    return cv2.resize(whole[y : y + side, x : x + side], (picture.shape[1], picture.shape[0]), interpolation=cv2.INTER_AREA)


def face(picture: Picture, rng: np.random.Generator, _: Pool) -> Picture:
    """A face of the 100 of scikit-image's subset of Labeled Faces in the Wild, toned as skin, 45 to 70 % of the longer side of a frame."""
    from skimage import data

    grey = data.lfw_subset()[int(rng.integers(100))].astype(np.float32)
    side = round(300 * rng.uniform(0.45, 0.7))
    large = cv2.resize(grey, (side, side), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    tone = np.array(_pick(rng, ((244, 214, 196), (214, 170, 140), (142, 98, 72))), np.float32)
    out = cv2.resize(picture, (300, 300), interpolation=cv2.INTER_AREA)
    y, x = (int(rng.integers(0, 300 - side + 1)) for _n in range(2))
    out[y : y + side, x : x + side] = (large[:, :, None] * tone * 1.1).clip(0, 255)
    return out


FAULTS: dict[str, tuple[str, Fault]] = {
    "defocus": ("blurred", defocus),
    "shaken": ("blurred", shaken),
    "enlarged": ("blurred", enlarged),
    "tiny": ("low_resolution", tiny),
    "underexposed": ("too_dark", underexposed),
    "overexposed": ("too_bright", overexposed),
    "recompressed": ("blocky", recompressed),
    "low-quality JPEG": ("compressed", low_quality_file),
    "dark corners": ("dark_corners", dark_corners),
    "hairs": ("hair", hairs),
    "ruler": ("ruler", ruler),
    "ink": ("ink", ink),
    "text": ("text", text),
    "frame": ("frame", frame),
    "collage": ("collage", collage),
    "near blank": ("blank", near_blank),
    "drawing": ("not_a_photograph", drawing),
    "histology": ("histology", histology),
    "off topic": ("off_topic", off_topic),
    "off topic, grey": ("no_colour", off_topic_grey),
    "face": ("face", face),
}
"""Each fault by its name, with the gate that has to catch it."""
