"""Renderings of the canonical record: layouts, balanced letters, distractors that are never true, nothing filled in."""

import json
import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.teach.composer import compose_observation, compose_reasoning
from prompts import questions
from prompts.formats import FORMATS, LETTERS, Record, flat_options, ground_truth, hierarchy
from prompts.ontology import load
from prompts.schemas import DERM7PT, MEASURED, SKINCON

ONTOLOGY = load()
DIAGNOSES = sorted(n for n in ONTOLOGY.nodes if ONTOLOGY.granularity(n) in ("diagnosis", "subtype"))
MEASUREMENTS = ["colour: light brown", "number of colours: one", "outline: smooth"]


def record(node: str, *, kind: str = "dermoscopic", sha: str = "0" * 64, complete: bool = True) -> Record:
    concepts: dict = {}
    if complete:
        concepts = (
            {key: values[1] for key, values in DERM7PT.items()} if kind == "dermoscopic" else {"skincon": ["Papule", "Scale"]}
        )
    seen = compose_observation(kind, concepts, MEASUREMENTS, sha)
    thought = compose_reasoning(kind, seen, ONTOLOGY.nodes[node], ONTOLOGY, sha)
    return Record(image_id="s:1", sha256=sha, kind=kind, observation=seen, reasoning=thought, node=node)


def test_measurements_used_here_are_real_findings():
    assert {m.split(": ")[1] for m in MEASUREMENTS} <= {v for values in MEASURED.values() for v in values}
    assert "Papule" in SKINCON


@pytest.mark.parametrize("node", DIAGNOSES)
def test_choices_hold_the_truth_once_and_nothing_else_that_is_true(node):
    names, letter = flat_options(record(node), ONTOLOGY)
    assert len(names) == len(set(names)) == 4
    truth = names[LETTERS.index(letter)]
    assert truth == ONTOLOGY.nodes[node].name
    for name in set(names) - {truth}:
        other = ONTOLOGY.resolve(name)
        assert ONTOLOGY.relation(other, node) not in ("same", "ancestor", "descendant")


def test_distractors_are_siblings_where_there_are_three():
    for node in DIAGNOSES:
        if len(ONTOLOGY.cousins(node)[0]) >= 3:
            names, _ = flat_options(record(node), ONTOLOGY)
            assert {ONTOLOGY.nodes[ONTOLOGY.resolve(n)].parent for n in names} == {ONTOLOGY.nodes[node].parent}


def test_letters_are_near_uniform():
    letters = Counter(flat_options(record("melanoma", sha=f"{n:064x}"), ONTOLOGY)[1] for n in range(800))
    assert set(letters) == set("ABCD")
    assert max(letters.values()) < 1.3 * min(letters.values())


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(ONTOLOGY.nodes)))
def test_a_walk_ends_at_the_label_and_every_answer_is_an_offered_option(node):
    turns = hierarchy(record(node), ONTOLOGY)
    assert turns[0]["content"].startswith("<image>")
    assert sum(turn["content"].count("<image>") for turn in turns) == 1
    for ask, answer in zip(turns[::2], turns[1::2], strict=True):
        assert f'"{answer["content"]}"' in ask["content"]
        assert "{stated}" not in ask["content"]
    assert turns[-1]["content"] == ONTOLOGY.nodes[node].name or len(ONTOLOGY.siblings(node)) == 0


@pytest.mark.parametrize("node", DIAGNOSES[::3])
def test_no_step_of_a_walk_offers_a_class_that_may_be_true_as_well(node):
    asked = hierarchy(record(node), ONTOLOGY)[::2]
    path = {ONTOLOGY.nodes[n].name for n in ONTOLOGY.path(node)}
    for turn in asked:
        offered = re.findall(r'"([^"]+)"', turn["content"].split("?")[-1].split(":")[-1])
        wrong = [ONTOLOGY.resolve(name) for name in offered if name not in path]
        assert wrong and all(ONTOLOGY.exclusive(other, node) for other in wrong)


def test_a_walk_to_a_nodular_melanoma_does_not_offer_an_invasive_one():
    last = hierarchy(record("nodular-melanoma"), ONTOLOGY)[-2]["content"]
    assert "desmoplastic melanoma" in last and "invasive melanoma" not in last


def test_reasoning_keeps_the_order_and_parses():
    for kind, key in (("dermoscopic", "morphological_features_Derm7pt"), ("clinical", "morphological_features_skincon")):
        (_, answer) = FORMATS["reasoning"](record("psoriasis" if kind == "clinical" else "melanoma", kind=kind), ONTOLOGY)
        found = re.fullmatch(
            r"<reasoning>(.+)</reasoning>\n<morph>(.+)</morph>\n<final_diagnosis>(.+)</final_diagnosis>",
            answer["content"],
            re.S,
        )
        assert found
        assert set(json.loads(found[2])) == {key}
        assert ONTOLOGY.resolve(found[3])


@pytest.mark.parametrize("kind", ["dermoscopic", "clinical"])
def test_an_incomplete_morphology_is_left_out_and_not_filled_in(kind):
    partial = record("melanoma", kind=kind, complete=False)
    assert FORMATS["morph_description"](partial, ONTOLOGY) == []
    assert FORMATS["reasoning"](partial, ONTOLOGY) == []
    assert FORMATS["description"](partial, ONTOLOGY)


def test_the_reward_gets_title_case_keys_and_a_path_without_its_leaf():
    truth = ground_truth(record("melanoma"), "task3", ONTOLOGY)
    assert "Dots and Globules" in truth["morph"]["morphological_features_Derm7pt"]
    assert truth["taxon_path"] == ["melanocytic lesion", "malignant melanocytic proliferation"]


def test_wording_varies_and_depends_on_content_alone():
    asked = Counter(FORMATS["description"](record("melanoma", sha=f"{n:064x}"), ONTOLOGY)[0]["content"] for n in range(200))
    assert set(asked) == set(questions.DESCRIPTION)
    assert FORMATS["choice"](record("melanoma"), ONTOLOGY) == FORMATS["choice"](record("melanoma"), ONTOLOGY)


def test_every_question_starts_with_one_image_mark_and_names_no_diagnosis():
    texts = [*questions.DESCRIPTION, *questions.CHOICE, *questions.HIERARCHY_TOP]
    texts += [
        text for group in (questions.MORPH_DESCRIPTION, questions.REASONING) for texts in group.values() for text in texts
    ]
    for text in texts:
        assert text.startswith("<image>") and text.count("<image>") == 1
        assert ONTOLOGY.mentions(text) == ()
