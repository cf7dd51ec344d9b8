"""How a phantom is drawn: a patch of the person's skin, and the decided lesion painted on it. What is decided is what the record states."""

from dataclasses import dataclass

import numpy as np

from sources.phantom_camera import Scene
from sources.phantom_lesion import PAINT, Lesion
from sources.phantom_skin import HEIGHT, WIDTH, bow, net, noise, patch_of, strokes


@dataclass(frozen=True, slots=True)
class Outline:
    """Where a lesion is; all but `radius` are (h, w) float32.

    `inside`: 0 to 1; `angle`: about its centre; `depth`: 1 in the centre, 0 on the contour, negative outside; `rim`: distance to the
    contour in pixels, positive inside; `radius`: of a disc of its area, in pixels.
    """

    inside: np.ndarray
    angle: np.ndarray
    depth: np.ndarray
    rim: np.ndarray
    radius: float


def draw(lesion: Lesion, rng: np.random.Generator) -> Scene:
    """A lesion on its skin, before the camera."""
    patch = patch_of(lesion.skin, rng, close_up=not lesion.dermoscopic)
    out = _outline(lesion, rng)
    colour = _filled(patch.colour, lesion, out, rng)
    height = patch.height * (1 - 0.4 * out.inside)
    if lesion.dermoscopic:
        colour = _hairs(_structures(colour, lesion, out, rng), rng)
    else:
        colour, height = _signs(colour, lesion, out, rng), height + _raised(lesion, out, rng)
    return Scene(colour, height, lesion.dermoscopic, lesion.dermoscopic and rng.random() < 0.3)


def _outline(lesion: Lesion, rng: np.random.Generator) -> Outline:
    import cv2

    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    y, x = y - np.float32(HEIGHT / 2 + rng.uniform(-14, 14)), x - np.float32(WIDTH / 2 + rng.uniform(-18, 18))
    turn = rng.uniform(0, 2 * np.pi)
    angle = np.arctan2(y, x)
    far = _reach(lesion, np.linspace(-np.pi, np.pi, 1441) + turn, rng).astype(np.float32)
    depth = 1 - np.hypot(y, x) / far[np.round((angle + np.pi) / (2 * np.pi) * 1440).astype(np.int32)]
    within = (depth > 0).astype(np.uint8)
    rim = cv2.distanceTransform(within, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - within, cv2.DIST_L2, 5)
    radius = float(np.sqrt(within.sum() / np.pi))
    width = (0.03 if lesion.sharp else 0.16) * radius
    return Outline(1 / (1 + np.exp(-np.clip(2 * rim / width, -30, 30))), angle, depth, rim, radius)


def _reach(lesion: Lesion, angle: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Distance from the centre to the contour, in pixels, at each angle."""
    radius = rng.uniform(62, 92) * (1 + rng.uniform(0.02, 0.12) * np.cos(2 * angle))
    if not lesion.symmetric:
        radius *= (
            1 + rng.uniform(0.2, 0.28) * np.cos(angle + 0.8) + rng.uniform(0.14, 0.2) * np.sin(3 * angle + rng.uniform(0, 6))
        )
    if lesion.irregular:
        for k in (5, 7, 9, 11):
            radius *= 1 + rng.uniform(0.06, 0.11) * np.cos(k * angle + rng.uniform(0, 6))
    for k in (13, 17, 23, 31):  # no contour of a lesion is drawn with compasses
        radius *= 1 + rng.uniform(0, 0.008) * np.cos(k * angle + rng.uniform(0, 6))
    return radius


def _filled(skin: np.ndarray, lesion: Lesion, out: Outline, rng: np.random.Generator) -> np.ndarray:
    """Paint the colours: concentric zones in symmetric lesions, sectors in others, all of similar area. The skin's grain shows through."""
    import cv2

    count = len(lesion.colours)
    if lesion.symmetric:
        rank = (1 - np.clip(out.depth, 0, 1)) ** 2 * count + 0.15 * noise(rng, 25) * (count > 1)
        order = list(range(count))[::-1]
    else:
        rank = ((out.angle + np.pi) / (2 * np.pi) * count + 0.25 * noise(rng, 40)) % count
        order = list(rng.permutation(count))
    paint = np.array([PAINT[lesion.colours[n]] for n in order], dtype=np.float32)
    colour = paint[np.clip(rank.astype(np.int32), 0, count - 1)]
    if count > 1:
        fading = not lesion.sharp and {"white", "blue-gray"}.isdisjoint(lesion.colours)
        colour = cv2.GaussianBlur(colour, (0, 0), 6.0 if fading else 1.5)
    grain = 1 + 0.7 * (skin[:, :, 1] / lesion.skin.colour[1] - 1)
    colour *= (grain * (1 + 0.05 * noise(rng, 12) + 0.03 * noise(rng, 5)))[:, :, None]
    if not lesion.dermoscopic and lesion.colours[0] in ("pink", "red"):
        colour = 0.75 * colour + 0.25 * skin * np.array([1.05, 0.75, 0.75], dtype=np.float32)
    inside = out.inside
    if lesion.diagnosis == "tinea corporis":  # clears from the middle
        inside = inside * np.clip(3.2 - 12 * out.depth, 0, 1)
    return skin + (colour - skin) * inside[:, :, None]


def _structures(colour: np.ndarray, lesion: Lesion, out: Outline, rng: np.random.Generator) -> np.ndarray:
    seen = lesion.concepts
    if seen["pigment_network"] != "absent":
        colour = colour * _network(out, rng, wild=seen["pigment_network"] == "atypical")[:, :, None]
    if seen["dots_and_globules"] != "absent":
        colour = colour * (1 - 0.45 * _globules(out, rng, regular=seen["dots_and_globules"] == "regular"))[:, :, None]
    if seen["streaks"] != "absent":
        ray = np.clip(np.cos(out.angle * int(rng.integers(18, 26))) * 3 - 1.5, 0, 1)
        part = np.cos(out.angle - rng.uniform(0, 6)) > -0.2 if seen["streaks"] == "irregular" else np.ones_like(ray, bool)
        rim = np.clip(6 - np.abs(out.depth - 0.015) / 0.0225, 0, 1) * part
        colour = colour * (1 - 0.55 * ray * rim)[:, :, None]
    if seen["vascular_structures"] != "absent":
        layer = _trees(out, rng) if seen["vascular_structures"] == "arborizing" else _hairpins(out, rng)
        layer = (0.8 * layer * np.clip(out.rim / 4, 0, 1))[:, :, None]
        colour = colour * (1 - layer) + np.array([168, 32, 44], dtype=np.float32) * layer
    return colour


def _network(out: Outline, rng: np.random.Generator, *, wild: bool) -> np.ndarray:
    """What a pigment network lets through: regular meshes and thin lines, or ragged meshes and lines of every width."""
    apart = net(rng, 15.0 if wild else 12.0, 0.45 if wild else 0.2)
    width = 1.6 + 1.0 * noise(rng, 30) if wild else 1.4
    lines = np.exp(-((apart / np.maximum(width, 0.7)) ** 2))
    return 1 + (0.06 - 0.42 * lines) * np.clip(out.rim / (0.08 * out.radius), 0, 1)


def _globules(out: Outline, rng: np.random.Generator, *, regular: bool) -> np.ndarray:
    import cv2

    layer = np.zeros((HEIGHT, WIDTH), np.uint8)
    for x, y in _places(out.depth > 0.12, 26, rng):
        size = 3.0 if regular else float(rng.uniform(1.5, 6.5))
        cv2.circle(layer, (round(16 * x), round(16 * y)), round(16 * size), 255, -1, cv2.LINE_AA, shift=4)
    return layer.astype(np.float32) / 255


def _places(where: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """`count` places (x, y) out of a mask, or none of an empty one."""
    ys, xs = np.nonzero(where)
    picked = rng.integers(0, len(ys), count) if len(ys) else []
    return np.stack([xs[picked], ys[picked]], axis=1).astype(float)


def _trees(out: Outline, rng: np.random.Generator) -> np.ndarray:
    """Vessels that branch, thick trunks and ever finer twigs."""
    grown: dict[int, list[np.ndarray]] = {3: [], 2: [], 1: []}
    for at in _places(out.depth > 0.1, 6, rng):
        _grow(grown, at, rng.uniform(0, 2 * np.pi), 3, rng)
    return np.maximum.reduce([strokes(curves, width) for width, curves in grown.items()])


def _grow(grown: dict[int, list[np.ndarray]], at: np.ndarray, heading: float, width: int, rng: np.random.Generator) -> None:
    path = [at]
    for _ in range(4):
        heading += rng.normal(0, 0.35)
        path.append(path[-1] + 7 * np.array([np.cos(heading), np.sin(heading)]))
    grown[width].append(np.array(path))
    if width > 1:
        for side in (-1, 1):
            _grow(grown, path[-1], heading + side * rng.uniform(0.3, 0.8), width - 1, rng)


def _hairpins(out: Outline, rng: np.random.Generator) -> np.ndarray:
    """Vessels that turn back on themselves: two legs and a bend."""
    bend = np.linspace(np.pi, 0, 9)
    loops = []
    for at in _places(out.depth > 0.15, 10, rng):
        leg, half, turn = rng.uniform(8, 13), rng.uniform(2.2, 3.0), rng.uniform(0, 2 * np.pi)
        arch = np.stack([half * np.cos(bend), leg + half * np.sin(bend)], axis=1)
        loop = np.concatenate([[[-half - 1, 0.0]], arch, [[half + 1, 0.0]]])
        loops.append(at + loop @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]))
    return strokes(loops, 2)


def _raised(lesion: Lesion, out: Outline, rng: np.random.Generator) -> np.ndarray:
    """How high a lesion stands, in pixels."""
    import cv2

    concepts, height = lesion.concepts["skincon"], np.zeros_like(out.rim)
    if {"Plaque", "Wheal"} & set(concepts):
        height = 5 * np.clip(out.rim / 12, 0, 1) ** 2 * (3 - 2 * np.clip(out.rim / 12, 0, 1))
    elif {"Papule", "Nodule", "Dome-shaped"} & set(concepts):
        height = 0.35 * out.radius * (1 - (1 - np.clip(out.rim / out.radius, 0, 1)) ** 2)
    if "Umbilicated" in concepts:
        height = height - 0.12 * out.radius * np.exp(-(((1 - out.depth) / 0.2) ** 2))
    if "Warty/Papillomatous" in concepts:
        height = height + 2.6 * np.abs(noise(rng, 7)) * out.inside
    return cv2.GaussianBlur(height, (0, 0), 1.5)


def _signs(colour: np.ndarray, lesion: Lesion, out: Outline, rng: np.random.Generator) -> np.ndarray:
    concepts = lesion.concepts["skincon"]
    if "Scale" in concepts:
        colour = _over(colour, _flakes(out.depth > 0.05, 60, 4, rng), (236, 232, 226))
    if "Crust" in concepts:
        colour = _over(colour, _flakes(out.depth > 0.3, 12, 6, rng), (150, 104, 52))
    if "Ulcer" in concepts:
        hole = 1 / (1 + np.exp(np.clip(-(out.depth - 0.55 + 0.05 * noise(rng, 14)) * 40, -30, 30)))
        colour = _over(colour, hole, (138, 30, 36))
    if "Umbilicated" in concepts:
        colour = colour * (1 - 0.3 * np.exp(-(((1 - out.depth) / 0.16) ** 2)))[:, :, None]
    if "Excoriation" in concepts:
        colour = _over(colour, 0.9 * _scratches(out, rng), (132, 34, 36))
    for sign, paint, size in (("Pustule", (236, 222, 170), 5), ("Comedo", (40, 32, 30), 2)):
        if sign in concepts:
            colour = _over(colour, _spots(out, size, rng), paint)
    return colour


def _over(colour: np.ndarray, layer: np.ndarray, paint: tuple[int, int, int]) -> np.ndarray:
    """A layer of paint over the picture, as much of it as the layer says."""
    return colour + (np.array(paint, dtype=np.float32) - colour) * layer[:, :, None]


def _flakes(where: np.ndarray, count: int, size: int, rng: np.random.Generator) -> np.ndarray:
    import cv2

    layer = np.zeros((HEIGHT, WIDTH), np.uint8)
    for x, y in _places(where, count, rng):
        axes, turn = (int(rng.integers(2, size + 2)), int(rng.integers(1, size))), float(rng.uniform(0, 180))
        cv2.ellipse(layer, (int(x), int(y)), axes, turn, 0, 360, int(rng.uniform(190, 255)), -1, cv2.LINE_AA)
    return layer.astype(np.float32) / 255 * np.clip(0.85 + 0.3 * noise(rng, 3), 0, 1)


def _scratches(out: Outline, rng: np.random.Generator) -> np.ndarray:
    heading, curves = rng.uniform(0, np.pi), []
    for at in _places(out.depth > 0.2, 5, rng):
        end = at + rng.uniform(14, 26) * np.array([np.cos(heading), np.sin(heading)])
        curves.append(bow(at, (at + end) / 2 + rng.normal(0, 1.5, 2), end))
    return strokes(curves, 2)


def _spots(out: Outline, size: int, rng: np.random.Generator) -> np.ndarray:
    import cv2

    layer = np.zeros((HEIGHT, WIDTH), np.uint8)
    for x, y in _places(out.depth > 0.1, 7, rng):
        cv2.circle(layer, (int(x), int(y)), size, 255, -1, cv2.LINE_AA)
    return layer.astype(np.float32) / 255


def _hairs(colour: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Up to four terminal hairs."""
    curves = []
    for _ in range(int(rng.integers(0, 5))):
        start = rng.uniform(0, [WIDTH, HEIGHT])
        end = start + rng.uniform(-150, 150, 2)
        curves.append(bow(start, (start + end) / 2 + rng.uniform(-50, 50, 2), end))
    return _over(colour, 0.85 * strokes(curves), (52, 40, 36)) if curves else colour
