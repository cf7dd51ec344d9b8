"""Checks on rendered samples find what they are made for, and nothing in what the formats write."""

import json

import pytest

from prompts.formats.parse import asked_options
from quality.samples import Tally, guesses, turn_faults

LETTERS = "ABCD"


def row(n: int, truth: int, options=("one", "three", "fifteen", "fourteen hundred"), **more) -> dict:
    lines = [f"{letter}) {name}" for letter, name in zip(LETTERS, options, strict=False)]
    turns = [
        {"role": "user", "content": "\n".join(["<image>\nWhich?", *lines])},
        {"role": "assistant", "content": lines[truth]},
    ]
    base = {"sample_id": f"s{n}", "image_id": f"i{n}", "teacher": "t", "format": "choice", "split": "train"}
    return {**base, "messages": json.dumps(turns), "node": f"n{n % 5}", "weight": 1.0, **more}


def tally(rows) -> Tally:
    found = Tally()
    for one in rows:
        found.add(one)
    return found


def test_even_questions_pass_every_check():
    found = tally(
        row(n, n % 4, ("two", "six", "ten", "one")[n // 4 % 4 :] + ("two", "six", "ten", "one")[: n // 4 % 4])
        for n in range(400)
    )
    assert not found.faults and not found.uneven_letters() and not found.given_away() and not found.repeated
    assert found.largest_class()["choice"][1] == 0.2


def test_a_letter_that_is_true_too_often_is_found():
    found = tally(row(n, 0 if n % 3 else n % 4) for n in range(300))
    assert list(found.uneven_letters()) == ["choice, 4 options"]


def test_answers_that_their_length_place_or_order_gives_away_are_found():
    found = tally(row(n, 3 if n % 2 else n // 2 % 4) for n in range(400))
    assert {"choice: longest", "choice: last"} <= set(found.given_away())


def test_one_question_twice_and_an_image_in_two_splits_are_found():
    found = tally([row(1, 0), row(1, 0), row(2, 0), row(2, 1, format="criterion", split="test")])
    assert found.repeated == {"choice": 1}
    assert len(found.crossing) == 1


def test_a_description_that_two_splits_share_is_counted():
    found = tally(row(n, 0, format="description", split=split) for n, split in enumerate(["train", "train", "test"]))
    assert found.echoed == 1


def test_a_diagnosis_that_is_most_of_what_is_drawn_is_named():
    found = tally([row(1, 0, node="nevus", weight=6.0), row(2, 0, node="melanoma", weight=2.0)])
    assert found.largest_class() == {"choice": ("nevus", 0.75)}


@pytest.mark.parametrize(
    ("turns", "fault"),
    [
        ([], "alternate"),
        ([{"role": "user", "content": "<image>"}], "alternate"),
        ([{"role": "assistant", "content": "<image>"}, {"role": "user", "content": "x"}], "alternate"),
        ([{"role": "user", "content": "what"}, {"role": "assistant", "content": "<image>"}], "mark"),
        ([{"role": "user", "content": "<image><image>"}, {"role": "assistant", "content": "x"}], "mark"),
        ([{"role": "user", "content": "<image>"}, {"role": "assistant", "content": " "}], "empty"),
    ],
)
def test_turns_that_a_trainer_misreads_are_told(turns, fault):
    assert any(fault in told for told in turn_faults(turns))


def test_an_answer_that_is_no_option_is_a_fault():
    turns = [{"role": "user", "content": "<image>\nWhich?\nA) one\nB) two"}, {"role": "assistant", "content": "C) three"}]
    assert "not among the options" in tally([row(1, 0, messages=json.dumps(turns))]).faults[0]


def test_no_rule_guesses_what_an_earlier_answer_ruled_out():
    asked = asked_options('<image>\nWhich? Options: "a", "bb", "ccc"\nAn earlier answer, "a", was wrong. Which one is it?')
    assert guesses(asked) == {"first": 1, "last": 2, "longest": 2, "shortest": 1, "first in the alphabet": 1}
