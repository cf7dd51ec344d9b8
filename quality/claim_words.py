"""The words of claims that can be held against something: colours, shape, site, person, advice, hedges, personal data.

All patterns match whole words and ignore case. Written for this project; `quality.finding_words` has the words of findings.
"""

import re

from quality import topics
from quality.finding_words import COLOUR_CONCEPTS, CONCEPTS, CRITERIA
from quality.patterns import registered, whole_words

# Any word by which prose may speak of a finding: to be mentioned at all needs less than to contradict.
NAMED: dict[str, re.Pattern[str]] = {
    **CRITERIA,
    **CONCEPTS,
    **COLOUR_CONCEPTS,
    "pigment_network": whole_words(r"network\w*", r"reticul\w+"),
    "blue_whitish_veil": whole_words(
        "veil",
        r"blu(?:e|ish)[ /-]whit\w+",
        r"blu(?:e|ish)[ /-]gr[ae]y\w* (?:structureless|opa\w+|area|zone|region|sheen|discolou?r\w*|tinge|cast|patch)\w*",
        "haze",
        "film",
        r"ground[ -]glass",
    ),
    "vascular_structures": whole_words(
        r"vessels?", r"vascular\w*", r"telangiectas\w+", r"capillar\w+", r"\w*vascularity", r"hairpins?", "loops?"
    ),
    "pigmentation": whole_words(r"\w*pigment\w*(?! net)", r"blotch\w*", r"brown\w*", "black", r"tan", r"melan\w+"),
    "streaks": whole_words(r"streak\w*", r"pseudopods?", r"radial\w*", r"projections?"),
    "dots_and_globules": whole_words(r"dots?", r"globul\w+", r"clods?", r"dotted", r"specks?", r"speckl\w+", r"granul\w+"),
    "regression_structures": whole_words(r"regress\w+", r"scar-?like", r"pepper\w*", r"white areas?", r"blue areas?"),
    "Abscess": whole_words(r"abscess\w*", r"purulent", "pus"),
    "Black": whole_words(r"black\w*"),
    "Blue": whole_words(r"blu(?:e|ish)\S*"),
    "Brown(Hyperpigmentation)": whole_words(r"brown\S*", r"hyperpigment\w*", r"tan", r"dark\w*"),
    "Bulla": whole_words(r"bull(?:a|ae|ous)", r"blister\w*"),
    "Comedo": whole_words(r"comedo\w*", r"blackheads?", r"whiteheads?"),
    "Crust": whole_words(r"crust\w*", r"scab\w*", "eschar"),
    "Erosion": whole_words(r"ero(?:sion|sions|ded|sive)", "denuded"),
    "Erythema": whole_words(r"erythem\w+", r"red(?:dish|dened|ness)?", r"pink\w*"),
    "Exudate": whole_words(r"exudat\w+", r"ooz\w+", r"weep\w+", r"discharg\w+"),
    "Fissure": whole_words(r"fissur\w+", r"crack\w*"),
    "Flat topped": whole_words(r"flat[ -]topped", r"flat\w*"),
    "Gray": whole_words(r"\S*gr[ae]y\S*"),
    "Induration": whole_words(r"indurat\w+", r"thicken\w+"),
    "Pigmented": whole_words(r"\w*pigment\w*", r"brown\S*", "black", "dark"),
    "Purple": whole_words(r"purpl\w+", r"violac\w+", r"viol\w+"),
    "Purpura/Petechiae": whole_words(r"purpur\w+", r"petechi\w+", r"h[ae]+morrhag\w+"),
    "Salmon": whole_words(r"salmon\S*"),
    "Scale": whole_words(r"scal(?:e|es|y|ing|ed)", r"flak\w+", r"desquamat\w+"),
    "Dome-shaped": whole_words(r"dom(?:e|ed)\S*", r"ha?emispher\w+", "convex", "rounded"),
    "Telangiectasia": whole_words(r"telangiectas\w+", r"telangiectatic", r"vessels?"),
    "Translucent": whole_words(r"translucen\w+", r"pearly"),
    "Ulcer": whole_words(r"ulcer\w*"),
    "Vesicle": whole_words(r"vesic\w+", r"blister\w*"),
    "Warty/Papillomatous": whole_words(r"wart[a-z-]*", r"verrucous", r"papillomat\w+"),
    "White(Hypopigmentation)": whole_words(r"whit\S+", r"hypopigment\w*", r"depigment\w*", r"pale\w*"),
    "Xerosis": whole_words(r"xero\w+", r"dry\w*"),
    "Yellow": whole_words(r"yellow\S*"),
}

_PATIENT = r"(?:patients?|person|individual|adult|subject)"
SEX: dict[str, re.Pattern[str]] = {
    "female": whole_words(r"(?:this|a|the) (?:\S+ )?(?:woman|lady|girl|female)", rf"female {_PATIENT}", "she", "her"),
    "male": whole_words(r"(?:this|a|the) (?:\S+ )?(?:man|gentleman|boy|male)", rf"(?<!fe)male {_PATIENT}", "he", "his"),
}
EPIDEMIC = whole_words(r"more (?:often|common\w*)", r"predominan\w+", r"commonly")
AGE = registered(re.compile(r"(?<![^\W_])(\d{1,3})[ -]?(?:years?|yrs?|y/?o)(?:[ -](?:old|of age))?(?![^\W_])", re.IGNORECASE))

HEDGE = whole_words(
    "may", "might", "possibly", "perhaps", "maybe", "presumably", "conceivably", "probably", "arguably",
    r"(?:it )?seems?(?: to)?", r"could (?:be|represent|suggest|reflect|indicate)", r"(?:hard|difficult|impossible) to (?:say|tell|know)",
    r"not (?:entirely |completely |fully )?(?:sure|certain)", r"cannot be (?:ruled out|excluded)", r"can(?:not|'t) (?:rule out|exclude)",
    r"i (?:think|believe|guess|suppose)", r"uncertain\w*", r"unclear", r"to some (?:extent|degree)", r"or something (?:else|similar|that|like)",
    "apparently", "supposedly", "seemingly", "ostensibly", "purportedly", "likely", "unlikely", "potentially", "plausibly", "tentative(?:ly)?", r"anyone['\u2019]s guess", "doubtful", "questionable", "equivocal", "debatable", "ambiguous", "dubious",
    r"may well", r"(?:well )?be wrong", r"hesitat\w+", r"reluctant\w*", r"more or less", r"(?:might|could|may|would) (?:well |also |just |perhaps |arguably |possibly )?(?:be|suspect|guess|argue|represent|correspond|reflect|indicate|suggest|have|speak|call|say)",
    r"suspect(?:ed|s)?", r"guess\w*", r"suppose\w*", r"presum\w+", r"assum(?:e|es|ed|ing|ption|ably)", r"unless", r"so to speak", r"as it were", r"(?:sort|kind) of", r"if (?:that|this|it) is", r"insofar", r"swear to", r"(?:hardly|scarcely) proves?", r"as though", r"maybe not", r"taken for", r"\bpresumed\b", r"if (?:anything|at all|one|the (?:light|picture|image|focus))",
    r"(?:possible|potential|presumed|putative|probable) (?=\w)", r"something (?:like|resembling|akin)", r"some (?:form|type|kind|sort) of", r"conceivable", r"interpreted as", r"if it is real", r"in keeping with",
    r"(?:cannot|can['\u2019]t|can not|not) (?:\w+ )?(?:be )?(?:sure|certain|say|tell|confident|rule out|decide|commit)", r"(?:no|little|low|limited) (?:certainty|confidence|doubt)", r"confiden\w+", r"somewhat", r"arguabl[ey]", r"imagin\w+", r"impression (?:of|that)", r"appears? to be", r"looks? (?:a bit |somewhat |rather )?like", r"conceivabl[ey]", r"i['\u2019]d say", r"not mistaken", r"who knows", r"if so",
)  # fmt: skip

_ACT = (
    r"(?:excis|biops|treat|refer|monitor|remov|resect|manag|evaluat|examin|follow|surveill|cauteri[sz]|irradiat|prescrib|appl|"
    r"re-?assess|observ|photograph|check|investigat)\w*"
)
_DONE = r"(?:excis|biops|treat|refer|monitor|remov|resect|cauteri[sz]|irradiat|prescrib|re-?assess|photograph|investigat|screen|sampled)\w*"
# Advice on what to do: a picture's reading names a condition and leaves the rest to people.
_CARE = (
    r"(?:biops|excis|treatment|therap|remov|resect|follow-?up|referral|(?:self-)?examinat|check-?up|(?:skin |blood )?(?:checks?|tests?)|surg|monitor|surveillance|"
    r"correlat|investigat|consult|confirmation|cryotherap|laser|phototherap|cream|ointment|antihistamine|antibiotic|antifungal|moisturi[sz]er|emollient|"
    r"sunscreen|retinoid|steroid|corticosteroid|imiquimod|fluorouracil|margin)\w*"
)
_ADVISED = (
    r"(?:recommend|advis|suggest|warrant|indicat|requir|encourag|necessar|need|prudent|appropriate|mandatory|consider|prescrib|order|perform|appl|"
    r"arrang|plan|an option|helpful|useful|sought|of choice)\w*"
)
MANAGEMENT = whole_words(
    rf"{_CARE}(?: \S+){{0,6}} (?:is|are|be|being|was|were|seems?|appears?) (?:\w+ ){{0,2}}{_ADVISED}",
    r"(?:can|could|may|might|should|must|ought to|needs? to|has to) be (?:\w+ly )?(?:removed|treated|ordered|prescribed|applied|excised|biopsied|referred|monitored)",
    rf"(?:one|you|the patient|patients|the doctor|we) (?:should|must|ought to|needs? to|has to|have to) (?:\w+ )?(?:use|apply|take|see|consult|visit|avoid|return|have|{_ACT})",
    rf"{_CARE} (?:would|could|might|may|should|will) (?:help|work|be an option|be tried|suffice)",
    r"(?:please |to )?(?:seek|consult|see|visit|contact) (?:an? |the |your |medical |immediate )*(?:doctor|dermatologist|physician|specialist|attention|advice|help|care)",
    r"re-?examin\w+", r"(?:of|for) choice",
    r"(?:tests?|scrapings?|microscopy|imaging|swabs?|cultures?|biops(?:y|ies)|examination|dermoscopy|work-?up|investigations?) (?:\w+ ){0,4}(?:would|could|might|may|will|can) (?:\w+ly )?(?:help|clarify|confirm|settle|resolve|exclude|establish|be (?:helpful|useful|needed|necessary|wise|prudent|worthwhile|done|performed|taken))",
    rf"(?:should|must|ought to|needs? to|has to|have to) (?:\w+ )?be (?:\w+ly )?{_DONE}",
    rf"(?:requires?|warrants?|merits?|necessitates?|needs) (?:an? |immediate |urgent |prompt |further |complete |surgical |wide |early ){{0,3}}{_ACT}",
    rf"{_ACT} (?:\w+ ){{0,2}}(?:is|are|was) (?:\w+ly )?(?:recommended|advised|indicated|warranted|required|suggested|mandatory|needed)",
    r"(?:i|we|they) (?:would )?(?:recommend|advise|prescribe)", r"(?:i|we) (?:would )?suggest (?!a pigment)", r"recommend(?:ed|s|ing|ations?)", r"advis(?:ed|able|e to)",
    r"(?:first|second)[ -]line (?:treatment|therapy|agent)", r"treatment (?:of choice|options?|plan|consists?|includes?|with)",
    r"(?:topical|oral|systemic|intralesional) (?:\w+ )?(?:steroids?|corticosteroids?|antibiotics?|antifungals?|retinoids?|therapy|treatment|agents?)",
    r"(?:mohs|cryotherapy|curettage|phototherapy|chemotherapy|immunotherapy|radiotherapy|antibiotics?|antifungals?|corticosteroids?)"
    r"(?: (?:surgery|treatment|is|are|should|would|may|can))",
    r"apply (?:a |an |the )?(?!to\b|here\b|equally|only|also|as\b|in\b|both|well)\w+", r"\d+ ?(?:mg|ml|%) (?:of )?\w+ (?:daily|twice|once|cream|ointment)", r"(?:prompt|urgent|early|immediate) referral",
    r"follow-?up (?:in|within|after|every|visits?|is|examinations?)", r"sun (?:protection|avoidance|screen)", r"sunscreen",
    *topics.CARE,
)  # fmt: skip

# Names that stand for signs, scales and tests.
EPONYMS = frozenset(
    [
        "wickham",
        "koebner",
        "köbner",
        "auspitz",
        "nikolsky",
        "darier",
        "beau",
        "mees",
        "muehrcke",
        "terry",
        "hutchinson",
        "gottron",
        "fitzpatrick",
        "monk",
        "glogau",
        "wood",
        "becker",
        "ota",
        "ito",
        "blaschko",
        "langer",
        "tzanck",
        "gram",
        "romberg",
        "fordyce",
        "montgomery",
        "pastia",
        "forchheimer",
        "koplik",
        "janeway",
        "osler",
        "heberden",
        "bouchard",
        "virchow",
        "leser",
        "trelat",
        "trélat",
        "dennie",
        "morgan",
        "hertoghe",
        "skincon",
        "derm7pt",
        "isic",
        "english",
        "latin",
    ]
)

_MONTH = r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
# Words that name a person or lead to one.
PERSONAL: tuple[re.Pattern[str], ...] = (
    registered(re.compile(r"[\w.+-]+ ?(?:@|\(at\)|\[at\]) ?[\w-]+ ?(?:\.|\(dot\)|\[dot\]) ?\w[\w.]*")),
    registered(
        re.compile(r"(?<!\w)(?:tel|phone|mobile|fax|call)\b\.?:? ?(?:number )?(?:is )?[+\d(][\d ()./-]{5,}", re.IGNORECASE)
    ),
    registered(re.compile(r"(?<!\w)\+\d[\d ()./-]{6,}")),
    registered(re.compile(r"(?<!\w)(?:lives? (?:at|in)|address(?: is)?:?) \w+", re.IGNORECASE)),
    registered(re.compile(r"(?<!\w)\d{1,5} (?:[A-Z]\w+ ){1,3}(?:Street|St|Road|Rd|Avenue|Ave|Lane|Drive|Square|Way)\b")),
    registered(re.compile(r"https?://\S+|\bwww\.\S+")),
    registered(
        re.compile(
            r"(?<!\d)(?:\+\d{1,3}[ .-]?)?(?:\(\d{2,4}\)|\d{2,4})[ .-]\d{3,4}[ .-]\d{2,4}(?:[ .-]\d{2,4})?(?!\d)"
            r"|(?<!\d)\d{1,2}[/.]\d{1,2}[/.](?:19|20)?\d{2}(?!\d)|(?<!\d)(?:19|20)\d{2}[-/.]\d{1,2}[-/.]\d{1,2}(?!\d)"
            rf"|\b\d{{1,2}}-{_MONTH}-(?:19|20)?\d{{2}}\b|\b\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTH},? (?:19|20)\d{{2}}\b|\b{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? (?:19|20)\d{{2}}\b",
            re.IGNORECASE,
        )
    ),
    whole_words(
        "mrn",
        "ssn",
        "nhs (?:no|number)",
        "dob",
        r"dates? of birth",
        r"born (?:on|in)",
        r"social security",
        r"(?:study|insurance|accession|policy|passport) (?:id|no\.?|number|#)",
        r"(?:patient|record|case|hospital|chart|subject|file) (?:id|no\.?|number|name|#)",
        r"record #? ?\d+",
    ),
    registered(re.compile(r"(?<!\w)(?:ID|No|Nr|Number|Record|Ref)\.?:? ?#?[A-Z]{0,5}-?\d{5,}")),
    registered(
        re.compile(
            r"(?<![\w.])[A-Z]{0,5}[#-]?\d{4,}(?![\d%])|(?<![\w.])[A-Z]{1,4}[#-]?\d{3,}(?!\w)|(?<![\w.])\d{2,}-[A-Z0-9]{1,4}-?\d{2,}|(?<![\w.])\d{3,4}[- /]\d{3,}"
        )
    ),
    registered(
        re.compile(
            r"(?<!\w)[A-Z][a-z]+['\u2019]s (?:left|right|own|hand|hands|arm|leg|foot|feet|face|back|skin|mole|lesion|nose|cheek|finger|shoulder|chest|neck|body)\b"
        )
    ),
    registered(
        re.compile(
            r"(?:reads|says|name|named|signed|labelled|labeled|marked|written|shows|bears)\b[^.A-Z]{0,12}['\u2018\u201c\"][A-Z][\w-]+,? [A-Z]"
        )
    ),
    registered(re.compile(r"\b\d{4}:\d{2}:\d{2}\b|\b\d{1,2}:\d{2}(?::\d{2})?(?: ?[ap]m)?\b")),
    whole_words(
        "january",
        "february",
        "april",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        r"(?:in|of|since|last|early|late|mid) (?:march|may)",
        r"(?:march|may) (?:of )?(?:19|20)\d\d",
        r"\d{1,2}(?:st|nd|rd|th)? (?:of )?(?:march|may)",
        "surname",
        r"(?:instagram|facebook|twitter|whatsapp|linkedin|telegram|skype)",
        "initials",
        "wristband",
        "passport",
        r"e-?mail",
        "phone",
        "telephone",
        r"postcode",
        "zip code",
        r"streets?",
        r"(?:residing|resident|lives|living) (?:at|in)",
        r"home address",
        "pt",
    ),
    registered(
        re.compile(
            r"(?<!\w)(?:[Rr]eads|[Ss]ays|[Tt]he name|[Cc]ourtesy of|[Ss]igned|[Bb]y):? (?:Prof\.? |Dr\.? )?(?:[A-Z]\.|[A-Z][a-z]+) [A-Z][a-z]+"
        )
    ),
    registered(re.compile(r"(?<!\w)(?:Name|Patient|Pat\.|Surname|Subject): ?[A-Z][a-z]+")),
    registered(
        re.compile(
            r"(?<!\w)(?:belongs to|owned by|photo of|picture of|image of|signed by|taken by) (?:Mr\.? |Mrs\.? |Dr\.? )?[A-Z][a-z]+ [A-Z][a-z]+"
        )
    ),
    registered(
        re.compile(
            r"(?<!\w)(?:Mr|Mrs|Ms|Miss|Dr|Prof|Professor|Doctor|Nurse|Sister|Sir|Madam|Lady|Herr|Frau|Madame|Monsieur|Se\wor|Se\wora)\b\.? ?[A-Z][a-z]+"
        )
    ),
    registered(re.compile(r"(?<!\w)(?:[Nn]amed|[Cc]alled|[Nn]ame is) [A-Z][a-z]+(?: [A-Z][a-z]+)?")),
)
