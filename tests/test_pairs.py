"""Preference pairs: an accepted and a rejected answer to one question in one layout, with the reasons of the checks."""

import json

import pytest

from benchmarks import scribe
from pipelines.pairs import pair_rows
from prompts.formats.parse import parse
from prompts.ontology import load

ONTOLOGY = load()


def trajectory(seed: int, *, sample: int = 0, failed: tuple[str, str] | None = None, **more) -> dict:
    one = scribe.sound(seed)
    verdicts = [{"stage": "observe", "check": "schema", "passed": True, "detail": ""}]
    if failed:
        verdicts.append({"stage": failed[0], "check": failed[1], "passed": False, "detail": "why"})
    return {
        "image_id": "made:1",
        "sha256": "0" * 64,
        "source": "made",
        "split": "train",
        "kind": one.kind,
        "node": one.node,
        "observation": json.dumps(one.observation),
        "reasoning": json.dumps(one.reasoning),
        "verdicts": json.dumps(verdicts),
        "status": f"rejected: {failed[1]}" if failed else "accepted",
        "sample": sample,
        "teacher": "t",
        "revision": "1",
        "conditioning": "confirmed",
        "verified_by": 0,
        "licence_id": "CC0-1.0",
        "attribution": "made",
        **dict.fromkeys(("age_years", "age_is_floor", "sex", "body_site", "history", "gates")),
        **more,
    }


def complete(kind: str) -> list[int]:
    """Seeds of complete trajectories of a kind."""
    found = [
        seed
        for seed in range(400)
        if scribe.sound(seed).kind == kind and "not assessable" not in str(scribe.sound(seed).observation)
    ]
    return [seed for seed in found if scribe.sound(seed).observation.get("morphological_features_skincon", True)]


@pytest.mark.parametrize("kind", ["dermoscopic", "clinical"])
@pytest.mark.parametrize(("stage", "name"), [("observe", "description"), ("reason", "reasoning")])
def test_what_failed_decides_the_question_and_both_answers_have_its_layout(kind, stage, name):
    good, bad = complete(kind)[:2]
    (pair,) = pair_rows(trajectory(good), trajectory(bad, sample=2, failed=(stage, "contradiction")), ONTOLOGY)
    assert pair["format"] == name and pair["why"] == [f"{stage}: contradiction: why"]
    assert (pair["chosen_sample"], pair["rejected_sample"]) == (0, 2)
    for side in ("chosen", "rejected"):
        parse(name, [{"role": "user", "content": pair["prompt"]}, {"role": "assistant", "content": pair[side]}], ONTOLOGY)
    assert pair["chosen"] != pair["rejected"] and pair["prompt"].startswith("<image>")


def test_a_rejected_diagnosis_stands_in_the_rejected_answer_as_it_was_given():
    good = complete("dermoscopic")[0]
    wrong = json.loads(trajectory(good)["reasoning"]) | {"final_diagnosis": "urticaria"}
    (pair,) = pair_rows(
        trajectory(good), trajectory(good, reasoning=json.dumps(wrong), failed=("reason", "diagnosis")), ONTOLOGY
    )
    assert "<final_diagnosis>urticaria</final_diagnosis>" in pair["rejected"]


@pytest.mark.parametrize(
    "broken",
    [
        {"reasoning": None},
        {"reasoning": "[]"},
        {"reasoning": '{"reasoning": "x"}'},
        {"observation": "{}"},
        {"observation": "[1]"},
    ],
)
def test_an_answer_that_cannot_be_laid_out_makes_no_pair(broken):
    good, bad = complete("clinical")[:2]
    assert list(pair_rows(trajectory(good), trajectory(bad, failed=("reason", "schema"), **broken), ONTOLOGY)) == []


def test_two_equal_answers_make_no_pair():
    good = complete("clinical")[0]
    assert list(pair_rows(trajectory(good), trajectory(good, sample=1, failed=("observe", "copied_text")), ONTOLOGY)) == []


def test_an_id_names_the_pair():
    good, bad, other = complete("clinical")[:3]
    ids = {
        next(iter(pair_rows(trajectory(good), trajectory(seed, sample=n, failed=("observe", "x")), ONTOLOGY)))["pair_id"]
        for n, seed in enumerate((bad, other), 1)
    }
    assert len(ids) == 2
