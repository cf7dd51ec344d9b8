"""Questions with options cannot be answered without the picture, and the classifiers that show it can see a shortcut where there is one."""

from collections import Counter, defaultdict

import pytest
from scipy.stats import chisquare

from benchmarks import shortcuts
from prompts.formats import LETTERS
from prompts.ontology import load

ONTOLOGY = load()
POINTS = 0.02


@pytest.fixture(scope="module")
def questions():
    made = shortcuts.rendered(18_000, ONTOLOGY)
    return {name: shortcuts.whole_sets(some, shortcuts.QUESTIONS) for name, some in made.items()}


@pytest.mark.parametrize("name", ["choice", "choice_25", "criterion", "concept", "hierarchy"])
@pytest.mark.parametrize("sees", ["text", "options", "lengths", "places"])
def test_no_classifier_without_the_picture_beats_chance(questions, name, sees):
    asked = questions[name]
    assert len(asked) >= shortcuts.QUESTIONS
    chance = sum(one.chance for one in asked) / len(asked)
    assert shortcuts.accuracy(asked, shortcuts.SEES[sees]) <= chance + POINTS


@pytest.mark.parametrize("name", ["choice", "choice_25", "criterion", "concept", "hierarchy"])
def test_nor_does_the_answer_that_is_true_most_often(questions, name):
    asked = questions[name]
    assert shortcuts.commonest(asked) <= sum(one.chance for one in asked) / len(asked) + POINTS


def test_the_same_classifiers_find_what_unmatched_options_give_away():
    usual = shortcuts.usual(1_000, ONTOLOGY)
    assert shortcuts.accuracy(usual, shortcuts.by_options) > 0.6
    assert shortcuts.accuracy(usual, shortcuts.by_length) > 0.3
    assert shortcuts.commonest(usual) > 0.8


@pytest.mark.parametrize("name", ["choice", "choice_25", "criterion", "concept"])
def test_every_option_of_a_set_is_true_once(questions, name):
    true = defaultdict(Counter)
    for one in questions[name]:
        true[one.text, one.options][one.truth] += 1
    for (_, options), counts in true.items():
        assert len(set(counts.values())) == 1 and len(counts) == len(options)


@pytest.mark.parametrize(("name", "options"), [("choice", 4), ("choice_25", 25), ("concept", 4)])
def test_letters_are_uniform(questions, name, options):
    counts = Counter(one.truth for one in questions[name])
    assert chisquare([counts[n] for n in range(len(LETTERS[:options]))]).pvalue > 0.99


def test_the_commonest_diagnosis_is_at_most_every_fourth_question(questions):
    answers = Counter(one.options[one.truth] for one in questions["choice"])
    assert answers.most_common(1)[0][1] <= sum(answers.values()) / 4
