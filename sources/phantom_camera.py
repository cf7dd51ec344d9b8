"""How a drawn scene is photographed: from where, in which light, with which noise. Two photographs of one scene share all but these."""

from dataclasses import dataclass

import numpy as np

from sources.phantom_skin import BLOOD, HEIGHT, WIDTH, noise


@dataclass(frozen=True, slots=True)
class Scene:
    """What stands before the camera: `colour` (h, w, 3) float32 sRGB in even light, `height` (h, w) float32 in pixels.

    Dermoscopy presses the skin flat under even light and sees furrows as lines; `scope` is its dark rim. Otherwise light comes from a
    side and furrows throw shadows.
    """

    colour: np.ndarray
    height: np.ndarray
    dermoscopic: bool
    scope: bool


def photograph(scene: Scene, rng: np.random.Generator, *, again: bool) -> np.ndarray:
    """A photograph, (288, 384, 3) uint8; `again`: a second one, nearer, turned a little, the skin pulled otherwise, in other light."""
    import cv2

    colour, height = (scene.colour, scene.height) if not again else _moved(scene, rng)
    lit = colour * (_pressed(height) if scene.dermoscopic else _lit_from_a_side(height, rng))[:, :, None]
    if again:  # other light, and blood pressed elsewhere
        lit *= rng.uniform(0.92, 1.06, 3).astype(np.float32) - BLOOD * (0.05 * noise(rng, 12))[:, :, None]
    if scene.scope:
        lit *= _rim()[:, :, None]
    seen = cv2.GaussianBlur(lit, (0, 0), float(rng.uniform(0.5, 0.75) + 0.3 * again))
    grain = rng.standard_normal((HEIGHT, WIDTH, 3), dtype=np.float32)
    return np.clip(seen + grain * (1.2 + 0.006 * seen), 0, 255).astype(np.uint8)


def _moved(scene: Scene, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Colour and height from another place: 18 to 35 % nearer, turned by 6 to 16 degrees; soft skin moves by up to six pixels."""
    import cv2

    turn = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), float(rng.uniform(6, 16)), float(rng.uniform(1.18, 1.35)))
    back = cv2.invertAffineTransform(turn).astype(np.float32)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    across = back[0, 0] * x + back[0, 1] * y + back[0, 2] + 6 * noise(rng, 60)
    down = back[1, 0] * x + back[1, 1] * y + back[1, 2] + 6 * noise(rng, 60)
    both = np.dstack([scene.colour, scene.height])
    seen = cv2.remap(both, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.ascontiguousarray(seen[:, :, :3]), seen[:, :, 3]


def _pressed(height: np.ndarray) -> np.ndarray:
    """Light that comes back through a dermoscope: less from furrows, and less towards the rim."""
    y, x = np.ogrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
    return (1 + 0.06 * height) * (1.02 - 0.06 * (y**2 + x**2)).astype(np.float32)


def _lit_from_a_side(height: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Light of a lamp at one side: slopes towards it are brighter, furrows darker, the far side of the picture dimmer."""
    turn = rng.uniform(0, 2 * np.pi)
    up, left = np.gradient(height)
    slope = np.float32(np.sin(turn)) * up + np.float32(np.cos(turn)) * left
    y, x = np.ogrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
    fall = 1 - 0.04 * (np.sin(turn) * y + np.cos(turn) * x)
    return (1 + np.clip(0.19 * slope, -0.2, 0.2) + 0.05 * np.minimum(height, 0)) * fall.astype(np.float32)


def _rim() -> np.ndarray:
    """The dark rim of a dermoscope."""
    y, x = np.ogrid[0:HEIGHT, 0:WIDTH]
    far = np.hypot(y - HEIGHT / 2, x - WIDTH / 2) - 0.56 * WIDTH
    return (1 - 0.97 * np.clip(far / 10, 0, 1)).astype(np.float32)
