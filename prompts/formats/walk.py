"""The walk from the top of the ontology to the label, one turn a level, with earlier wrong answers corrected on the way."""

from prompts import questions
from prompts.formats.record import Record, Turn, turn
from prompts.matching import OptionSet
from prompts.ontology import Ontology


def hierarchy(record: Record, ontology: Ontology) -> list[Turn]:
    """A turn for every level that is asked; a level that is not is stated with the next one. Empty when none is asked.

    A step may tell of a wrong answer given earlier; the answer is the right option, verbatim, and the walk goes on from there.
    """
    turns: list[Turn] = []
    stated = ""
    for node, step in zip(ontology.path(record.node), record.asked.walk, strict=False):
        name = ontology.nodes[node].name
        if step is None:
            stated += questions.STATED.format(name=name) + " "
            continue
        turns += [turn("user", _question(step, stated, first=not turns, ontology=ontology)), turn("assistant", name)]
        stated = ""
    return turns


def _question(step: OptionSet, stated: str, *, first: bool, ontology: Ontology) -> str:
    ask = questions.pick(questions.HIERARCHY_TOP if first else questions.HIERARCHY_LOWER, f"{step.key}/step")
    options = ", ".join(f'"{ontology.nodes[option].name}"' for option in step.options)
    wrong = ""
    if step.wrong is not None:
        told = questions.pick(questions.CORRECTION, f"{step.key}/correction")
        wrong = "\n" + told.format(wrong=ontology.nodes[step.wrong].name)
    return f"{ask.replace('{stated}', stated)} {options}{wrong}"
