"""How the composer says each finding in English: one phrase for every finding of the vocabularies and measurements.

Each phrase is a noun phrase that can stand after "shows", "in favour of it:" or "no". Wording is ours.
"""

from collections.abc import Sequence

from prompts.schemas import COLOURS, DERMOSCOPIC_SIGNS

# Criteria as things that can be missing or unassessed; the order is that of the checklist.
CRITERION_NOUNS: dict[str, str] = {
    "pigment_network": "pigment network",
    "blue_whitish_veil": "blue-whitish veil",
    "vascular_structures": "vascular structures",
    "pigmentation": "diffuse or localized pigmentation",
    "streaks": "streaks",
    "dots_and_globules": "dots or globules",
    "regression_structures": "regression structures",
}
# What may be impossible to assess, by the part of a finding before its colon; `CONCEPTS` stands for all of SkinCon.
CONCEPTS = "concepts"
STRUCTURES: dict[str, str] = {
    "pigment network": "the pigment network",
    "vascular structures": "the vascular structures",
    "pigmentation": "the pattern of pigmentation",
    CONCEPTS: "the elementary type and the surface of the lesion",
}
PRESENCES: dict[str, str] = {
    "blue whitish veil": "a blue-whitish veil",
    "streaks": "streaks",
    "dots and globules": "dots and globules",
    "regression structures": "regression structures",
}
SEVEN = tuple(name for name in (*STRUCTURES, *PRESENCES) if name != CONCEPTS)
ATTRIBUTES: dict[str, str] = {
    "colour": "colours",
    "number of colours": "number of colours",
    "symmetry": "symmetry",
    "outline": "outline",
    "shape": "overall shape",
    "edge": "edge sharpness",
}

_CRITERIA: dict[str, str] = {
    "pigment network: typical": "a typical pigment network",
    "pigment network: atypical": "an atypical pigment network",
    "blue whitish veil: present": "a blue-whitish veil",
    "vascular structures: arborizing": "arborizing vessels",
    "vascular structures: comma": "comma-shaped vessels",
    "vascular structures: hairpin": "hairpin vessels",
    "vascular structures: within regression": "vessels within areas of regression",
    "vascular structures: wreath": "vessels arranged in a wreath",
    "vascular structures: dotted": "dotted vessels",
    "vascular structures: linear irregular": "linear irregular vessels",
    "pigmentation: diffuse regular": "diffuse regular pigmentation",
    "pigmentation: localized regular": "localized regular pigmentation",
    "pigmentation: diffuse irregular": "diffuse irregular pigmentation",
    "pigmentation: localized irregular": "localized irregular pigmentation",
    "streaks: regular": "regular streaks",
    "streaks: irregular": "irregular streaks",
    "dots and globules: regular": "regular dots and globules",
    "dots and globules: irregular": "irregular dots and globules",
    "regression structures: blue areas": "blue regression areas",
    "regression structures: white areas": "white regression areas",
    "regression structures: combinations": "combined blue and white regression areas",
}
_ABSENCES = {f"{key.replace('_', ' ')}: absent": f"the absence of {noun}" for key, noun in CRITERION_NOUNS.items()} | {
    "pigment network: absent": "the absence of a pigment network",
    "blue whitish veil: absent": "the absence of a blue-whitish veil",
}

# SkinCon says that a concept is there, never how many: hence "one or more". Groups decide the sentence that a concept
# goes to.
_MANY = "one or more "
ELEMENTS: dict[str, str] = {
    "Macule": _MANY + "macules",
    "Patch": _MANY + "patches",
    "Papule": _MANY + "papules",
    "Plaque": _MANY + "plaques",
    "Nodule": _MANY + "nodules",
    "Vesicle": _MANY + "vesicles",
    "Bulla": _MANY + "bullae",
    "Pustule": _MANY + "pustules",
    "Abscess": _MANY + "abscesses",
    "Cyst": _MANY + "cysts",
    "Comedo": _MANY + "comedones",
    "Wheal": _MANY + "wheals",
    "Burrow": _MANY + "burrows",
    "Purpura/Petechiae": "purpura or petechiae",
    "Telangiectasia": "telangiectasia",
    "Poikiloderma": "poikiloderma",
}
FORMS: dict[str, str] = {
    "Acuminate": "an acuminate profile",
    "Dome-shaped": "a dome-shaped profile",
    "Flat topped": "a flat-topped profile",
    "Pedunculated": "a pedunculated base",
    "Umbilicated": "central umbilication",
    "Exophytic/Fungating": "exophytic or fungating growth",
    "Warty/Papillomatous": "a warty or papillomatous surface",
    "Translucent": "a translucent appearance",
    "Friable": "a friable-looking surface",
}
SURFACE: dict[str, str] = {
    "Scale": "scale",
    "Crust": "crust",
    "Exudate": "exudate",
    "Erosion": "erosion",
    "Ulcer": "ulceration",
    "Excoriation": "excoriation",
    "Fissure": "fissuring",
    "Xerosis": "xerosis",
    "Lichenification": "lichenification",
    "Atrophy": "atrophy",
    "Scar": "scarring",
    "Sclerosis": "sclerosis",
    "Induration": "apparent induration",
}
TINTS: dict[str, str] = {
    "Erythema": "erythema",
    "Pigmented": "pigmented areas",
    "Brown(Hyperpigmentation)": "brown hyperpigmentation",
    "White(Hypopigmentation)": "white hypopigmentation",
    "Black": "a black colour",
    "Blue": "a blue colour",
    "Gray": "a gray colour",
    "Purple": "a purple colour",
    "Salmon": "a salmon colour",
    "Yellow": "a yellow colour",
}

_MEASURED: dict[str, str] = {
    **{f"colour: {colour}": f"{colour} areas" for colour in COLOURS},
    "number of colours: one": "a single colour",
    "number of colours: two": "two colours",
    "number of colours: three or more": "three or more colours",
    "symmetry: symmetric": "a symmetric layout",
    "symmetry: asymmetric in one axis": "asymmetry in one axis",
    "symmetry: asymmetric in both axes": "asymmetry in both axes",
    "outline: smooth": "a smooth outline",
    "outline: irregular": "an irregular outline",
    "edge: sharp": "a sharp edge",
    "edge: gradual": "a gradual edge",
    "shape: round": "a round shape",
    "shape: oval": "an oval shape",
    "shape: elongated": "an elongated shape",
}

# Dermoscopic signs are noun phrases already.
_SIGNS = {sign: sign for sign in DERMOSCOPIC_SIGNS}

PHRASES: dict[str, str] = {**_CRITERIA, **_ABSENCES, **_SIGNS, **ELEMENTS, **FORMS, **SURFACE, **TINTS, **_MEASURED}


def listing(items: Sequence[str], last: str = "and") -> str:
    """Items as an English list, "one or more" said once, kept apart where an item holds an "and" or "or" of its own.

    Raises IndexError for no items.
    """
    bare = [item.removeprefix(_MANY) for item in items]
    said = [bare[n] if n and items[n - 1].startswith(_MANY) else item for n, item in enumerate(items)]
    if len(said) == 1:
        return said[0]
    nested = any(f" {word} " in item for item in bare if not item.startswith("no ") for word in ("and", "or"))
    joint = f", {last} " if nested and len(said) > 2 else " as well as " if nested and last == "and" else f" {last} "
    return ", ".join(said[:-1]) + joint + said[-1]


def not_assessed(topics: Sequence[str]) -> str:
    """What could not be assessed, as one noun phrase. Raises IndexError for no topics."""
    if set(SEVEN) <= set(topics):
        parts, topics = ["the criteria of the seven-point checklist"], [name for name in topics if name not in SEVEN]
    else:
        parts = []
    parts += [STRUCTURES[name] for name in topics if name in STRUCTURES]
    if presences := [PRESENCES[name] for name in topics if name in PRESENCES]:
        parts.append("the presence of " + listing(presences, "or"))
    if attributes := [said for name, said in ATTRIBUTES.items() if name in topics]:
        parts.append("the " + listing(attributes))
    return listing(parts)


def sentence(text: str) -> str:
    """A text with a capital and a full stop."""
    return f"{text[:1].upper()}{text[1:]}."
