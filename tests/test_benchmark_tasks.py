"""The eleven tasks on drawn cases: the oracle scores 100, what knows nothing scores what theory says, and no option set tells."""

import math
from collections import Counter, defaultdict
from functools import cache
from itertools import product

import pytest

from prompts.benchmark import tasks
from prompts.benchmark.items import TASKS, Item
from prompts.benchmark.shifts import SHIFTS, seen, shift
from prompts.benchmark.wording import LETTERS
from quality.benchmark import answers, baselines
from quality.benchmark.baselines import BASELINES, Prior
from quality.benchmark.reading import by_words
from quality.benchmark.scores import Score, score
from sources import phantom
from sources.phantom import Plan
from tests.benchmark_phantoms import ONTOLOGY, cases, oracle

LESIONS, MOST = 700, 40
CHOICES = [name for name, task in TASKS.items() if task.scorer in ("choice", "fairness")]


@cache
def halves():
    """Training and held-out cases, by patient."""
    drawn = cases(LESIONS)
    held = {group for n, group in enumerate(sorted({case.group for case in drawn})) if n % 2}
    return [c for c in drawn if c.group not in held], [c for c in drawn if c.group in held]


@cache
def items() -> dict[str, list[Item]]:
    training, held = halves()
    # Training never saw the darkest tone on half of the labels, nor one label at all.
    trained = seen(c for c in training if c.node != "vitiligo" and not (c.tones["drawn"] == "6" and c.node < "m"))
    moved = [case for case in held if shift(case, trained)]
    made = [
        *tasks.morphology_items(held, MOST),
        *tasks.diagnosis_items(held, ONTOLOGY, MOST),
        *tasks.diagnosis_items(held, ONTOLOGY, MOST, task="diagnosis_25", size=25),
        *tasks.hierarchy_items(held, ONTOLOGY, MOST),
        *tasks.diagnosis_items(moved, ONTOLOGY, MOST, task="out_of_distribution", variant="new skin tone"),
        *tasks.reasoning_items(held, ONTOLOGY, MOST),
        *tasks.fairness_items(held, ONTOLOGY, MOST),
    ]
    found = defaultdict(list)
    for item in made:
        found[item.task].append(item)
    return dict(found)


@cache
def prior() -> Prior:
    training, _ = halves()
    classes, labels, values = defaultdict(Counter), defaultdict(Counter), defaultdict(Counter)
    for case in training:
        names = [ONTOLOGY.nodes[node].name for node in ONTOLOGY.path(case.node)]
        classes[case.kind].update(names)
        labels[case.kind][names[-1]] += 1
        for field, value in case.morphology.items():
            values[field][value] += 1
    return Prior(classes, labels, values)


def scored(task: str, said: dict[str, str | None]) -> dict[str, Score]:
    mine = items()[task]
    return {one.measure: one for one in score(mine, said, ONTOLOGY, by_words(mine, said))}


def baseline(task: str, name: str) -> dict[str, Score]:
    return scored(task, {item.item_id: baselines.answer(name, item, prior()) for item in items()[task]})


def test_all_eleven_tasks_are_made_and_every_item_is_its_own():
    assert set(items()) == set(TASKS)
    everything = [item for made in items().values() for item in made]
    assert len({item.item_id for item in everything}) == len(everything)
    assert {item.axis for item in everything} == {"morphology", "diagnosis", "reasoning", "fairness"}


@pytest.mark.parametrize("task", TASKS)
def test_an_oracle_that_knows_the_drawing_scores_100(task):
    lesions = phantom.truth(Plan(lesions=LESIONS)).lesions
    found = scored(task, {item.item_id: oracle(item, lesions[item.image_id]) for item in items()[task]})
    (headline,) = [one for one in found.values() if one.headline]
    assert headline.unreadable == 0
    assert headline.value == pytest.approx(100.0) and headline.low == pytest.approx(100.0)
    assert all(one.value == pytest.approx(0.0 if one.measure == "corrections" else 100.0) for one in found.values())


def within_chance(task: str, found: Score) -> bool:
    """Whether an accuracy is what guessing gives: four standard deviations of the sum of so many draws."""
    shares = [len(item.truth["right"]) / len(item.options) for item in items()[task]]
    spread = math.sqrt(sum(p * (1 - p) for p in shares))
    return abs(found.value / 100 * len(shares) - sum(shares)) < 4 * spread


@pytest.mark.parametrize("task", [*CHOICES, "hierarchy"])
@pytest.mark.parametrize("name", ["constant", "random"])
def test_a_guess_scores_what_theory_says(task, name):
    found = baseline(task, name)
    assert within_chance(task, found["step accuracy" if task == "hierarchy" else "accuracy"])


@pytest.mark.parametrize("task", CHOICES)
def test_knowing_how_frequent_the_options_are_gives_exactly_nothing(task):
    """Within every set each member is true equally often, so always choosing the commonest is right once in so many."""
    mine = items()[task]
    found = baseline(task, "majority")["accuracy"]
    assert found.value / 100 * len(mine) == pytest.approx(sum(1 / len(item.options) for item in mine))
    assert within_chance(task, baseline(task, "label prior")["accuracy"])


@pytest.mark.parametrize("task", TASKS)
def test_no_headline_looks_good_for_nothing(task):
    chance = 100 * max((1 / len(item.options) for item in items()[task] if item.options), default=0.25)
    for name in BASELINES:
        (headline,) = [one for one in baseline(task, name).values() if one.headline]
        assert headline.value < min(60.0, chance + 25), (task, name, headline)


def test_absent_everywhere_scores_nothing_on_morphology():
    assert baseline("morph_description", "constant")["presence F1"].value == 0.0
    assert baseline("morph_description", "constant")["claims"].value == 0.0


@pytest.mark.parametrize("task", CHOICES)
def test_every_member_of_an_option_set_is_the_true_one_equally_often(task):
    by_set = defaultdict(Counter)
    for item in items()[task]:
        assert item.truth["true"] in item.options and len(set(item.options)) == len(item.options)
        by_set[item.truth["field"] if task == "derm7pt" else "", frozenset(item.options)][item.truth["true"]] += 1
    for (_, options), counts in by_set.items():
        assert set(counts) == set(options) and len(set(counts.values())) == 1


@pytest.mark.parametrize("task", ["diagnosis_4", "skincon", "fairness"])
def test_letters_of_the_right_answer_are_uniform(task):
    from scipy.stats import chisquare

    four = [item for item in items()[task] if len(item.options) == 4]
    letters = Counter(LETTERS[item.options.index(item.truth["true"])] for item in four)
    assert chisquare([letters[letter] for letter in "ABCD"]).pvalue > 0.001


def test_no_wrong_option_may_be_true_of_the_image():
    _, held = halves()
    by_id = {case.image_id: case for case in held}
    for task in ("diagnosis_4", "diagnosis_25", "hierarchy", "out_of_distribution", "fairness"):
        for item in items()[task]:
            wrong = [ONTOLOGY.resolve(option) for option in item.options if option not in item.truth["right"]]
            assert wrong and all(ONTOLOGY.exclusive(node, item.node) for node in wrong)
    for item in items()["skincon"]:
        assert [option for option in item.options if by_id[item.image_id].morphology[option] == "present"] == item.truth[
            "right"
        ]


def test_classes_are_balanced():
    for task, kind in product(("description", "reasoning", "hierarchy"), ("dermoscopic", "clinical")):
        mine = {item.walk: item.node for item in items()[task] if item.kind == kind or task != "hierarchy"}
        counts = Counter(mine.values())
        assert max(counts.values()) <= sorted(counts.values())[len(counts) // 2] <= MOST


def test_items_do_not_depend_on_the_order_of_cases():
    _, held = halves()
    there = sorted(tasks.diagnosis_items(held, ONTOLOGY, MOST), key=lambda item: item.item_id)
    back = sorted(tasks.diagnosis_items(held[::-1], ONTOLOGY, MOST), key=lambda item: item.item_id)
    assert there == back


def test_steps_state_the_true_path_and_ask_where_there_is_a_choice():
    for item in items()["hierarchy"]:
        names = [ONTOLOGY.nodes[node].name for node in ONTOLOGY.path(item.node)]
        assert item.truth["true"] == names[item.step] and len(item.options) > 1
        assert all(name in item.question for name in names[: item.step])


def test_shifts_go_by_the_strongest():
    training, held = halves()
    assert [shift(case, seen([])) for case in held[:3]] == [SHIFTS[0]] * 3
    without = seen(case for case in training if case.node != held[0].node)
    assert shift(held[0], without) == "new diagnosis"
    assert shift(held[0], seen(held)) is None


def test_the_morphology_of_the_oracle_is_read_back():
    for item in items()["morph_description"][:50]:
        lesion = phantom.truth(Plan(lesions=LESIONS)).lesions[item.image_id]
        assert answers.morphology(oracle(item, lesion), item.kind) == item.truth["morphology"]
