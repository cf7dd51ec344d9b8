"""The teacher without a model: trajectories from expert annotation, measurements and the ontology's criteria alone.

It says nothing that it cannot ground, says what it could not assess, and is the same for the same input everywhere:
wording varies with the hash of `key` alone. Phrases are in `pipelines.teach.phrases`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.teach import phrases
from pipelines.teach.phrases import listing, sentence
from prompts import schemas
from prompts.ontology import Criterion, Node, Ontology

# Words of a reasoning: the reference corpus has a median of 125 and a 95th percentile of 168. Optional parts
# give way.
REASONING_WORDS_MAX = 168
# The schemas' limit on an observation's concepts and on the findings cited on one side.
ITEMS_MAX = 16

_LESION = {
    "dermoscopic": (
        "On dermoscopy, the lesion",
        "Under the dermatoscope, the lesion",
        "In this dermoscopic view, the lesion",
    ),
    "clinical": ("In this photograph, the lesion", "On visual inspection, the lesion", "The lesion in the picture"),
}
_SKIN = ("In this photograph, the affected skin", "On visual inspection, the affected skin", "The skin in the picture")
_AGAIN = ("It", "The lesion")
_UNASSESSED = ("{} could not be assessed", "{} could not be judged", "{} could not be evaluated")

# The diagnosis is named at the end alone: who learns from these texts shall argue before concluding.
_OPENING = (
    "The observed findings are weighed first, and the conclusion follows from them",
    "What was observed is sorted into what supports a conclusion and what does not",
    "The findings are read together before the condition is named",
)
_FITS = (
    "In favour of the conclusion below, the observation records {found}",
    "Pointing towards the condition named at the end, the observation lists {found}",
    "In keeping with the reading that is reached below, the observation notes {found}",
)
_NOTHING_FITS = (
    "None of the findings that were recorded belongs to the features that characterise the condition named at the end"
)
_AGAINST = (
    "Against it, the observation records {found}",
    "To be weighed against it, the observation notes {found}",
    "On the other side of the balance, the observation records {found}",
)
_NOTHING_AGAINST = (
    "No recorded finding speaks against it, which by itself proves little",
    "Nothing among the recorded findings contradicts it, although this alone is weak evidence",
    "The observation records no finding that argues the other way, which leaves the question open",
)
_ONE_MORE = "One further finding, {found}, does not decide the question"
_MORE = "Further findings, {found}, do not decide the question"
_MANY_MORE = "Further findings, such as {found}, do not decide the question"
_MISSING = (
    "Features that would strengthen it, such as {found}, were not recorded",
    "The observation does not record other features that would be expected, such as {found}",
)
_UNDECIDED = (
    "{found} could not be assessed, which limits the comparison",
    "The comparison is limited because {found} could not be assessed",
)
_LIMIT = (
    "A single image shows neither the course nor the tissue, and other conditions can share these features",
    "Because other conditions can look alike, an image alone cannot settle the question",
    "Such features are not exclusive to one condition, and an image is only part of the evidence",
)
_CONCLUSION = {
    "none": (
        "With no supporting feature in view, the image by itself does not establish the conclusion, which stays "
        "open to doubt: {name}",
        "The conclusion therefore does not rest on any feature that was recorded in the image, and is stated "
        "with that reservation: {name}",
    ),
    "single": (
        "The support rests on one feature only, so the conclusion is tentative and would need further evidence: {name}",
        "With a single feature in its favour, the conclusion is weakly supported and drawn with reservation: {name}",
    ),
    "weak": (
        "What speaks for it does not outweigh what speaks against it, so the conclusion is only weakly supported: {name}",
        "The image does not favour this reading on balance, and the conclusion is drawn with clear reservation: {name}",
    ),
    "general": (
        "The features that fit are general ones of colour, form or absence, so the conclusion is drawn with caution: {name}",
        "The agreement rests on general features without a specific structure, so the conclusion is only weakly "
        "supported: {name}",
    ),
    "mixed": (
        "With findings on both sides, the balance leans towards this reading without settling it, and the "
        "conclusion is guarded: {name}",
        "The evidence is mixed but favours this reading, and the conclusion is drawn with caution: {name}",
    ),
    "clear": (
        "Since the features point the same way and none opposes them, the conclusion is reasonably supported: {name}",
        "Taken together, the features agree with one another and give the conclusion fair support: {name}",
    ),
}


def revision() -> str:
    """What the composer's answers are kept under: a digest of its own wording and rules, so that an edit asks again."""
    code = Path(__file__).read_bytes() + Path(phrases.__file__).read_bytes()
    return f"composer-{hashlib.sha256(code).hexdigest()[:12]}"


class NothingToSay(ValueError):
    """Neither annotation nor measurement supports a sentence, or there are more concepts than an observation holds."""


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What an observation says about a diagnosis: findings for, against and neither; the expected but missing; gaps."""

    supporting: tuple[str, ...]
    against: tuple[str, ...]
    neutral: tuple[str, ...]
    missing: tuple[str, ...]
    unassessed: tuple[str, ...]


def compose_observation(kind: str, expert_concepts: Mapping[str, Any], measured: Sequence[str], key: str) -> dict[str, Any]:
    """An observation of `observation_schema(kind)`, from annotated concepts and measured findings alone.

    Criteria that nobody annotated are "not assessable". Raises NothingToSay without any finding or with more than
    sixteen concepts, ValueError for a concept or measurement outside the vocabularies or two values of one attribute.
    """
    others = _ordered_measurements(measured)
    observation = _structure(kind, expert_concepts) | {schemas.OTHERS_KEY: others}
    if not schemas.findings(observation):
        raise NothingToSay("no annotated concept and no measured finding")
    parts = _dermoscopic_parts(observation) if kind == "dermoscopic" else _clinical_parts(observation)
    subject = _pick(_LESION[kind] if others or kind == "dermoscopic" else _SKIN, key, "subject")
    said = _sentences(subject, _measured_parts(others) + parts)
    if gaps := _gaps(observation):
        said.append(sentence(_pick(_UNASSESSED, key, "gaps").format(phrases.not_assessed(gaps))))
    return observation | {schemas.TEXT_KEY: " ".join(said)}


def compose_reasoning(
    kind: str, observation: Mapping[str, Any], diagnosis: Node, ontology: Ontology, key: str
) -> dict[str, Any]:
    """A reasoning of `reasoning_schema()`: the observation's findings held against the criteria of `diagnosis`.

    A diagnosis without criteria for this kind uses those of its nearest ancestor that has some. Without a supporting
    finding the answer says so and its supporting list is empty.
    """
    evidence = _weigh(observation, _criteria(kind, diagnosis, ontology))
    return {
        "supporting": list(evidence.supporting),
        "against": list(evidence.against),
        "reasoning": _argument(evidence, diagnosis.name, key),
        "final_diagnosis": diagnosis.name,
    }


def _pick(options: Sequence[str], key: str, slot: str) -> str:
    """One of `options`, by the hash of key and slot."""
    hashed = hashlib.sha256(f"{key}/{slot}".encode()).digest()
    return options[int.from_bytes(hashed[:8]) % len(options)]


def _structure(kind: str, concepts: Mapping[str, Any]) -> dict[str, Any]:
    if kind == "dermoscopic":
        seven = {name: concepts.get(name, schemas.NOT_ASSESSABLE) for name in schemas.DERM7PT}
        wrong = {name: value for name, value in seven.items() if value not in (*schemas.DERM7PT[name], schemas.NOT_ASSESSABLE)}
        if wrong:
            raise ValueError(f"not values of the seven-point criteria: {wrong}")
        return {schemas.DERM7PT_KEY: seven}
    listed = set(concepts.get("skincon", ()))
    if not listed <= set(schemas.SKINCON):
        raise ValueError(f"not SkinCon concepts: {sorted(listed - set(schemas.SKINCON))}")
    if len(listed) > ITEMS_MAX:
        raise NothingToSay(f"{len(listed)} concepts, an observation holds {ITEMS_MAX}")
    return {schemas.SKINCON_KEY: sorted(listed)}


def _ordered_measurements(measured: Sequence[str]) -> list[str]:
    """Measured findings in the vocabulary's order, once each."""
    ordered = [f"{name}: {value}" for name, values in schemas.MEASURED.items() for value in values]
    if unknown := sorted(set(measured) - set(ordered)):
        raise ValueError(f"not measured findings: {unknown}")
    found = [finding for finding in ordered if finding in measured]
    single = [finding.split(": ")[0] for finding in found if not finding.startswith("colour: ")]
    if len(set(single)) < len(single):
        raise ValueError(f"two values of one attribute: {found}")
    return found


def _values(others: Sequence[str]) -> dict[str, str]:
    return dict(finding.split(": ") for finding in others if not finding.startswith("colour: "))


def _measured_parts(others: Sequence[str]) -> list[str]:
    """Predicates of the lesion: its form in one sentence, its colours in another."""
    values = _values(others)
    qualities = [values[name] for name in ("shape", "symmetry") if name in values]
    borders = [phrases.PHRASES[f"{name}: {values[name]}"] for name in ("outline", "edge") if name in values]
    if qualities:
        form = "is " + listing(qualities) + (f", with {listing(borders)}" if borders else "")
    else:
        form = f"has {listing(borders)}" if borders else ""
    return [part for part in (form, _colours(others, values.get("number of colours"))) if part]


def _colours(others: Sequence[str], number: str | None) -> str:
    seen = [finding.removeprefix("colour: ") for finding in others if finding.startswith("colour: ")]
    count = phrases.PHRASES[f"number of colours: {number}"] if number else ""
    if not seen:
        return f"shows {count}" if count else ""
    agrees = number == ("one", "two", "three or more")[min(len(seen), 3) - 1]
    if agrees and number == "one":
        return f"shows a single colour, {seen[0]}"
    if agrees:
        return f"shows {count}: {listing(seen)}"
    return f"shows {listing(seen)} areas" + (f", counted as {count} in all" if count else "")


def _dermoscopic_parts(observation: Mapping[str, Any]) -> list[str]:
    seven = observation[schemas.DERM7PT_KEY]
    stated = [f"{name.replace('_', ' ')}: {value}" for name, value in seven.items()]
    present = [phrases.PHRASES[f] for f in stated if not f.endswith((": absent", f": {schemas.NOT_ASSESSABLE}"))]
    absent = [f"no {phrases.CRITERION_NOUNS[name]}" for name, value in seven.items() if value == "absent"]
    return ([f"displays {listing(present)}"] if present else []) + ([f"has {listing(absent)}"] if absent else [])


def _clinical_parts(observation: Mapping[str, Any]) -> list[str]:
    concepts = observation[schemas.SKINCON_KEY]
    groups = (phrases.ELEMENTS | phrases.FORMS, phrases.SURFACE | phrases.TINTS)
    said = [[phrase for concept, phrase in group.items() if concept in concepts] for group in groups]
    if sum(map(len, said)) <= 3:
        said = [said[0] + said[1]]
    parts = [listing(part) for part in said if part]
    return [f"{verb} {part}" for verb, part in zip(("displays", "also shows"), parts, strict=False)]


def _sentences(subject: str, predicates: Sequence[str]) -> list[str]:
    """One sentence a predicate: the subject in full, then "it" and its short name by turns."""
    short = "The lesion" if subject in _LESION["dermoscopic"] else "The affected area"
    subjects = [subject] + ["It" if n % 2 else short for n in range(1, len(predicates))]
    return [sentence(f"{who} {predicate}") for who, predicate in zip(subjects, predicates, strict=True)]


def _tinted(observation: Mapping[str, Any]) -> bool:
    """Whether an annotated concept states a colour."""
    return not phrases.TINTS.keys().isdisjoint(observation.get(schemas.SKINCON_KEY, ()))


def _gaps(observation: Mapping[str, Any]) -> list[str]:
    """Topics of `phrases.not_assessed`: unannotated criteria or concepts, then unmeasured attributes."""
    seven, others = observation.get(schemas.DERM7PT_KEY, {}), observation[schemas.OTHERS_KEY]
    gaps = [name.replace("_", " ") for name, value in seven.items() if value == schemas.NOT_ASSESSABLE]
    if observation.get(schemas.SKINCON_KEY) == []:
        gaps.append(phrases.CONCEPTS)
    known = {_topic(finding) for finding in others}
    if not known & {"colour", "number of colours"} and not _tinted(observation):
        gaps.append("colour")
    elif "number of colours" not in known:
        gaps.append("number of colours")
    return gaps + [name for name in ("symmetry", "outline", "edge", "shape") if name not in known]


def _criteria(kind: str, diagnosis: Node, ontology: Ontology) -> list[Criterion]:
    """Criteria of the diagnosis for this kind of image, or of its nearest ancestor that has some."""
    for node in reversed(ontology.path(diagnosis.id)):
        found = [criterion for criterion in ontology.nodes[node].criteria if criterion.kind in (kind, "both")]
        if found:
            return found
    return []


def _weigh(observation: Mapping[str, Any], criteria: Sequence[Criterion]) -> _Evidence:
    observed = schemas.findings(observation)
    wanted = [criterion.finding for criterion in criteria if criterion.polarity == "supports"]
    unwanted = {criterion.finding for criterion in criteria if criterion.polarity != "supports"}
    supporting = tuple(finding for finding in observed if finding in wanted and finding not in unwanted)[:ITEMS_MAX]
    against = tuple(finding for finding in observed if finding in unwanted and finding not in wanted)[:ITEMS_MAX]
    decided = {*supporting, *against}
    neutral = tuple(finding for finding in observed if finding not in decided and not finding.endswith(": absent"))
    missing, unassessed = _not_found(wanted, observation, {_topic(finding) for finding in decided})
    return _Evidence(supporting, against, neutral, missing, unassessed)


def _topic(finding: str) -> str:
    """The criterion or attribute that a finding gives a value to; a SkinCon concept is its own topic."""
    return finding.split(": ")[0]


def _not_found(
    wanted: Sequence[str], observation: Mapping[str, Any], decided: set[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Of the expected findings whose topic no observed one decides: phrases of those looked for in vain, and gaps."""
    gaps = set(_gaps(observation))
    # A colour may be recorded as a concept or as a measurement: what one of them says, the other does not miss.
    if _tinted(observation):
        decided = decided | {"colour"}
    if any(finding.startswith("colour: ") for finding in observation[schemas.OTHERS_KEY]):
        decided = decided | set(phrases.TINTS)
    missing: dict[str, str] = {}
    unassessed: dict[str, None] = {}
    for finding in wanted:
        topic = _topic(finding)
        gap = _gap_of(topic, gaps)
        if gap:
            unassessed[gap] = None
        elif topic not in decided and not finding.endswith(": absent"):
            missing.setdefault(topic, phrases.PHRASES[finding])
    if gaps.issuperset(phrases.SEVEN) and not unassessed.keys().isdisjoint(phrases.SEVEN):
        unassessed |= dict.fromkeys(phrases.SEVEN)
    return tuple(missing.values()), tuple(unassessed)


def _gap_of(topic: str, gaps: set[str]) -> str | None:
    """The gap that leaves a topic undecided: its own, that of all concepts, or that of all colours."""
    wider = phrases.CONCEPTS if topic in schemas.SKINCON else "colour" if topic == "number of colours" else topic
    return next((gap for gap in (topic, wider) if gap in gaps), None)


def _argument(evidence: _Evidence, name: str, key: str) -> str:
    """The reasoning's prose: both sides, what is left open, and the conclusion, which ends with the name."""

    def say(options: Sequence[str], slot: str, found: Sequence[str] = ()) -> str:
        return sentence(_pick(options, key, slot).format(name=name, found=listing(found) if found else ""))

    phrase = phrases.PHRASES.__getitem__
    supporting, against = [*map(phrase, evidence.supporting)], [*map(phrase, evidence.against)]
    required = [
        say(_OPENING, "opening"),
        say(_FITS, "fits", supporting) if supporting else sentence(_NOTHING_FITS),
        say(_AGAINST, "against", against) if against else say(_NOTHING_AGAINST, "nothing against"),
    ]
    optional = [
        say(_UNDECIDED, "undecided", [phrases.not_assessed(evidence.unassessed)]) if evidence.unassessed else "",
        say(_MISSING, "missing", evidence.missing[:3]) if evidence.missing else "",
        say(*_further([*map(phrase, evidence.neutral)])) if evidence.neutral else "",
    ]
    closing = [say(_LIMIT, "limit"), say(_CONCLUSION[_strength(evidence)], "conclusion")]
    return " ".join(_fitted(required, [part for part in optional if part], closing))


def _further(neutral: Sequence[str]) -> tuple[Sequence[str], str, Sequence[str]]:
    """Wording for findings on neither side; beyond three only examples."""
    form = _ONE_MORE if len(neutral) == 1 else _MORE if len(neutral) <= 3 else _MANY_MORE
    return (form,), "further", neutral[:3]


def _fitted(required: list[str], optional: list[str], closing: list[str]) -> list[str]:
    """All parts in order, without the last optional ones that would take the text over its length."""
    while optional and sum(len(part.split()) for part in required + optional + closing) > REASONING_WORDS_MAX:
        optional = optional[:-1]
    return required + optional + closing


def _strength(evidence: _Evidence) -> str:
    """Which conclusion the evidence allows, a key of `_CONCLUSION`."""
    if not evidence.supporting:
        return "none"
    if len(evidence.supporting) <= len(evidence.against):
        return "weak"
    if len(evidence.supporting) == 1:
        return "single"
    if all(_topic(finding) in schemas.MEASURED or finding.endswith(": absent") for finding in evidence.supporting):
        return "general"
    return "mixed" if evidence.against else "clear"
