"""How prose gives a colour to a lesion: the shades that people name, and the frames that say that the lesion has one.

Red light, a white scale bar or a black hair is none of it: a shade counts only in such a frame. Written for this project.
"""

import re

from quality.patterns import Together, frames, whole_words

SHADES: dict[str, tuple[str, ...]] = {
    "white": ("off-white", "white", "whitish", "ivory", "chalky", "milky", "porcelain", "alabaster", "snowy", "creamy"),
    "pink": ("pink", "pinkish", "rose", "rosy", "salmon", "blush", "coral", "fuchsia", "flushed"),
    "red": ("red", "reddish", "crimson", "scarlet", "ruby", "vermilion", "brick-red", "blood-red", "cherry-red", "fiery red", "carmine"),
    "light brown": (
        "light[ -]brown", "pale[ -]brown", "tan", "tannish", "beige", "sandy(?:[ -]brown)?", "caramel(?:[ -]brown)?", "fawn", "khaki", "hazel", "cinnamon", "honey-brown", "yellow-brown", "camel", "biscuit",
    ),
    "dark brown": (
        "dark[ -]brown", "deep[ -]brown", "chocolate(?:[ -]brown)?", "mahogany(?:[ -]brown)?", "sepia", "umber", "coffee(?:[ -]brown)?", "walnut", "chestnut(?:[ -]brown)?", "espresso", "brown-black", "blackish[ -]brown",
    ),
    "blue-gray": (
        "blu(?:e|ish)[ -]gr[ae]y(?:ish)?", "gr[ae]y(?:ish)?[ -]blue", "blue", "bluish", "slate(?:[ -](?:blue|gr[ae]y))?", "steel(?:[ -](?:blue|gr[ae]y))", "smoky(?:[ -](?:blue|gr[ae]y))", "cobalt", "navy", "azure", "indigo", "cyan", "gunmetal",
    ),
    "black": ("black", "blackish", "jet-black", "jet", "inky", "ebony", "coal-black", "pitch-black", "tar-black", "almost black", "near-black"),
    "purple": ("purple", "purplish", "violet", "violaceous", "lilac", "mauve", "lavender", "plum", "magenta", "aubergine"),
    "yellow": ("yellow", "yellowish", "amber", "golden", "mustard(?:-yellow)?", "honey-yellow", "straw-yellow", "lemon", "ochre", "saffron", "straw"),
}  # fmt: skip

_DEGREE = r"(?:very |deep |dark |light |pale |bright |slate |steel |milky |straw |jet |soft |faint |dull |dusky |vivid |intense |strong |rich |pastel |warm |cool |slightly |fiery |\w+-)?"
_AREA = (
    r"(?:colou?r(?:ation|ed|ing)?|areas?|pigment(?:ation)?|hues?|tones?|tints?|tinge|dis?colou?ration|lesion|centre|center|macule|patch(?:es)?|zones?|spots?|surface|shades?|background|rim|halo|border|"
    r"blotch(?:es)?|flecks?|specks?|speckles?|islands?|mottling|base|core|periphery|component|cast|foc(?:us|i)|portion|sector|region|half|plaque|papule|nodule|streaking|predominance|undertone)"
)
_PART = r"(?:it|lesion|surface|centre|center|periphery|part(?: of it)?|background|base|middle|core|rim|colou?r|hue|remainder|rest|half|side|border|edge|tone|shade|pole|plaque|papule|nodule|macule|patch|area|spot|interior)"
_TURNS = r"(?:turn(?:s|ed|ing)|becom(?:es|ing)|tinged|tinted|stained|shaded|suffused|dyed|washed|flushed|speckled|flecked|mottled|streaked|coloured|colored)(?: with| in| by)?(?: an?)?"
_SOME = r"(?:touch|hint|tinge|note|trace|dash|wash|suggestion|cast|blend|mixture|mix|admixture|combination|shades?|patch(?:es)?|rim|areas?|zones?|flecks?|specks?|streaks?|hues?|tones?) of"
_LEADS = r"(?:is|are) (?:the |its )?(?:leading|dominant|main|prevailing|predominant|principal|only|sole|single|base|primary|second) (?:colou?r|hue|tone|shade|tint)s?"


def _said(*shades: str) -> re.Pattern[str]:
    one = rf"{_DEGREE}(?:" + "|".join(shades) + r")(?:-coloured|-colored|-toned|-tinged|-hued)?"
    return frames(
        rf"{one}(?:,? (?:and|or|to) \S+)? {_AREA}",
        rf"{_PART} (?:is|are|appears?|looks?|seems?|shows|has|displays) (?:\w+ly |partly |in part |mostly |almost )?(?:an? )?{one}(?! (?:scale|crust|hair|dot|globule|vessel|line|streak|network|veil|light|reflect)\w*)",
        rf"{_TURNS} {one}",
        rf"{_SOME} (?:the |a )?{one}",
        rf"{one} (?:{_LEADS}|predominates|dominates|prevails|throughout|all over|in the (?:middle|centre|center)|at the (?:rim|border|edge|periphery|centre|center)|towards? the (?:rim|border|edge|periphery|centre|center))",
        *(f"colour: {shade}" for shade in shades),
    )


COLOURS_SAID: dict[str, re.Pattern[str]] = {colour: _said(*shades) for colour, shades in SHADES.items()}
"""Each colour of `prompts.schemas.COLOURS` as prose gives it to the lesion."""

SHADE_NAMED = Together({colour: whole_words(*shades) for colour, shades in SHADES.items()})
"""Any shade of a colour, in no frame: without one nothing of `COLOURS_SAID` matches."""
