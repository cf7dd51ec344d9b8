"""What a phantom shows: a lesion is decided from a generator, in colours that can be seen on the person's skin."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sources.phantom_skin import Skin

SITES = ("face", "back", "chest", "abdomen", "forearm", "hand", "thigh", "lower leg", "foot", "neck")

PAINT = {
    "white": (226, 220, 214),
    "pink": (218, 148, 146),
    "red": (174, 62, 62),
    "light brown": (156, 108, 75),
    "dark brown": (92, 60, 48),
    "blue-gray": (100, 107, 117),
    "black": (38, 30, 30),
    "purple": (116, 60, 88),
    "yellow": (208, 178, 102),
}

BROWNS, BROWN_FROM = ("light brown", "dark brown", "black"), (68.0, 40.0)
"""Browns from light to dark, and the skin's L* below which the first, and the second, look like skin (L* 50 and 29)."""
FAIR = 70.0
"""L* of skin beside which white (L* 88) does not stand out."""

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
    skin: Skin
    colours: tuple[str, ...]
    symmetric: bool
    irregular: bool
    sharp: bool
    concepts: Mapping[str, Any]


def lesion_of(rng: np.random.Generator, skin: Skin) -> Lesion:
    """Decide a lesion of a person. About 60 % are dermoscopic; some are atypical for their diagnosis."""
    return _dermoscopic(rng, skin) if rng.random() < 0.6 else _clinical(rng, skin)


def _browns(skin: Skin, *names: str) -> tuple[str, ...]:
    """The named browns, darker where they would not stand out from the skin; those that become one are one colour."""
    lightest = sum(skin.lightness < least for least in BROWN_FROM)
    shown = (BROWNS[min(BROWNS.index(name) + lightest, len(BROWNS) - 1)] for name in names)
    return tuple(dict.fromkeys(shown))


def _dermoscopic(rng: np.random.Generator, skin: Skin) -> Lesion:
    diagnosis = str(rng.choice(DERMOSCOPIC, p=[0.34, 0.2, 0.12, 0.1, 0.07, 0.06, 0.05, 0.06]))
    odd = rng.random() < 0.12  # an atypical case
    if diagnosis == "melanoma":
        return _melanoma(rng, skin, odd=odd)

    def pick(*options: str) -> str:
        return str(rng.choice(options))

    both, light = _browns(skin, "light brown", "dark brown"), _browns(skin, "light brown")
    table: dict[str, tuple[tuple[str, ...], dict[str, str], bool]] = {
        "melanocytic nevus": (
            both if rng.random() < 0.5 else (pick(*both),),
            {
                "pigment_network": pick("typical", "typical", "absent"),
                "dots_and_globules": pick("regular", "absent"),
                "pigmentation": "diffuse regular",
            },
            False,
        ),
        "basal cell carcinoma": (
            ("pink", "red") if rng.random() < 0.5 else ("pink",),
            {"vascular_structures": "arborizing"},
            False,
        ),
        "seborrheic keratosis": (
            (*light, "yellow") if rng.random() < 0.4 else both,
            {"vascular_structures": pick("hairpin", "absent"), "pigmentation": "diffuse regular"},
            True,
        ),
        "dermatofibroma": (
            (*light, "white"),
            {"pigment_network": pick("typical", "absent"), "regression_structures": "white areas"},
            True,
        ),
        "hemangioma": (("red", "purple") if rng.random() < 0.4 else ("red",), {}, True),
        "blue nevus": (("blue-gray",), {"pigmentation": "diffuse regular"}, True),
        "solar lentigo": (light, {"pigment_network": "typical", "pigmentation": "diffuse regular"}, True),
    }
    colours, seen, sharp = table[diagnosis]
    return Lesion(True, diagnosis, skin, colours, not odd, odd, sharp, {**ABSENT, **seen})


def _melanoma(rng: np.random.Generator, skin: Skin, *, odd: bool) -> Lesion:
    browns = _browns(skin, "light brown", "dark brown")
    pale = skin.lightness > FAIR  # a white area would be taken for skin
    others = rng.permutation([name for name in ("blue-gray", "black", "white") if name not in (*browns, "white" * pale)])
    colours = (*browns, *(str(name) for name in others[: int(rng.integers(1, 3))]))
    seen = {
        "pigment_network": str(rng.choice(("atypical", "absent"))),
        "streaks": str(rng.choice(("irregular", "absent"))),
        "dots_and_globules": "irregular",
        "pigmentation": "diffuse irregular",
        "blue_whitish_veil": "present" if "blue-gray" in colours else "absent",
        "regression_structures": "white areas" if "white" in colours else "absent",
    }
    return Lesion(True, "melanoma", skin, colours, odd, not odd, bool(rng.random() < 0.5), {**ABSENT, **seen})


def _clinical(rng: np.random.Generator, skin: Skin) -> Lesion:
    diagnosis = str(rng.choice(CLINICAL))
    sure: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
        "psoriasis": (("Plaque", "Erythema", "Scale"), (), ("red",)),
        "eczema": (("Patch", "Erythema"), ("Excoriation", "Crust"), ("pink",)),
        "actinic keratosis": (("Macule", "Scale", "Erythema"), ("Crust",), ("pink",)),
        "squamous cell carcinoma": (("Nodule", "Ulcer"), ("Crust", "Erythema"), ("red",)),
        "verruca vulgaris": (("Papule", "Warty/Papillomatous"), ("Scale",), _browns(skin, "light brown")),
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
    return Lesion(False, diagnosis, skin, colours, symmetric, irregular, sharp, {"skincon": concepts})
