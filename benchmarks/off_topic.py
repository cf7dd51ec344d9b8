"""Fits and measures the rule that tells skin from photographs of something else (`quality.off_topic`).

`DERMOFORGE_PHOTOGRAPHS=folder python -m benchmarks.off_topic` reads the photographs below a folder and the sets of the mirror, fits a logistic
rule with squares on half of the photographs and half of each set, measures it on the other halves and the other way round, then fits it on all
and prints the constants. A photograph lends all its windows to one half. Every picture is brought to one size, so that none is told by its
pixels, and each picture of skin is measured in another light and a darker tone as well. What scikit-image ships is never fitted on.

The photographs are 394 wallpapers that Ubuntu packs (nearly all photographs, a few drawn), 430 MB. In an empty folder:

    for deb in $(cd repository && python -m benchmarks.off_topic --packages); do curl -sSO $deb && dpkg -x ${deb##*/} . ; done

Without them nothing is fitted: the rule as it stands is measured on the sets and on what scikit-image ships.
"""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from benchmarks.image_faults import COLOURED, photograph, window
from benchmarks.logistic import applied, constants, fit
from benchmarks.photographs import photographs
from quality import appearance, off_topic
from quality.image_metrics import working_grey
from quality.thresholds import OFF_TOPIC, OFF_TOPIC_CLEAR

SETS = {"phantom": None, "ham10000": 1000, "isic9": 1000, "pad_ufes_20": None}
SIZE = (200, 150)
"""Width and height in pixels: HAM10000's in the mirror."""
WINDOWS = 4
"""Windows of each photograph."""

SMALLEST = 60_000
"""Bytes of a file: below are previews."""
ARCHIVE = "http://archive.ubuntu.com/ubuntu/pool"
SERIES = [
    "artful",
    "cosmic",
    "disco",
    "eoan",
    "focal",
    "groovy",
    "hirsute",
    "impish",
    "karmic",
    "lucid",
    "maverick",
    "natty",
    "oneiric",
    "precise",
    "quantal",
    "raring",
    "saucy",
    "trusty",
    "utopic",
    "vivid",
    "wily",
    "xenial",
    "yakkety",
    "zesty",
]
BUDGIE = ["artful", "bionic", "cosmic", "disco", "eoan", "focal", "hirsute", "xenial", "zesty"]
XUBUNTU = ["bionic", "focal", "trusty", "xenial"]
PACKAGES = (
    "main/u/ubuntu-wallpapers/ubuntu-wallpapers-jammy_22.04.4-0ubuntu1_all.deb",
    *(f"universe/u/ubuntu-wallpapers/ubuntu-wallpapers-{name}_22.04.4-0ubuntu1_all.deb" for name in SERIES),
    *(f"universe/b/budgie-wallpapers/budgie-wallpapers-{name}_22.04_all.deb" for name in BUDGIE),
    *(f"universe/x/xubuntu-community-artwork/xubuntu-community-wallpapers-{name}_22.04.0_all.deb" for name in XUBUNTU),
)

Rows = tuple[np.ndarray, np.ndarray, np.ndarray]
"""(n, 64) features, (n,) the set, (n,) the half: 0 or 1."""


def main() -> None:
    """Fit where there are photographs, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", action="store_true", help="print where the photographs are, one package a line")
    if parser.parse_args().packages:
        print("\n".join(f"{ARCHIVE}/{package}" for package in PACKAGES))
        return
    skin, others = of_skin(), of_others(os.environ.get("DERMOFORGE_PHOTOGRAPHS", ""))
    values, sets, halves = (np.concatenate(parts) for parts in zip(skin, others, strict=True))
    is_other = sets == "others"
    standing = np.array([off_topic.score(row) for row in values])
    if is_other.any():
        held_out = np.zeros(len(sets))
        for half in (0, 1):
            chosen = halves != half
            held_out[~chosen] = applied(fit(values[chosen], is_other[chosen], sets[chosen]), values[~chosen])
        print_shares("held out", held_out, sets)
    print_shares("as it stands", standing, sets)
    print_shares("as it stands, never fitted on", *shipped())
    if is_other.any():
        print(constants(fit(values, is_other, sets)))


def print_shares(title: str, odds: np.ndarray, sets: np.ndarray) -> None:
    """The shares of each set that the two gates point out: recall for others, false alarms for sets of skin."""
    print(f"{title}: off topic, clearly off topic")
    for name in dict.fromkeys(sets.tolist()):
        of_set = odds[sets == name]
        print(f"  {name:24}{np.mean(of_set >= OFF_TOPIC):8.4f}{np.mean(of_set >= OFF_TOPIC_CLEAR):8.4f} of {len(of_set)}")


def of_skin() -> Rows:
    """Each picture of the sets as it is and, under a set's name with a +, in another light."""
    values, sets, halves, rng = [], [], [], np.random.default_rng(0)
    for name, most in SETS.items():
        for picture in photographs(name, most):
            scale = max(SIZE) / max(picture.rgb.shape[:2])
            rgb = cv2.resize(picture.rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            values += [seen(rgb), seen(other_light(rgb, rng))]
            sets += [name, f"{name}+"]
            halves += [int(rng.integers(2))] * 2
    return np.array(values), np.array(sets), np.array(halves)


def seen(rgb: np.ndarray) -> np.ndarray:
    """(64,) features."""
    return appearance.features(rgb, working_grey(rgb))


def other_light(rgb: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Up to a fifth less of a channel or an eighth more, and darker by a gamma of up to 1.7: other lamps, darker skin."""
    lit = 255 * (rgb / 255.0) ** rng.uniform(1, 1.7) * rng.uniform(0.82, 1.12, 3)
    return np.clip(lit, 0, 255).astype(np.uint8)


def of_others(folder: str) -> Rows:
    """Windows of the photographs below a folder; none, and a line that says so, without one."""
    values, halves, rng = [], [], np.random.default_rng(1)
    for whole in wallpapers(folder):
        half = int(rng.integers(2))
        for _ in range(WINDOWS):
            values.append(seen(windowed(whole, rng)))
            halves.append(half)
    count = len(values)
    print(f"{count // WINDOWS} photographs of other things" + ("" if count else ": set DERMOFORGE_PHOTOGRAPHS (see --help)"))
    return np.array(values).reshape(count, len(appearance.NAMES)), np.array(["others"] * count), np.array(halves, int)


def wallpapers(folder: str) -> Iterator[np.ndarray]:
    """Photographs of at least 200 pixels, brought to a shorter side of 400, in the order of their paths."""
    found = sorted(Path(folder).rglob("*")) if folder else []
    for path in found:
        if path.suffix != ".jpg" or path.is_symlink() or path.stat().st_size < SMALLEST:
            continue
        read = cv2.imread(str(path))
        if read is not None and min(read.shape[:2]) >= 200:
            scale = min(1.0, 400 / min(read.shape[:2]))
            yield np.ascontiguousarray(cv2.resize(read, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:, :, ::-1])


def shipped() -> tuple[np.ndarray, np.ndarray]:
    """Log odds and names of fifty windows of each coloured photograph that scikit-image ships."""
    rng, odds, names = np.random.default_rng(2), [], []
    for name in COLOURED:
        odds += [off_topic.score(seen(windowed(photograph(name), rng))) for _ in range(50)]
        names += [name] * 50
    return np.array(odds), np.array(names)


def windowed(whole: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A window of the size of a set's pictures."""
    return window(whole, np.empty((SIZE[1], SIZE[0], 3), np.uint8), rng)


if __name__ == "__main__":
    main()
