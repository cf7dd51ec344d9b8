"""The quality setting of a JPEG file, read from its quantisation table."""

import numpy as np

# Its scaling is what encoders call quality. The lowest frequencies, whose steps reach the limit of 255 last.
_LOWEST = 16
_STANDARD_SUM = 266
"""Of the sixteen lowest frequencies in the luminance table of ITU-R T.81, annex K.1."""


def jpeg_quality(data: bytes) -> int | None:
    """1 to 100, as the encoder of the Independent JPEG Group counts it; None for what is no JPEG or has no table before its scan.

    From the mean of the table's lowest frequencies: tables of other encoders get the setting that is nearest on average.
    """
    at = 2
    while data[:2] == b"\xff\xd8" and at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        length = int.from_bytes(data[at + 2 : at + 4])
        if data[at + 1] == 0xDB and at + 5 < len(data):
            return _quality(data[at + 5 :], deep=bool(data[at + 4] >> 4))
        at += 2 + length
    return None


def _quality(table: bytes, *, deep: bool) -> int | None:
    wide = 2 if deep else 1
    if len(table) < 64 * wide:
        return None
    steps = np.frombuffer(table[: _LOWEST * wide], ">u2" if deep else np.uint8)
    scale = 100 * max(float(steps.sum()), 1.0) / _STANDARD_SUM
    return int(np.clip(round(5000 / scale if scale > 100 else 100 - scale / 2), 1, 100))
