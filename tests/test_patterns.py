"""The search for all patterns at once loses no match: the patterns themselves, run one by one, are the oracle."""

import re
import subprocess
import sys
from functools import cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmarks import plants, scribe, sound_texts
from prompts.schemas import TEXT_KEY
from quality import checks, claim_words, patterns, text  # noqa: F401  # the checks register their patterns
from quality.byte_patterns import encoded_pattern

ODD = "\u017f\u212a\u0130\u0131\u00df\u00e9e\u0301\u2019\u2013\u2026\u00a0\u2028\u0085\u200b\x1f\x00\u0663\u00b2\u65e5\ufb01_\t\n.;!?-'(), 19%@#{<"


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


def test_word_patterns_are_compiled_when_they_are_asked():
    code = (
        "from quality import checks, lexicon\n"
        "assert 'search' not in vars(lexicon.DIAGNOSTIC)\n"
        "assert lexicon.DIAGNOSTIC.search('A Melanoma.').span() == (2, 10)\n"
        "assert 'search' in vars(lexicon.DIAGNOSTIC)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_patterns_asked_about_together_are_those_that_each_may_match():
    colours = {
        "red": patterns.whole_words(r"\w*red", "crimson"),
        "blue": patterns.whole_words("blue"),
        "grey": patterns.whole_words("gr[ae]y"),
    }
    asked = patterns.Together(colours)
    assert [name for name, _ in asked.possible("Gray at the rim, the rest infrared.")] == ["red", "grey"]
    assert asked.possible("No colour at all.") == []
    patterns.apart(*colours.values())  # on a shelf of their own they are found as before
    assert [name for name, _ in patterns.Together(colours).possible("Blue and crimson.")] == ["red", "blue"]
    assert [patterns.possible(pattern, "A blue hue.") for pattern in colours.values()] == [False, True, False]


def test_patterns_of_two_shelves_cannot_be_asked_about_together():
    here, there = patterns.whole_words("here"), patterns.whole_words("there")
    patterns.apart(there)
    with pytest.raises(ValueError, match="too many values"):
        patterns.Together({"here": here, "there": there}).possible("Here and there.")


def test_what_was_not_registered_is_always_possible():
    assert patterns.possible(re.compile("never registered"), "anything")


def test_a_pattern_that_the_search_cannot_tell_from_others_is_refused():
    with pytest.raises(ValueError, match="MARKS"):
        encoded_pattern(re.compile("na[\u00efi]ve"))


@cache
def prose() -> list[str]:
    """Sound and faulty texts of every author."""
    faulty = [plants.planted(kind, 1, author)[0][1] for author in plants.AUTHORS for kind in plants.AUTHORS[author]]
    sound = [scribe.sound(seed) for seed in range(5)] + sound_texts.trajectories("fifth")[:10]
    texts = [str(one.observation.get(TEXT_KEY)) for one in faulty + sound] + [one.reasoning["reasoning"] for one in sound]
    return sorted(set(texts))


@given(st.data(), st.text(ODD, max_size=4), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
@example(None, "", 0.0)
def test_mentions_and_finds_are_those_of_every_pattern_run_by_itself(data, odd, place):
    held = data.draw(st.sampled_from(prose())) if data else "Streaks; but+1234567 no. \u0130tchy blue-gray veil.1234 ID12345"
    cut = int(place * len(held))
    given_text = held[:cut] + odd + held[cut:]
    for pattern in patterns._REGISTERED:
        alone = re.compile(f"(?:{pattern.pattern})", pattern.flags)  # not registered: sought everywhere
        assert text.found(given_text, pattern) == text.found(given_text, alone)
        assert text.mentions(given_text, pattern) == text.mentions(given_text, alone)
        assert patterns.possible(pattern, given_text) or not pattern.search(given_text)


@given(st.data(), st.text(ODD + "KISkis", max_size=4), st.floats(0, 1))
@settings(max_examples=40, deadline=None)
def test_a_pattern_matches_in_lower_case_where_it_matches_in_the_text(data, odd, place):
    held = data.draw(st.sampled_from(prose()))
    cut = int(place * len(held))
    given_text = held[:cut].upper() + odd + held[cut:]
    for pattern in patterns._REGISTERED:
        found = [match.span() for match in re.compile(pattern.pattern, pattern.flags).finditer(given_text)]
        assert patterns.spans(pattern, given_text) == found
        assert patterns.matches(pattern, given_text) is bool(found)


@given(
    st.lists(
        st.sampled_from(["maybe", "Perhaps,", "may", "it seems to", "unclear;", "lesion", "may_be", "\u212a.", "no one knows"]),
        max_size=9,
    )
)
@settings(deadline=None)
def test_a_pattern_is_not_said_to_match_more_rarely_than_it_does(said):
    given_text = " ".join(said)
    found = len(claim_words.HEDGE.findall(given_text))
    assert not any(patterns.at_most(claim_words.HEDGE, given_text, count) for count in range(found))
    assert patterns.at_most(claim_words.HEDGE, "The lesion is round.", 0)
