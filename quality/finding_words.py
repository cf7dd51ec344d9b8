"""How prose names findings: the seven-point criteria with their values, and the SkinCon concepts.

All patterns match whole words and ignore case. Written for this project from the vocabularies in `prompts.schemas`.
"""

import re

from quality.patterns import whole_words

CRITERIA: dict[str, re.Pattern[str]] = {
    "pigment_network": whole_words(
        r"pigment(?:ed|ary)?[ -]network", r"(?<!vascular )(?<!vessel )(?<!capillary )(?<!negative )(?<!inverse )(?<!inverted )(?<!reversed )(?<!white )(?<!whitish )(?<!pseudo-)network(?: (?:pattern|structure|lines?))?(?! of (?:\w+ ){0,2}(?:vessels?|capillar\w+|telangiectas\w+|cracks|fissures))", r"reticular (?:network|pattern|lines?|mesh\w*)", r"reticulum", r"reticulation", r"pigment(?:ed)? (?:lattice|mesh(?:work)?|grid|net)",
        r"(?:network|lattice|meshwork|grid|net) of (?:\w+,? )?(?:pigment\w*|brown\w*|lines|dark|even|slender|uneven)", r"brown(?:ish)? (?:network|lattice|mesh(?:work)?|grid)",
    ),
    "blue_whitish_veil": whole_words(
        r"blu(?:e|ish)[ /-]?(?:whit(?:e|ish)|gr[ae]y(?:ish)?)?[ -]?(?:veil(?:ing|s)?|haze|film)", r"(?:milky|opaque|hazy|whitish)[ -](?:blue )?veil(?! of scale)", r"blu(?:e|ish)[ /-]whit(?:e|ish) (?:structureless )?(?:area|zone|region|opacity|overlay|hue|sheen|discolou?ration|patch|pigmentation|coating|cover)s?", r"(?:whitish|milky|ground-glass)[ -](?:ground-glass )?haze", r"veil of (?:blue|bluish|whitish)(?: and \w+)?", r"veil[ -]like (?:structures?|areas?|zones?|haze|films?|opacity)",
    ),
    "vascular_structures": whole_words(
        r"vascular (?:structures?|pattern(?:s|ing)?|loops?|wreaths?|crowns?)", r"(?:blood )?vessels?", r"telangiectas(?:ia|iae|ias|es)", r"vascularity", r"vasculature", r"capillar(?:y|ies)(?: loops?)?", r"hair-?pin loops?",
    ),
    "pigmentation": whole_words(r"pigmentation", r"pigmented (?:areas?|zones?)", r"pigmentary changes?", r"(?:pigment )?blotch(?:es)?", r"pigment(?! network| net| dots| globule| spot| lattice| grid| mesh)"),
    "streaks": whole_words(r"streak(?:s|ing)?(?! of (?:scale|blood|light))", r"pseudopods?", r"radial (?:streaming|projections?)", r"star-?burst(?:-like)?(?! vessel)"),
    "dots_and_globules": whole_words(r"(?<!\bred )(?<!pinpoint )(?<!yellow )(?<!white )dots(?: (?:and|or|/) globules)?", r"(?:dot-like|globular)(?: (?:and|or) \w+(?:-like)?)? structures?", r"globules?", r"clods?"),
    "regression_structures": whole_words(
        r"(?<!within )(?<!within areas of )regression(?: (?:structures?|areas?))?", r"regressi(?:ve|ng) (?:structures?|areas?|zones?|changes?)", r"regressed (?:structures?|areas?)",
    ),
}  # fmt: skip

EVEN = whole_words(
    r"regular(?:ly)?", r"even(?:ly)?", r"uniform(?:ly)?", "orderly", "ordered", r"well[ -]organi[sz]ed", r"monomorph\w+", r"well[ -]spaced", "constant", "steady", r"similar in (?:size|length|shape)", r"equal in (?:size|length|shape)", r"symmetrical(?:ly)?", "equally", r"equal (?:size|length|distance|spacing)s?", r"same (?:size|length|distance|spacing)", r"homogeneous(?:ly)?",
    r"consistent(?:ly)?", r"well-?ordered", r"similar (?:size|length|spacing)s?", r"balanced", r"equidistant", r"neat(?:ly)?", r"like-?sized", r"unvaried", r"identical",
)  # fmt: skip
UNEVEN = whole_words(
    r"irregular(?:ly)?", r"uneven(?:ly)?", "disorderly", r"asymmetrical(?:ly)?", "asymmetrically", r"(?:various|varied|variable|unequal|different|mixed|assorted|all) (?:sizes|lengths|shapes)", r"var(?:y|ies|iable|ying|ied) (?:\w+ly )?in (?:size|length|shape|spacing|distribution|colou?r)", r"differ(?:s|ing|ent)? in (?:size|length|shape)", r"(?:various|variab|different|unequal)ly[ -](?:sized|spaced|shaped)", r"(?:polymorph|pleomorph|heteromorph)\w+", r"bizarre", r"unstructured", r"disarranged", r"one[ -]sided", r"random(?:ly)?", r"haphazard(?:ly)?", r"odd (?:intervals?|places?|spacing)", r"ragged", r"strewn", r"every (?:size|length)", r"var(?:ying|iable|ied) (?:size|length|spacing|calibre|caliber|shape|density|thickness)s?", r"different (?:size|length)s?", r"differing (?:size|length)s?",
    r"erratic(?:ally)?", r"patchy", r"disorgani[sz]ed", r"chaotic(?:ally)?", r"heterogeneous(?:ly)?", r"inhomogeneous(?:ly)?", r"unequal(?:ly)?", r"jumbled", r"non-?uniform(?:ly)?", r"inconsistent(?:ly)?", r"disordered", r"asymmetric", r"variegated", r"unpredictabl[ey]",
)  # fmt: skip

# The words that tell one value of a criterion, or a part of it, from another.
VALUES: dict[str, dict[str, re.Pattern[str]]] = {
    "pigment_network": {
        "typical": whole_words(
            "typical", "regular", "orderly", r"even(?:ly)?", r"uniform(?:ly)?", r"honeycomb(?:[ -]like)?", r"delicate", r"fine-?meshed", r"homogeneous", r"consistent", r"well-?ordered", r"neat", r"fading (?:gently|evenly)", r"regularly", r"well[ -]organi[sz]ed", r"organi[sz]ed", r"ordered", r"monotonous", r"even(?:ly)? (?:sized|spaced) (?:holes|mesh\w*|lines)",
        ),
        "atypical": whole_words(
            "atypical", r"irregular(?:ly)?", "disrupted", "distorted", "disorderly", "broken", "uneven", r"smudged", r"coarse", r"interrupted", r"chaotic", r"disorgani[sz]ed", r"heterogeneous", r"variable", r"prominent and irregular", r"unevenly", r"patchy", r"thickened", r"disordered", r"erratic(?:ally)?", r"inhomogeneous", r"non-?uniform", r"variably", r"varying", r"asymmetric", r"widened", r"broadened", r"coarsened", r"end(?:s|ing) abruptly", r"bizarre",
        ),
    },
    "streaks": {"regular": EVEN, "irregular": UNEVEN},
    "dots_and_globules": {"regular": EVEN, "irregular": UNEVEN},
    "pigmentation": {
        "diffuse": whole_words(r"diffuse(?:ly)?", "homogeneous", "widespread", "generali[sz]ed", r"extensive", r"confluent", r"all over", r"throughout", r"border to border", r"(?:whole|entire) (?:lesion|surface)", r"across the (?:whole |entire )?lesion"),
        "localized": whole_words(r"locali[sz]ed", "focal", "circumscribed", r"confined", r"restricted", r"limited to", r"one (?:place|sector|area|spot|side|corner|part|pole)", r"single"),
        "regular": EVEN,
        "irregular": UNEVEN,
    },
    "vascular_structures": {
        "arborizing": whole_words(r"arbori[sz](?:ing|es?|ed)", r"(?:splits?|divid\w+) (?:like a tree|into)", r"branch(?:ing|ed|es)", r"arborescent", r"tree-?like", r"ramif\w+"),
        "comma": whole_words(r"commas?(?:[ -](?:shaped|like))?"),
        "hairpin": whole_words(r"hair[ -]?pins?(?:[ -](?:shaped|like))?", r"looped", r"looping", r"loops", r"u-shaped"),
        "wreath": whole_words(r"wreath(?:[ -](?:shaped|like))?", r"garland", r"crown", r"corona"),
        "dotted": whole_words("dotted", r"pinpoints?", r"punctate", r"(?:red|tiny) dots", r"point-?like", r"pin-?head", r"punctiform", r"dot-?like"),
        "linear irregular": whole_words(r"linear,? (?:and |but )?irregular(?:ly)?", r"irregular(?:ly)?,? (?:and |but )?(?:\w+,? )?(?:linear|thread-?like)", r"irregular(?:ly)? (?:lines|linear)", r"linear vessels that are irregular", r"with an? irregular", r"irregular in (?:size|course|calibre|caliber|shape|thickness)", r"(?:irregular|uneven)(?:,? \w+)? (?:course|calibre|caliber|thickness|path)", r"sinuous", r"meandering", r"serpentine", r"straggling", r"linear vessels of (?:uneven|varying|irregular)"),
    },
    "regression_structures": {
        "blue areas": whole_words(r"blu(?:e|ish)(?!\S*[ -](?:and|to|or)[ -]whit)(?:[ -]gr[ae]y\w*)?", r"peppered", r"peppering", r"granular\w*", r"granules"),
        "white areas": whole_words(r"whit(?:e|ish)(?! and blue)", r"scar-?like", r"pale"),
    },
}  # fmt: skip

# Values of two parts, each told apart by itself.
VALUE_PARTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "pigmentation": (("diffuse", "localized"), ("regular", "irregular")),
    "regression_structures": (("blue areas",), ("white areas",)),
}

# "Brown pigmentation" is everyday speech; only a pigmentation that prose calls diffuse, localized or (ir)regular is the
# criterion.
NEEDS_VALUE: frozenset[str] = frozenset({"pigmentation"})

# How prose names each SkinCon concept that is a structure; "-like" comparisons claim nothing.
_LIKE = r"(?![ -]like)"
CONCEPTS: dict[str, re.Pattern[str]] = {
    concept: whole_words(*(alternative + _LIKE for alternative in alternatives))
    for concept, alternatives in {
        "Abscess": [r"abscess(?:es)?", r"(?:pocket|collection)s? of pus", r"pus pockets?", r"pus-filled (?:cavity|swelling|lump|swellings)"],
        "Acuminate": ["acuminate", r"pointed (?:tip|top|peak|elevation|papule)s?", r"spiky (?:top|tip|elevation|papule|peak)s?", r"(?:peaks?|cones?|elevations?|tips?) (?:that )?taper\w*(?: to)?", r"cone-?shaped", r"conical"],
        "Atrophy": ["atrophy", "atrophic", r"thinn(?:ed|ing)(?: of the)? skin", r"thinned,? (?:\S+ )?skin", r"cigarette[ -]?paper\S* (?:skin|surface|texture|wrinkling)", r"(?:epidermal|dermal) thinning"],
        "Bulla": ["bullae?", "bullous", r"(?:large|tense|big|flaccid),? (?:[\w-]+,? )?blisters?"],
        "Burrow": ["burrows?", r"burrowing (?:track|tunnel|line)s?", r"(?<=any )burrow-like \w+", r"(?:thread-?like|winding|serpiginous|tortuous|linear) tunnels?"],
        "Comedo": [r"comedo(?:s|nes|nal)?", r"blackheads?", r"whiteheads?", r"plugged (?:pores|follicles)", r"(?:pores|follicles) plugged"],
        "Crust": [r"crust(?:s|ed|ing|y)?", r"scabs?", r"scabbing", r"dried (?:blood|serum|exudate)"],
        "Cyst": [r"(?<!milia-like )cyst(?:s|ic)?", r"cyst-like (?:swelling|lump|nodule|elevation)s?"],
        "Dome-shaped": [r"dome[ -]shaped", r"domed?", "doming", r"dome-like (?:elevation|swelling|papule|nodule|shape|profile|contour)s?", r"ha?emispherical"],
        "Erosion": ["erosions?", "eroded", "erosive", r"(?:shallow|superficial),? raw(?: \w+)?", r"denuded(?: \w+)?"],
        "Erythema": ["erythema", "erythematous", r"red,? (?:\w+,? )?inflamed skin", r"red flush(?:ing)?", r"redden(?:ed|ing)", r"redness"],
        "Excoriation": ["excoriations?", "excoriated", r"scratch[ -]marks?", r"scratches", r"abrasions?"],
        "Exophytic/Fungating": ["exophytic", "fungating", r"cauliflower\S*", r"(?:outward|outwards)[ -]grow\w+"],
        "Exudate": [r"exudat(?:e|es|ive|ion)", "oozing", r"oozes", r"weep(?:s|ing)", r"serous (?:fluid|discharge)", r"discharge"],
        "Fissure": [r"fissur(?:e|es|ed|ing)", r"(?:deep |linear |narrow |painful )*cracks?(?: in the skin)?", r"cracked skin", r"(?:linear )?splits? in the skin"],
        "Flat topped": [r"flattening of the tops?", r"flat[ -]topped", r"flat tops?", r"flat(?:tened)? summits?", r"flattened tops?", r"plateau-?\w*"],
        "Friable": [r"friab(?:le|le-looking|ility)", r"crumbl(?:y|ing)(?: \w+)?"],
        "Induration": ["induration", "indurated", r"harden(?:ed|ing)(?: of the)? skin", r"hardened(?: \w+)?"],
        "Lichenification": ["lichenification", "lichenified", r"leathery(?: \w+)?", r"(?:accentuated|exaggerated) skin (?:lines|markings|furrows)"],
        "Macule": [r"macul(?:e|es|ar)", r"(?:small|tiny|little),? flat,? (?:[\w-]+ )?spots?"],
        "Nodule": [r"nodul(?:e|es|ar|arity)", r"lumps?"],
        "Papule": [r"papul(?:e|es|ar)", r"(?:small|tiny|little),? (?:\w+,? )?(?:raised|solid|elevated) (?:bump|elevation|lesion)s?"],
        "Patch": ["patch", "patches", r"(?:large|broad|wide),? flat,? (?:[\w-]+ )?(?:area|region)s?", r"(?<=any )patch-like \w+"],
        "Pedunculated": ["pedunculated", "pedunculation", r"peduncles?", r"stalks?", r"(?:on|by|with|from|via) a (?:\w+ )?(?:stalk|stem|pedicle)", r"stalked", r"pedicle"],
        "Plaque": ["plaques?", r"(?:large|broad|wide),? raised,? (?:[\w-]+ )?(?:area|elevation)s?", r"(?<=any )plaque-like \w+"],
        "Poikiloderma": ["poikiloderma", "poikilodermatous"],
        "Purpura/Petechiae": ["purpura", r"bleed(?:s|ing)? into the skin", r"extravasated blood", "purpuric", "petechiae?", "petechial", r"pinpoint (?:bleeds|h[ae]+morrhages?|bleedings?)"],
        "Pustule": [r"pustul(?:e|es|ar|ation)", r"pus-?(?:filled|topped|tipped) (?:\w+ )?(?:spots?|bumps?|pimples?|heads?|vesicles?|papules?|follicles?)"],
        "Scale": ["scaliness", r"(?<!measuring )(?<!ruler )(?<!millimetre )(?<!metric )scal(?:e|es|y|ing)(?! (?:bar|marker|of\b))", r"flak(?:es|y|ing)", r"desquamat(?:ion|ing)"],
        "Scar": ["scars?", "scarring", "scarred", r"cicatri\w+"],
        "Sclerosis": ["sclerosis", "sclerotic", r"sclerosed"],
        "Telangiectasia": [r"telangiectas(?:ia|iae|ias|es)", "telangiectatic", r"(?:dilated|widened|ectatic) (?:\w+ )?(?:capillar(?:y|ies)|vessels?|venules?)", r"spider veins?", r"thread veins?"],
        "Translucent": ["translucent", r"translucenc[ey]", r"pearly(?: \w+)?", r"see-?through", r"glassy"],
        "Ulcer": [r"ulcer(?:s|ated|ation|ations|ative)?(?: changes?)?", r"open (?:sore|wound)s?", r"full-thickness (?:skin )?(?:loss|defect)s?"],
        "Umbilicated": ["umbilicated", "umbilication", r"navel-?like", r"central (?:dell|dimple|depression|pit|dent)"],
        "Vesicle": [r"vesic(?:le|les|ular|ulation)", r"(?:small|tiny|little|clear|fluid-filled) (?:\w+[- ]?\w*,? )?blisters?"],
        "Warty/Papillomatous": ["warty", "verrucous", "papillomatous", r"verrucoid", r"wart-?like"],
        "Wheal": ["wheals?", r"wealing", r"urticarial (?:swelling|elevation|plaque)s?", r"(?<=any )wheal-like \w+", r"weals?", r"hives", r"welts?"],
        "Xerosis": ["xerosis", "xerotic", r"dry skin", r"dryness", r"dry,? (?:\w+ )?(?:skin|surface)"],
    }.items()
}  # fmt: skip

# Colour concepts are also ordinary adjectives of other things, so only their denial counts, and only of a colour as
# such.
_AS_COLOUR = r"(?:ish|-coloured|-colored)? (?:colou?r(?:ation|ing)?|areas?|pigment(?:ation)?|hues?|tones?|tints?|tinge|discolou?ration|zones?|patch(?:es)?|portions?|spots?|blotch(?:es)?|cast)"


def _bare(colour: str) -> tuple[str, ...]:
    """A colour named by itself where its absence is spoken of, and its noun."""
    return rf"(?:(?<=any )|(?<=no )){colour}(?=[.,;]|$| (?:whatsoever|at all|anywhere|is|can|was))", rf"{colour}ness"


COLOUR_CONCEPTS: dict[str, re.Pattern[str]] = {
    "Black": whole_words("black" + _AS_COLOUR, *_bare("black")),
    "Blue": whole_words(*_bare("blue"), "blue" + _AS_COLOUR, "bluish" + _AS_COLOUR),
    "Brown(Hyperpigmentation)": whole_words(*_bare("brown"), "brown" + _AS_COLOUR, "hyperpigmentation", "hyperpigmented"),
    "Gray": whole_words("gr[ae]y" + _AS_COLOUR, *_bare("gr[ae]y")),
    "Pigmented": whole_words("pigmented", "pigmentation", r"(?<!of )pigment(?= (?:whatsoever|at all|anywhere|can|is)|[.,;]|$)"),
    "Purple": whole_words(
        *_bare("purple"),
        "purple" + _AS_COLOUR,
        "violet" + _AS_COLOUR,
        r"plum-colou?red (?:skin|areas?|portions?|zones?|spots?)",
        "purplish" + _AS_COLOUR,
        "violaceous" + _AS_COLOUR,
    ),
    "Salmon": whole_words(
        "salmon" + _AS_COLOUR, r"salmon-(?:colou?red|hued|pink) (?:skin|areas?|zones?|patch(?:es)?|portions?|spots?|hue)"
    ),
    "White(Hypopigmentation)": whole_words(
        "depigmented",
        r"(?:loss|lack) of (?:pigment|skin colou?r)",
        "white" + _AS_COLOUR,
        "hypopigmentation",
        "whitish" + _AS_COLOUR,
        "hypopigmented",
    ),
    "Yellow": whole_words("yellow" + _AS_COLOUR, *_bare("yellow")),
}
# Measured colours of a lesion that make a claim of such a colour true though the concept is not listed.
COLOURS_OF_CONCEPT: dict[str, frozenset[str]] = {
    "Black": frozenset({"black"}),
    "Blue": frozenset({"blue-gray"}),
    "Brown(Hyperpigmentation)": frozenset({"light brown", "dark brown"}),
    "Gray": frozenset({"blue-gray"}),
    "Purple": frozenset({"purple"}),
    "Salmon": frozenset({"pink", "red"}),
    "White(Hypopigmentation)": frozenset({"white"}),
    "Yellow": frozenset({"yellow"}),
}
