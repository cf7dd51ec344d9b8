"""Matched sets: each answer once in every set, no picture twice, the same sets whatever the order, and only answers that exclude each other."""

import os
import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.asking import asking
from prompts.asking import Pictures, ask
from prompts.matching import matched, matched_masks, shuffled
from prompts.ontology import load
from prompts.schemas import DERM7PT_KEY, SKINCON, SKINCON_KEY

ONTOLOGY = load()
NODES = sorted(ONTOLOGY.nodes)
ANSWERS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 40), min_size=1)


def members(counts: dict[str, int]) -> dict[str, list[int]]:
    found, start = {}, 0
    for answer in sorted(counts):
        found[answer] = list(range(start, start + counts[answer]))
        start += counts[answer]
    return found


@given(ANSWERS, st.integers(2, 5), st.booleans())
def test_a_set_holds_each_of_its_answers_once_and_no_picture_is_used_twice(counts, size, whole):
    pictures = members(counts)
    sets = list(matched(pictures, 2, size, lambda a, b: {a, b} != {"a", "b"}, whole=whole))
    used = [p for _, places in sets for p in places]
    assert len(used) == len(set(used))
    for answers, places in sets:
        assert 2 <= len(answers) == len(set(answers)) <= size
        assert not {"a", "b"} <= set(answers)
        assert all(place in pictures[answer] for answer, place in zip(answers, places, strict=True))


@given(ANSWERS)
def test_what_is_left_over_cannot_be_matched(counts):
    pictures = members(counts)
    used = Counter(answer for answers, _ in matched(pictures, 4, 4, lambda a, b: True) for answer in answers)
    assert sum(counts[answer] > used[answer] for answer in counts) < 4


@given(st.lists(st.sets(st.integers(0, 9), min_size=1, max_size=4), max_size=60))
def test_no_concept_that_is_asked_of_one_picture_is_true_of_another_in_its_set(own):
    asked = [min(concepts) for concepts in own]
    barred = [sum(1 << c for c in concepts) for concepts in own]
    seen = set()
    for places in matched_masks(asked, barred, range(len(own)), 4):
        assert len(places) == 4 and not seen & set(places)
        seen |= set(places)
        for a in places:
            assert all(a == b or asked[b] not in own[a] for b in places)


CASE = st.tuples(st.sampled_from(NODES), st.lists(st.sampled_from(SKINCON), min_size=1, max_size=4, unique=True))


@settings(max_examples=30, deadline=None)
@given(st.lists(CASE, min_size=2, max_size=80), st.randoms(use_true_random=False))
def test_questions_do_not_depend_on_the_order_of_the_pictures(cases, chance):
    order = list(range(len(cases)))
    chance.shuffle(order)
    assert _asked(cases, range(len(cases))) == _asked(cases, order)


@settings(max_examples=30, deadline=None)
@given(st.lists(CASE, min_size=20, max_size=120))
def test_no_option_of_a_question_can_be_true_beside_the_answer(cases):
    for n, asked in _asked(cases, range(len(cases))).items():
        label, concepts = cases[n]
        for option in asked.choice.options if asked.choice else ():
            assert option == label or ONTOLOGY.exclusive(option, label)
        for node, step in zip(ONTOLOGY.path(label), asked.walk, strict=False):
            for option in step.options if step else ():
                assert option == node or ONTOLOGY.exclusive(option, label)
        true = set(concepts) & set(asked.attribute.options) if asked.attribute else {None}
        assert len(true) == 1


def _asked(cases, order):
    pictures, places = Pictures(), {}
    for n in order:
        node, concepts = cases[n]
        places[n] = pictures.add(f"{n:064x}", "cell", node, {SKINCON_KEY: concepts})
    questions = ask(pictures, ONTOLOGY)
    return {n: questions.of(place, ONTOLOGY.path(cases[n][0])) for n, place in places.items()}


def test_questions_do_not_depend_on_the_process():
    code = (
        "from benchmarks.shortcuts import rendered; from prompts.ontology import load; import hashlib;"
        "print(hashlib.sha256(repr(rendered(1500, load())).encode()).hexdigest())"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(seen) == 1


def test_sets_stay_inside_their_cell():
    pictures = Pictures()
    seven = {DERM7PT_KEY: {"streaks": "absent"}}
    for n in range(40):
        pictures.add(f"{n:064x}", f"cell {n % 2}", ["melanoma", "nevus"][n % 2], seven)
    questions = ask(pictures, ONTOLOGY)
    assert all(questions.of(n, ONTOLOGY.path(pictures.node[n])).choice is None for n in range(40))
    assert all(step is None for n in range(40) for step in questions.of(n, ONTOLOGY.path(pictures.node[n])).walk)


@settings(max_examples=20, deadline=None)
@given(st.lists(CASE, min_size=2, max_size=80))
def test_beside_the_disk_the_same_is_asked(cases):
    by_place = _asked(cases, range(len(cases)))
    assert [asked for asked, _ in _beside_the_disk(cases, range(len(cases)))] == [by_place[n] for n in range(len(cases))]


@settings(max_examples=20, deadline=None)
@given(st.lists(CASE, min_size=40, max_size=120), st.randoms(use_true_random=False))
def test_in_windows_every_set_is_whole_and_the_same_whatever_the_order(cases, chance):
    order = list(range(len(cases)))
    chance.shuffle(order)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.asking.WINDOW", 10)
        told = _beside_the_disk(cases, range(len(cases)))
        assert dict(zip(order, _beside_the_disk(cases, order), strict=True)) == dict(enumerate(told))
    sets = Counter(asked.choice for asked, _ in told if asked.choice)
    assert all(count == len(options.options) for options, count in sets.items())
    assert all(finding is None or finding[1] in concepts for (_, finding), (_, concepts) in zip(told, cases, strict=True))


def _beside_the_disk(cases, order):
    with asking(ONTOLOGY) as pictures:
        for n in order:
            pictures.take(f"{n:064x}", "cell", cases[n][0], {SKINCON_KEY: cases[n][1]})
        pictures.match()
        return list(pictures)


def test_an_order_belongs_to_its_key():
    assert shuffled("abcd", "one") == shuffled("dcba", "one")
    assert len({shuffled("abcd", str(n)) for n in range(400)}) == 24
