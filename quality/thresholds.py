"""Every threshold of the quality checks, each with its source."""

# Images
# Pixels a header may claim: a 178-megapixel limit is Pillow's own idea of a bomb; the largest dermatology photographs have 60 million.
MAX_PIXELS = 178_956_970
# Pixels of the shorter side: total-body crops of ISIC 2024 go down to 61, below 32 nothing can be described.
MIN_SIDE = 32
# 8-bit levels by which a colour profile may move colours and still be sRGB: its variants differ by rounding (a plain gamma of 2.2: 3.5),
# Display P3 and Adobe RGB by up to 102.
SRGB_WITHIN = 4

# Evidence (measured at a longest side of 192 pixels; calibrated on HAM10000's published masks and on phantoms)
# CIE76 difference between lesion and skin below which no outline is drawn; 2.3 is just noticeable, hair and pores make 5.
LESION_CONTRAST = 9.0
# The Otsu threshold of the distance from skin is lowered by this factor: lesion margins fade, and Otsu cuts at half height.
OTSU_FACTOR = 0.8
# Share of the picture that a plausible outline covers.
LESION_AREA = (0.015, 0.8)
# Area of other components, relative to the chosen one, from which it is not one lesion.
FRAGMENTS = 0.8
# L* under which a region that reaches a corner is the black surround of a dermoscope.
SURROUND_LIGHTNESS = 18.0
# Depth of a black-hat, in grey levels, that counts as hair.
HAIR_DEPTH = 14
# Share of the picture's border that an outline may touch before its shape is unknown.
FRAME_CONTACT = 0.02
# Margin in which no colour is counted, in lesion radii: where soft edges are half skin.
MARGIN = 0.1
# Share of the lesion that a colour must cover to be named; ABCD counts colours at about 5 %, twice that is clear of noise.
COLOUR_SHARE = 0.1
# Share that any colour not named may have when the number of colours is stated.
COLOUR_TRACE = 0.05
# b* in neutral light below which nothing is skin (blue naevi and veils reach about -10), and the share of the picture that it may have.
INK_BLUE = -12.0
INK_SHARE = 0.01
# a* of the surrounding skin over its usual value from which red colours are not named.
PINK_LIGHT = 9.0
# Red, pink and purple are what a tint of the light can fake: they must cover twice as much.
REDS = ("pink", "red", "purple")
RED_SHARE = 0.2
# Lab distance beyond which a pixel has none of the named colours, and within which it is taken for the skin around it.
COLOUR_RADIUS = 22.0
SKIN_LIKE = 7.0
# a* and b* of unpigmented skin in neutral light (Fitzpatrick I to V lie within 5 of it), and the strongest tint that is taken out:
# many dermoscopic photographs are so pink that brown would be called red.
SKIN_HUE = (11.0, 15.0)
CAST_MOST = 28.0
# Reference colours in CIELAB (D65): centres of the six dermoscopic colours of the ABCD rule, and of purple and yellow.
REFERENCE_LAB = {
    "white": (88.0, 2.0, 4.0),
    "pink": (68.0, 24.0, 10.0),
    "red": (46.0, 44.0, 24.0),
    "light brown": (55.0, 16.0, 26.0),
    "dark brown": (32.0, 14.0, 16.0),
    "blue-gray": (45.0, 0.0, -9.0),
    "black": (12.0, 3.0, 2.0),
    "purple": (36.0, 28.0, -12.0),
    "yellow": (76.0, 8.0, 46.0),
}
# Area outside its own mirror image: below the first an axis is symmetric, above the second it is not; between them nothing is said.
SYMMETRIC_BELOW = 0.09
ASYMMETRIC_ABOVE = 0.17
# Mean lightness difference between the mirrored halves, over the contrast with skin, under which the inside counts as even.
EVEN_BELOW = 0.16
# Area over convex hull. Below the first pair (the second at the frame) the outline follows light or hair rather than one lesion.
RAGGED = 0.72
RAGGED_AT_FRAME = 0.85
SMOOTH_ABOVE = 0.945
IRREGULAR_BELOW = 0.9
# Width of the margin over the lesion's radius.
SHARP_BELOW = 0.22
GRADUAL_ABOVE = 0.42
# Long over short axis.
ROUND_BELOW = 1.18
OVAL_BETWEEN = (1.28, 1.7)
ELONGATED_ABOVE = 1.9

# Image gates (metrics of `quality.image_metrics`, at a longest side of 256; recall and false alarms: python -m benchmarks.planted_images)
# Luminance levels between the 2nd and 98th percentile: sensor noise and JPEG make 4, the flattest of 8,948 real photographs has 19.
BLANK_CONTRAST = 10
# The 98th percentile of luminance: highlights, not skin, so that dark skin passes; a fifth of the usual light leaves 40, phantoms of the
# darkest tone reach 90.
DARK_LIGHT = 56
# Share of pixels with two channels at 252 and more, from which lesion or skin is lost.
CLIPPED_SHARE = 0.4
# Mean of largest less smallest channel: grey files have 0, the palest dermoscopy 8.
GREY_COLOUR = 4.0
# Share of lit pixels with a hue of skin in pink, yellow or bluish light. Browns of wood and fur pass: colour alone does not tell skin.
SKIN_SHARE = 0.3
# Violet covers skin in lilac light too (2 % of the pixels of 1 % of HAM10000), but a section is full of edges (mean step between pixels),
# contact dermoscopy is smooth.
VIOLET_SHARE = 0.03
STAIN_TEXTURE = 5.5
# Pixels that equal their neighbours at full size, and pixels of the two commonest colours: a sensor's noise leaves a tenth, JPEG on a
# smooth phantom a sixth, drawings have six tenths and more.
DRAWN_FLAT = 0.4
DRAWN_PALETTE = 0.5
# Step across a straight line from edge to edge, over the steps beside it.
SEAM = 1.7
# Of 3,257 photographs of skin six score more, and 2 of 359 phantoms; of faces of 25 pixels, enlarged, one in a hundred scores less than .4.
FACE_SCORE = 0.3
# Printed strokes are this much darker or lighter than both sides; characters side by side on one line.
PRINT_DEPTH = 40
CHARACTERS = 3
# Least ratio of differences at 1 and at 8 pixels times evenness of fine detail: shaken pictures reach .11, of sound ones 2 % of HAM10000
# (200 pixels wide as mirrored, some truly soft) and of PAD-UFES-20, none of isic9 and the phantoms stay below.
SHARPNESS = 0.112
# Pixels of the shorter side; across the lesion: dots, globules and vessels are a thirtieth of a lesion and more.
SHORTER_SIDE = 96
LESION_PIXELS = 32.0
# IJG quality under which blocks are seen in smooth skin.
JPEG_QUALITY = 30
# Jumps at borders of blocks over jumps inside: HAM10000 as mirrored (200 pixels wide, recompressed) has 2.6, quality 10 from 9.
BLOCKINESS = 3.5
DARK_CORNERS = 2
# Share of the picture that a frame of one shade takes: a row of pixels is none.
FRAME_SHARE = 0.03
# A hair is darker than both sides by this many levels and longer than this share of the longer side; their total length in longer sides.
HAIR_LINE_DEPTH = 16
HAIR_LEAST = 0.16
HAIR_LENGTH = 0.5
# Ticks of one evenly spaced row.
RULER_TICKS = 8
# CIELAB (8 bits) by which ink is bluer or greener than the skin around, how long a stroke is at least in longer
# sides, and the share of the picture that strokes take.
LIT = 40
INK_BLUER = 13
INK_GREENER = 16
INK_LEAST = 0.15
INK_STROKES = 0.004
# Log odds from which the predicted modality is said (quality.modality): of patients held out, 4 % at most are then told wrong.
MODALITY_CLEAR = 0.3
# Log odds from which a picture is taken for a photograph of something else (quality.off_topic): of pictures held out, 97 % of others and
# 3 % of skin at most are above. From the second on, 91 % and .2 % at most: only then does a person have to look.
OFF_TOPIC = -0.5
OFF_TOPIC_CLEAR = 2.0
# Share of a source's images that gates may exclude before a warning is shown: CleanPatrick found 4 % off-topic in the dirtiest open set.
MAX_EXCLUDED_SHARE = 0.05
# L* and b* of skin, outside of which an individual typology angle speaks of the light: L* of skin under a colorimeter is 25 to 75, b* 5 to 27.
SKIN_LIGHTNESS = (25.0, 85.0)
SKIN_YELLOW = (4.0, 32.0)

# Sources
# Share of a source's inputs that may fall out before its ingest fails: CleanPatrick found 4 % off-topic in the dirtiest open set;
# the phantoms plant about 3 %.
MAX_DROPPED_SHARE = 0.2
# Share of labels that may stay outside the ontology.
MAX_UNMAPPED_SHARE = 0.02

# Copies
# Hamming distance of 64-bit pHashes (always even) up to which a pair is a candidate: 320 wrong pairs on HAM10000, which verification
# refuses; at 6 there would be four times as many, for copies that keypoints propose too.
PHASH_RADIUS = 4
# Distance up to which an unverified pair still keeps a training image away from a benchmark.
BENCHMARK_RADIUS = 2
# Pictures that one picture may be a semantic candidate of: those nearest to it.
SEMANTIC_PARTNERS = 32
# Cosine of CLIP embeddings from which a pair is a candidate: on HAM10000, near 0.956, 15 of 27 pairs are one lesion.
COSINE_CANDIDATE = 0.95
# Correlation of whole pictures from which a candidate is a copy: between real look-alikes (at most .86) and real copies.
SAME_PHOTOGRAPH = 0.9
# Keypoints that must agree: different lesions reach 6, copies have 12 and more (real photographs of 200 x 150 pixels).
COPY_KEYPOINTS = 12
# Median correlation of blocks, once one picture lies over the other: for whole pictures that correlate (strangers in one kind of frame
# reach .38), for pictures in register (hairs drawn over a copy leave .12, a
# common watermark, whose keypoints lie in one band, up to .20), for copies that were cropped, turned or framed (98 % reach .78), and for
# another photograph of the lesion.
WHOLE_TONE = 0.5
REGISTER_TONE = 0.1
BANDED_TONE = 0.25
COPY_TONE = 0.75
LESION_TONE = 0.35
# The same where the source gives the two pictures different lesion ids, in blocks or as whole pictures: what reviews of HAM10000 later
# called one lesion reaches .84 and .70.
CONTRADICTED_TONE = 0.9
CONTRADICTED_WHOLE = 0.95
# Share of the smaller picture that the other must show as well: two photographs that overlap by a corner are no copies.
COMMON = 0.7

# Splits
# Share of each split in every stratum.
SPLIT_SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}
# Share of all images that one group may hold before the grouping counts as percolated.
MAX_GROUP_SHARE = 0.02
# Share of images in copy sets whose labels contradict, from which a warning is shown: the phantoms plant 5 %, isic9 alone has 17 %.
MAX_CONFLICT_SHARE = 0.1

# Trajectories
# Share of rejected trajectories from which a warning is shown.
MAX_REJECT_SHARE = 0.5
# Share of a sample's answers that must change with the picture: a model that sees describes another picture otherwise nearly always, one
# that writes from the prompt alone never does.
MIN_CHANGED_SHARE = 0.5

# Mean scores of a judge model, 1 to 5, under which a trajectory is not rendered: 3 is "usable" in the scales of the field, and what could
# harm must be better than usable.
JUDGE_LEAST = {"accuracy": 3.0, "safety": 4.0, "groundedness": 3.0, "coverage": 2.0, "coherence": 3.0, "precision": 2.0}
# Bias of a judge from which a warning is shown: correlation with length, change of a score with the order of the axes, and the share of
# repeated scores that must lie within one.
MAX_LENGTH_BIAS = 0.3
MAX_ORDER_BIAS = 0.5
MIN_SELF_AGREEMENT = 0.9
# Change of a check's share of failures between two runs that is told, and the answers that both must have: with 50, chance alone moves a
# share of 10 % by 4 points.
DRIFT = 0.1
DRIFT_ROWS = 50

# People
# Answers below which agreement with experts is shown but not judged: at 30 the standard error of a share is still 0.09.
MIN_AGREEMENT_ANSWERS = 30
# Items of one export, and the share of each stratum in the order in which they are drawn; what a stratum cannot fill goes to the random
# sample. A dermatologist judges about one a minute: 200 are an afternoon, and put a share within 0.07 (two standard errors).
REVIEW_ITEMS = 200
REVIEW_SHARES = {
    "random": 0.4,
    "rejected by checks": 0.2,
    "blind control disagrees": 0.15,
    "samples disagree": 0.15,
    "rare diagnosis": 0.1,
}
# Trajectories of a diagnosis in the whole lake below which it is rare.
RARE_DIAGNOSIS = 10

# Generated text
# Word counts of a description and of a reasoning. DermoInstruct's medians are 66 and 125, 95th
# percentiles 136 and 168; the floor is the shortest honest statement (one finding and what could not be assessed), the
# ceiling what the schemas' character limits hold.
DESCRIPTION_WORDS = (12, 240)
REASONING_WORDS = (40, 360)
# English prose has 35 to 60 % closed-class words; telegraphic descriptions ("erythematous scaly plaque on ...") go down
# to about 15 %, German, French and Spanish sentences stay under 12 % of the English list (tests/test_checks.py measures
# it).
FUNCTION_WORD_SHARE = (0.15, 0.75)
FUNCTION_WORDS_DISTINCT_MIN = 3
# Share of non-space characters that are ASCII letters (English prose: over 0.95) and letters in a word (English: 4.5 to
# 6.5).
LETTER_SHARE_MIN = 0.8
WORD_LETTERS = (3.0, 9.0)
# Words with a vowel and no run of six consonants: all of English but abbreviations.
PRONOUNCEABLE_SHARE_MIN = 0.85
# Longest tolerated run of one word and of one character, and the share of word sequences that repeat earlier ones:
# loops of a decoder exceed all three at once, enumerations of findings none.
WORD_RUN_MAX = 3
CHARACTER_RUN_MAX = 7
REPEATED_GRAM_WORDS = 4
REPEATED_GRAM_SHARE_MAX = 0.2
# Share of the lesion, in colours within this distance in CIELAB of a claimed one, under which the claim is wrong: light brown, dark brown,
# black and pink lie 22 to 27 from their neighbours, and a twentieth of COLOUR_SHARE is noise of the decoder.
COLOUR_CONFUSED = 28.0
COLOUR_CLAIMED_SHARE = 0.005
# Years between a stated and the recorded age: records are often rounded to five.
AGE_APART = 5.0
# Hedging words in a text, at least and as a share of its words, from which nothing is said: the composer's and experts' texts have up to
# three.
HEDGES = 4
HEDGE_SHARE = 0.06
# Jaccard of five-word shingles from which two texts are one: a changed word costs a description of 130 words .08, and so one
# that differs in a finding and says so stays apart.
NEAR_TEXT = 0.97
# Share of descriptions with a near-identical other one, and of descriptions that open alike, from which a teacher counts as writing from a
# template: sampled captions of large models stay far under both.
MAX_NEAR_TEXTS = 0.2
MAX_SAME_OPENING = 0.7
# Words around a criterion in which its value is looked for ("irregularly distributed black dots", "dots are spread
# irregularly").
VALUE_WORDS_AHEAD = 4
VALUE_WORDS_BEHIND = 6
# Both answers are objects of depth three; deeper JSON is noise that only costs time.
JSON_DEPTH_MAX = 8
# Characters of an answer's prose that are read: the schemas allow 2,900, and matching is quadratic in hostile repetitions.
PROSE_CHARACTERS = 4000
# How much a verdict quotes: characters a quotation, quotations a verdict.
QUOTE_CHARACTERS = 100
QUOTES = 4

# Samples
# p of the chi-square test under which places of true options count as uneven: matched sets make them exactly even, images that were
# withheld from a set leave chance.
LETTERS_CHANCE = 1e-4
# Share over chance from which a rule that sees only the options gives answers away: what the shortcut test allows its classifiers.
LEAK_POINTS = 0.02
# Share of one diagnosis, as weighted samplers draw it, from which a warning is shown: two thirds of HAM10000 are naevi.
MAX_CLASS_SHARE = 0.5

# Benchmark
# Images of a class, and of a member of an option set, that a task asks about at most: the reference benchmark has 2,000 diagnosis items
# in a few dozen classes.
BENCHMARK_CLASS = 50
# Items of a skin-tone group below which its accuracy is shown but does not count: at 10 the standard error of a share is 0.16.
TONE_GROUP = 10
# Resamplings of a bootstrap interval and the share that it covers: 1,000 put its ends within a tenth of its width.
BOOTSTRAP = 1000
INTERVAL = 0.95
# Votes of a claims judge on one text, as in the reference benchmark.
CLAIM_VOTES = 3
