"""Free answers read: tolerant in form, strict in meaning; claims counted; scores as defined."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.benchmark import wording
from prompts.benchmark.items import Case, claim, make
from prompts.benchmark.option_sets import evenly, richest, rings, windows
from prompts.ontology import load
from prompts.schemas import DERM7PT_KEY, DERM7PT_TITLES, SKINCON, SKINCON_KEY
from quality.benchmark import answers
from quality.benchmark.claims import Counts, read_words, sentence
from quality.benchmark.scores import resampled, score
from sources.vocabulary import DERM7PT

OPTIONS = ("melanoma", "nodular melanoma", "basal cell carcinoma", "psoriasis")


@pytest.mark.parametrize(
    ("answer", "option"),
    [
        ("C", "basal cell carcinoma"),
        ("c", "basal cell carcinoma"),
        ("(C)", "basal cell carcinoma"),
        ("C) basal cell carcinoma", "basal cell carcinoma"),
        ("**C.** Basal cell carcinoma", "basal cell carcinoma"),
        ("Answer: D", "psoriasis"),
        ("The correct answer is B) nodular melanoma.", "nodular melanoma"),
        ("Option A", "melanoma"),
        ("Psoriasis", "psoriasis"),
        ("psoriasis.", "psoriasis"),
        ("<answer>B</answer>", "nodular melanoma"),
        ("<think>It might be A) melanoma.</think>\nD) psoriasis", "psoriasis"),
        ("The rim speaks for it.\nFinal answer: A", "melanoma"),
        (r"\boxed{D}", "psoriasis"),
        ('{"answer": "D"}', "psoriasis"),
        ("This is most likely a nodular melanoma.", "nodular melanoma"),
        ("C) psoriasis", None),
        ("E", None),
        ("either melanoma or psoriasis", None),
        ("I cannot tell.", None),
        ("A skin lesion is shown.", None),
        ("", None),
    ],
)
def test_an_option_is_chosen_by_letter_text_or_both(answer, option):
    assert answers.chosen(answer, OPTIONS) == option


@given(st.text(max_size=300))
def test_no_answer_raises(text):
    assert answers.chosen(text, OPTIONS) in (*OPTIONS, None)
    answers.diagnosis(text), answers.morphology(text, "clinical"), answers.morphology(text, "dermoscopic"), answers.prose(text)


@given(st.sampled_from(OPTIONS), st.permutations(OPTIONS))
def test_the_layout_of_the_question_is_always_read_back(option, shown):
    letter = wording.LETTERS[shown.index(option)]
    assert (
        answers.chosen(f"{letter}) {option}", shown) == answers.chosen(letter, shown) == answers.chosen(option, shown) == option
    )


def test_a_final_diagnosis_stands_in_its_tag_or_after_its_words():
    assert answers.diagnosis("<reasoning>…</reasoning><final_diagnosis> psoriasis </final_diagnosis>") == "psoriasis"
    assert answers.diagnosis("So the final diagnosis is: **melanoma**.") == "melanoma"
    assert answers.diagnosis("Nothing was decided") is None


seven = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in DERM7PT.items()})


@given(seven)
def test_a_nested_morphology_is_read_whole_in_both_key_styles(values):
    titled = {DERM7PT_TITLES[name]: value for name, value in values.items()}
    for body in (values, titled):
        text = f"<morph>{json.dumps({DERM7PT_KEY: body})}</morph>\n\nProse."
        assert answers.morphology(text, "dermoscopic") == values
        assert answers.morphology(text, "clinical") is None
    assert answers.prose(f"<morph>{json.dumps({DERM7PT_KEY: values})}</morph>\n\nProse.") == "Prose."


@given(st.lists(st.sampled_from(SKINCON), unique=True))
def test_concepts_are_read_whatever_their_case(concepts):
    text = json.dumps({SKINCON_KEY: [name.upper() for name in concepts]})
    read = answers.morphology(text, "clinical")
    assert {name for name, value in read.items() if value == "present"} == set(concepts)
    assert answers.morphology(text, "dermoscopic") is None


FINDINGS = [(name, value) for name, values in DERM7PT.items() for value in values if value != "absent"]
FINDINGS += [(name, "present") for name in SKINCON]


@pytest.mark.parametrize(("name", "value"), FINDINGS)
def test_every_claim_is_read_in_its_plain_sentence_and_missed_in_silence(name, value):
    one = claim(name, value)
    assert read_words([one], {name: value}, sentence(one)).score == 1.0
    assert read_words([one], {name: value}, "The skin is shown.").score == 0.0


def test_claims_are_contradicted_halved_and_added():
    known = {"pigment_network": "typical", "streaks": "absent"}
    claims = ["pigment network: typical"]
    assert read_words(claims, known, "There is a pigment network.").partial == 1
    assert read_words(claims, known, "There is an atypical pigment network.").contradicted == 1
    assert read_words(claims, known, "No pigment network is seen.").contradicted == 1
    assert read_words(claims, known, "A typical pigment network with irregular streaks.").extra == 1


def test_the_claim_score_is_the_references():
    assert Counts(4, 2, 1, 1, 0).score == pytest.approx(2.5 / 4 - 0.5 * 1 / 4)
    assert Counts(1, 0, 0, 0, 9).score == 0.0
    assert Counts(2, 2, 0, 0, 9).score == 0.5


def case(n: int, node: str = "melanoma", tone: str = "I", group: str = "") -> Case:
    return Case(
        image_id=f"s:{n}",
        sha256=f"{n:064x}",
        kind="dermoscopic",
        node=node,
        source="s",
        group=group or f"g{n}",
        morphology={},
        basis="expert",
        description="",
        tones={"fitzpatrick": tone},
    )


def choices(count: int, task: str = "diagnosis_4", **changes):
    return [
        make(case(n, **changes), task, "q", {"right": ["melanoma"], "true": "melanoma", "field": "diagnosis"}, options=OPTIONS)
        for n in range(count)
    ]


def by_measure(items, said):
    return {one.measure: one for one in score(items, said, load(), {})}


def test_an_unreadable_or_missing_answer_is_wrong_and_counted():
    items = choices(4)
    said = dict(zip([item.item_id for item in items], ["A", "who knows", None], strict=False))
    found = by_measure(items, said)["accuracy"]
    assert (found.value, found.items, found.unreadable) == (25.0, 4, 3)


def test_fairness_is_one_less_the_gap_over_the_best_group():
    dark = [
        make(case(100 + n, tone="VI"), "fairness", "q", dict(right=["melanoma"], true="melanoma", field="d"), options=OPTIONS)
        for n in range(20)
    ]
    light = choices(20, "fairness", tone="I")
    said = {item.item_id: "A" for item in light} | {item.item_id: "A" if n < 10 else "B" for n, item in enumerate(dark)}
    found = by_measure([*light, *dark], said)
    assert found["fairness"].value == pytest.approx(50.0) and found["accuracy"].value == pytest.approx(75.0)
    assert found["accuracy x fairness"].value == pytest.approx(37.5) and found["worst group"].value == 50.0
    assert by_measure(light, said)["fairness"].value is None
    assert by_measure([*light, *dark], {})["fairness"].value == 0.0


def test_intervals_draw_groups_and_are_the_same_everywhere():
    spread = choices(100)
    said = {item.item_id: "A" if n % 2 else "B" for n, item in enumerate(spread)}
    alone = by_measure(spread, said)["accuracy"]
    assert alone == by_measure(spread[::-1], said)["accuracy"]
    assert alone.high - alone.low == pytest.approx(2 * 1.96 * 100 * math.sqrt(0.25 / 100), rel=0.15)
    tied = [
        make(case(n, group=f"p{n // 20}"), "diagnosis_4", "q", dict(item.truth), options=OPTIONS)
        for n, item in enumerate(spread)
    ]
    block = {item.item_id: "A" if n < 40 else "B" for n, item in enumerate(tied)}
    wide = by_measure(tied, block)["accuracy"]
    assert wide.high - wide.low > 2 * (alone.high - alone.low)
    assert np.all(resampled(spread).sum(axis=1) == 100)


labels = st.dictionaries(st.text("abcdefgh", min_size=1, max_size=3), st.integers(1, 9), min_size=1, max_size=12)


@given(labels, st.sets(st.tuples(st.text("abcdefgh", min_size=1, max_size=3), st.text("abcdefgh", min_size=1, max_size=3))))
def test_members_of_a_ring_exclude_each_other(counts, overlaps):
    def exclusive(a: str, b: str) -> bool:
        return (a, b) not in overlaps and (b, a) not in overlaps

    made = rings(counts, exclusive, str)
    assert all(exclusive(a, b) for ring in made for a in ring for b in ring if a != b)
    assert len([label for ring in made for label in ring]) == len({label for ring in made for label in ring})


@given(labels, st.integers(2, 6), st.integers(1, 5))
def test_a_set_asks_about_each_member_equally_often(counts, size, most):
    members = {label: [case(100 * at + n) for n in range(count)] for at, (label, count) in enumerate(counts.items())}
    for options in windows(sorted(counts), size):
        asked = [label for label, _ in evenly(options, members, most)]
        wanted = min(most, *(counts[option] for option in options)) if len(options) > 1 else min(most, counts[options[0]])
        assert {asked.count(option) for option in options} == {wanted}


def test_rare_values_are_offered_only_where_they_do_not_cost_more_than_they_bring():
    assert richest({"absent": 90, "regular": 60, "irregular": 50}) == ("absent", "regular", "irregular")
    assert richest({"absent": 90, "regular": 60, "irregular": 2}) == ("absent", "regular")
    assert richest({"absent": 90}) == ()
