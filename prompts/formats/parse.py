"""Back from a rendered sample to the facts that it states: the inverse of the formats, for checks, benchmarks and tests.

Every function raises ParseFault for a text that the format cannot have written.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prompts import questions, schemas
from prompts.formats.adequacy import FAULTS, PRESENT
from prompts.formats.context import SITES
from prompts.formats.record import LETTERS, Turn
from prompts.ontology import Ontology

Facts = dict[str, Any]

_OPTION = re.compile(rf"^([{LETTERS}])\) (.+)$", re.M)
_QUOTED = re.compile(r'"([^"]+)"')
_MORPH = re.compile(r"<morph>(.*)</morph>\n\n(.+)", re.S)
_REASONED = re.compile(r"<reasoning>(.*)</reasoning>\n<morph>(.*)</morph>\n<final_diagnosis>(.*)</final_diagnosis>", re.S)


class ParseFault(ValueError):
    """A text that no format writes; the message quotes what was found."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one human turn, what stands before them, and the one that an earlier answer named in error."""

    stem: str
    options: tuple[str, ...]
    lettered: bool
    wrong: str | None = None


def asked_options(content: str) -> Options:
    """The options of a human turn, lettered or quoted."""
    if letters := _OPTION.findall(content):
        if [letter for letter, _ in letters] != list(LETTERS[: len(letters)]):
            raise ParseFault(f"letters out of order: {content!r}")
        return Options(_OPTION.split(content, maxsplit=1)[0].strip(), tuple(name for _, name in letters), True)
    lines = content.removeprefix("<image>\n").split("\n")
    names = _QUOTED.findall(lines[0])
    if not names or len(lines) > 2:
        raise ParseFault(f"no options: {content!r}")
    wrong = _QUOTED.findall(lines[1])[0] if len(lines) == 2 else None
    return Options(lines[0].split('"')[0].strip(), tuple(names), False, wrong)


def steps(turns: Sequence[Turn]) -> Iterator[tuple[Options, int]]:
    """The questions with options of a sample, and the place of the true option of each. Raises ParseFault."""
    for human, model in zip(turns[::2], turns[1::2], strict=True):
        asked = asked_options(human["content"])
        answer = model["content"].split(") ", 1)[-1] if asked.lettered else model["content"]
        if answer not in asked.options:
            raise ParseFault(f"the answer is not among the options: {answer!r}")
        yield asked, asked.options.index(answer)


def parse(name: str, turns: Sequence[Turn], ontology: Ontology) -> Facts:
    """The facts of a sample of a format. Raises ParseFault, and KeyError for an unknown format."""
    return PARSERS[name](turns, ontology)


def _description(turns: Sequence[Turn], ontology: Ontology) -> Facts:
    return {"text": _answer(turns)}


def _morph_description(turns: Sequence[Turn], ontology: Ontology) -> Facts:
    found = _matching(_MORPH, _answer(turns))
    return {"morph": json.loads(found[1]), "text": found[2]}


def _reasoning(turns: Sequence[Turn], ontology: Ontology) -> Facts:
    found = _matching(_REASONED, _answer(turns))
    return {"reasoning": found[1], "morph": json.loads(found[2]), "node": _node(found[3], ontology)}


def _choice(turns: Sequence[Turn], ontology: Ontology) -> Facts:
    options, truth = _lettered(turns)
    return {"node": _node(truth, ontology), "options": {_node(name, ontology) for name in options}}


def _criterion(turns: Sequence[Turn], ontology: Ontology) -> Facts:
    options, truth = _lettered(turns)
    names = [name for name in schemas.DERM7PT_TITLES if name.replace("_", " ") in turns[0]["content"].split("\n")[1]]
    if len(names) != 1:
        raise ParseFault(f"no single criterion: {turns[0]['content']!r}")
    return {"attribute": (names[0], truth), "options": set(options)}


def _concept(turns: Sequence[Turn], ontology: Ontology) -> Facts:
    options, truth = _lettered(turns)
    return {"attribute": ("concept", truth), "options": set(options)}


def _hierarchy(turns: Sequence[Turn], ontology: Ontology) -> Facts:
    """The path as far as it is told, and by level the options that were asked."""
    path: list[str] = []
    steps: dict[int, set[str]] = {}
    told = questions.STATED.split("{name}")[0]
    for human, model in zip(turns[::2], turns[1::2], strict=True):
        asked = asked_options(human["content"])
        stated = re.findall(rf"{re.escape(told)}(.+?)\. ", human["content"].split('"')[0])
        path += [_node(name, ontology) for name in stated]
        if model["content"] not in asked.options or asked.wrong == model["content"]:
            raise ParseFault(f"the answer is not among the options: {model['content']!r}")
        steps[len(path)] = {_node(option, ontology) for option in asked.options}
        path.append(_node(model["content"], ontology))
    return {"path": path, "steps": steps}


def _differential(turns: Sequence[Turn], ontology: Ontology) -> Facts:
    """Node, findings for and findings against it, by rank."""
    line = re.compile(r"(\d+)\. (.+?)\. For: (.*)\. Against: (.*)\.")
    *lines, last = _answer(turns).split("\n")
    if last != questions.RANKED_BY:
        raise ParseFault(f"no ranking: {last!r}")
    ranked = [_matching(line, text) for text in lines]
    if [int(found[1]) for found in ranked] != list(range(1, len(ranked) + 1)):
        raise ParseFault("ranks out of order")
    return {"ranked": [(_node(f[2], ontology), _items(f[3]), _items(f[4])) for f in ranked]}


def _context(turns: Sequence[Turn], ontology: Ontology) -> Facts:
    """What is told of the person, the text and the diagnosis."""
    text, _, named = _answer(turns).rpartition("\n\nDiagnosis: ")
    ask = turns[0]["content"]
    age = re.search(r"Age: (\S+) years( or older)?\.", ask)
    sex = re.search(r"Sex: (\w+)\.|The person is a (\w+)\.", ask)
    site = re.search(r"Site: (.+?)\.", ask)
    history = re.search(r"History: (.+?)\.", ask)
    return {
        "reasoning": text,
        "node": _node(named.removesuffix("."), ontology),
        "age_years": float(age[1]) if age else None,
        "age_is_floor": bool(age and age[2]),
        "sex": {"woman": "female", "man": "male"}.get(sex[1] or sex[2], sex[1]) if sex else None,
        "site": next(region for region, words in SITES.items() if words == site[1]) if site else None,
        "history": set(history[1].split(", ")) if history else set(),
    }


def _adequacy(turns: Sequence[Turn], ontology: Ontology) -> Facts:
    """The verdict, the gates and the criteria that could not be assessed."""
    verdict, *rest = _answer(turns).split("\n")
    if verdict not in (questions.ADEQUATE, questions.LIMITED):
        raise ParseFault(f"no verdict: {verdict!r}")
    faults, present = _listed(questions.FAULTS, rest), _listed(questions.PRESENT, rest)
    return {
        "adequate": verdict == questions.ADEQUATE,
        "gates": {code for code, words in (FAULTS | PRESENT).items() if words in faults | present},
        "unassessed": {name.replace(" ", "_") for name in _listed(questions.MISSING, rest)},
    }


PARSERS: Mapping[str, Callable[[Sequence[Turn], Ontology], Facts]] = {
    "description": _description,
    "morph_description": _morph_description,
    "choice": _choice,
    "choice_25": _choice,
    "hierarchy": _hierarchy,
    "criterion": _criterion,
    "concept": _concept,
    "reasoning": _reasoning,
    "differential": _differential,
    "context": _context,
    "adequacy": _adequacy,
}


def _answer(turns: Sequence[Turn]) -> str:
    return turns[-1]["content"]


def _matching(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    found = pattern.fullmatch(text)
    if found is None:
        raise ParseFault(f"not in the layout: {text[:200]!r}")
    return found


def _node(name: str, ontology: Ontology) -> str:
    node = ontology.resolve(name)
    if node is None:
        raise ParseFault(f"no diagnosis: {name!r}")
    return node


def _lettered(turns: Sequence[Turn]) -> tuple[tuple[str, ...], str]:
    """The options, and the text of the one that is answered by letter and text."""
    asked = asked_options(turns[0]["content"])
    lines = [f"{letter}) {name}" for letter, name in zip(LETTERS, asked.options, strict=False)]
    if not asked.lettered or _answer(turns) not in lines:
        raise ParseFault(f"the answer is not among the options: {_answer(turns)!r}")
    return asked.options, asked.options[lines.index(_answer(turns))]


def _items(text: str) -> tuple[str, ...]:
    return () if text == questions.NOTHING else tuple(text.split("; "))


def _listed(sentence: str, lines: Sequence[str]) -> set[str]:
    before, after = sentence.split("{listed}")
    found = [line.removeprefix(before).removesuffix(after) for line in lines if line.startswith(before)]
    return set(found[0].split("; ")) if found else set()
