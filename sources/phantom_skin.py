"""The skin that a phantom lies on: a person's character, and a patch of it with furrows, pores, freckles, fine vessels and down.

The strength of the texture is that of photographs: the contrast of HAM10000's and PAD-UFES-20's skin in four bands of detail
(tests/test_phantom.py compares them), well below that of a drawn network, globule or streak.
"""

from dataclasses import dataclass

import numpy as np

HEIGHT, WIDTH = 288, 384

TONES = ((213, 181, 166), (202, 167, 147), (188, 150, 126), (167, 125, 100), (137, 98, 77), (106, 75, 61))
"""sRGB of the six tones, from very light to dark: individual typology angles of 65, 55, 40, 17, -16 and -48 degrees."""

LIGHTNESS = (76.0, 71.0, 65.0, 56.0, 45.0, 35.0)
"""CIE L* of the tones."""

MELANIN, BLOOD = np.array([0.6, 0.9, 1.0], np.float32), np.array([0.15, 1.0, 0.8], np.float32)
"""What pigment and blood take from red, green and blue, relative to the most."""

CLOSE_UP = 0.55
"""Size of a furrow's cell in a clinical close-up, which shows more skin, relative to dermoscopy."""


@dataclass(frozen=True, slots=True)
class Skin:
    """A person's skin.

    `tone`: 0 to 5; `cell`: size of the furrows' meshes in pixels of a dermoscopic picture; `relief`, `flush`, `mottle`: strength of
    furrows, blood and uneven pigment, 1 is usual; `freckles`, `down`: how many of them, and of vellus hairs, are expected in a picture.
    """

    tone: int
    cell: float
    relief: float
    flush: float
    mottle: float
    freckles: float
    down: float

    @property
    def colour(self) -> np.ndarray:
        """sRGB, 0 to 255."""
        return np.array(TONES[self.tone], dtype=np.float32)

    @property
    def lightness(self) -> float:
        """CIE L*."""
        return LIGHTNESS[self.tone]


@dataclass(frozen=True, slots=True)
class Patch:
    """A patch of skin: `colour` (h, w, 3) float32 sRGB in even light; `height` (h, w) float32, 0 on plateaus and about -1 in furrows."""

    colour: np.ndarray
    height: np.ndarray


def skin_of(rng: np.random.Generator) -> Skin:
    """The skin of a person."""
    tone = int(rng.integers(len(TONES)))
    return Skin(
        tone=tone,
        cell=float(rng.uniform(15, 26)),
        relief=float(rng.uniform(0.75, 1.3)),
        flush=float(rng.uniform(0.6, 1.4)),
        mottle=float(rng.uniform(0.7, 1.3)),
        freckles=float(rng.exponential(6) * (1.4 - 0.2 * tone)),
        down=float(rng.uniform(10, 60)),
    )


def patch_of(skin: Skin, rng: np.random.Generator, *, close_up: bool) -> Patch:
    """A patch of a person's skin, no lesion on it; a close-up shows more of it, in light that tells uneven pigment better."""
    size, patchy = (CLOSE_UP, 1.5) if close_up else (1.0, 1.0)
    fine, coarse = 0.016 * noise(rng, 3) + 0.026 * noise(rng, 7), 0.034 * noise(rng, 16) + 0.03 * noise(rng, 80)
    pigment = skin.mottle * (fine + patchy * coarse)
    pigment += _freckles(skin, rng, size)
    blood = skin.flush * (0.02 * noise(rng, 5) + patchy * 0.036 * noise(rng, 13) + 0.03 * noise(rng, 40)) + 0.1 * _vessels(rng)
    colour = skin.colour * (1 - pigment[:, :, None] * MELANIN - blood[:, :, None] * BLOOD)
    height = skin.relief * (_furrows(rng, skin.cell * size) - _pits(rng, size))
    down = _down(skin, rng)
    light = np.array((1.16, 1.12, 1.02) if skin.tone > 1 else (0.72, 0.66, 0.6), np.float32)
    return Patch(colour * (1 + (light - 1) * down[:, :, None]), height)


def noise(rng: np.random.Generator, cell: float) -> np.ndarray:
    """Smooth noise in -1..1 with features of about `cell` pixels, (h, w) float32."""
    import cv2

    coarse = rng.random((int(HEIGHT / cell) + 3, int(WIDTH / cell) + 3), dtype=np.float32) * 2 - 1
    return cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)


def net(rng: np.random.Generator, cell: float, jitter: float, stretch: float = 1.0) -> np.ndarray:
    """Distance in pixels, (h, w) float32, to the nearest line of a net of polygons of about `cell` pixels in size.

    The lines are the borders of the Voronoi cells of a turned lattice. `jitter`: how far its points stray, in lattice steps;
    `stretch`: how much longer than wide the cells are.
    """
    import cv2

    reach = int(0.75 * WIDTH / cell * stretch) + 2
    v, u = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float64)
    points = np.stack([u + 0.5 * (v % 2), v * 0.866], axis=-1).reshape(-1, 2)
    points = (points + rng.uniform(-jitter, jitter, points.shape)) * cell * [stretch**0.5, stretch**-0.5]
    turn = rng.uniform(0, np.pi)
    points = points @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) + [WIDTH / 2, HEIGHT / 2]
    x, y = np.round(points).astype(int).T
    kept = (x >= 0) & (y >= 0) & (x < WIDTH) & (y < HEIGHT)
    free = np.ones((HEIGHT, WIDTH), np.uint8)
    free[y[kept], x[kept]] = 0
    _, owner = cv2.distanceTransformWithLabels(free, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    inner = np.ones_like(free)
    inner[:, 1:] &= owner[:, 1:] == owner[:, :-1]
    inner[1:] &= owner[1:] == owner[:-1]
    return cv2.distanceTransform(inner, cv2.DIST_L2, 5)


def strokes(curves: list[np.ndarray], width: int = 1) -> np.ndarray:
    """How much of each pixel curves cover, (h, w) float32; a curve is (n, 2) x and y in pixels."""
    import cv2

    layer = np.zeros((HEIGHT, WIDTH), np.uint8)
    fine = [np.round(curve * 16).astype(np.int32) for curve in curves]  # sixteenths of a pixel
    cv2.polylines(layer, fine, False, 255, width, cv2.LINE_AA, shift=4)
    return layer.astype(np.float32) / 255


def bow(start: np.ndarray, middle: np.ndarray, end: np.ndarray) -> np.ndarray:
    """A curve (12, 2) from start to end, drawn towards the middle."""
    t = np.linspace(0, 1, 12)[:, None]
    return (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end


def _furrows(rng: np.random.Generator, cell: float) -> np.ndarray:
    """Primary furrows and, inside their meshes, finer secondary ones; some stretches of both are faint."""
    first, second = net(rng, cell, 0.3, float(rng.uniform(1, 1.7))), net(rng, cell * 0.45, 0.3, float(rng.uniform(1, 1.4)))
    depth = 0.7 + 0.5 * noise(rng, 30)
    return -depth * (np.exp(-((first / (0.09 * cell)) ** 2)) + 0.45 * np.exp(-((second / (0.06 * cell)) ** 2)))


def _pits(rng: np.random.Generator, size: float) -> np.ndarray:
    """Openings of sweat glands and hair follicles."""
    import cv2

    pits = np.zeros((HEIGHT, WIDTH), np.float32)
    count = int(rng.integers(60, 160) / size)
    pits[rng.integers(0, HEIGHT, count), rng.integers(0, WIDTH, count)] = rng.uniform(3, 11, count)
    return cv2.GaussianBlur(pits, (0, 0), 1.1)


def _freckles(skin: Skin, rng: np.random.Generator, size: float) -> np.ndarray:
    """Pigment of freckles, with ragged rims."""
    import cv2

    layer = np.zeros((HEIGHT, WIDTH), np.uint8)
    for _ in range(int(rng.poisson(skin.freckles / size))):
        at, axes = rng.uniform(0, [WIDTH, HEIGHT]), rng.uniform(2, 6, 2) * size + 1
        shade, turn = int(rng.uniform(60, 160)), float(rng.uniform(0, 180))
        cv2.ellipse(layer, at.astype(int).tolist(), axes.astype(int).tolist(), turn, 0, 360, shade, -1, cv2.LINE_AA)
    return cv2.GaussianBlur(layer.astype(np.float32) / 255, (0, 0), 1.4) * (0.3 + 0.15 * noise(rng, 3))


def _vessels(rng: np.random.Generator) -> np.ndarray:
    """Fine superficial vessels, out of focus."""
    import cv2

    curves = []
    for _ in range(int(rng.integers(4, 12))):
        start = rng.uniform(0, [WIDTH, HEIGHT])
        curves.append(bow(start, start + rng.uniform(-40, 40, 2), start + rng.uniform(-60, 60, 2)))
    return cv2.GaussianBlur(strokes(curves), (0, 0), 1.0)


def _down(skin: Skin, rng: np.random.Generator) -> np.ndarray:
    """Vellus hairs that lie more or less one way."""
    curves, way = [], rng.uniform(0, 2 * np.pi)
    for _ in range(int(rng.poisson(skin.down))):
        start, turn, length = rng.uniform(0, [WIDTH, HEIGHT]), way + rng.normal(0, 0.5), rng.uniform(10, 34)
        end = start + length * np.array([np.cos(turn), np.sin(turn)])
        curves.append(bow(start, (start + end) / 2 + rng.normal(0, 3, 2), end))
    return strokes(curves) * (0.6 + 0.4 * noise(rng, 50))
