"""Questions with lettered options: the diagnosis among 4 or 25, the value of a dermoscopic criterion, a concept that is present.

Options, their order and the wording belong to the matched set of the image (`prompts.asking`), so all images of a set are asked the
same and each is answered with another letter.
"""

from prompts import questions
from prompts.formats.record import LETTERS, Record, Turn, once
from prompts.matching import OptionSet
from prompts.ontology import Ontology


def choice(record: Record, ontology: Ontology) -> list[Turn]:
    """The diagnosis among four; empty when the image has no matched set."""
    return _diagnosis(record, record.asked.choice, ontology)


def choice_25(record: Record, ontology: Ontology) -> list[Turn]:
    """The diagnosis among twenty-five; empty when the image has no matched set."""
    return _diagnosis(record, record.asked.choice_25, ontology)


def criterion(record: Record, ontology: Ontology) -> list[Turn]:
    """The value of one of the seven dermoscopic criteria, among two to four that pictures of the set have."""
    if record.asked.attribute is None or record.attribute is None or record.attribute[0] == "concept":
        return []
    name, value = record.attribute
    variants = tuple(text.format(criterion=name.replace("_", " ")) for text in questions.CRITERION)
    return _lettered(variants, record.asked.attribute, record.asked.attribute.options, value)


def concept(record: Record, ontology: Ontology) -> list[Turn]:
    """Which of four clinical concepts is present: one is recorded, the others are neither recorded nor related to what is."""
    if record.asked.attribute is None or record.attribute is None or record.attribute[0] != "concept":
        return []
    return _lettered(questions.CONCEPT, record.asked.attribute, record.asked.attribute.options, record.attribute[1])


def _diagnosis(record: Record, asked: OptionSet | None, ontology: Ontology) -> list[Turn]:
    if asked is None:
        return []
    names = [ontology.nodes[node].name for node in asked.options]
    return _lettered(questions.CHOICE, asked, names, ontology.nodes[record.node].name)


def _lettered(variants: tuple[str, ...], asked: OptionSet, names: tuple[str, ...] | list[str], truth: str) -> list[Turn]:
    lines = [f"{LETTERS[n]}) {name}" for n, name in enumerate(names)]
    stem = questions.pick(variants, f"{asked.key}/stem")
    return once("\n".join([stem, *lines]), lines[names.index(truth)])
