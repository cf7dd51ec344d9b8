"""How prose gives a colour to a lesion: the shades that people name, and the frames that say that the lesion has one.

Red light, a white scale bar or a black hair is none of it: a shade counts only in such a frame. Written for this project.
"""

import re

from quality.patterns import Together, frames, whole_words

SHADES: dict[str, tuple[str, ...]] = {
    "white": ("off-white", "white", "whitish", "ivory", "chalky", "milky", "porcelain", "alabaster", "snowy", "creamy", "(?:snow|chalk|cream|bone|milk|paper|pearl)[ -]white", "eggshell", "chalk", "frosty"),
    "pink": ("(?:(?!blu|brown|gr[ae]y|black|white|pink|red|purpl|violet|yellow|orange|infra|non)[a-z]+-)pink", "pink", "pinkish", "rose", "rosy", "salmon", "blush", "coral", "fuchsia", "flushed", "bubblegum"),
    "red": ("(?:(?!blu|brown|gr[ae]y|black|white|pink|red|purpl|violet|yellow|orange|infra|non)[a-z]+-)red", "red", "reddish", "crimson", "scarlet", "ruby", "vermilion", "brick-red", "blood-red", "cherry-red", "fiery red", "carmine", "burgundy", "beefy"),
    "light brown": (
        "light[ -]brown", "pale[ -]brown", "tan", "tannish", "beige", "sandy(?:[ -]brown)?", "caramel(?:[ -]brown)?", "fawn", "khaki", "hazel", "cinnamon", "honey[ -]brown", "yellow[ -]brown", "golden[ -]brown", "tan[ -]brown", "beige[ -]brown", "light to (?:medium|mid)[ -]brown", "camel", "biscuit", "toffee", "hazelnut", r"caf\w[ -]au[ -]lait", "buff", "bronze", "wheat",
    ),
    "dark brown": (
        "dark[ -]brown", "deep[ -]brown", "chocolate(?:[ -]brown)?", "mahogany(?:[ -]brown)?", "sepia", "umber", "coffee(?:[ -]brown)?", "walnut", "chestnut(?:[ -]brown)?", "espresso", "brown(?:ish)?[ -]black", "black(?:ish)?[ -]brown", "cocoa(?:[ -]brown)?", "mocha", "tobacco(?:[ -]brown)?",
    ),
    "blue-gray": (
        "blu(?:e|ish)[ -]gr[ae]y(?:ish)?", "gr[ae]y(?:ish)?[ -]blue", "blue", "bluish", "slate(?:[ -](?:blue|gr[ae]y))?", "steel(?:[ -](?:blue|gr[ae]y))", "smoky(?:[ -](?:blue|gr[ae]y))", "cobalt", "navy", "azure", "indigo", "cyan", "gunmetal", "denim", "pewter", "ash[ -]blue", "lead[ -]gr[ae]y", "leaden", "blu(?:e|ish)[ -]black",
    ),
    "black": ("(?:(?!blu|brown|gr[ae]y|black|white|pink|red|purpl|violet|yellow|orange|infra|non)[a-z]+-)black", "black", "blackish", "jet-black", "jet", "inky", "ebony", "coal-black", "pitch-black", "tar-black", "almost black", "near-black", "charcoal(?:[ -]black)?", "soot(?:y)?(?:[ -]black)?", "onyx", "raven", "obsidian", "(?:ink|jet|coal|pitch|midnight)[ -]black"),
    "purple": ("heliotrope", "purple", "purplish", "violet", "violaceous", "lilac", "mauve", "lavender", "plum", "magenta", "aubergine", "amethyst", "eggplant", "grape", "mulberry", "wine[ -]coloured", "wine[ -]colored"),
    "yellow": ("(?:(?!blu|brown|gr[ae]y|black|white|pink|red|purpl|violet|yellow|orange|infra|non)[a-z]+-)yellow", "yellow", "yellowish", "amber", "golden", "mustard(?:-yellow)?", "honey-yellow", "straw-yellow", "lemon", "ochre", "saffron", "straw", "honey", "canary", "butter(?:y)?", "sulphur", "sulfur"),
}  # fmt: skip

_DEGREE = r"(?:(?!(?:no|not|never|hardly|without|of|by|from|free|neither|nor|than|any|lacks?)\b)\w+[ -])?"
_AREA = (
    r"(?:colou?r(?:ation|ed|ing)?|areas?|pigment(?:ation)?|hues?|tones?|tints?|tinge|dis?colou?ration|lesion|centre|center|macule|patch(?:es)?|zones?|spots?|surface|shades?|background|rim|halo|border|"
    r"blotch(?:es)?|flecks?|specks?|speckles?|islands?|mottling|base|core|periphery|component|cast|foc(?:us|i)|portions?|sectors?|regions?|sections?|parts?|quadrants?|stain(?:ing)?|half|plaque|papule|nodule|streaking|predominance|undertone|margins?|edges?|sheen|wash|tonality|palette)"
)
_PART = r"(?:it|lesion|mark|blemish|bump|eruption|rash|surface|centre|center|periphery|parts?(?: of it)?|portions?|zones?|sections?|regions?|background|base|middle|core|rim|colou?rs?|hues?|remainder|rest|half|side|border|edge|margin|tones?|shades?|pole|plaque|papule|nodule|macule|patch|areas?|spot|interior|growth|pigment|component)(?: that| which)?"
_BE = r"(?:is|are|is clearly|appears?|looks?|seems?|shows?|has|have|displays?|exhibits?|remains?|becomes?|presents (?:as|with)|includes?|ranges? from|var(?:y|ies) from|coloured|colored)"
_TURNS = r"(?:turn(?:s|ed|ing)|becom(?:es|ing)|tinged|tinted|stained|shaded|suffused|dyed|washed|flushed|speckled|flecked|mottled|streaked|coloured|colored|shot through|interspersed)(?: with| in| by)?(?: an?)?"
_SOME = r"(?:touch|hint|tinge|note|trace|dash|wash|suggestion|cast|blend|mixture|mix|admixture|combination|shades?|patch(?:es)?|rim|areas?|zones?|flecks?|specks?|streaks?|hues?|tones?|foc(?:us|i)|portions?|amounts?|element|component|presence) of"
_LEADS = r"(?:is|are) (?:the |its |an? |one of the )?(?:leading|dominant|main|prevailing|predominant|principal|only|sole|single|base|primary|second|secondary|additional|further|third) (?:colou?r|hue|tone|shade|tint)s?|(?:is|are) the colou?rs? that"
_WHERE = r"(?:in|at|on|near|along|around|within|throughout|towards?|across) (?:the |its |an? |one )(?:\w+ )?(?:middle|centre|center|rim|border|edge|periphery|margin|core|lesion|surface|half|pole|side|part|portion|area|outskirts|interior)"
_HOW = r"(?:\w+ly |partly |in part |mostly |almost |more |rather |quite |very |all )?"
_SEEN = r"(?:seen|visible|present|noted|observed|evident|identified|apparent|made out|found|recogni[sz]ed|appreciated)"
_OF_ANOTHER = r"(?:scale|crust|hair|circle|cyst|comedo|plug|keratin|rosette|ring|pustul|vesic|bulla|blister|milia|content|fluid|collar|lobule|lacuna|leaf|spoke|nest|opening|rod|star|clot|follic|dot|globule|clod|vessel|line|streak|network|veil|structure|light|reflect)\w*"
"""What may be of a colour that the lesion is not."""


def _said(*shades: str) -> re.Pattern[str]:
    # A frame that opens with the shade finds it behind any adjective.
    shade = "(?:" + "|".join(shades) + r")(?:[ -](?:coloured|colored|toned|tinged|tinted|hued))?(?!-\w)"
    one = _DEGREE + shade
    return frames(
        rf"{shade}(?:(?:,? (?:and|or|to) \S+)? {_AREA}| (?:{_LEADS}|predominates|dominates|prevails|throughout|overall|all over|and (?:\w+ly )?(?:raised|flat|elevated|round|oval|smooth|scaly)(?=,)|{_WHERE}|in colou?r|and nothing|(?:is|are|can be) (?:\w+ly |also |further )?{_SEEN}))",
        rf"(?:{_PART}(?: {_BE}|:) {_HOW}(?:an? )?|{_TURNS} |{_SOME} (?:the |an? )?){one}(?!(?: and \w+| or \w+)? {_OF_ANOTHER})",
        rf"(?:contains?|includes?|comprises?|features?|tends? (?:to|towards?)|described as|in hue it is|in colou?r,? it is|call (?:it|this|(?:\w+ ){{0,6}}lesion)|characteri[sz]ed as|seen as|summed up as|mainly|predominantly|mostly) {one}(?=[.;,]|$| (?:and|or|in|at|within|too|also|as|along)\b)(?!, \w+ {_OF_ANOTHER})",
        *(f"colour: {name}" for name in shades),
    )


COLOURS_SAID: dict[str, re.Pattern[str]] = {colour: _said(*shades) for colour, shades in SHADES.items()}
"""Each colour of `prompts.schemas.COLOURS` as prose gives it to the lesion."""

SHADE_NAMED = Together({colour: whole_words(*shades) for colour, shades in SHADES.items()})
"""Any shade of a colour, in no frame: without one nothing of `COLOURS_SAID` matches."""
