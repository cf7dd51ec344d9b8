"""The words that must not be said in generated text, by topic.

All patterns match whole words and ignore case. Written for this project; `quality.topics` holds the wide fields.
"""

import re

from quality import topics
from quality.patterns import registered, whole_words

# Words of a diagnosis that no list of disease names holds.
DIAGNOSTIC = whole_words(
    "benign", r"malignan(?:t|cy|cies)", r"pre-?malignant", "cancer(?:s|ous)?", r"neoplas(?:m|ms|tic|ia)", r"tumou?rs?",
    r"diagnos(?:is|es|ed|tic|e)", r"\w*carcinomas?", r"\w*sarcomas?", r"\w*melanomas?", r"\w*lymphomas?",
    r"\w*dermatitis",
    r"\w*keratos[ie]s", r"(?!(?:stroma|aroma|hematoma|haematoma|chroma)\b)\w{3,}om(?:as?|ata)", r"\w{3,}it(?:is|ides)", r"tumou?rous", r"na?ev(?:us|i)", "infection", r"disease[sd]?",
    "sinister", "alarming", "ominous", "reassuring", "aggressive", "cancerous", "precancerous", "premalignant", "dysplastic", "neoplastic", "inflammatory nature", r"danger(?:s|ously)?", r"risk(?:s|y)?", "urticarial", "lentiginous", "lupoid",
    "morpheaform", "sarcoidal", "granulomatous", "lichenoid", r"(?:low|high)[ -](?:risk|grade)", "proliferative", "lethal", "serious", r"worr(?:y|ies|ied|isomely|yingly)", r"concern(?:s|ed)?", r"suspicio(?:n|ns|usly)", "atypia",
    "non-?cancerous", "good-natured", "evil", "invasive", r"metasta\w+", "neoplasia", r"patholog(?:y|ical|ic)", r"(?:genetic|hereditary|congenital|autoimmune|infectious|allergic|inflammatory|metabolic|vascular) (?:disorder|condition|process|origin|aetiology|etiology|cause|nature)s?", r"syndrom\w+",
    r"red flags?", r"warning signs?", "harmless", "innocent", "innocuous", "dangerous", r"worr(?:ying|isome)", "concerning", r"suspicious(?:-looking)?", "life-?threatening",
    r"(?:acnei|psoriasi|impetigini|keloidi)form", "psoriatic", "infectious", "viral", "bacterial", "fungal", "mycotic", "parasitic", "allergic", "autoimmune", r"(?:lichen|na?ev|lup|ecz?emat|pemphig|sarc|kel|melanom)oid", "eczematous",
    r"(?:h[ae]+m)?angiomatous", r"(?:lip|fibr|carcin|sarc|melan)omatous", "metastatic", "melanocytic", "disorders?",
    "harmful", "threatening", "deadly", "fatal", "treacherous", r"oncolog\w+", "contagious", "communicable", "degenerative", r"normal variants?", r"(?:skin|genetic|medical|chronic|hereditary|inherited|rare) conditions?", r"infest(?:ed|ation)", "infected", "septic", r"dermatos[ie]s", "pathognomonic", r"a?etiolog(?:y|ies|ic|ical)", "precursor", r"premalign\w+", r"carcinogen\w*",
)  # fmt: skip

# Seen only through a dermatoscope, so wrong on a clinical photograph.
DERMOSCOPIC_ONLY = whole_words(
    r"derm(?:at)?oscop(?:y|e|ic|ically)", r"pigment(?:ed|ary)?[ -]network", r"blu(?:e|ish)[ -]whit(?:e|ish) veil",
    r"milia[ -]like cysts?", r"comedo[ -]like openings?", r"leaf[ -]like areas?", r"spoke[ -]wheel(?: areas?)?",
    r"regression structures?", "pseudopods?", "radial streaming", "dots and globules", "globules?", "negative network",
    r"arbori[sz]ing vessels", "peppering", "lacunae", "fingerprint-like", r"parallel (?:ridge|furrow) pattern",
    r"rosettes?", "chrysalis", r"shiny white (?:lines|streaks)",
    "epiluminescence", r"dermatoscop\w+", r"dermoscop\w+", r"(?:cross-?|non-?)?polari[sz]\w+", r"immersion(?: \w+)?", r"videodermatoscop\w+", "clods?", r"(?:red|blue|maple|maroon)[ -](?:lacunae|lagoons?)", r"honeycomb\w*", r"star-?burst",
    r"(?:crystalline|shiny|chrysalis-like) (?:white )?(?:streaks|lines|structures)", r"ovoid nests?", r"(?:hair-?pin|glomerular|comma|corkscrew|serpentine|crown|coiled|looped|arborescent|tree-like) (?:vessels?|capillar\w+)", r"milky[ -]red (?:areas?|globules?)", r"moth-?eaten",
    r"(?:fat )?fingers (?:and|&) (?:ridges|fissures)", r"cerebriform", r"blue-?(?:gr[ae]y|white) (?:ovoid|globules?|veil|structures|dots|granules|peppering)", r"granularity", r"rhomboid\w*", r"reticul(?:ar|ated) (?:network|lines|pattern)", r"(?:pigment|reticular|inverse|negative|brown|atypical|delicate) network", r"concentric (?:structures|rings)", r"strawberry pattern",
    r"(?:dotted|hairpin|comma|glomerular|globular|coiled|corkscrew)(?:,? (?:and )?[\w-]+){0,2} vessels?", r"structureless (?:areas?|zones?|pattern)", r"(?:radial|peripheral) (?:streaming|streaks|projections|lines)", r"cobblestone\w*", r"pigment(?:ed)? dots", r"seven-point", r"abcd rule", r"magnifi(?:ed|cation) (?:view|dermat\w+)", r"contact plate", r"tenfold", r"10x",
)  # fmt: skip
CLINICAL_ONLY = whole_words(r"clinical (?:photo|photograph|image|picture|overview)", r"smartphone (?:photo|photograph|image)")

# What no picture shows, by the kind of claim.
NON_VISUAL: dict[str, re.Pattern[str]] = {
    "history": whole_words(
        r"history of", r"reported(?:ly)?",
        r"(?:patient|parent|mother|father) (?:reports?|states?|complains?|denies|noticed)",
        r"for (?:the past |the last |about |over |several |many |a few |\w+ )?(?:hours?|days?|weeks?|months?|years?)",
        r"(?:hours?|days?|weeks?|months?|years?) ago", r"long-?standing", r"recurrent", r"previously", r"recently",
        r"(?:has|have) (?:been )?(?:grown|growing|enlarged|changed|bled|spread|present for)", r"sudden onset", "onset",
        r"family history", r"over time", r"according to (?:the|his|her) (?:patient|parents?|mother|father|family)",
        r"(?:it|the (?:lesion|rash|spot|mole|patch|nodule)|which|that) (?:first |gradually |slowly |suddenly |then )?"
        r"(?:started|began|appeared|arose|recurred|grew|enlarged|bled|returned|persisted)",
        r"within (?:a few |several |\w+ )?(?:hours?|days?|weeks?|months?|years?)", r"recurr(?:ed|ence|ing)", r"progress(?:ed|es|ing)",
        r"after (?:sun|trauma|injury|repeated|having|an? (?:holiday|injury|insect|burn|cut|bite|trip|illness|vaccination))\b[\w ]{0,20}", r"medical history", r"since (?:birth|childhood|\d{4})", "duration", *topics.HISTORY,
    ),
    "symptom": whole_words(
        r"itch(?:y|es|ing|iness)?", r"prurit(?:us|ic)", r"pain(?:ful|less|s)?", r"tender(?:ness)?", "burning",
        r"sore(?:ness)?",
        "asymptomatic", r"stings?", r"(?:no|without|any) (?:pain|itch\w*|complaints?)", r"bleeds?", r"complain\w*", r"symptom(?:s|atic)?", r"numb(?:ness)?", r"stinging", "discomfort", r"tingl(?:es|ing)", r"fever(?:ish)?", r"irritat(?:es|ing)", r"ach(?:e|es|ing)", r"prickl\w+", "malaise",
        r"feels? (?:no|any|hot|burning|itchy|tight)", r"hypersensitiv\w+", *topics.SYMPTOM,
    ),
    "age": whole_words(
        r"\d+[ -]years?[ -]old", r"years? of age", "elderly", r"middle-aged", r"aged \d+", r"infants?",
        r"child(?:ren)?",
        r"adults?", r"age:? ?\d+", r"(?:old|older|young|younger) (?:patient|person|man|woman|individual)(?:['\u2019]s)?", "teens",
        r"\w+(?:ties|teens) years", r"in (?:his|her|their|the) \w+ties", r"bab(?:y|ies)", r"toddlers?", r"adolescents?", r"teenagers?", r"paediatric|pediatric", "newborn", *topics.AGE,
    ),
    "sex": whole_words("males?", "females?", "man", "men", "woman", "women", "boys?", "girls?", "his", "her", "he", "she",
        r"lad(?:y|ies)", r"gentlem[ae]n", "husband", "wife", "masculine", "feminine", *topics.SEX),
    "palpation": whole_words(
        r"palpa(?:ble|tion|ted|te)", "firm", r"blanch(?:es|ing|able)?", r"non-?blanch(?:ing|able)", "diascopy",
        r"warm(?:th)?(?: to(?: the)? touch)", "warmth", r"freely mobile",
        r"(?:soft|hard|rough|smooth) to(?: the)? touch", r"when (?:pressed|pinched|squeezed|touched|stretched|palpated)",
        r"on (?:lateral )?(?:pressure|touch|touching|pressing|stretching)", r"(?:lateral|digital|gentle) pressure", r"feels? \w+", "rubbery",
        "fluctuan(?:t|ce)", r"compressib\w+", r"tethered", r"dimple sign", r"(?:nikolsky|darier)\w*", r"(?:moved|movable|mobile)(?: freely)?",
        r"hard and fixed", r"fixed to", r"under the fingers?", *topics.PALPATION,
    ),
    "histology": whole_words(
        r"histo(?:patho)?log(?:y|ic|ical|ically)", r"biops(?:y|ies|ied)", r"immunohisto\w+", "microscopy",
        r"under the microscope", r"microscopic(?:al|ally)?(?: examination)?", r"patholog(?:y|ic|ical|ically|ists?)", r"stain(?:ed|ing) (?:sections?|for|with)",
        r"(?:tissue )?sections?", "specimens?", r"mitos[ie]s", "mitotic", "nuclei", r"\w*cytes", r"cells", r"melanophages?", r"granulomas?",
        "dermis", r"stratum corneum", r"rete ridges?", r"acantho\w+", r"parakerato\w+", r"spongio\w+", r"nests of",
        r"(?:clear|negative|positive|involved) margins", r"laboratory", r"blood tests?", r"cultures?", r"koh", *topics.HISTOLOGY,
    ),
    "treatment": whole_words(
        r"treat(?:ed|ment|ments|ing)?", r"therap(?:y|ies|eutic)", r"excis(?:ed|ion|ional)", r"steroids?",
        r"corticosteroids?",
        r"antibiotics?", r"antifungals?", "surgery", "surgical", "cryotherapy", r"prescri(?:bed|ption)",
        r"medications?",
        r"follow-?up", r"(?:is|are) recommended", r"recommend(?:ed|ation|s)?",
    ),
}  # fmt: skip

# What a reasoning was told nothing of: as above, but what a finding stands for in the tissue may be said.
UNTOLD: dict[str, re.Pattern[str]] = {
    **{claim: NON_VISUAL[claim] for claim in ("history", "symptom", "age", "sex", "palpation")},
    "histology": whole_words(*topics.EXAMINED),
}
TISSUE = whole_words(*topics.TISSUE)
"""What only a section shows. A reasoning may say that a finding stands for it, not that it is there."""

# Signs that the writer was told the answer, or saw anything but the picture.
PROVENANCE = whole_words(
    r"(?:confirmed|provided|given|supplied|stated|known|reference|gold(?:[ -]standard)?|target)"
    r" (?:clinical )?(?:diagnos[ie]s|labels?|answers?|class)", r"correct (?:label|answer)",
    r"ground[ -]truth", "metadata", "meta-data", r"file ?names?", r"(?:as|was|is|been) label(?:l)?ed",
    r"the labels? (?:is|was|are|were|says?|given|states?|provided|of the (?:image|picture)|supplied|attached)",
    r"potential clinical concepts", r"(?:patient(?:['\u2019]s)?|medical|clinical|case|hospital|health) (?:records?|charts?|notes?|files?|information|data|details)",
    r"(?:the )?charts?", "exif", r"(?:image|file|picture|dicom) (?:headers?|ids?|identifiers?|numbers?|names?|paths?|properties)", "captions?",
    r"(?:folder|director(?:y|ies))", r"(?:path|name|title) of the (?:image|file|picture|photo)", r"isic[_-]\w+", r"(?:photo|image|picture) number",
    r"(?:diagnosis|label|answer|class|name|condition) (?:was|is|has been|had been|were|being) (?:already |previously )?"
    r"(?:provided|given|supplied|told|known|stated|specified|mentioned|revealed)",
    r"(?:i|we) (?:was|were|am|are|have been|had been) (?:already )?(?:told|given|informed|asked|instructed|shown)", r"as (?:told|instructed|requested|stated above)",
    r"information (?:supplied|provided|given)", r"(?:accompanying|additional|available|supplementary|attached) (?:information|data|text|notes?|description)",
    r"case (?:description|history|report|number)", r"data ?bases?", r"(?:archive|register|registry) entry",
    r"(?:provided|the given|supplied) (?:concepts?|findings?|lists?|information|json|schema)",
    r"data ?set", r"according to the (?:prompt|instructions?|label|annotations?|schema)", r"(?:the|this|your) prompt",
    "json",
    r"annotat(?:ed|ion|ions|ors?)", r"\w+\.(?:jpe?g|png|tiff?|webp|bmp)",
    *topics.TOLD,
)  # fmt: skip

# A model that answers about itself instead of the picture.
REFUSAL = whole_words(
    r"(?:i['\u2019]m|i am|we are|we['\u2019]re) (?:very |so )?sorry", r"i apologi[sz]e",
    r"as an? (?:ai|artificial intelligence|(?:\w+[ -])?language model|chatbot|computer|machine|model|assistant|virtual \w+)\w*",
    r"an? ai(?: (?:assistant|model|system))?", r"(?:automated|automatic) (?:system|tool|reader)", r"i am an? (?:system|program|tool|bot|robot)",
    r"artificial intelligence", r"chat-?bots?", "neural networks?", r"computer programs?", r"machine[ -]learning", r"deep[ -]learning",
    r"my (?:training|knowledge|programming|guidelines|capabilit\w+|limitations?|apologies)", r"knowledge cut-?off", r"i was (?:trained|built|designed|made)",
    r"trained (?:on|by|to)", r"(?:must|have to|will) (?:decline|refuse|abstain)", r"(?:not|\w+n['\u2019]t) (?:feel )?(?:comfortable|able to|be able to|allowed|permitted)",
    r"(?:content |usage |safety )?polic(?:y|ies)", r"could not be (?:loaded|opened|processed|read|displayed)", r"cannot be processed",
    r"(?:open ?ai|gpt|claude|gemini|llava|qwen)\S*",
    r"i(?:['\u2019]m| am) (?:just |only )?an? (?:ai|language model|assistant)",
    r"(?:i|we) (?:cannot|can['\u2019]?t|can not|could not|couldn['\u2019]t|won['\u2019]t|will not"
    r"|am unable to|are unable to|am not able to)"
    r" (?:assist|help|provide|comply|analy[sz]e|view|process|access|open|see (?:the|any|an|this) (?:image"
    r"|picture|photo)"
    r"|identify|diagnose|give|offer|fulfil+|answer|describe|determine|make|complete)",
    r"(?:unable|not able) to (?:assist|help|provide|comply|view|process|access|open|fulfil+|complete)",
    r"no (?:image|picture|photo(?:graph)?) (?:was|is|has been|were) (?:provided|attached|given|supplied|uploaded"
    r"|visible)",
    r"(?:please )?(?:provide|upload|attach) (?:the|an|a|your) (?:image|picture|photo(?:graph)?)",
    r"not a (?:doctor|physician)",
    r"(?:consult|see|seek|contact) (?:a|an|your|with a) (?:qualified |licensed |healthcare |medical )*"
    r"(?:doctor|dermatologist|professional|physician|provider|advice|attention)",
    *topics.SELF,
)  # fmt: skip

# Words left from a template that nobody filled in.
PLACEHOLDER = registered(
    re.compile(
        r"lorem ipsum|\{[\w ]*\}|\[[a-z][\w /|,-]{0,60}\]|%[sd]\b|\bX{3,}\b|_{3,}|\bto be (?:completed|filled|added|determined)\b|\bTB[CDA]\b|<[a-z_ /]{1,40}>|\.{4,}|…{2,}|\bTODO\b|\bdelete as (?:applicable|appropriate)\b|\b(?:an?|the|of|with|is) \.{3}|\bXX\b|\bYY\b"
        r"|\bN/A\b|<\|[^|]*\|>|\$\{?[a-z_]+|%\(\w+\)s|\((?:insert|add|describe|fill|enter|specify|state|choose|select|name|give|list|mention)\b[^)]*\)|\binsert\b[^.]{0,40}\bhere\b|\bplaceholder\b"
        r"|\b(?:write|describe|list|insert|add|provide|enter(?! the field of view)|specify|state|fill in|mention|summari[sz]e|give) (?:one|an?|the|your|any|all|here|in|two|up to|at least|between)\b[^.]{0,60}\b(?:here|words|sentences?|below|above|paragraphs?|fields?|findings?|features)\b"
        r"|\b(?:goes|go|comes|belongs?|follows|to follow) here\b|\bthis (?:paragraph|sentence|section|text) (?:will|should|must|is to|describes|gives|contains)\b|\byour text\b|\b(?:is|are|an?|the|and|with|of|by|in|on|at|has) \((?:colou?r|shape|size|site|location|texture|border|edge|outline|name|age|sex|value|type|morphology|lesion|lesion type|diagnosis|number|date|adjective|noun|finding|pattern|distribution|surface|body site|body part|criterion|feature|concept)s?\)|\w ?\| ?\w|[@#%*~]{2,}|[#@]\w+[#@]|\[\W*\]|\(\W*\)|\b(?:text|description|content|details?|answer|reasoning|sentence|paragraph|findings?) (?:pending|missing|coming soon|to come|goes|not yet)\b|\b(?:replace|substitute|overwrite) (?:this|with|me)\b|\bfill (?:me |this )?in\b|\bdolor sit\b|\bleft blank\b|\b(?:X|n|N)\s?(?:mm|cm)\b"
        r"|\b(?:is|are|an?|the|with|has|have|appears?|looks?) \([\w -]+(?:/[\w -]+)+\)|\?{2,}|\b(?:example|sample|dummy|default|boilerplate) text\b|\b(?:see|as|same as) (?:above|below)\b|\bTK\b|\bblah\b|\b(?:null|nan|undefined)\b|\boptional:|\b(?:option|choice|field|value|item|slot|section|sentence|finding|feature|step) ?[#_]?\d\b|\b\w+_\w+\b",
        re.IGNORECASE,
    )
)
