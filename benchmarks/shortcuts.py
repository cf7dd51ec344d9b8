"""Can the questions be answered without the picture? `python -m benchmarks.shortcuts [--quick]`.

Classifiers that see only the text of a question, only its options, only the lengths of the options, or only their places, on every
format with options, learnt and tested in five folds of whole sets. Beside each format, chance; beside all, the same classifiers on options drawn the
usual way (the label and siblings of it), where they find what there is to find.
"""

import argparse
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import scribe
from prompts.asking import Pictures, ask
from prompts.formats import FORMATS, LETTERS, Record
from prompts.formats.parse import steps
from prompts.ontology import Ontology, load

RESULTS = Path(__file__).parent / "results" / "shortcuts.json"
QUESTIONS = 5_000
FOLDS = 5
FEW = 8

HAM10000 = {"nv": 6705, "mel": 1113, "bkl": 1099, "bcc": 514, "akiec": 327, "vasc": 142, "df": 115}
"""Images by label, of the published table: the prior that a shortcut would learn."""


@dataclass(frozen=True, slots=True)
class Question:
    """All that a reader without eyes has: the text before the options, the options, and which of them an earlier answer ruled out."""

    text: str
    options: tuple[str, ...]
    truth: int
    wrong: int | None = None

    @property
    def chance(self) -> float:
        """What a guess among the options left is worth."""
        return 1 / (len(self.options) - (self.wrong is not None))


def records(pictures: int, ontology: Ontology) -> Iterator[tuple[str, str, str, scribe.Trajectory]]:
    """Sha256, cell, label and observation of made pictures.

    One half is a set with the seven labels of HAM10000 in their proportions, the other a set with every diagnosis of the ontology, the n-th
    most frequent n times as rare as the first.
    """
    seven = ontology.raw_labels["ham10000"]
    names = sorted(node for node in ontology.nodes if ontology.granularity(node) in ("diagnosis", "subtype"))
    names.sort(key=lambda node: hashlib.sha256(node.encode()).digest())
    told: dict[str, list[scribe.Trajectory]] = {"dermoscopic": [], "clinical": []}
    for seed in range(600):
        one = scribe.sound(seed)
        told[one.kind].append(one)
    draws = scribe.dice("shortcuts")
    zipf = [1 / (rank + 1) for rank in range(len(names))]
    for n in range(pictures):
        sha = hashlib.sha256(f"made {n}".encode()).hexdigest()
        if n % 2:
            label = str(seven[draws.choices(list(HAM10000), list(HAM10000.values()))[0]])
            yield sha, "ham10000/train/dermoscopic", label, draws.choice(told["dermoscopic"])
        else:
            yield sha, "many/train/clinical", draws.choices(names, zipf)[0], draws.choice(told["clinical"])


def rendered(pictures: int, ontology: Ontology) -> dict[str, list[Question]]:
    """Questions of every format with options, of made pictures."""
    made, light = list(records(pictures, ontology)), Pictures()
    for sha, cell, label, one in made:
        light.add(sha, cell, label, one.observation)
    given = ask(light, ontology)
    questions: dict[str, list[Question]] = {}
    for place, (sha, _, label, one) in enumerate(made):
        record = Record(
            image_id=sha,
            sha256=sha,
            kind=one.kind,
            observation=one.observation,
            reasoning=one.reasoning,
            node=label,
            attribute=light.attribute[place],
            asked=given.of(place, ontology.path(label)),
        )
        for name in ("choice", "choice_25", "criterion", "concept", "hierarchy"):
            questions.setdefault(name, []).extend(read(FORMATS[name](record, ontology)))
    return questions


def read(turns: Sequence[dict[str, str]]) -> Iterator[Question]:
    """The questions of a sample; those of a walk with all that was said before them."""
    before = ""
    for n, (asked, truth) in enumerate(steps(turns)):
        wrong = None if asked.wrong is None else asked.options.index(asked.wrong)
        yield Question(f"{before} {asked.stem}", asked.options, truth, wrong)
        before += f" {turns[2 * n]['content']} {turns[2 * n + 1]['content']}"


def usual(pictures: int, ontology: Ontology) -> list[Question]:
    """Options drawn without matching: the label of the picture and three relatives by hash, letters by hash."""
    questions = []
    for sha, _, label, _ in records(pictures, ontology):
        others = [other for ring in ontology.cousins(label) for other in sorted(ring, key=lambda o: _hash(f"{sha}/{o}"))][:3]
        names = [ontology.nodes[other].name for other in others]
        if len(names) == 3:
            truth = _hash(sha) % 4
            names.insert(truth, ontology.nodes[label].name)
            questions.append(Question("Which?", tuple(names), truth))
    return questions


def _hash(text: str) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)


def whole_sets(questions: Sequence[Question], most: int) -> list[Question]:
    """About so many questions, with all that have the same options."""
    ordered = sorted(questions, key=lambda one: _hash(str(one.options)))
    last = ordered[:most][-1].options
    return [*ordered[:most], *(one for one in ordered[most:] if one.options == last)]


def by_text(one: Question, place: int) -> dict[str, float]:
    """Words of the text, with the place that is judged."""
    return {f"{place} {word}": 1.0 for word in set(one.text.lower().split())}


def by_options(one: Question, place: int) -> dict[str, float]:
    """The option, its words, and, among few, the option beside each other one."""
    own = one.options[place]
    features = {f"is {own}": 1.0, **{f"word {word}": 1.0 for word in own.lower().split()}}
    others = one.options if len(one.options) <= FEW else ()
    return features | {f"{own} beside {other}": 1.0 for other in others if other != own}


def by_length(one: Question, place: int) -> dict[str, float]:
    """Characters and words of the option, as such and against the others."""
    lengths = [len(option) for option in one.options]
    own, mean = lengths[place], sum(lengths) / len(lengths)
    return {
        "characters": own / 30,
        "over mean": own / mean,
        "words": len(one.options[place].split()) / 4,
        f"rank {sorted(lengths).index(own)}": 1.0,
        "longest": float(own == max(lengths)),
        "shortest": float(own == min(lengths)),
    }


def by_place(one: Question, place: int) -> dict[str, float]:
    """The letter, among so many."""
    return {f"{place} of {len(one.options)}": 1.0}


def by_all(one: Question, place: int) -> dict[str, float]:
    """Everything above."""
    return by_text(one, place) | by_options(one, place) | by_length(one, place) | by_place(one, place)


SEES: dict[str, Callable[[Question, int], dict[str, float]]] = {
    "text": by_text,
    "options": by_options,
    "lengths": by_length,
    "places": by_place,
    "all": by_all,
}


def accuracy(questions: Sequence[Question], features: Callable[[Question, int], dict[str, float]]) -> float:
    """Share of questions that a logistic regression over options gets right, tested on options that it has not seen together.

    A matched set is on one side, as it is on one side of a split: who knows the answers of all other pictures of a set knows the last.
    """
    from sklearn.feature_extraction import FeatureHasher
    from sklearn.linear_model import SGDClassifier

    right = 0
    folds = np.array([_hash(str(one.options)) % FOLDS for one in questions])
    hasher = FeatureHasher(1 << 20)
    pairs = [(n, place) for n, one in enumerate(questions) for place in range(len(one.options)) if place != one.wrong]
    owner = np.array([n for n, _ in pairs])
    seen = hasher.transform([features(questions[n], place) for n, place in pairs])
    truth = np.array([questions[n].truth == place for n, place in pairs])
    for fold in range(FOLDS):
        held = folds[owner] == fold
        model = SGDClassifier(loss="log_loss", alpha=1e-5, random_state=0, class_weight="balanced").fit(
            seen[~held], truth[~held]
        )
        scores = model.decision_function(seen[held])
        best: dict[int, tuple[float, Any]] = {}
        for n, score, is_right in zip(owner[held], scores, truth[held], strict=True):
            best[n] = max(best.get(n, (-np.inf, False)), (score, is_right), key=lambda found: found[0])
        right += sum(bool(is_right) for _, is_right in best.values())
    return right / len(questions)


def commonest(questions: Sequence[Question]) -> float:
    """Share that is right when the option that is most often true anywhere is chosen: the prior itself, learnt on the questions tested."""
    often = Counter(one.options[one.truth] for one in questions)
    return sum(
        max(range(len(one.options)), key=lambda n: (n != one.wrong, often[one.options[n]])) == one.truth for one in questions
    ) / len(questions)


def measure(questions: Sequence[Question]) -> dict[str, float]:
    """Chance, and the accuracy of every classifier."""
    chance = sum(one.chance for one in questions) / len(questions)
    scores = {name: accuracy(questions, features) for name, features in SEES.items()}
    return {"questions": len(questions), "chance": chance, **scores, "prior": commonest(questions)}


def main() -> None:
    """Measure every format, print the table and the ratios."""
    parser = argparse.ArgumentParser(description="Can the questions be answered without the picture?")
    parser.add_argument("--quick", action="store_true", help="1,000 questions a format instead of 5,000")
    quick = parser.parse_args().quick
    most, ontology = (1_000 if quick else QUESTIONS), load()
    tested = {name: whole_sets(some, most) for name, some in rendered(4 * most, ontology).items()}
    tested["unmatched choice"] = usual(most, ontology)
    rows = {name: measure(questions) for name, questions in tested.items()}
    print(f"{'format':18}" + "".join(f"{key:>11}" for key in next(iter(rows.values()))))
    for name, row in rows.items():
        print(f"{name:18}{row['questions']:11,}" + "".join(f"{row[key]:11.3f}" for key in row if key != "questions"))
    worst = max(row[key] - row["chance"] for name, row in rows.items() if name != "unmatched choice" for key in SEES)
    print(f"RATIO most_over_chance {worst:.4f}")
    print("letters of the true options:", dict(sorted(Counter(LETTERS[one.truth] for one in tested["choice"]).items())))
    if not quick:
        RESULTS.write_text(json.dumps({"rows": rows, "ratios": {"most_over_chance": worst}}, indent=1) + "\n")


if __name__ == "__main__":
    main()
