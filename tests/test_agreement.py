"""Agreement with experts: what counts, against which baselines, and that blind answers alone are judged."""

import json
import random
from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.agree import agree, no_better, summary
from pipelines.lake import Lake
from pipelines.tables import TABLES
from prompts import schemas
from prompts.ontology import load
from quality import agreement as agreed
from quality.agreement import ABSENT, ALL, PRESENT

ONTOLOGY = load()
VALUES = ("absent", "typical", "atypical")
fields = st.lists(
    st.tuples(st.sampled_from(VALUES), st.sampled_from([*VALUES, schemas.NOT_ASSESSABLE])), min_size=1, max_size=60
)


def scored(pairs, field="pigment_network"):
    return {(s.field, s.measure): s for s in agreed.observation_scores({field: pairs})}


def test_f1_on_a_worked_example():
    # absent: 2 hits of 3 said and 3 answered; typical: 1 of 2 and 1; atypical: never met, one left open.
    pairs = [("absent", "absent")] * 2 + [("absent", "typical"), ("typical", "absent"), ("typical", "typical")]
    pairs[2] = ("absent", "not assessable")
    pairs.append(("atypical", "absent"))
    assert agreed.class_f1(pairs) == pytest.approx({"absent": 4 / 7, "typical": 2 / 3, "atypical": 0.0})
    assert agreed.macro_f1(pairs) == pytest.approx((4 / 7 + 2 / 3) / 3)
    assert agreed.presence_f1(pairs) == pytest.approx((2 * 2 / 3 + 0) / 3)
    assert scored(pairs)["pigment_network", "macro_f1"].assessed == pytest.approx(5 / 6)


def test_always_absent_is_accurate_and_worth_no_more_than_its_baseline():
    pairs = [("absent", "absent")] * 90 + [("typical", "absent")] * 10
    score = scored(pairs)["pigment_network", "macro_f1"]
    assert sum(e == t for e, t in pairs) / len(pairs) == 0.9
    assert score.score == score.absent == score.majority < 0.5 and score.score <= score.best_baseline
    assert scored(pairs)["pigment_network", "presence_f1"].score == 0


@given(fields)
def test_scores_are_shares_and_a_perfect_teacher_scores_one(pairs):
    for score in agreed.observation_scores({"pigment_network": pairs}):
        assert all(0 <= value <= 1 for value in (score.score, score.absent, score.majority, score.prior, score.assessed))
    perfect = [(e, e) for e, _ in pairs]
    assert all(s.score == pytest.approx(1) for s in agreed.observation_scores({"pigment_network": perfect}))


@given(fields, st.randoms())
def test_the_order_of_answers_does_not_count(pairs, rng):
    shuffled = rng.sample(pairs, len(pairs))
    for a, b in zip(agreed.observation_scores({"x": pairs}), agreed.observation_scores({"x": shuffled}), strict=True):
        assert a == b


def test_the_random_baseline_is_what_random_answers_reach():
    rng = random.Random(5)
    experts = rng.choices(VALUES, (70, 20, 10), k=400)
    drawn = [[(e, t) for e, t in zip(experts, rng.choices(experts, k=400), strict=True)] for _ in range(200)]
    baseline = {key: score.prior for key, score in scored(drawn[0]).items()}
    for measure, function in (("macro_f1", agreed.macro_f1), ("presence_f1", agreed.presence_f1)):
        mean = sum(function(pairs) for pairs in drawn) / len(drawn)
        assert mean == pytest.approx(baseline["pigment_network", measure], abs=0.01)


def test_a_statement_without_its_kind_makes_the_field_one_of_presence():
    ph2 = [
        ({"streaks": "absent", "ph2": ["asymmetry 0"]}, {"streaks": "absent"}),
        ({"ph2": ["streaks present"]}, {"streaks": "irregular"}),
        ({"ph2": ["streaks present"]}, {"streaks": "not assessable"}),
    ]
    found = agreed.paired((agreed.expert_statements("dermoscopic", said), answered) for said, answered in ph2)
    assert found == {"streaks": [(ABSENT, ABSENT), (PRESENT, PRESENT), (PRESENT, "not assessable")]}


def test_masks_of_isic_2018_speak_about_three_criteria():
    said = agreed.expert_statements("dermoscopic", {"isic2018": ["globules", "milia_like_cyst"]})
    assert said["pigment_network"] == said["streaks"] == {ABSENT} and said["dots_and_globules"] == {"regular", "irregular"}
    assert set(said) == {"pigment_network", "streaks", "dots_and_globules"}


def test_an_empty_concept_list_says_that_nothing_is_there_and_no_list_says_nothing():
    assert agreed.expert_statements("clinical", {}) == {}
    assert set(agreed.expert_statements("clinical", {"skincon": []}).values()) == {frozenset([ABSENT])}


def test_fields_on_which_experts_never_differ_do_not_lift_the_total():
    alike = [("absent", "absent")] * 40
    telling = [("absent", "typical"), ("typical", "absent")] * 20
    found = {(s.field, s.measure): s for s in agreed.observation_scores({"streaks": alike, "pigment_network": telling})}
    assert found[ALL, "macro_f1"].score == 0 and found["streaks", "macro_f1"].score == 1
    assert (ALL, "macro_f1") not in scored(alike)


def test_diagnoses_are_graded_by_the_tree():
    melanoma, nodular = (ONTOLOGY.resolve(name) for name in ("melanoma", "nodular melanoma"))
    naevus, psoriasis = ONTOLOGY.resolve("melanocytic nevus"), ONTOLOGY.resolve("psoriasis")
    superficial = ONTOLOGY.resolve("superficial spreading melanoma")

    def grade(known, found):
        return {s.measure: s.score for s in agreed.diagnosis_scores([(known, found)], ONTOLOGY)}["graded"]

    assert grade(melanoma, melanoma) == 1 and grade(melanoma, nodular) == grade(nodular, melanoma) == 0.85
    assert grade(nodular, superficial) == 0.7 and grade(naevus, melanoma) == 0.5
    assert grade(psoriasis, melanoma) < 0.5 and grade(melanoma, None) == 0
    assert agreed.diagnosis_scores([], ONTOLOGY) == []
    one = agreed.diagnosis_scores([(melanoma, psoriasis)] * 3 + [(naevus, naevus)], ONTOLOGY)[0]
    assert one.majority == pytest.approx((3 + 0.5) / 4) and one.prior == pytest.approx((9 + 1 + 2 * 3 * 0.5) / 16)


def test_the_composer_is_shown_as_circular_and_never_for_its_diagnoses(corpus):
    rows = corpus.lake.read("agreement").to_pylist()
    assert rows and all(row["circular"] for row in rows) and "diagnosis" not in {row["field"] for row in rows}
    total = {row["measure"]: row["score"] for row in rows if summary(row)}
    assert total["presence_f1"] > 0.95  # it copies them


def vendor(lake: Lake, rows: list[dict], conditioning: str) -> list[dict]:
    """The trajectories as another teacher's, told as much as `conditioning` says."""
    told = [row | {"teacher": "vendor", "revision": "1", "conditioning": conditioning} for row in rows]
    lake.replace("trajectories", pa.Table.from_pylist(told, schema=TABLES["trajectories"].schema))
    agree(lake, "phantom")
    return lake.read("agreement").to_pylist()


def blurred(row: dict) -> dict:
    """An observation that calls everything absent, and one diagnosis for all."""
    seen = json.loads(row["observation"])
    if schemas.DERM7PT_KEY in seen:
        seen[schemas.DERM7PT_KEY] = dict.fromkeys(seen[schemas.DERM7PT_KEY], ABSENT)
    else:
        seen[schemas.SKINCON_KEY] = []
    return row | {"observation": json.dumps(seen), "final_node": "nevus"}


def test_a_teacher_that_does_not_look_is_no_better_than_a_baseline_and_one_that_looks_is(untaught):
    rows = [row for row in untaught.read("trajectories").to_pylist() if row["observation"] and row["reasoning"]]
    looking = [row for row in vendor(untaught, rows, "blind") if summary(row)]
    assert {(row["field"], row["measure"]) for row in looking} >= {(ALL, "macro_f1"), ("diagnosis", "graded")}
    assert not any(no_better(row) or row["circular"] for row in looking)
    assert {row["score"] for row in looking if row["field"] == "diagnosis"} == {1.0}
    idle = [row for row in vendor(untaught, [blurred(row) for row in rows], "blind") if summary(row)]
    assert all(no_better(row) for row in idle)


def test_diagnoses_that_were_told_do_not_count_and_rejected_answers_do(untaught):
    rows = [row for row in untaught.read("trajectories").to_pylist() if row["observation"] and row["reasoning"]]
    rejected = [row | {"status": "rejected: diagnosis_disagrees"} for row in rows]
    assert "diagnosis" not in {row["field"] for row in vendor(untaught, rejected, "confirmed")}
    counts = Counter({row["field"]: row["answers"] for row in vendor(untaught, rejected, "blind")})
    assert counts["diagnosis"] == len(rows)
