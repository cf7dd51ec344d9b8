"""Looking only for patterns whose words are there loses no match."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quality import checks, claim_words, lexicon, patterns, text  # noqa: F401  # importing registers their patterns
from quality.needles import needles


@pytest.mark.parametrize("number", range(len(patterns._REGISTERED)))
def test_no_text_with_a_match_is_called_impossible(number):
    pattern = patterns._REGISTERED[number]
    plain = re.sub(r"\(\?(?:<?[=!])(?:[^()]|\([^()]*\))*\)", "", pattern.pattern)

    @given(st.from_regex(re.compile(plain, re.IGNORECASE | re.ASCII), fullmatch=True), st.text(max_size=10))
    @settings(max_examples=15, deadline=None)
    def holds(match, around):
        text = f"{around} {match} {around}"
        if pattern.search(text):
            assert patterns.possible(pattern, text)

    holds()


def test_what_has_no_words_is_always_possible():
    assert needles(re.compile(r"\w+")) is None
    assert patterns.possible(re.compile("never registered"), "anything")


def test_needles_are_the_rarest_part():
    assert needles(re.compile(r"(?:brown|tanned) (?:hue|area)")) == {"brown", "tanned"}
    assert needles(re.compile(r"\d{2}[ -]march")) == {str(n) for n in range(10)}
    assert needles(re.compile(r"(?:maybe)? x{4,}")) == {"xxxx"}
