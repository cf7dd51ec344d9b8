"""The composer says exactly what it was given, in words that pass the checks, the same way every time."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.teach import composer, phrases
from prompts import ontology as ontologies
from prompts import schemas
from quality import checks, finding_words, text
from quality.text import Polarity

ONTOLOGY = ontologies.load()
NODES = sorted(ONTOLOGY.nodes)

SEVEN = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in schemas.DERM7PT.items()})
SKINCON = st.fixed_dictionaries({}, optional={"skincon": st.lists(st.sampled_from(schemas.SKINCON), max_size=16, unique=True)})
CONCEPTS = st.tuples(st.just("dermoscopic"), SEVEN) | st.tuples(st.just("clinical"), SKINCON)


@st.composite
def measurements(draw: st.DrawFn) -> list[str]:
    """Measured findings as the evidence gives them: any colours with their number, at most one value of the rest."""
    colours = draw(st.lists(st.sampled_from(schemas.COLOURS), max_size=len(schemas.COLOURS), unique=True))
    found = [f"colour: {colour}" for colour in colours]
    if colours and draw(st.booleans()):
        found.append(f"number of colours: {schemas.MEASURED['number of colours'][min(len(colours), 3) - 1]}")
    for name in ("symmetry", "outline", "edge", "shape"):
        value = draw(st.none() | st.sampled_from(schemas.MEASURED[name]))
        found += [f"{name}: {value}"] if value else []
    return draw(st.permutations(found))


def compose(kind: str, concepts: dict[str, Any], measured: list[str], key: str = "k") -> dict[str, Any] | None:
    """An observation, or None where there is nothing to say."""
    try:
        return composer.compose_observation(kind, concepts, measured, key)
    except composer.NothingToSay:
        return None


def failed(verdicts: tuple[checks.Verdict, ...]) -> dict[str, str]:
    """Details of failed checks by code."""
    return {verdict.check: verdict.detail for verdict in verdicts if not verdict.passed}


@given(CONCEPTS, measurements(), st.text(max_size=4))
@settings(max_examples=150, deadline=None)
def test_observations_pass_every_check_but_an_honest_all_absent(given_: tuple[str, Any], measured: list[str], key: str) -> None:
    kind, concepts = given_
    observation = compose(kind, concepts, measured, key)
    if observation is None:
        assert not measured
        assert not concepts.get("skincon") if kind == "clinical" else not concepts
        return
    wrong = failed(checks.check_observation(json.dumps(observation), kind, ONTOLOGY)[1])
    nothing_seen = not measured and kind == "dermoscopic" and set(concepts.values()) == {"absent"}
    assert set(wrong) == ({"all_absent"} if nothing_seen else set()), (wrong, observation)
    assert 1 <= len(text.sentences(observation[schemas.TEXT_KEY])) <= 6


@given(CONCEPTS, measurements(), st.sampled_from(NODES), st.text(max_size=4))
@settings(max_examples=200, deadline=None)
def test_reasonings_pass_every_check_but_an_honest_lack_of_support(
    given_: tuple[str, Any], measured: list[str], node: str, key: str
) -> None:
    kind, concepts = given_
    observation = compose(kind, concepts, measured, key)
    if observation is None:
        return
    diagnosis = ONTOLOGY.nodes[node]
    reasoning = composer.compose_reasoning(kind, observation, diagnosis, ONTOLOGY, key)
    wrong = failed(checks.check_reasoning(json.dumps(reasoning), observation, kind, node, ONTOLOGY)[1])
    assert set(wrong) == (set() if reasoning["supporting"] else {"no_support"}), (wrong, reasoning)
    assert 60 <= len(text.words(reasoning["reasoning"])) <= 170
    assert reasoning["reasoning"].endswith(f"{diagnosis.name}.")
    for finding in reasoning["supporting"] + reasoning["against"]:
        assert phrases.PHRASES[finding].removeprefix("one or more ") in reasoning["reasoning"]


@given(SEVEN, measurements())
@settings(max_examples=100, deadline=None)
def test_a_dermoscopic_description_states_each_criterion_as_annotated(seven: dict[str, str], measured: list[str]) -> None:
    observation = compose("dermoscopic", seven, measured)
    if observation is None:
        return
    assert observation[schemas.DERM7PT_KEY] == {name: seven.get(name, "not assessable") for name in schemas.DERM7PT}
    prose = observation[schemas.TEXT_KEY]
    for name, pattern in finding_words.CRITERIA.items():
        said = {mention.polarity for mention in text.mentions(prose, pattern)}
        if name not in seven:
            assert said <= {Polarity.UNASSESSED}
        else:
            assert said == {Polarity.DENIED if seven[name] == "absent" else Polarity.AFFIRMED}, (name, prose)
            assert seven[name] == "absent" or phrases.PHRASES[f"{name.replace('_', ' ')}: {seven[name]}"] in prose


@given(SKINCON, measurements())
@settings(max_examples=100, deadline=None)
def test_a_clinical_description_states_the_annotated_concepts_and_no_other(
    concepts: dict[str, Any], measured: list[str]
) -> None:
    observation = compose("clinical", concepts, measured)
    if observation is None:
        return
    prose = observation[schemas.TEXT_KEY]
    listed = set(concepts.get("skincon", ()))
    assert set(observation[schemas.SKINCON_KEY]) == listed
    assert {name for name, pattern in finding_words.CONCEPTS.items() if pattern.search(prose)} == listed - set(
        finding_words.COLOUR_CONCEPTS
    )
    for name in listed:
        assert phrases.PHRASES[name].removeprefix("one or more ") in prose


@given(measurements(), st.sampled_from(["dermoscopic", "clinical"]))
@settings(max_examples=100, deadline=None)
def test_a_description_states_each_measurement_and_no_other_colour(measured: list[str], kind: str) -> None:
    observation = compose(kind, {}, measured)
    if observation is None:
        return
    assert sorted(observation[schemas.OTHERS_KEY]) == sorted(measured)
    prose = observation[schemas.TEXT_KEY]
    colours = [colour for colour in schemas.COLOURS if f"colour: {colour}" in measured]
    assert [colour for colour in schemas.COLOURS if colour in prose] == colours
    for finding in set(measured) - {f"colour: {colour}" for colour in colours}:
        name, value = finding.split(": ")
        assert (phrases.PHRASES[finding] if name == "number of colours" else value) in prose
    assert "could not be" in prose, "what was not annotated is said"


def test_every_finding_has_a_phrase_and_no_phrase_is_spare() -> None:
    assert set(phrases.PHRASES) == schemas.all_findings()


def test_the_text_depends_on_the_key_and_on_nothing_else() -> None:
    measured = ["colour: red", "shape: oval"]
    said = [composer.compose_observation("dermoscopic", {"streaks": "regular"}, measured, str(n)) for n in range(60)]
    texts = {observation[schemas.TEXT_KEY] for observation in said}
    assert len(texts) == 9
    again = compose("dermoscopic", {"streaks": "regular"}, measured[::-1], "7")
    assert again == compose("dermoscopic", {"streaks": "regular"}, measured, "7")


@pytest.mark.parametrize("kind", ["dermoscopic", "clinical"])
def test_without_annotation_and_measurement_there_is_nothing_to_say(kind: str) -> None:
    with pytest.raises(composer.NothingToSay):
        composer.compose_observation(kind, {}, [], "k")


def test_concepts_of_the_other_kind_of_image_are_not_evidence() -> None:
    with pytest.raises(composer.NothingToSay):
        composer.compose_observation("clinical", {"streaks": "regular"}, [], "k")
    with pytest.raises(composer.NothingToSay):
        composer.compose_observation("dermoscopic", {"skincon": ["Scale"]}, [], "k")


@pytest.mark.parametrize(
    ("kind", "concepts", "measured"),
    [
        ("dermoscopic", {"streaks": "many"}, []),
        ("clinical", {"skincon": ["scale"]}, []),
        ("clinical", {}, ["colour: mauve"]),
        ("clinical", {}, ["shape: oval", "shape: round"]),
    ],
)
def test_values_outside_the_vocabularies_are_an_error(kind: str, concepts: dict[str, Any], measured: list[str]) -> None:
    with pytest.raises(ValueError, match=r"not |two values"):
        composer.compose_observation(kind, concepts, measured, "k")


def test_a_diagnosis_without_criteria_is_weighed_by_those_of_its_ancestor() -> None:
    bare = [node for node in ONTOLOGY.nodes.values() if not node.criteria]
    inherited = [node for node in bare if composer._criteria("dermoscopic", node, ONTOLOGY)]
    assert inherited
    for node in inherited:
        above = [ONTOLOGY.nodes[name].criteria for name in ONTOLOGY.path(node.id)]
        assert composer._criteria("dermoscopic", node, ONTOLOGY)[0] in [criterion for level in above for criterion in level]
