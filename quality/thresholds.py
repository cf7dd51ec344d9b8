"""Every threshold of the quality checks, each with its source."""

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
# Words around a criterion in which its value is looked for ("irregularly distributed black dots", "dots are spread
# irregularly").
VALUE_WORDS_AHEAD = 4
VALUE_WORDS_BEHIND = 4
# Both answers are objects of depth three; deeper JSON is noise that only costs time.
JSON_DEPTH_MAX = 8
# How much a verdict quotes: characters a quotation, quotations a verdict.
QUOTE_CHARACTERS = 100
QUOTES = 4
