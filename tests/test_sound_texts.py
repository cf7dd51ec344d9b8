"""The sound texts of later authors are whole, true to the schemas, and cite what their own observations state."""

import re

import pytest

from benchmarks import scribe_words, sound_texts
from benchmarks.scribe import Trajectory
from prompts.ontology import load
from prompts.schemas import DERM7PT_KEY, MEASURED, NOT_ASSESSABLE, OTHERS_KEY, SKINCON, SKINCON_KEY, TEXT_KEY, findings
from sources.vocabulary import DERM7PT

BY_AUTHOR = {author: sound_texts.trajectories(author) for author in sound_texts.AUTHORS}
SOUND = [one for some in BY_AUTHOR.values() for one in some]
NAMES = [f"{author}-{number}-{one.node}" for author, some in BY_AUTHOR.items() for number, one in enumerate(some)]
LAST_SENTENCE = re.compile(r"[^.!?]+[.!?]$")


@pytest.mark.parametrize(
    ("author", "least"), [("third", 30), ("fourth", 40), ("fifth", 30), ("sixth", 30), ("seventh", 30), ("eighth", 30)]
)
def test_there_are_enough_texts_of_both_kinds(author: str, least: int) -> None:
    kinds = [one.kind for one in BY_AUTHOR[author]]
    assert min(kinds.count("dermoscopic"), kinds.count("clinical")) >= least


def test_no_two_texts_are_alike() -> None:
    assert len({one.observation[TEXT_KEY] for one in SOUND}) == len({one.reasoning["reasoning"] for one in SOUND}) == len(SOUND)


def test_an_author_without_texts_is_an_error() -> None:
    with pytest.raises(ValueError, match="ninth"):
        sound_texts.trajectories("ninth")


@pytest.mark.parametrize("one", SOUND, ids=NAMES)
def test_the_structure_uses_the_closed_vocabularies(one: Trajectory) -> None:
    if one.kind == "dermoscopic":
        seven = one.observation[DERM7PT_KEY]
        assert seven.keys() == DERM7PT.keys()
        assert all(value in (*DERM7PT[name], NOT_ASSESSABLE) for name, value in seven.items())
    else:
        assert set(one.observation[SKINCON_KEY]) <= set(SKINCON)
    assert one.known.site in {None, *scribe_words.SITES} and bool(one.known.site) == bool(one.known.site_raw)


@pytest.mark.parametrize("one", SOUND, ids=NAMES)
def test_the_pixels_agree_with_what_is_listed(one: Trajectory) -> None:
    listed = [finding for finding in one.observation[OTHERS_KEY] if finding.split(": ")[0] in MEASURED]
    assert set(listed) <= set(one.known.measured)
    assert all(finding.partition(": ")[2] in MEASURED[finding.partition(": ")[0]] for finding in one.known.measured)
    assert all(one.known.traces[f.removeprefix("colour: ")] for f in listed if f.startswith("colour: "))


@pytest.mark.parametrize("one", SOUND, ids=NAMES)
def test_the_argument_cites_its_own_findings_and_concludes_with_its_diagnosis(one: Trajectory) -> None:
    said, final = one.reasoning["reasoning"], one.reasoning["final_diagnosis"]
    supporting, against = set(one.reasoning["supporting"]), set(one.reasoning["against"])
    concluding = LAST_SENTENCE.search(said)
    assert 40 <= len(one.observation[TEXT_KEY].split()) <= 140
    assert 50 <= len(said.split()) <= 180
    assert supporting
    assert supporting | against <= set(findings(one.observation))
    assert not supporting & against
    assert concluding
    assert final.lower() in concluding[0].lower()
    assert load().resolve(final) == one.node
