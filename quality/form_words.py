"""How prose speaks of the outline, edge, symmetry, shape and number of colours of a whole lesion: what each measured statement contradicts.

All patterns match whole words and ignore case. Written for this project.
"""

import re

from quality.patterns import frames, whole_words

_RIM = r"(?:edges?|borders?|margins?|outlines?|contours?|demarcation|periphery|rim|boundar(?:y|ies)|perimeter|circumference|border line|silhouette|delimitation|limits?|transition|borderline|line)"
_BE = r"(?:is|are|appears?|looks?|seems?|remains?|runs?|being|(?:can|could|may|might) be (?:called|termed|considered|described as))"
_HOW = r"(?:very |quite |rather |fairly |clearly |notably |remarkably |strikingly |perfectly |entirely |overall |well |markedly |highly |distinctly |only |largely |visibly |generally |relatively )?"
_AROUND = r"(?:the |its |an? )?(?:\w+ )?(?:adjacent|surrounding|surroundings?|neighbou?ring|neighbou?rhood|normal|healthy|unaffected|uninvolved|adjoining|skin|background|periphery|environment|perilesional)"

_SHARP_WORD = r"(?:sharp|abrupt|crisp|distinct|clear|clear-?cut|clean|clean-?cut|neat|precise|hard|definite|well[ -]?(?:defined|demarcated|circumscribed|delineated|delimited|marked|outlined|bounded)|knife-?like|knife-?edge|razor-?sharp|punched-?out)"
_SHARP = (
    rf"{_SHARP_WORD}(?:ly)?,? (?:and \w+ |\w+ )?{_RIM}",
    rf"{_RIM} (?:that |which |itself )?{_BE} {_HOW}(?:\w+ \w+ and )?{_SHARP_WORD}",
    r"(?:ends?|stops?|stands? out|set off|sets? itself off|demarcated|delimited|bounded|cut off|breaks? off|contrasts?|terminates?|drops? off|stands? apart|marked off) (?:very |quite )?(?:abruptly|sharply|clearly|crisply|suddenly|neatly|cleanly|distinctly|well)",
    r"(?:abruptly|sharply|clearly|crisply|neatly|cleanly|distinctly|precisely|well|suddenly|easily)[ -](?:bordered|edged|limited|confined|ends?|stops?|set off|delimited|separated|separates|marked off|demarcated|defined|circumscribed|bounded|delineated|outlined|distinguished|told apart|contrasted)",
    r"as if (?:cut|drawn|punched|stamped|outlined|carved)", r"within a hair", r"(?:clear-?cut|crisp|distinct|sharp|clearly distinct) (?:against|from)", r"punched[ -]out", r"no (?:blurring|fading|gradual transition|fuzziness)",
    r"(?:abrupt|sharp|clean|crisp) (?:transition|change|end|ending|cut-?off|drop-?off|stop|step)", r"stark (?:contrast|border|edge)", r"unmistakable (?:border|edge|boundary|margin)", r"sharpness of the (?:border|edge|margin)", r"(?:sharp|clean|crisp|hard|clear)-(?:edged|bordered|margined)", r"well-(?:marginated|delineated)", "edge: sharp",
)  # fmt: skip
_SOFT_WORD = r"(?:gradual|blurred|blurry|fading|indistinct|ill[ -]?(?:defined|demarcated|circumscribed|delineated|marked|delimited)|poorly[ -](?:defined|demarcated|circumscribed|delineated|marked|delimited|visible)|diffuse|vague|fuzzy|hazy|smudged|smudgy|soft|smeared|washed-?out|feathered|feathery|unsharp|obscure|imperceptible|unclear|faint|nebulous|undefined|not (?:sharp|clear|well defined|well demarcated|distinct))(?:ly)?"
_GRADUAL = (
    rf"{_SOFT_WORD},? (?:and \w+ |\w+ )?{_RIM}",
    rf"{_RIM} (?:that |which |itself )?{_BE} {_HOW}{_SOFT_WORD}",
    r"(?:gradual|smooth|seamless|imperceptible|slow|soft|gentle|continuous) transition(?:s)?",
    rf"(?:fades?|fading|merges?|merging|blends?|blending|passes|passing|melts?|melting|dissolves?|dissolving|bleeds?|bleeding|diffuses?|trails? off|tapers? off|peters?|tails? off|runs? out|shades?|grades?|feathers?|vanish\w*|disappear\w*|loses? itself|lost|flows?) (?:out )?(?:\w+ly |slowly |softly |seamlessly )?(?:out )?(?:in|into|with|to|towards?|at|from|within) {_AROUND}",
    r"(?:fades?|fading|peters?|trails?|tapers?|shades?|tails?|dies|ebbs?|feathers?) (?:out|off|away)(?: \w+ly| slowly)?",
    r"(?:ill|poorly|vaguely|badly|weakly|indistinctly|not (?:sharply|clearly|well))[ -](?:demarcated|defined|circumscribed|delineated|delimited|bounded|marked|outlined|set off)",
    r"without (?:an? |any )?(?:\w+ )?(?:clear|sharp|distinct|definite|visible|discernible|recogni[sz]able)[ -]?(?:cut )?" + _RIM,
    r"no (?:clear|sharp|distinct|definite|visible|obvious|discernible)(?:-cut)? " + _RIM,
    r"lack(?:s|ing)? (?:an? |any )?(?:clear|sharp|distinct|definite|crisp|abrupt|precise|well-defined)(?:-cut)? " + _RIM,
    r"(?<!lines that )(?<!lines which )(?:transition|thin)(?:s|ing)? (?:out )?(?:gradually|smoothly|slowly|imperceptibly|softly|gently|seamlessly)", r"(?:soft|fuzzy|blurry)-(?:edged|bordered)", rf"{_SOFT_WORD} (?:at|along|around) (?:its|the) {_RIM}",
    r"(?:hard|difficult|impossible) to (?:tell|say|see|define|delimit|trace|locate) (?:exactly |precisely )?where (?:it|the lesion) (?:ends|stops)",
    "edge: gradual",
)  # fmt: skip

_RAGGED = r"(?:irregular|jagged|notched|ragged|scalloped|uneven|zig-?zag|map-?like|geographic(?:al)?|serrated|wavy|undulating|crenated|indented|lobulated|lobed|erratic|bumpy|rough|broken|angular|angulated|saw-?tooth(?:ed)?|polycyclic|meandering|tortuous|frayed|spiky|bizarre|wobbly|non-?uniform|variable|amoeboid|amoeba-?like|star-?like|craggy|toothed)"
_IRREGULAR = (
    rf"{_RAGGED}(?:ly)?,? (?:and \w+ |\w+ )?{_RIM}(?! of its own)",
    rf"{_RAGGED}(?:ly)? (?:in (?:its )?(?:outline|contour|shape of the border)|outlined|contoured|bordered|shaped border|around (?:its|the) (?:edge|border|margin|rim))", rf"(?:outlined|bordered|bounded|contoured) in an? (?:\w+,? (?:and )?)?{_RAGGED}",
    rf"{_RIM} (?:that |which |itself )?{_BE} {_HOW}{_RAGGED}",
    rf"{_RIM} (?:\w+ly |that )?(?:shows?|has|have|with|bears?|displays?|exhibits?|features?) (?:several |many |multiple |some |deep |shallow |irregular |numerous |distinct |prominent ){{0,2}}(?:notch\w*|indentations?|bulges?|projections?|protrusions?|extensions?|irregularit\w+|teeth|lobes?|bays?|spikes?|steps?|angles?|scallops?|undulations?)",
    rf"(?:finger-?like |tongue-?like |angular |sharp |irregular |multiple |several |small |peripheral |pointed )?(?:projections?|protrusions?|extensions?|indentations?|bulges?|notches|bays|lobes|scallops) (?:all )?(?:along|around|of|in|at|on|from) (?:the |its )(?:whole |entire |outer )?{_RIM}",
    rf"(?:bulges|notched|indented|scalloped|jagged|ragged|serrated|lobed)(?: and \w+)? (?:all )?(?:along|around|at|in) (?:the |its )(?:whole |entire |outer )?{_RIM}",
    r"(?:bulges|bends|juts|swings|winds) (?:and \w+ )?(?:in and out|back and forth|all along)", rf"{_RIM} that (?:bulges?|juts?|caves?|winds?|zigzags?)", r"(?:runs?|sends?|throws?|shoots?) out (?:into )?(?:\w+ ){0,3}(?:projections?|tongues|extensions|processes|fingers|spurs)", r"coast-?line", r"outline: irregular", r"irregularly (?:bordered|outlined|edged|contoured)", r"(?:an|its) (?:overall )?irregular (?:shape|form|configuration)", r"border irregularit(?:y|ies)", rf"irregularit(?:y|ies) (?:of|in|along) (?:its |the )?{_RIM}", rf"(?:anything but|far from|hardly) (?:regular|smooth|even)(?:ly)? (?:\w+ ){{0,3}}{_RIM}", rf"no (?:regular|smooth|even) {_RIM}", r"zig-?zags?", rf"{_RAGGED} (?:at|along|around) (?:its|the) {_RIM}", r"(?:irregular|ragged|jagged|uneven)-(?:edged|bordered|margined|outlined)",
)  # fmt: skip
_EVEN = r"(?:smooth|regular|even|clean|unbroken|uninterrupted|uniform|round(?:ed)?|gently curved|evenly curved|continuous|simple|steady|flowing|orderly|tidy|well-rounded|geometric(?:ally)?|unindented)"
_SMOOTH = (
    rf"(?<!ir){_EVEN}(?:ly)?,? (?:and \w+ |\w+ )?{_RIM}",
    r"(?:smooth|regular|even|uniform)(?:ly)? (?:in (?:its )?(?:outline|contour)|outlined|contoured|bordered|around (?:its|the) (?:edge|border|margin|rim))",
    r"smoothly (?:curved|rounded|outlined|contoured|bounded|bordered|delimited)",
    rf"(?<!ir)(?<!but )(?<!from ){_EVEN}(?:,? (?:and )?\w+)? (?:all )?(?:along|around|at) (?:its|the) (?:\w+ )?{_RIM}", rf"{_RIM} (?:that is |is )?as (?:regular|smooth|even) as",
    rf"{_RIM} (?:\w+ |that )?{_BE} {_HOW}{_EVEN}(?:ly)?", r"(?:smooth|even) (?:sides|flanks)", r"neatly (?:contoured|outlined|rounded|curved)", r"no (?:jags|teeth|spikes|notches|bays)",
    rf"{_RIM} (?:describes?|forms?|follows?|traces?|makes?|draws?) (?:an? )?(?:\w+ )?(?:smooth|even|gentle|regular|continuous|unbroken|clean|steady)",
    r"(?:no|without|free of|lacks?|lacking|devoid of) (?:any )?(?:notch\w*|indentations?|irregularit\w+|bulges?|projections?|scallop\w*|jaggedness|unevenness)(?: or \w+)?",
    r"(?:gently|evenly|softly|regularly|uniformly) (?:curved|rounded|curving)", r"outline: smooth", r"(?:smooth|even|regular)-(?:edged|bordered|margined|outlined|contoured)", r"regularly (?:shaped|formed|bordered|outlined|contoured)",
)  # fmt: skip

_AXES = r"(?:axis|axes|direction|directions|midline|diameter|plane|way|ways|centre|center|line|middle)"
_ASYMMETRIC = (
    r"(?:lacks?|lacking|loses|loss of|without any|without|devoid of|no|absence of|not? (?:show|have|display|exhibit)(?: any)?|breaks?|disturbed|missing) (?:any |overall |bilateral |mirror |clear |real |such )?symmetry",
    r"(?:not|never|neither|far from|anything but|hardly|no longer|fails to be) (?:\w+ly |really |at all )?symmetric(?:al)?",
    r"asymmetr(?:ic|ical|ically|y|ies)", r"a-?symmetr\w+", r"unsymmetric\w*", r"non-?symmetric\w*", r"neither (?:horizontally|vertically|lengthwise|across) nor (?:horizontally|vertically|lengthwise|across)", r"lop-?sided\w*", r"skew\w*", r"unbalanced", r"imbalanc\w+", r"off-?balance", r"disproportion\w*", r"one-?sided", r"disharmon\w+", r"uneven(?:ly)? (?:built|balanced|shaped|proportioned|distributed about)",
    r"(?:unequal|uneven|different|dissimilar|unlike|mismatched|non-?matching|non-?identical) (?:halves|sides|parts|quadrants)",
    r"(?:no|neither|not|cannot|never|nowhere)(?: \w+){0,5} (?:halves|sides|quadrants)(?: \w+){0,3} (?:alike|equal|match\w*|same|mirror\w*|identical|correspond\w*|similar)",
    r"(?:halves|sides|quadrants)(?: \w+){0,4} (?:differ\w*|do not|don['\u2019]t|fail to|unlike|not)(?: (?:match|mirror|correspond|equal|resemble|look alike|markedly|clearly))?",
    r"(?:fails? to|does not|doesn['\u2019]t|cannot|do not) (?:\w+ly )?mirror(?: (?:itself|each|one))?", r"differs? (?:\w+ly )?(?:from (?:left|one (?:side|half)|top|side)|on (?:both|either|the two) sides|between (?:the )?(?:two )?(?:halves|sides)|across)", r"(?:one|the (?:left|right|upper|lower)) (?:half|side) (?:\w+ ){1,3}(?:larger|bigger|wider|darker|different|unlike|heavier|broader|more)(?: \w+){0,3} (?:than|from|to) (?:the )?other",
    r"(?:cannot|can not|could not|can['\u2019]t) be (?:\w+ )?(?:divided|cut|halved|folded|split|bisected|mirrored)", r"(?:match\w*|mirrors?|equals?|resembles?) itself (?:along|in|on|about) (?:neither|no)", rf"along neither {_AXES}", r"(?:poor|low|little|minimal|reduced) (?:degree of )?symmetry", r"(?:no|neither|without an?|without any) (?:axis|axes|plane|line)s? of (?:symmetry|reflection)", r"(?:depart|deviat)\w* (?:\w+ly )?from symmetry", r"symmetry (?:is|was) (?:\w+ly )?(?:lost|absent|lacking|missing|broken|disturbed|violated|not|poor)", "symmetry: asymmetric in (?:one axis|both axes)",
)  # fmt: skip
_SYMMETRIC = (
    r"(?<!a)(?<!un)(?<!non-)symmetrically(?! (?:arranged|distributed|placed|spaced|set))",
    r"(?<!no )(?<!lacks )(?<!not )(?:bilateral(?:ly)?|good|perfect|overall|radial|mirror|full|complete|high|near-?perfect|marked|striking|clear|axial)(?: and \w+)?,? symmetr(?:y|ic|ical)",
    r"symmetr(?:y|ic|ical) (?:in|along|about|across|on|around|with respect to) (?:both|all|either|every|each|two|its|the (?:two|vertical|horizontal|long|short))",
    r"(?<!but )symmetric(?:al)?(?! in one| in distribution| distribution| arrange| on one| along one|ly)", r"(?<!no )(?<!of )(?<!any )(?<!lacks )(?<!lack )(?<!from )(?<!in )(?<!little )(?<!poor )symmetry (?:is|in|along|of|about|across|on|both)(?! (?:\w+ly )?(?:lost|absent|lacking|missing|broken|disturbed|violated|not|poor|low|one|only|neither)\b)",
    r"(?:shows?|displays?|exhibits?|has|possess(?:es)?|maintains?|keeps?|retains?|demonstrates?) (?:an? )?(?:(?!no|little|poor|limited|partial|only)\w+ )?symmetry(?! in one| in only| along one| in neither)", r"for (?:its|the) (?:\w+ )?symmetry", r"(?:does not|doesn['\u2019]t|do not|don['\u2019]t|hardly) differ (?:\w+ly )?(?:from one|between|from side)", r"(?:high|great|strong|considerable|striking|remarkable|large) degree of symmetry", r"(?:no|without|without any|lacks|lacking|free of|devoid of) (?:\w+ )?asymmetr(?:y|ies)",
    r"(?:two |both |its |the |all )?(?:halves|sides|quadrants|parts) (?:that |which )?(?:\w+ )?(?:mirror|match|equal|correspond|resemble|coincide|agree|are (?:\w+ly )?(?:alike|equal|identical|the same|similar|congruent|mirror images?)|look (?:\w+ )?(?:alike|the same|identical))\w*",
    r"mirror(?:s|ed|ing)? (?:each|one) (?:other|another)", r"mirror(?:s|ed)? itself", r"mirror image (?:of|along|across)", r"(?:folds?|folded|folding) (?:onto|over|on|in|upon)(?: itself)?", r"(?:same|identical|equal|alike) (?:\w+ ){0,2}(?:on|in|along|across|about) (?:either|both|all|each|every|the (?:left|right|two|other)|opposite)", r"(?:evenly|equally|well|perfectly|nicely|harmoniously) (?:balanced|proportioned|built)", r"balanced (?:about|around|along|in|shape|form|on)", r"(?:\w+ly )?(?:matching|equal|identical|mirrored|congruent|mirror-image|corresponding|like) (?:parts|halves|sides|quadrants)", r"harmonious\w*", r"(?:could|can|may) be (?:\w+ )?(?:halved|bisected|divided|cut|split|folded)", "symmetry: symmetric",
)  # fmt: skip

_TINT = r"(?:colou?rs?|hues?|shades?|tones?|tints?|tonalit(?:y|ies)|colou?rations?|pigments?)"
_MANY = (
    rf"(?:three|four|five|six|seven|several|multiple|many|various|numerous|diverse|a (?:wide |broad |whole |rich )?(?:range|variety|mixture|mix|multitude|medley|palette|spectrum|blend|patchwork|number|array|wealth|mosaic) of|different|varied|varying|all sorts of|manifold|(?:more than|over|at least) (?:two|three|four|five))(?: or more)? (?:different |distinct |various |separate |of )?{_TINT}",
    r"polychrom\w+", r"variegat\w+", r"multi-?colou?red", r"multi-?chrom\w+", r"many-?colou?red", r"multi-?ton(?:ed|al)", r"colou?rful", r"motley", r"mottled (?:in )?colou?r\w*", r"kaleidoscop\w+", r"(?:palette|medley|mosaic|patchwork|spectrum|rainbow|range|blend) of (?:\w+ )?(?:tints?|tones?|hues?|shades?|colou?rs?)", rf"{_TINT} (?:vary|varies|varying|differ|change|range|alternate)", r"(?:marked|pronounced|considerable|striking|prominent|notable|wide|great|obvious|substantial|significant|clear|strong) (?:colou?r|tonal|chromatic|pigment\w*) (?:variation|variegation|variability|heterogeneity|diversity|differences|contrasts?)", r"(?:no|not) fewer than (?:three|four|five) (?:colou?rs|hues|shades|tones)", r"(?:three|four|five)(?:, if not \w+,| or more| or \w+) (?:\w+ )?(?:colou?rs|hues|shades|tones)", r"more than one (?:colou?r|hue|shade|tone)", r"(?:varies|vary|varying|differs?|differing) (?:\w+ly )?in (?:colou?r|hue|tone|shade)", r"multi-?hued", r"[3-9] (?:different |distinct )?colou?rs", r"colou?r variegation", r"(?:heterogeneous|uneven|inhomogeneous|non-?uniform|varied|diverse)(?:ly)? (?:in )?colou?r\w*", "number of colours: three or more",
)  # fmt: skip
_ONE = (
    rf"(?:one|a single|single|one single|only one|the same|just one|a sole|one and the same|uniform|a uniform|homogeneous|a homogeneous|even|an even|unvaried|constant|a constant) {_TINT}(?! of| at| near)(?:(?: \w+)? (?:throughout|all over|everywhere))?",
    r"uniform(?:ly|ity)? (?:in |of )?(?:colou?r(?:ation|ing|ed)?|tone|hue|pigment(?:ed|ation)?|tinted)", r"unicolou?r\w*", r"(?:single|one)-?(?:colou?red|toned|tone|hued?)", r"one-?colou?red", r"monochrom\w+", r"mono-?ton(?:e|al|ous)", r"(?:homogeneous|even|uniform|equal|identical)(?:ly)? (?:colou?red|tinted|shaded|brown|red|pink|black|white|tan)", r"colou?red (?:alike|uniformly|evenly|equally|the same|homogeneously)", rf"(?:no|without|free of|lacks?|lacking|not (?:show|have|display|bear)|never|bears no|nor) (?:any |a |an |one )?(?:second|other|further|additional|variation (?:in|of)|change (?:in|of)|different|admixture|differences? (?:in|of)|contrast\w* (?:in|of)|variety (?:in|of)) {_TINT}", rf"(?:not|never|hardly|nowhere|does not|doesn['\u2019]t) (?:\w+ )?(?:vary|varies|change|changes|differ) in {_TINT}", rf"same {_TINT} (?:throughout|all over|everywhere|from)",
    r"(?:no|without|free of|lacks?|lacking|absent|absence of|little|minimal|devoid of) (?:an? |any )?(?:\w+ )?(?:colou?r|tonal|chromatic|pigment(?:ary|al)?) (?:variations?|variegation|variability|changes?|differences?|gradients?|heterogeneity|contrasts?|diversity)", r"(?:no|without|free of|lacks?) (?:any |visible )?variegation",
    rf"(?:uniform|even|homogeneous|consistent|constant|unvarying|unvaried|monotone|solid|single|uninterrupted),? (?:and )?(?:\w+,? ){{0,2}}{_TINT}(?! of| at| near)", rf"{_TINT} (?:is|are|remains?|appears?|stays?|looks?) (?:\w+ly )?(?:uniform|even|homogeneous|consistent|constant|identical|the same|unvarying|unchanged|monotonous|single)", "number of colours: one",
)  # fmt: skip

_LONG = (
    r"elongat\w+(?!(?:,? (?:and )?[\w-]+){0,4} (?:vessels?|loops?|hairpins?|capillar\w+|streaks?|globules?|structures?|lines?|projections?|dots?)\b)", r"linear (?:lesion|shape|form|configuration|outline|morphology|band|figure|plaque)", r"linearly (?:shaped|configured|oriented)", r"longer than (?:its )?(?:width|breadth)", r"is (?:\w+ly )?linear", r"(?:forms?|makes?|draws?) an? (?:\w+ )?(?:line|band|streak|stripe|strip)", r"long and (?:narrow|thin|slender)", r"extends? (?:far|much|further|mainly) in one direction", r"narrow and long", r"shape: elongated", r"(?:stretched|drawn|pulled) out", r"longer than (?:it is )?(?:wide|broad|tall)", r"(?:stretched|slender|narrow|lengthy|long)(?:,? \w+)? (?:shape|form|band|strip|stripe|outline|configuration|figure|streak|lesion|ellipse)", r"(?:ribbon|strip|stripe|rod|bar|sausage|torpedo|sliver|streak|cigar|spindle|boat)[ -](?:like|shaped)", r"fusiform", r"(?:form|shape) of an? (?:spindle|rod|bar|cigar|ribbon|line|band|boat|ellipse|strip)", r"(?:twice|thrice|\w+ times) (?:its|the) (?:width|breadth)", r"band-?like", r"rod-?(?:like|shaped)", r"oblong", r"(?:length|long) (?:\w+ ){0,4}(?:times|exceeds?|greater than|more than)(?: \w+){0,3} (?:width|wide|breadth)", r"(?:twice|three times|four times|several times|many times|much|far|considerably|clearly|markedly) (?:as long|longer|its width|the width)", r"(?:several |three |many |four )times its width", r"narrow (?:band|streak|strip|line|shape|lesion)", r"stretch(?:es|ed) (?:\w+ ){0,3}(?:axis|direction|lengthwise|line)", r"length(?:wise|-to-width)",
)  # fmt: skip
_ROUND = (
    r"(?:round|circular|rounded|roundish|discoid|disc-?like|disk-?like|disc-?shaped|disk-?shaped|coin-?(?:like|shaped)|ball-?(?:like|shaped)|spherical|globular|ring-?like|nummular)(?:,? (?:and )?[\w-]+){0,2} (?:lesion|shape|outline|form|configuration|silhouette|contour|footprint|spot|patch|plaque|figure|macule|papule|nodule|area|overall|morphology|geometry|appearance|profile|perimeter|build|disc|mass)",
    r"well[ -]rounded(?! (?:border|edge|margin|outline|contour|rim))", r"equal (?:in )?(?:length and (?:width|breadth)|(?:width|breadth) and (?:length|height))", r"(?:length and (?:width|breadth)|(?:width|breadth) and (?:length|height)|diameters?) (?:that |which )?(?:are|is|look|appear|measure)? ?(?:\w+ly |about )?(?:equal|the same|similar|identical|match\w*|alike)", r"length (?:equals|matches) (?:its |the )?(?:width|breadth)", r"roundness", r"circularity", r"orbicular", r"(?:no|without an?) (?:long|longer|longest) (?:axis|diameter)",
    r"(?:is|appears|looks|seems|being|remains|be called|be termed|described as) (?:\w+ly |almost |nearly |quite |roughly )?(?:an? )?(?:near-?perfect |perfect |almost perfect |nearly )?(?:round|rounded|circular|roundish|discoid|disc-?like|disk-?like|disc-?shaped|coin-?(?:like|shaped)|ball-?like|nummular|circle|disc|disk)(?: in (?:shape|outline|form))?",
    r"(?:round|rounded|circular) (?:in|of) (?:shape|outline|form|contour)", r"(?:forms?|describes?|makes?|resembles?|draws?|approximates?|approaches|comes close to|has the (?:shape|form) of|takes the (?:shape|form) of|shaped like|like) (?:an? )?(?:\w+ )?(?:near-?perfect |perfect |neat |regular )?(?:circle|disc|disk|coin|ball|sphere|button)", r"(?<!twice )(?<!times )(?:as wide as|as broad as|as long as) (?:it is )?(?:long|high|tall|wide|broad)", r"equally (?:wide|broad|long)(?: \w+){0,4}", r"(?:same|equal) (?:diameter|width|extent|length) in (?:all|every|both|each)", r"coin-?\w+", r"isodiametric", r"(?:form|shape) of an? (?:round|circular|\w+ly round) \w+", r"full moon", r"(?:same|equal)(?:ly)? (?:\w+ )?(?:across )?in (?:every|all|each) direction", r"spherical", r"equal diameters?", r"circularly", r"near-?perfect circle", "shape: round",
)  # fmt: skip

AGAINST: dict[str, re.Pattern[str]] = {
    "edge: sharp": frames(*_GRADUAL),
    "edge: gradual": frames(*_SHARP),
    "outline: smooth": frames(*_IRREGULAR),
    "outline: irregular": frames(*_SMOOTH),
    "symmetry: symmetric": frames(*_ASYMMETRIC),
    "symmetry: asymmetric in both axes": frames(*_SYMMETRIC),
    "number of colours: one": frames(*_MANY),
    "number of colours: three or more": frames(*_ONE),
    "shape: round": frames(*_LONG),
    "shape: elongated": frames(*_ROUND),
}
"""Phrases that a measured statement contradicts."""

PARTLY = whole_words(
    r"part(?:ly|ially)", r"slight(?:ly)?", r"mild(?:ly)?", r"focal(?:ly)?", r"somewhat", r"rather", r"almost", r"nearly",
    r"mostly", r"largely", r"minimal(?:ly)?", r"in places", r"(?:one|some|at|part|parts|areas?) (?:of|the)", r"segment\w*",
)  # fmt: skip
"""Ahead of a phrase: it is said of a part, or with a limit."""
