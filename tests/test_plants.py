"""The planted faults are the same from the same seeds, and every kind of fault is generated and differs from the sound trajectory."""

import json
from types import ModuleType

import pytest

from benchmarks import label_swaps, plants, scribe, scribe_words
from benchmarks import plant_words as first
from benchmarks import plant_words_fifth as fifth
from benchmarks import plant_words_fourth as fourth
from benchmarks import plant_words_second as second
from benchmarks import plant_words_sixth as sixth
from benchmarks import plant_words_third as third
from prompts.ontology import load
from prompts.schemas import SKINCON, TEXT_KEY, findings
from quality.checks import CHECKS
from sources.vocabulary import DERM7PT


def test_sound_trajectories_depend_on_the_seed_alone() -> None:
    assert [scribe.sound(seed) for seed in range(20)] == [scribe.sound(seed) for seed in range(20)]
    assert len({scribe.sound(seed).observation[TEXT_KEY] for seed in range(200)}) == 200


def test_sound_texts_have_the_length_that_the_prompts_ask_for_and_cite_what_was_observed() -> None:
    for seed in range(200):
        one = scribe.sound(seed)
        assert 40 <= len(one.observation[TEXT_KEY].split()) <= 130
        assert 60 <= len(one.reasoning["reasoning"].split()) <= 160
        assert {*one.reasoning["supporting"], *one.reasoning["against"]} <= set(findings(one.observation))
        assert (
            one.reasoning["reasoning"].endswith(f"{one.reasoning['final_diagnosis']}.")
            or "diagnosis" in one.reasoning["reasoning"]
        )


@pytest.mark.parametrize(("author", "kind"), [(author, kind) for author, kinds in plants.AUTHORS.items() for kind in kinds])
def test_every_kind_of_fault_is_planted_the_same_way_each_time(author: plants.Author, kind: str) -> None:
    made = plants.planted(kind, 5, author)
    assert made == plants.planted(kind, 5, author)
    assert all((sound.observed, sound.reasoned) != (faulty.observed, faulty.reasoned) for sound, faulty in made)
    assert plants.AUTHORS[author][kind].checks <= CHECKS.keys()


@pytest.mark.parametrize(
    ("author", "earlier", "fewest"),
    [
        (second, (first,), 8),
        (third, (first, second), 10),
        (fourth, (first, second, third), 10),
        (fifth, (first, second, third, fourth), 10),
        (sixth, (first, second, third, fourth, fifth), 10),
    ],
)
def test_later_authors_have_words_for_every_finding_and_share_no_sentence_with_earlier_ones(
    author: ModuleType, earlier: tuple[ModuleType, ...], fewest: int
) -> None:
    assert author.CLAIMED.keys() == {*scribe_words.SEVEN, *SKINCON}
    assert author.DENIED.keys() == {*DERM7PT, *SKINCON}
    for name, said in vars(author).items():
        if isinstance(said, tuple):
            assert len(said) >= fewest
            assert not set(said) & {sentence for other in earlier for sentence in getattr(other, name, ())}


@pytest.mark.parametrize("author", [third, fourth, fifth, sixth])
def test_later_authors_fill_every_constant_of_the_second(author: ModuleType) -> None:
    assert {name for name in vars(second) if name.isupper()} == {name for name in vars(author) if name.isupper()}
    assert author.MEASURED.keys() == second.MEASURED.keys()
    assert author.SITES.keys() == second.SITES.keys()
    assert author.SHADES.keys() == second.SHADES.keys()


@pytest.mark.parametrize("name", label_swaps.SWAPS)
def test_every_swap_is_made(name: str) -> None:
    row = label_swaps.caught(name, 5, lambda one: (set(), {"told"} if json.loads(one.reasoned) else set()))
    assert (row.swaps, row.observation, row.either) == (5, 0.0, 1.0)


def test_unknown_diagnoses_are_unknown_to_the_ontology() -> None:
    assert [
        name for one in (first, second, third, fourth, fifth, sixth) for name in one.UNKNOWN_DIAGNOSES if load().resolve(name)
    ] == []
