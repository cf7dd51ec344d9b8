"""Morphology schemas: the closed vocabularies, the JSON schemas that constrain the teacher, and the findings of an observation.

Sources of the vocabularies: SkinCon's 48 concepts for clinical images (Daneshjou et al. 2022), the seven-point checklist in
Derm7pt's coding for dermoscopic ones (Kawahara et al. 2019). `NOT_ASSESSABLE` is ours: a teacher that cannot see a criterion
must be able to say so, otherwise "absent" comes to mean both.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from sources.record import Modality
from sources.vocabulary import DERM7PT

SCHEMA_VERSION = "1"
NOT_ASSESSABLE = "not assessable"

SKINCON: tuple[str, ...] = (
    "Abscess",
    "Acuminate",
    "Atrophy",
    "Black",
    "Blue",
    "Brown(Hyperpigmentation)",
    "Bulla",
    "Burrow",
    "Comedo",
    "Crust",
    "Cyst",
    "Dome-shaped",
    "Erosion",
    "Erythema",
    "Excoriation",
    "Exophytic/Fungating",
    "Exudate",
    "Fissure",
    "Flat topped",
    "Friable",
    "Gray",
    "Induration",
    "Lichenification",
    "Macule",
    "Nodule",
    "Papule",
    "Patch",
    "Pedunculated",
    "Pigmented",
    "Plaque",
    "Poikiloderma",
    "Purple",
    "Purpura/Petechiae",
    "Pustule",
    "Salmon",
    "Scale",
    "Scar",
    "Sclerosis",
    "Telangiectasia",
    "Translucent",
    "Ulcer",
    "Umbilicated",
    "Vesicle",
    "Warty/Papillomatous",
    "Wheal",
    "White(Hypopigmentation)",
    "Xerosis",
    "Yellow",
)

# Measured from pixels by `quality.evidence`, outside both vocabularies: they stand in the "others" list of an observation.
COLOURS: tuple[str, ...] = (
    "white",
    "pink",
    "red",
    "light brown",
    "dark brown",
    "blue-gray",
    "black",
    "purple",
    "yellow",
)
MEASURED: dict[str, tuple[str, ...]] = {
    "colour": COLOURS,
    "number of colours": ("one", "two", "three or more"),
    "symmetry": ("symmetric", "asymmetric in one axis", "asymmetric in both axes"),
    "outline": ("smooth", "irregular"),
    "edge": ("sharp", "gradual"),
    "shape": ("round", "oval", "elongated"),
}

# Structures that the seven-point checklist has no word for; they stand in the "others" list of a dermoscopic observation. Terms of the
# International Dermoscopy Society's consensus and of trichoscopy and onychoscopy, chosen for what the ontology's diagnoses need.
DERMOSCOPIC_SIGNS: tuple[str, ...] = (
    # lesions
    "milia-like cysts",
    "comedo-like openings",
    "fissures and ridges",
    "fingerprint-like lines",
    "moth-eaten border",
    "blue-gray ovoid nests",
    "multiple blue-gray globules",
    "leaf-like areas",
    "spoke-wheel areas",
    "shiny white blotches",
    "shiny white lines",
    "ulceration",
    "small erosions",
    "short fine telangiectasia",
    "strawberry pattern",
    "rosettes",
    "white circles",
    "central keratin mass",
    "white structureless areas",
    "surface scale",
    "glomerular vessels",
    "negative network",
    "peppering",
    "off-centre blotch",
    "pseudonetwork",
    "annular-granular structures",
    "rhomboidal structures",
    "asymmetric pigmented follicular openings",
    "parallel ridge pattern",
    "parallel furrow pattern",
    "lattice-like pattern",
    "fibrillar pattern",
    "starburst pattern",
    "cobblestone pattern",
    "peripheral rim of globules",
    "homogeneous blue area",
    "milky-red areas",
    "polymorphous vessels",
    "white halo",
    "red lacunae",
    "blue or black lacunae",
    "homogeneous red area",
    "white collarette",
    "white rail lines",
    "rainbow pattern",
    "central white patch",
    "peripheral delicate network",
    "crown vessels",
    "white or yellow lobules",
    "vessels like a string of pearls",
    "regularly distributed dotted vessels",
    "diffuse white scale",
    "yellow serocrusts",
    "crossing white lines",
    "peripheral scale",
    "orange structureless areas",
    "yellow structureless areas",
    "keratotic rim",
    "thrombosed capillaries",
    "finger-like projections",
    "jet with contrail sign",
    "follicular plugs",
    "polygonal vessels",
    "purpuric dots",
    "copper-coloured background",
    "setting sun pattern",
    "pore-like opening",
    # hair
    "exclamation mark hairs",
    "yellow dots",
    "black dots",
    "broken hairs",
    "comma or corkscrew hairs",
    "perifollicular scale",
    "absent follicular openings",
    "hairs of unequal thickness",
    "tufts of hair",
    "nits on hair shafts",
    # nails
    "regular brown lines",
    "irregular brown lines",
    "pigment on the nail fold",
    "splinter hemorrhages",
    "jagged proximal edge",
    "pits of the nail plate",
    "oil-drop discoloration",
    "globular blood spots",
)

DERM7PT_KEY = "morphological_features_Derm7pt"
SKINCON_KEY = "morphological_features_skincon"
OTHERS_KEY = "morphological_features_others"
TEXT_KEY = "detailed_description"

DERM7PT_TITLES: dict[str, str] = {
    "pigment_network": "Pigment Network",
    "blue_whitish_veil": "Blue Whitish Veil",
    "vascular_structures": "Vascular Structures",
    "pigmentation": "Pigmentation",
    "streaks": "Streaks",
    "dots_and_globules": "Dots and Globules",
    "regression_structures": "Regression Structures",
}


def kind_of(modality: str) -> str:
    """Morphology schema of a modality: `dermoscopic` or `clinical`. Raises ValueError for pathology, which has none."""
    if modality == Modality.DERMOSCOPIC:
        return "dermoscopic"
    if modality == Modality.PATHOLOGY:
        raise ValueError("pathology images have no morphology schema")
    return "clinical"


def observation_schema(kind: str) -> dict[str, Any]:
    """JSON schema of a blind observation; `kind` is `dermoscopic` or `clinical`."""
    if kind == "dermoscopic":
        fields = {key: {"type": "string", "enum": [*values, NOT_ASSESSABLE]} for key, values in DERM7PT.items()}
        key, morphology = DERM7PT_KEY, _closed(fields)
    else:
        items = {"type": "string", "enum": list(SKINCON)}
        key, morphology = SKINCON_KEY, {"type": "array", "items": items, "uniqueItems": True, "maxItems": 16}
    others = {"type": "array", "items": {"type": "string", "maxLength": 80}, "maxItems": 16}
    return _closed({key: morphology, OTHERS_KEY: others, TEXT_KEY: {"type": "string", "minLength": 1, "maxLength": 1600}})


def reasoning_schema() -> dict[str, Any]:
    """JSON schema of reasoning plus diagnosis: cited findings on both sides, the text, and one label."""
    cited = {"type": "array", "items": {"type": "string", "maxLength": 80}, "maxItems": 16}
    text = {"type": "string", "minLength": 1, "maxLength": 2400}
    return _closed(
        {
            "supporting": cited,
            "against": cited,
            "reasoning": text,
            "final_diagnosis": {"type": "string", "maxLength": 120},
        }
    )


def normalising_schema(names: Sequence[str]) -> dict[str, Any]:
    """JSON schema of the choice of a name: one of `names`, closed."""
    return _closed({"diagnosis": {"type": "string", "enum": list(names)}})


def _closed(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def findings(observation: Mapping[str, Any]) -> tuple[str, ...]:
    """What an observation states, as citable strings: `pigment network: typical`, `Scale`, and its others verbatim.

    Criteria that could not be assessed state nothing and are left out; "absent" is a finding.
    """
    stated = [
        f"{key.replace('_', ' ')}: {value}"
        for key, value in (observation.get(DERM7PT_KEY) or {}).items()
        if value != NOT_ASSESSABLE
    ]
    stated += list(observation.get(SKINCON_KEY) or [])
    return tuple(stated) + tuple(observation.get(OTHERS_KEY) or [])


def all_findings() -> frozenset[str]:
    """Every finding of the closed vocabularies, the dermoscopic signs and the measurements; criteria of the ontology come from here."""
    seven = {f"{key.replace('_', ' ')}: {value}" for key, values in DERM7PT.items() for value in values}
    return frozenset(
        seven | {*SKINCON, *DERMOSCOPIC_SIGNS} | {f"{key}: {value}" for key, values in MEASURED.items() for value in values}
    )


def is_complete(observation: Mapping[str, Any]) -> bool:
    """Whether the structured morphology can be rendered as a trainer's `<morph>`, whose silence means absence.

    Every seven-point criterion must have been assessed; an empty SkinCon list is not told apart from an unassessed one.
    """
    seven = observation.get(DERM7PT_KEY)
    return bool(observation.get(SKINCON_KEY)) if seven is None else NOT_ASSESSABLE not in seven.values()


def digest(value: Any) -> str:
    """sha256 hex of a JSON value in canonical form (sorted keys, no spaces)."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
