"""How prose places a lesion on the body: the words of each region, and the frames that say that something is there.

Wider than the words of published tables (`sources.fields`): adjectives, landmarks, everyday names. Written for this project.
"""

import re

from quality.patterns import registered
from sources.fields import body_site, region_words

_TOLD: dict[str, str] = {
    "head_neck": (
        "frontal scalp|frontal region|parietal region|temporal region|temporal area|temporal scalp|temples|occipital|vertex|crown of the head|top of the head|back of the head|side of the head|skull|hairline|bald spot|tonsure|"
        "brow|brows|eyebrows|eyelids|eyelashes|lash line|eyes|periorbital|periocular|infraorbital|supraorbital|palpebral|canthus|canthal|glabella|glabellar|cheeks|cheekbone|cheekbones|malar|zygoma|zygomatic|"
        "nasal|paranasal|perinasal|nasolabial|nasal ala|alar rim|columella|bridge of the nose|nasal bridge|nasal tip|tip of the nose|side of the nose|wing of the nose|philtrum|labial|vermilion|circumoral|submental|mental region|submandibular|mandibular|"
        "jawline|beard area|sideburn|sideburns|ears|auricle|auricular|preauricular|postauricular|retroauricular|periauricular|pinna|tragus|helix|antihelix|concha|earlobes|ear lobe|ear lobes|nuchal|cervical|back of the neck|throat|adam's apple|facial|foreheads|mastoid"
    ),
    "trunk_front": (
        "sternal|presternal|parasternal|breast bone|clavicular|infraclavicular|collarbone|collarbones|collar bone|cleavage|decolletage|decollete|mammary|inframammary|submammary|areola|areolar|breasts|bosom|rib cage|ribcage|costal|chest wall|"
        "tummy|midriff|umbilical|periumbilical|paraumbilical|belly button|hypogastric|hypogastrium|hypochondrium|abdominal wall|solar plexus|front of the trunk|front of the torso|front of the body|front of the chest|ventral trunk|ventral torso|ventral chest|anterior thorax|anterior chest"
    ),
    "trunk_back": (
        "spinal|paraspinal|vertebral|paravertebral|scapulae|infrascapular|subscapular|shoulder blade|shoulder blades|lumbosacral|loin|loins|lower spine|thoracic spine|lumbar spine|tailbone|coccyx|coccygeal|small of the back|dorsal trunk|dorsal torso|dorsal thorax|"
        "posterior thorax|posterior chest|back of the trunk|back of the torso|back of the body|back of the chest|midback|latissimus"
    ),
    "trunk_unspecified": "thorax|thoracic|both flanks|side of the trunk|side of the torso",
    "shoulder_axilla": "acromion|acromial|underarm|underarms|armpits|axillary|deltoids|axillary vault",
    "upper_limb": (
        "upper limbs|upper extremities|upper arms|forearms|cubital|cubital fossa|antecubital fossa|crook of the arm|crook of the elbow|elbows|olecranon|biceps|triceps|brachial|carpal|wrists|thumbs|pinky|forefinger|finger pad|fingerpad|finger web|"
        "hypothenar|metacarpal|metacarpophalangeal|back of the hand|dorsum of the hand|back of the arm|palm of the hand|knuckle"
    ),
    "lower_limb": (
        "lower limbs|lower extremities|femoral|quadriceps|patella|patellar|hollow of the knee|back of the knee|popliteal fossa|shins|tibia|tibial|pretibial|calves|gastrocnemius|malleolus|malleolar|achilles|heels|calcaneal|sole of the foot|"
        "arch of the foot|ball of the foot|back of the foot|dorsum of the foot|back of the leg|back of the thigh|metatarsal|hallux|great toe|big toe|toe web|hips"
    ),
    "gluteal_buttocks": "intergluteal|gluteal crease|gluteal region|rump|backside|ischial|nates|intergluteal cleft|gluteal muscles|bottom of the person|seat",
    "groin_genital_perineum": "genitalia|pubic|pubis|mons pubis|scrotal|penile|vulvar|vulval|glans|foreskin|perineal|anal|anus|labia majora|labia minora|groins|genital skin",
    "nail": "fingernails|toenails|nail plate|nail bed|nail fold|nail unit|cuticle|lunula",
    "mucosa": "gum|gums|gingival|lingual|palatal|oral cavity|buccal mucosa|inside of the cheek|inner cheek",
}  # fmt: skip

REGION_OF: dict[str, str] = {
    **{word.replace("_", " "): _named for word in region_words() if (_named := body_site(word))},
    **{word: region for region, words in _TOLD.items() for word in words.split("|")},
}
"""The body region of each word or phrase, lower case, with single spaces."""

_PLACES = "|".join(re.escape(word).replace(r"\ ", "[ -]") for word in sorted(REGION_OF, key=lambda w: (-len(w), w)))
_AT = (
    r"(?:on|onto|upon|of|over|overlying|at|across|involving|affecting|covering|occupying|spanning|lining|from|in|near|above|below|behind|beside|beneath|between|under|underneath|around|round|along|alongside|throughout|"
    r"within|inside|next to|close to|adjacent to|lateral to|medial to|opposite|towards?|depicts|depicting|shows|showing|pictures|site: ?|location: ?|region: ?|to)"
)
_WHOSE = r"(?:the |an? |both |two |one |this |that |each |either |his |her |their |someone['\u2019]s |the (?:patient|person|subject|individual)['\u2019]s )?"
_WHICH = (
    r"(?:(?:left|right|upper|lower|mid|middle|dorsal|ventral|volar|palmar|plantar|lateral|medial|anterior|posterior|superior|inferior|distal|proximal|inner|outer|central|front|rear|flexor|extensor|ulnar|radial|bony|fleshy|bald|hairy|hairless|bare|exposed|"
    r"sun-exposed|smooth|skin-covered|big|great|little|small|index|ring|first|second|third|fourth|fifth)[ -]){0,2}?"
)
_PART_OF = (
    r"(?:(?:\w+ )?(?:aspects?|surfaces?|sides?|skin|parts?|portions?|regions?|areas?|half|third|bridge|tip|dorsum|top|back|front|creases?|folds?|ridge|base|inside|outside|centre|center|middle|bend|border|root|wing|pad|web space|webs?|underside|bottom|curve|angle) "
    rf"(?:of|between) {_WHOSE})??"
)
SITE = registered(
    re.compile(
        rf"(?<![^\W_]){_AT}\s*(?<=[\s:]){_WHOSE}{_PART_OF}{_WHICH}"
        rf"(?P<site>{_PLACES})(?<!to the eye)(?<!between the legs)(?![^\W_])(?! (?:of|part|side|edge|border|network|lit)\b)(?!-hand side)",
        re.IGNORECASE,
    )
)
"""A place on the body, as `site`; the "legs" of a vascular spider and what shows "to the eye" are none."""

# Regions whose words overlap.
SAME_REGION: tuple[frozenset[str], ...] = (
    frozenset({"trunk_back", "trunk_unspecified", "shoulder_axilla"}),
    frozenset({"trunk_front", "trunk_unspecified", "shoulder_axilla", "groin_genital_perineum"}),
    frozenset({"trunk_back", "trunk_unspecified", "gluteal_buttocks"}),
    frozenset({"upper_limb", "shoulder_axilla"}),
    frozenset({"lower_limb", "gluteal_buttocks", "groin_genital_perineum"}),
    frozenset({"nail", "upper_limb"}),
    frozenset({"nail", "lower_limb"}),
    frozenset({"mucosa", "head_neck"}),
    frozenset({"mucosa", "groin_genital_perineum"}),
)


_SIDES = (
    ("trunk_back", re.compile(r"\b(?:dorsal|posterior|back|rear)\b")),
    ("trunk_front", re.compile(r"\b(?:ventral|anterior|front)\b")),
)


def region(said: str) -> str | None:
    """The body region of a match of `SITE`, by its words; None where they name none."""
    found = SITE.search(said)
    if found is None:
        return None
    named = REGION_OF.get(" ".join(re.split(r"[\s-]+", found["site"].lower())))
    if named != "trunk_unspecified":
        return named
    return next((side for side, pattern in _SIDES if pattern.search(said.lower())), named)
