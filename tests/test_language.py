"""What is counted quickly is what the plain definition counts."""

import re

from hypothesis import given
from hypothesis import strategies as st

from quality import language, text

LETTERS = "abcXYZ etaoin'-'-.\n5\t\u00e9\u2019\u0130\ufffd\u65e5"


@given(st.text(LETTERS, max_size=80))
def test_words_are_letters_joined_by_apostrophes_and_hyphens(said):
    assert text.words(said) == tuple(re.findall(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*", said.lower()))


@given(st.text(LETTERS, max_size=80))
def test_letters_are_counted_among_all_that_is_no_space(said):
    solid = [char for char in said if not char.isspace()]
    plain = [char for char in solid if char.isascii() and char.isalpha()]
    assert language.letter_share(said) == (len(plain) / len(solid) if solid else 0.0)


@given(st.text("ab\u00e9\u65e5 ", max_size=40), st.sampled_from("a. \u65e5"), st.integers(2, 9))
def test_a_run_of_a_character_is_never_overlooked(said, char, length):
    assert language.may_hold_run(said + char * length + said, length)
    assert not language.may_hold_run("abcdefghijk" * 3, 2)


@given(
    st.lists(st.sampled_from(["the", "is", "of", "globules", "network", "brown.", "Und", "\u00e9t\u00e9", "a.\n"]), max_size=40)
)
def test_a_text_holds_a_foreign_sentence_where_one_of_its_sentences_is(said):
    whole = " ".join(said)
    assert language.holds_foreign(whole) is any(map(language.foreign, text.sentences(whole)))


def test_words_are_closed_class_or_pronounceable_or_noise():
    assert language.kinds("The network xkcdqwf bcd of 5 Lines") == "connco"
