"""Renderings of the canonical record: layouts, rules of each format, and the way back from every sample to the facts of its record."""

import json
import re
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import scribe
from pipelines.teach.composer import compose_observation, compose_reasoning
from prompts import questions
from prompts.asking import Pictures, ask
from prompts.formats import FORMATS, LETTERS, Context, Record, ground_truth
from prompts.formats.adequacy import FAULTS, PRESENT, SILENT
from prompts.formats.context import SITES, SYMPTOMS, history
from prompts.formats.differential import order, ranking
from prompts.formats.parse import ParseFault, asked_options, parse
from prompts.formats.prose import morph_json
from prompts.ontology import load
from prompts.schemas import DERM7PT, DERM7PT_KEY, MEASURED, NOT_ASSESSABLE, SKINCON, TEXT_KEY, findings
from quality.image_gates import GATES
from sources import phantom

ONTOLOGY = load()
DIAGNOSES = sorted(n for n in ONTOLOGY.nodes if ONTOLOGY.granularity(n) in ("diagnosis", "subtype"))
MEASUREMENTS = ["colour: light brown", "number of colours: one", "outline: smooth"]


def record(node: str, *, kind: str = "dermoscopic", sha: str = "0" * 64, complete: bool = True, **more) -> Record:
    concepts: dict = {}
    if complete:
        concepts = (
            {key: values[1] for key, values in DERM7PT.items()} if kind == "dermoscopic" else {"skincon": ["Papule", "Scale"]}
        )
    seen = compose_observation(kind, concepts, MEASUREMENTS, sha)
    thought = compose_reasoning(kind, seen, ONTOLOGY.nodes[node], ONTOLOGY, sha)
    return Record(image_id="s:1", sha256=sha, kind=kind, observation=seen, reasoning=thought, node=node, **more)


def asked_records(facts: list[tuple]) -> list[Record]:
    """Records of (sha, kind, observation, reasoning, node, context, gates) with what matching gives them."""
    pictures = Pictures()
    for sha, kind, observation, _, node, _, _ in facts:
        pictures.add(sha, kind, node, observation)
    given = ask(pictures, ONTOLOGY)
    return [
        Record(
            image_id=f"s:{n}",
            sha256=sha,
            kind=kind,
            observation=observation,
            reasoning=reasoning,
            node=node,
            context=context,
            gates=gates,
            attribute=pictures.attribute[n],
            asked=given.of(n, ONTOLOGY.path(node)),
        )
        for n, (sha, kind, observation, reasoning, node, context, gates) in enumerate(facts)
    ]


def phantoms() -> list[Record]:
    """Records of all phantoms, with what was drawn."""
    facts = []
    for n, one in enumerate(phantom.records()):
        node = ONTOLOGY.map_label("phantom", one.diagnosis_raw or "").node
        if node is None:
            continue
        kind = "dermoscopic" if one.modality == "dermoscopic" else "clinical"
        seen = compose_observation(kind, one.expert_concepts, MEASUREMENTS, f"{n:064x}")
        thought = compose_reasoning(kind, seen, ONTOLOGY.nodes[node], ONTOLOGY, f"{n:064x}")
        about = Context(one.age_years, one.age_is_floor, one.sex, one.body_site, one.history)
        facts.append((f"{n:064x}", kind, seen, thought, node, about, ("hair",) if n % 3 else ()))
    return asked_records(facts)


def check_round_trip(one: Record) -> list[str]:
    """Parse every format of a record and compare with the record; the formats that there were."""
    rendered = {name: turns for name, render in FORMATS.items() if (turns := render(one, ONTOLOGY))}
    for name, turns in rendered.items():
        assert [turn["role"] for turn in turns] == ["user", "assistant"] * (len(turns) // 2)
        assert turns[0]["content"].startswith("<image>") and str(turns).count("<image>") == 1
        facts = parse(name, turns, ONTOLOGY)
        EXPECTED[name](facts, one)
    return list(rendered)


def _expect_text(facts, one):
    assert facts["text"] == one.observation[TEXT_KEY]


def _expect_morph(facts, one):
    assert facts["morph"] == json.loads(morph_json(one))


def _expect_choice(facts, one):
    assert facts["node"] == one.node
    assert facts["options"] in [set(asked.options) for asked in (one.asked.choice, one.asked.choice_25) if asked]


def _expect_attribute(facts, one):
    assert facts["attribute"] == one.attribute and facts["options"] == set(one.asked.attribute.options)
    name, value = facts["attribute"]
    if name == "concept":
        assert facts["options"] & set(one.observation["morphological_features_skincon"]) == {value}
    else:
        assert one.observation[DERM7PT_KEY][name] == value


def _expect_walk(facts, one):
    path = ONTOLOGY.path(one.node)
    assert tuple(facts["path"]) == path[: len(facts["path"])]
    assert facts["steps"] == {n: set(step.options) for n, step in enumerate(one.asked.walk) if step}


def _expect_ranked(facts, one):
    seen = set(findings(one.observation))
    assert facts["ranked"][0][0] == one.node
    for node, supporting, against in facts["ranked"]:
        criteria = [c for c in ONTOLOGY.criteria(node) if c.kind in (one.kind, "both") and c.finding in seen]
        assert set(supporting) == {c.finding for c in criteria if c.polarity == "supports"}
        assert set(against) == {c.finding for c in criteria if c.polarity == "against"}


def _expect_context(facts, one):
    about = one.context
    assert facts["reasoning"] == one.reasoning["reasoning"] and facts["node"] == one.node
    assert (facts["age_years"], facts["site"]) == (about.age_years, about.site)
    assert facts["age_is_floor"] == (about.age_is_floor and about.age_years is not None)
    assert facts["sex"] == about.sex
    told = history(about).removeprefix("History: ").rstrip(".")
    assert facts["history"] == (set(told.split(", ")) if told else set())


def _expect_adequacy(facts, one):
    assert facts["gates"] == set(one.gates) - set(SILENT)
    unassessed = {name for name, value in one.observation.get(DERM7PT_KEY, {}).items() if value == NOT_ASSESSABLE}
    assert facts["unassessed"] == unassessed
    assert facts["adequate"] == (not unassessed and not set(one.gates) & set(FAULTS))


def _expect_reasoning(facts, one):
    _expect_morph(facts, one)
    assert facts["reasoning"] == one.reasoning["reasoning"] and facts["node"] == one.node


EXPECTED = {
    "description": _expect_text,
    "morph_description": lambda facts, one: (_expect_text(facts, one), _expect_morph(facts, one)),
    "choice": _expect_choice,
    "choice_25": _expect_choice,
    "hierarchy": _expect_walk,
    "criterion": _expect_attribute,
    "concept": _expect_attribute,
    "reasoning": _expect_reasoning,
    "differential": _expect_ranked,
    "context": _expect_context,
    "adequacy": _expect_adequacy,
}

CONTEXTS = st.builds(
    Context,
    st.none() | st.integers(0, 99).map(float),
    st.booleans(),
    st.sampled_from([None, "female", "male"]),
    st.sampled_from([None, *SITES]),
    st.dictionaries(st.sampled_from([*SYMPTOMS, "nevus_type", "biopsed"]), st.sampled_from(["True", "False", "unknown"])),
)


@st.composite
def facts(draw):
    one = scribe.sound(draw(st.integers(0, 10**6)))
    gates = tuple(draw(st.lists(st.sampled_from([*FAULTS, *PRESENT, *SILENT]), unique=True)))
    sha = f"{draw(st.integers(0, 2**64)):064x}"
    return sha, one.kind, one.observation, one.reasoning, draw(st.sampled_from(DIAGNOSES)), draw(CONTEXTS), gates


@settings(max_examples=25, deadline=None)
@given(st.lists(facts(), min_size=1, max_size=60, unique_by=lambda one: one[0]))
def test_from_every_sample_the_facts_of_its_record_are_read_back(many):
    for one in asked_records(many):
        check_round_trip(one)


def test_from_every_sample_of_every_phantom_its_facts_are_read_back():
    seen = Counter(name for one in phantoms() for name in check_round_trip(one))
    assert set(seen) == set(FORMATS) - {"choice_25"}
    assert seen["choice"] > 100 and seen["hierarchy"] > 100


@pytest.mark.parametrize("name", list(FORMATS))
def test_a_text_that_no_format_writes_is_refused(name):
    garbled = [{"role": "user", "content": "<image>\nWhat?"}, {"role": "assistant", "content": "E) it depends"}]
    if name == "description":
        assert parse(name, garbled, ONTOLOGY) == {"text": "E) it depends"}
    else:
        with pytest.raises(ParseFault):
            parse(name, garbled, ONTOLOGY)


def test_measurements_used_here_are_real_findings():
    assert {m.split(": ")[1] for m in MEASUREMENTS} <= {v for values in MEASURED.values() for v in values}
    assert "Papule" in SKINCON


def test_a_walk_goes_down_the_path_and_corrects_what_was_wrong():
    walks = [FORMATS["hierarchy"](one, ONTOLOGY) for one in phantoms()]
    told = 0
    for turns in filter(None, walks):
        nodes = [ONTOLOGY.resolve(answer["content"]) for answer in turns[1::2]]
        assert all(ONTOLOGY.relation(a, b) == "ancestor" for a, b in pairwise(nodes))
        for human, model in zip(turns[::2], turns[1::2], strict=True):
            asked = asked_options(human["content"])
            assert model["content"] in asked.options and "{" not in human["content"]
            told += asked.wrong is not None
            assert asked.wrong is None or asked.wrong in set(asked.options) - {model["content"]}
    assert told > 10


def test_ranks_follow_the_count_and_a_label_that_does_not_lead_is_not_ranked():
    ranked = 0
    for seed in range(200):
        one = scribe.sound(seed)
        for node in DIAGNOSES[seed::90]:
            made = Record(
                image_id="s:1",
                sha256=f"{seed:064x}",
                kind=one.kind,
                observation=one.observation,
                reasoning=one.reasoning,
                node=node,
            )
            found = ranking(made, ONTOLOGY)
            ranked += bool(found)
            rivals = [order(c, node, ONTOLOGY) for c in found[1:]]
            assert rivals == sorted(rivals)
            assert all((-c.points, -len(c.supporting)) <= rival[:2] for c in found[:1] for rival in rivals)
            assert all(ONTOLOGY.exclusive(c.node, node) and c.supporting for c in found[1:])
    assert ranked > 5


def test_what_the_source_does_not_state_is_not_mentioned():
    assert FORMATS["context"](record("melanoma"), ONTOLOGY) == []
    told = FORMATS["context"](record("melanoma", context=Context(site="mucosa")), ONTOLOGY)[0]["content"]
    assert "mucosa" in told
    assert not re.search(r"Age|Sex|History|person", told)
    leaky = Context(history={"nevus_type": "blue", "biopsed": "True", "itch": "True"})
    assert history(leaky) == "History: it itches."


def test_every_gate_that_does_not_exclude_is_told_in_words():
    assert {*FAULTS, *PRESENT, *SILENT} == {gate.code for gate in GATES if gate.action != "exclude"}
    assert not set(FAULTS) & set(PRESENT)
    assert FORMATS["adequacy"](record("melanoma"), ONTOLOGY) == []


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


def test_every_question_starts_with_one_image_mark_and_names_no_diagnosis():
    texts = [*questions.DESCRIPTION, *questions.CHOICE, *questions.HIERARCHY_TOP, *questions.CRITERION, *questions.CONCEPT]
    texts += [*questions.DIFFERENTIAL, *questions.CONTEXT, *questions.ADEQUACY]
    texts += [
        text for group in (questions.MORPH_DESCRIPTION, questions.REASONING) for texts in group.values() for text in texts
    ]
    for text in texts:
        assert text.startswith("<image>") and text.count("<image>") == 1
        assert ONTOLOGY.mentions(text) == ()
    assert len(LETTERS) == 25
