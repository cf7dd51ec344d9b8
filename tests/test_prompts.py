"""The wording of prompts and questions: complete, blind where it must be, one image mark, chosen by content."""

import json
import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prompts import questions
from prompts.ontology import load
from prompts.schemas import (
    DERM7PT,
    NOT_ASSESSABLE,
    SKINCON,
    observation_schema,
    reasoning_schema,
)
from prompts.stages import observe_prompt, reason_prompt

KINDS = ("dermoscopic", "clinical")
CONDITIONINGS = ("blind", "candidates", "confirmed")
OBSERVATIONS = st.dictionaries(st.text(max_size=12), st.lists(st.text(max_size=12), max_size=3), max_size=4)
# What would tell the model, and then the reader, that the answer was known before the reasoning.
ANSWER_GIVEN_AWAY = re.compile(
    r"\b(?:given|confirmed|provided|supplied|known|true|correct|reference)\s+(?:label|diagnos|condition|answer)", re.IGNORECASE
)


def variants() -> dict[str, tuple[str, ...]]:
    """Every group of alternative human turns."""
    named = {name: getattr(questions, name) for name in ("DESCRIPTION", "CHOICE", "HIERARCHY_TOP", "HIERARCHY_LOWER")}
    by_kind = {
        f"{name} {kind}": getattr(questions, name)[kind] for name in ("MORPH_DESCRIPTION", "REASONING") for kind in KINDS
    }
    return {**named, **by_kind}


def test_the_observe_prompt_offers_exactly_its_own_vocabulary():
    seven, concepts = observe_prompt("dermoscopic"), observe_prompt("clinical")
    for key, values in DERM7PT.items():
        assert f"{key}: {', '.join(values)}" in seven
        assert f"{key}: " not in concepts
    assert ", ".join(SKINCON) in concepts
    assert ", ".join(SKINCON) not in seven


def test_what_cannot_be_seen_can_be_said():
    assert f'"{NOT_ASSESSABLE}"' in observe_prompt("dermoscopic")


@pytest.mark.parametrize("kind", KINDS)
def test_the_prompts_ask_for_the_keys_of_their_schemas(kind):
    for prompt, schema in (
        (observe_prompt(kind), observation_schema(kind)),
        (reason_prompt(kind, "{}", "blind", []), reasoning_schema()),
    ):
        asked = re.findall(r'^"(\w+)":', prompt, re.MULTILINE)
        assert asked == schema["required"]


def test_a_kind_without_a_vocabulary_is_refused():
    with pytest.raises(KeyError, match="pathology"):
        observe_prompt("pathology")


@settings(max_examples=50)
@given(OBSERVATIONS, st.lists(st.text(max_size=20), max_size=4), st.sampled_from(KINDS))
def test_blind_reasoning_does_not_depend_on_the_label(observation, labels, kind):
    told = json.dumps(observation)
    assert reason_prompt(kind, told, "blind", labels) == reason_prompt(kind, told, "blind", [])


@settings(max_examples=50)
@given(OBSERVATIONS, st.sampled_from(CONDITIONINGS))
def test_the_observation_reaches_the_reasoning_unchanged(observation, conditioning):
    prompt = reason_prompt("clinical", json.dumps(observation), conditioning, ["melanoma"])
    shown, _ = json.JSONDecoder().raw_decode(prompt[prompt.index("{") :])
    assert shown == observation


@pytest.mark.parametrize("conditioning", CONDITIONINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_no_prompt_speaks_of_an_answer_that_was_known(kind, conditioning):
    prompt = reason_prompt(kind, "{}", conditioning, ["melanoma", "blue nevus"])
    assert not ANSWER_GIVEN_AWAY.search(prompt)
    assert not ANSWER_GIVEN_AWAY.search(observe_prompt(kind))


def test_the_phrases_that_give_the_answer_away_are_recognised():
    for phrase in ("the given label", "the confirmed diagnosis", "its known condition"):
        assert ANSWER_GIVEN_AWAY.search(phrase)


def test_several_different_wordings_for_every_question():
    for name, texts in variants().items():
        assert len(texts) >= 4 and len(set(texts)) == len(texts), name


def test_only_a_first_turn_carries_the_image():
    for name, texts in variants().items():
        for text in texts:
            assert text.count("<image>") == (0 if name == "HIERARCHY_LOWER" else 1), text
            assert text.startswith("<image>\n") or name == "HIERARCHY_LOWER"


def test_nothing_is_left_to_fill_in_but_the_levels_without_a_choice():
    for name, texts in variants().items():
        for text in texts:
            left = re.findall(r"{\w*}", text)
            assert left == (["{stated}"] if name.startswith("HIERARCHY") else []), text
    assert questions.STATED.format(name="melanoma") == "It is known to be: melanoma."


@pytest.mark.parametrize("kind", KINDS)
def test_the_layout_is_asked_for_in_its_order_and_kind(kind):
    tags = ["<reasoning>", "</reasoning>", "<morph>", "</morph>", "<final_diagnosis>", "</final_diagnosis>"]
    word = {"dermoscopic": "dermoscopic criteria", "clinical": "clinical concepts"}
    (other,) = set(KINDS) - {kind}
    for text in questions.REASONING[kind]:
        assert re.findall(r"</?(?:reasoning|morph|final_diagnosis)>", text) == tags
        assert word[kind] in text and word[other] not in text
    for text in questions.MORPH_DESCRIPTION[kind]:
        assert re.findall(r"</?\w+>", text) == ["<image>", "<morph>", "</morph>"]
        assert word[kind] in text and word[other] not in text


def test_no_later_turn_names_a_diagnosis():
    for text in questions.HIERARCHY_LOWER:
        assert load().mentions(text) == ()


@given(st.lists(st.text(), min_size=1, max_size=6), st.text())
def test_a_picked_wording_is_one_of_them_and_stays(texts, key):
    chosen = questions.pick(texts, key)
    assert chosen in texts
    assert questions.pick(texts, key) == chosen


def test_wordings_are_picked_about_equally_often():
    counts = Counter(questions.pick(questions.CHOICE, f"{n}/choice") for n in range(4000))
    assert set(counts) == set(questions.CHOICE)
    assert max(counts.values()) < 1.2 * min(counts.values())
