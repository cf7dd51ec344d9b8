"""The third author's sound texts are whole, true to the schemas, and cite what their own observations state."""

import pytest

from benchmarks import scribe_words, sound_third
from benchmarks.scribe import Trajectory
from prompts.ontology import load
from prompts.schemas import DERM7PT_KEY, MEASURED, NOT_ASSESSABLE, OTHERS_KEY, SKINCON, SKINCON_KEY, TEXT_KEY, findings
from sources.vocabulary import DERM7PT

SOUND = sound_third.trajectories()
NAMES = [f"{number}-{one.node}" for number, one in enumerate(SOUND)]


def test_there_are_enough_texts_of_both_kinds_and_no_two_are_alike() -> None:
    kinds = [one.kind for one in SOUND]
    assert min(kinds.count("dermoscopic"), kinds.count("clinical")) >= 30
    assert len({one.observation[TEXT_KEY] for one in SOUND}) == len({one.reasoning["reasoning"] for one in SOUND}) == len(SOUND)


@pytest.mark.parametrize("one", SOUND, ids=NAMES)
def test_the_structure_uses_the_closed_vocabularies(one: Trajectory) -> None:
    if one.kind == "dermoscopic":
        seven = one.observation[DERM7PT_KEY]
        assert seven.keys() == DERM7PT.keys()
        assert all(value in (*DERM7PT[name], NOT_ASSESSABLE) for name, value in seven.items())
    else:
        assert set(one.observation[SKINCON_KEY]) <= set(SKINCON)
    assert {raw.removeprefix("left ").removeprefix("right ") for raw in [one.known.site_raw or "back"]} <= {
        raw for raw, _ in scribe_words.SITES[one.known.site or "trunk_back"]
    }


@pytest.mark.parametrize("one", SOUND, ids=NAMES)
def test_the_pixels_agree_with_what_is_listed(one: Trajectory) -> None:
    listed = [finding for finding in one.observation[OTHERS_KEY] if finding.split(": ")[0] in MEASURED]
    assert set(listed) <= set(one.known.measured)
    assert all(one.known.traces[f.removeprefix("colour: ")] for f in listed if f.startswith("colour: "))


@pytest.mark.parametrize("one", SOUND, ids=NAMES)
def test_the_argument_cites_its_own_findings_and_ends_with_its_diagnosis(one: Trajectory) -> None:
    said, final = one.reasoning["reasoning"], one.reasoning["final_diagnosis"]
    supporting, against = set(one.reasoning["supporting"]), set(one.reasoning["against"])
    assert 40 <= len(one.observation[TEXT_KEY].split()) <= 140
    assert 60 <= len(said.split()) <= 170
    assert supporting
    assert supporting | against <= set(findings(one.observation))
    assert not supporting & against
    assert said.endswith(f"{final}.")
    assert load().resolve(final) == one.node
