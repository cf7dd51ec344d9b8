"""How a phantom is drawn: a lesion is decided from a generator, then painted. What is decided is what the record states."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

HEIGHT, WIDTH = 288, 384

TONES = ((244, 214, 196), (232, 194, 168), (214, 170, 140), (184, 136, 104), (142, 98, 72), (98, 66, 50))
SITES = ("face", "back", "chest", "abdomen", "forearm", "hand", "thigh", "lower leg", "foot", "neck")

PAINT = {
    "white": (226, 220, 214),
    "pink": (218, 148, 146),
    "red": (174, 62, 62),
    "light brown": (166, 118, 84),
    "dark brown": (92, 60, 48),
    "blue-gray": (98, 108, 124),
    "black": (38, 30, 30),
    "purple": (112, 58, 98),
    "yellow": (208, 178, 102),
}

DERMOSCOPIC = (
    "melanocytic nevus",
    "melanoma",
    "basal cell carcinoma",
    "seborrheic keratosis",
    "dermatofibroma",
    "hemangioma",
    "blue nevus",
    "solar lentigo",
)
CLINICAL = (
    "psoriasis",
    "eczema",
    "actinic keratosis",
    "squamous cell carcinoma",
    "verruca vulgaris",
    "vitiligo",
    "molluscum contagiosum",
    "tinea corporis",
    "acne vulgaris",
    "urticaria",
)

ABSENT = {
    "pigment_network": "absent",
    "blue_whitish_veil": "absent",
    "vascular_structures": "absent",
    "pigmentation": "absent",
    "streaks": "absent",
    "dots_and_globules": "absent",
    "regression_structures": "absent",
}


@dataclass(frozen=True, slots=True)
class Lesion:
    """A decided lesion. `colours` cover at least a tenth of it each; symmetry and outline are those of the drawn contour."""

    dermoscopic: bool
    diagnosis: str
    tone: tuple[int, int, int]
    colours: tuple[str, ...]
    symmetric: bool
    irregular: bool
    sharp: bool
    concepts: Mapping[str, Any]


def lesion_of(rng: np.random.Generator) -> Lesion:
    """Decide a lesion. About 60 % are dermoscopic; some are atypical for their diagnosis."""
    tone = TONES[int(rng.integers(len(TONES)))]
    if rng.random() < 0.6:
        return _dermoscopic(rng, tone)
    return _clinical(rng, tone)


def _dermoscopic(rng: np.random.Generator, tone: tuple[int, int, int]) -> Lesion:
    diagnosis = str(rng.choice(DERMOSCOPIC, p=[0.34, 0.2, 0.12, 0.1, 0.07, 0.06, 0.05, 0.06]))
    odd = rng.random() < 0.12  # an atypical case

    def pick(*options: str) -> str:
        return str(rng.choice(options))

    two = ("light brown", "dark brown")
    if diagnosis == "melanoma":
        more = rng.permutation(["blue-gray", "black", "white"])[: int(rng.integers(1, 3))]
        colours = (*two, *(str(name) for name in more))
        seen = {"pigment_network": pick("atypical", "absent"), "streaks": pick("irregular", "absent")}
        seen |= {"dots_and_globules": "irregular", "pigmentation": "diffuse irregular"}
        seen["blue_whitish_veil"] = "present" if "blue-gray" in colours else "absent"
        seen["regression_structures"] = "white areas" if "white" in colours else "absent"
        return Lesion(True, diagnosis, tone, colours, odd, not odd, bool(rng.random() < 0.5), {**ABSENT, **seen})
    table: dict[str, tuple[tuple[str, ...], dict[str, str], bool]] = {
        "melanocytic nevus": (
            two if rng.random() < 0.5 else (pick(*two),),
            {"pigment_network": pick("typical", "typical", "absent"), "dots_and_globules": pick("regular", "absent")},
            False,
        ),
        "basal cell carcinoma": (
            ("pink", "red") if rng.random() < 0.5 else ("pink",),
            {"vascular_structures": "arborizing"},
            False,
        ),
        "seborrheic keratosis": (
            ("light brown", "yellow") if rng.random() < 0.4 else ("light brown", "dark brown"),
            {"vascular_structures": pick("hairpin", "absent"), "pigmentation": "diffuse regular"},
            True,
        ),
        "dermatofibroma": (
            ("light brown", "white"),
            {"pigment_network": pick("typical", "absent"), "regression_structures": "white areas"},
            False,
        ),
        "hemangioma": (("red", "purple") if rng.random() < 0.4 else ("red",), {}, True),
        "blue nevus": (("blue-gray",), {"pigmentation": "diffuse regular"}, True),
        "solar lentigo": (("light brown",), {"pigment_network": "typical", "pigmentation": "diffuse regular"}, True),
    }
    colours, seen, sharp = table[diagnosis]
    if diagnosis == "melanocytic nevus":
        seen["pigmentation"] = "diffuse regular"
    return Lesion(True, diagnosis, tone, colours, not odd, odd, sharp, {**ABSENT, **seen})


def _clinical(rng: np.random.Generator, tone: tuple[int, int, int]) -> Lesion:
    diagnosis = str(rng.choice(CLINICAL))
    sure: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
        "psoriasis": (("Plaque", "Erythema", "Scale"), (), ("red",)),
        "eczema": (("Patch", "Erythema"), ("Excoriation", "Crust"), ("pink",)),
        "actinic keratosis": (("Macule", "Scale", "Erythema"), ("Crust",), ("pink",)),
        "squamous cell carcinoma": (("Nodule", "Ulcer"), ("Crust", "Erythema"), ("red",)),
        "verruca vulgaris": (("Papule", "Warty/Papillomatous"), ("Scale",), ("light brown",)),
        "vitiligo": (("Patch", "White(Hypopigmentation)"), (), ("white",)),
        "molluscum contagiosum": (("Dome-shaped", "Papule", "Umbilicated"), (), ("pink",)),
        "tinea corporis": (("Erythema", "Plaque", "Scale"), (), ("red",)),
        "acne vulgaris": (("Erythema", "Papule", "Pustule"), ("Comedo",), ("red",)),
        "urticaria": (("Erythema", "Wheal"), (), ("pink",)),
    }
    base, maybe, colours = sure[diagnosis]
    concepts = sorted({*base, *(name for name in maybe if rng.random() < 0.5)})
    symmetric = diagnosis in ("molluscum contagiosum", "verruca vulgaris", "tinea corporis")
    irregular = diagnosis in ("eczema", "vitiligo", "urticaria", "squamous cell carcinoma")
    sharp = diagnosis in ("psoriasis", "vitiligo", "molluscum contagiosum", "tinea corporis", "verruca vulgaris")
    return Lesion(False, diagnosis, tone, colours, symmetric, irregular, sharp, {"skincon": concepts})


def draw(lesion: Lesion, rng: np.random.Generator) -> np.ndarray:
    """Paint a lesion: (288, 384, 3) uint8."""
    canvas = _skin(lesion.tone, rng)
    inside, angle, depth = _shape(lesion, rng)
    canvas = _fill(canvas, lesion, inside, angle, depth, rng)
    canvas = (
        _structures(canvas, lesion, inside, angle, depth, rng) if lesion.dermoscopic else _signs(canvas, lesion, depth, rng)
    )
    if lesion.dermoscopic:
        canvas = _hairs(canvas, rng)
        canvas = _vignette(canvas) if rng.random() < 0.3 else canvas
    return np.clip(canvas + rng.normal(0, 1.6, canvas.shape), 0, 255).astype(np.uint8)


def _grid() -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    return y - HEIGHT / 2, x - WIDTH / 2


def _noise(rng: np.random.Generator, cell: int) -> np.ndarray:
    """Smooth noise in -1..1 with features of about `cell` pixels."""
    import cv2

    coarse = rng.uniform(-1, 1, (HEIGHT // cell + 3, WIDTH // cell + 3)).astype(np.float32)
    return cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)


def _skin(tone: tuple[int, int, int], rng: np.random.Generator) -> np.ndarray:
    base = np.array(tone, dtype=np.float32)
    shade = 1 + 0.03 * _noise(rng, 90) + 0.012 * _noise(rng, 7)
    return base * shade[:, :, None]


def _shape(lesion: Lesion, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Soft inside (0..1), angle, and depth (1 in the centre, 0 on the contour, negative outside)."""
    y, x = _grid()
    y, x = y - rng.uniform(-14, 14), x - rng.uniform(-18, 18)
    turn = rng.uniform(0, np.pi)
    y, x = y * np.cos(turn) - x * np.sin(turn), y * np.sin(turn) + x * np.cos(turn)
    angle = np.arctan2(y, x)
    radius = np.full_like(angle, rng.uniform(62, 92))
    radius *= 1 + rng.uniform(0.02, 0.12) * np.cos(2 * angle)
    if not lesion.symmetric:
        radius *= (
            1 + rng.uniform(0.2, 0.28) * np.cos(angle + 0.8) + rng.uniform(0.14, 0.2) * np.sin(3 * angle + rng.uniform(0, 6))
        )
    if lesion.irregular:
        for k in (5, 7, 9, 11):
            radius *= 1 + rng.uniform(0.06, 0.11) * np.cos(k * angle + rng.uniform(0, 6))
    depth = 1 - np.hypot(y, x) / radius
    width = 0.03 if lesion.sharp else 0.13
    return 1 / (1 + np.exp(-np.clip(depth / width, -30, 30) * 2)), angle, depth


def _fill(
    canvas: np.ndarray,
    lesion: Lesion,
    inside: np.ndarray,
    angle: np.ndarray,
    depth: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Paint the colours: concentric zones in symmetric lesions, sectors in others, all of similar area."""
    count = len(lesion.colours)
    if lesion.symmetric:
        rank = np.clip((1 - np.clip(depth, 0, 1)) ** 2 * count, 0, count - 1e-3)
    else:
        rank = ((angle + np.pi) / (2 * np.pi) * count + 0.25 * _noise(rng, 40)) % count
    order = list(rng.permutation(count)) if not lesion.symmetric else list(range(count))[::-1]
    paint = np.array([PAINT[lesion.colours[n]] for n in order], dtype=np.float32)
    zone = np.minimum(rank.astype(int), count - 1)
    colour = paint[zone] * (1 + 0.04 * _noise(rng, 12))[:, :, None]
    if not lesion.dermoscopic and lesion.colours[0] in ("pink", "red"):
        colour = 0.75 * colour + 0.25 * canvas * np.array([1.05, 0.75, 0.75], dtype=np.float32)
    if "Ring" in lesion.concepts or lesion.diagnosis == "tinea corporis":
        inside = inside * np.clip(1.15 - np.clip(depth, 0, 1) * 1.6, 0.25, 1)
    return canvas * (1 - inside[:, :, None]) + colour * inside[:, :, None]


def _structures(
    canvas: np.ndarray,
    lesion: Lesion,
    inside: np.ndarray,
    angle: np.ndarray,
    depth: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    seen = lesion.concepts
    y, x = _grid()
    if seen["pigment_network"] != "absent":
        wild = seen["pigment_network"] == "atypical"
        bend = 5.0 * _noise(rng, 30) if wild else 0.0
        step = 10.0
        mesh = np.maximum(np.cos(2 * np.pi * (x + bend) / step), np.cos(2 * np.pi * (y * 0.87 + x * 0.5 + bend) / step))
        lines = np.clip((mesh - (0.78 + (0.15 * _noise(rng, 35) if wild else 0))) * 6, 0, 1) * (inside > 0.5)
        canvas = canvas * (1 - 0.3 * lines[:, :, None])
    if seen["dots_and_globules"] != "absent":
        canvas = _globules(canvas, depth, rng, regular=seen["dots_and_globules"] == "regular")
    if seen["streaks"] != "absent":
        ray = np.clip(np.cos(angle * int(rng.integers(18, 26))) * 3 - 1.5, 0, 1)
        part = (np.cos(angle - rng.uniform(0, 6)) > -0.2) if seen["streaks"] == "irregular" else np.ones_like(angle, bool)
        rim = ((depth > -0.12) & (depth < 0.15) & part).astype(np.float32)
        canvas = canvas * (1 - 0.55 * (ray * rim)[:, :, None])
    if seen["vascular_structures"] != "absent":
        canvas = _vessels(canvas, depth, rng, branching=seen["vascular_structures"] == "arborizing")
    return canvas


def _globules(canvas: np.ndarray, depth: np.ndarray, rng: np.random.Generator, *, regular: bool) -> np.ndarray:
    import cv2

    layer = np.zeros((HEIGHT, WIDTH), np.float32)
    ys, xs = np.nonzero(depth > 0.12)
    picks = rng.choice(len(ys), 26, replace=False)
    for n in picks.tolist():
        size = 3 if regular else int(rng.integers(2, 7))
        cv2.circle(layer, (int(xs[n]), int(ys[n])), size, 1.0, -1, cv2.LINE_AA)
    return canvas * (1 - 0.4 * layer[:, :, None])


def _vessels(canvas: np.ndarray, depth: np.ndarray, rng: np.random.Generator, *, branching: bool) -> np.ndarray:
    import cv2

    layer = np.zeros((HEIGHT, WIDTH), np.float32)
    ys, xs = np.nonzero(depth > 0.1)
    for _ in range(6 if branching else 14):
        n = int(rng.integers(len(ys)))
        at, heading = np.array([xs[n], ys[n]], float), rng.uniform(0, 2 * np.pi)
        for step in range(5 if branching else 2):
            heading += rng.uniform(-0.7, 0.7)
            to = at + 13 * np.array([np.cos(heading), np.sin(heading)])
            cv2.line(
                layer,
                tuple(at.astype(int).tolist()),
                tuple(to.astype(int).tolist()),
                1.0,
                max(1, 3 - step),
                cv2.LINE_AA,
            )
            at = to
    layer *= depth > 0
    red = np.array([168, 32, 44], dtype=np.float32)
    return canvas * (1 - 0.8 * layer[:, :, None]) + red * 0.8 * layer[:, :, None]


def _signs(canvas: np.ndarray, lesion: Lesion, depth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    concepts = lesion.concepts["skincon"]
    if {"Plaque", "Papule", "Nodule", "Wheal", "Dome-shaped"} & set(concepts):
        height = np.clip(depth, 0, 0.35) if "Plaque" in concepts or "Wheal" in concepts else np.clip(depth, 0, 1)
        light = np.gradient(height)[0] * -60 - np.gradient(height)[1] * 60
        canvas = canvas * (1 + np.clip(light, -0.3, 0.3))[:, :, None]
    if "Scale" in concepts:
        canvas = _flakes(canvas, depth, rng, (236, 232, 226), 90, 4)
    if "Crust" in concepts:
        canvas = _flakes(canvas, depth - 0.35, rng, (150, 104, 52), 26, 7)
    if "Ulcer" in concepts:
        hole = 1 / (1 + np.exp(-(depth - 0.55 + 0.05 * _noise(rng, 14)) * 40))
        canvas = canvas * (1 - hole[:, :, None]) + np.array([96, 22, 26], np.float32) * hole[:, :, None]
    if "Umbilicated" in concepts:
        dip = np.exp(-(((1 - depth) / 0.16) ** 2))
        canvas = canvas * (1 - 0.45 * dip[:, :, None])
    if "Warty/Papillomatous" in concepts:
        canvas = canvas * (1 + 0.28 * np.sign(_noise(rng, 5)) * (depth > 0) * np.abs(_noise(rng, 6)))[:, :, None]
    if "Excoriation" in concepts:
        canvas = _scratches(canvas, depth, rng)
    if {"Pustule", "Comedo"} & set(concepts):
        canvas = _spots(canvas, depth, rng, concepts)
    return canvas


def _flakes(
    canvas: np.ndarray, depth: np.ndarray, rng: np.random.Generator, colour: tuple, count: int, size: int
) -> np.ndarray:
    import cv2

    ys, xs = np.nonzero(depth > 0.05)
    for _ in range(count if len(ys) else 0):
        n = int(rng.integers(len(ys)))
        axes = (int(rng.integers(2, size + 2)), int(rng.integers(1, size)))
        shade = [float(c) * rng.uniform(0.92, 1.05) for c in colour]
        cv2.ellipse(canvas, (int(xs[n]), int(ys[n])), axes, float(rng.uniform(0, 180)), 0, 360, shade, -1, cv2.LINE_AA)
    return canvas


def _scratches(canvas: np.ndarray, depth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    import cv2

    ys, xs = np.nonzero(depth > 0.2)
    heading = rng.uniform(0, np.pi)
    for _ in range(5):
        n, length = int(rng.integers(len(ys))), rng.uniform(14, 26)
        end = (int(xs[n] + length * np.cos(heading)), int(ys[n] + length * np.sin(heading)))
        cv2.line(canvas, (int(xs[n]), int(ys[n])), end, (132.0, 34.0, 36.0), 2, cv2.LINE_AA)
    return canvas


def _spots(canvas: np.ndarray, depth: np.ndarray, rng: np.random.Generator, concepts: list[str]) -> np.ndarray:
    import cv2

    ys, xs = np.nonzero(depth > 0.1)
    for kind, colour, size in (("Pustule", (236.0, 222.0, 170.0), 5), ("Comedo", (40.0, 32.0, 30.0), 2)):
        for _ in range(7 if kind in concepts else 0):
            n = int(rng.integers(len(ys)))
            cv2.circle(canvas, (int(xs[n]), int(ys[n])), size, colour, -1, cv2.LINE_AA)
    return canvas


def _hairs(canvas: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    import cv2

    for _ in range(int(rng.integers(0, 5))):
        start = rng.uniform([0, 0], [WIDTH, HEIGHT])
        middle, end = start + rng.uniform(-90, 90, 2), start + rng.uniform(-150, 150, 2)
        t = np.linspace(0, 1, 24)[:, None]
        curve = ((1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end).astype(np.int32)
        cv2.polylines(canvas, [curve], False, (52.0, 40.0, 36.0), 1, cv2.LINE_AA)
    return canvas


def _vignette(canvas: np.ndarray) -> np.ndarray:
    y, x = _grid()
    edge = np.clip((np.hypot(y, x) - 0.56 * WIDTH) / 10, 0, 1)
    return canvas * (1 - 0.97 * edge[:, :, None])
