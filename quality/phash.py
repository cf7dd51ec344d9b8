"""Perceptual hashes of a picture in its eight orientations.

The stored hash is the definition of `imagehash.phash` (8 x 8, DCT of a 32 x 32 Lanczos luminance), after pictures whose shorter side
has 256 pixels or more were shrunk by a whole factor: bit for bit imagehash's below that size; above it 0.3 bits away on average and 4
at most on 456 real photographs (a test compares). It costs a tenth of a decode instead of a third.
All eight orientations come from one DCT: a flip changes the sign of odd coefficients, a transpose swaps them.
"""

from collections.abc import Sequence

import numpy as np

ALGORITHM = "imagehash-phash-8/2"
SHRUNK_TO = 128
"""Pixels of the shorter side, at least, to which larger pictures are shrunk: four times what the hash looks at."""

SIDE, LOW = 32, 8

_BITS = np.uint64(1) << np.arange(63, -1, -1, dtype=np.uint64)
_SIGNS = np.where(np.arange(LOW) % 2, -1.0, 1.0)
_FLIPS = np.stack(
    [(_SIGNS if k & 2 else np.ones(LOW))[:, None] * (_SIGNS if k & 1 else np.ones(LOW))[None, :] for k in range(8)]
)
"""Signs of the coefficients in each orientation: a flip turns the odd ones over."""


def phash8(pixels: np.ndarray) -> np.ndarray:
    """Eight uint64 pHashes of an (h, w, 3) uint8 raster or of its `shrunk` luminance; entry k is that of `orient(rgb, k)`."""
    return _phashes(_grey(pixels, (SIDE, SIDE))[None])[0]


def _phashes(grey: np.ndarray) -> np.ndarray:
    """(n, 8) uint64 of (n, 32, 32)."""
    from scipy.fft import dct

    low = np.asarray(dct(dct(grey.astype(np.float64), axis=1), axis=2))[:, :LOW, :LOW]
    turned = np.stack([low, low.swapaxes(1, 2)], axis=1)[:, [0, 0, 0, 0, 1, 1, 1, 1]] * _FLIPS
    flat = turned.reshape(len(grey), 8, LOW * LOW)
    # The mean of the two middle values: what np.median gives, without its checks for NaN.
    middle = np.partition(flat, (31, 32), axis=2)[:, :, 31:33].mean(axis=2)
    return ((flat > middle[:, :, None]) * _BITS).sum(axis=2, dtype=np.uint64)


def orient(rgb: np.ndarray, k: int) -> np.ndarray:
    """Orientation k of a raster: transposed if k & 4, then upside down if k & 2, then mirrored left to right if k & 1."""
    out = rgb.swapaxes(0, 1) if k & 4 else rgb
    out = out[::-1] if k & 2 else out
    return np.ascontiguousarray(out[:, ::-1] if k & 1 else out)


def inverse(k: int) -> int:
    """The orientation that undoes orientation k: quarter turns undo each other, the other six themselves."""
    return 4 | (k & 1) << 1 | (k & 2) >> 1 if k & 4 else k


def dhash(pixels: np.ndarray) -> int:
    """64-bit difference hash, the definition of `imagehash.dhash`."""
    return int(_dhashes(_grey(pixels, (9, 8))[None])[0])


def _dhashes(grey: np.ndarray) -> np.ndarray:
    """(n,) uint64 of (n, 8, 9)."""
    return ((grey[:, :, 1:] > grey[:, :, :-1]).reshape(-1, LOW * LOW) * _BITS).sum(axis=1, dtype=np.uint64)


def looks(rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the hashes of a raster are made of: its luminance as (32, 32) and as (8, 9) uint8."""
    small = shrunk(rgb)
    return _grey(small, (SIDE, SIDE)), _grey(small, (9, 8))


def hashes(of: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """`phash8` (n, 8) and `dhash` (n,) of many pictures' `looks`, uint64: together they cost a fifth of what each costs alone."""
    return _phashes(np.stack([wide for wide, _ in of])), _dhashes(np.stack([narrow for _, narrow in of]))


def shrunk(rgb: np.ndarray) -> np.ndarray:
    """The luminance (h, w) uint8 of a raster; where the shorter side has twice `SHRUNK_TO`, made smaller by a whole factor.

    What the hashes look at: computed once where several are wanted.
    """
    from quality.resample_kernels import area, luminance

    rgb = np.ascontiguousarray(rgb)
    factor = min(rgb.shape[:2]) // SHRUNK_TO
    return luminance(rgb) if factor < 2 else area(rgb, factor)


def _grey(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    from quality.resample_kernels import lanczos

    grey = pixels if pixels.ndim == 2 else shrunk(pixels)
    return lanczos(np.ascontiguousarray(grey), *size)
