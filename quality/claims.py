"""What generated prose claims, held against what is known otherwise: the pixels, the source's record, and its own structure.

Pure functions from text to offending phrases. Only clear contradictions count: a claim about something that was not measured or
recorded contradicts nothing. The words stand in `quality.claim_words`, the thresholds in `quality.thresholds`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from prompts import schemas
from prompts.ontology import Ontology
from quality import claim_words, colour_words, form_words, language, site_words, text, thresholds
from quality.patterns import Together, at_most, matches, possible
from quality.text import Polarity


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an image besides what the teacher was told. Only checks read it; nothing of it reaches a prompt.

    `measured` are the statements of `quality.evidence`, `traces` the share of the lesion that has each colour, by name (None: not to be
    told in this light); `site` is the body region and `site_raw` the words of the source.
    """

    measured: tuple[str, ...] = ()
    traces: Mapping[str, float | None] = field(default_factory=dict)
    site: str | None = None
    site_raw: str | None = None
    sex: str | None = None
    age_years: float | None = None


NOTHING = Known()


def unmentioned(observation: Mapping[str, Any], prose: str) -> list[str]:
    """Findings that a schema-valid observation lists and its prose never names."""
    seven = observation.get(schemas.DERM7PT_KEY)
    if seven is not None:
        stated = [key for key, value in seven.items() if value not in ("absent", schemas.NOT_ASSESSABLE)]
        return [f"{key.replace('_', ' ')}: {seven[key]}" for key in stated if not text.holds(prose, claim_words.NAMED[key])]
    return [concept for concept in observation[schemas.SKINCON_KEY] if not text.holds(prose, claim_words.NAMED[concept])]


def against_pixels(prose: str, known: Known) -> list[str]:
    """Claims about colours, symmetry, outline, edge and shape that the measurement of the lesion clearly contradicts.

    `prose` holds the others list too, an item a line, so that `symmetry: symmetric` is read like a sentence.
    """
    said = [
        f"{mention.quote} / measured {measured}"
        for measured in known.measured
        if measured in form_words.AGAINST
        for mention in text.mentions(prose, form_words.AGAINST[measured])
        if mention.polarity is Polarity.AFFIRMED and not _partly(mention)
    ]
    return said + _colours_not_there(prose, known.traces)


def may_claim(prose: str, known: Known) -> bool:
    """Whether any part of prose may hold what `against_pixels` or `against_record` looks for; False is certain."""
    sought = [form_words.AGAINST[measured] for measured in known.measured if measured in form_words.AGAINST]
    sought += [claim_words.SEX[other] for other in _OTHER_SEX.get(known.sex or "", ())]
    said = any(possible(pattern, prose) for pattern in [*sought, site_words.SITE, claim_words.AGE])
    return said or bool(_absent_colours(prose, known.traces))


def _partly(mention: text.Mention) -> bool:
    """Whether the phrase is said of a part or with a limit: "partly irregular", "slightly asymmetric"."""
    return bool(form_words.PARTLY.search(" ".join(mention.before.split()[-3:])))


def _colours_not_there(prose: str, traces: Mapping[str, float | None]) -> list[str]:
    return [
        f"{mention.quote} / {_share(colour, traces):.1%} of the lesion is near it"
        for colour in _absent_colours(prose, traces)
        for mention in text.mentions(prose, colour_words.COLOURS_SAID[colour])
        if mention.polarity is Polarity.AFFIRMED
    ]


def _absent_colours(prose: str, traces: Mapping[str, float | None]) -> list[str]:
    """Colours that some part of prose may name and of which the lesion has too little to be given them."""
    named = colour_words.SHADE_NAMED.possible(prose) if traces else []
    looked_at = [colour for colour, _ in named if traces.get(colour) is not None]
    return [colour for colour in looked_at if _share(colour, traces) < thresholds.COLOUR_CLAIMED_SHARE]


def _share(colour: str, traces: Mapping[str, float | None]) -> float:
    """Share of the lesion that has the colour or one that people would call so too."""
    return sum(traces.get(name) or 0.0 for name in _near(colour))


@cache
def _near(colour: str) -> tuple[str, ...]:
    """Colours within `COLOUR_CONFUSED` of a colour in CIELAB, itself among them."""
    here = thresholds.REFERENCE_LAB[colour]
    return tuple(
        name
        for name, there in thresholds.REFERENCE_LAB.items()
        if sum((a - b) ** 2 for a, b in zip(here, there, strict=True)) < thresholds.COLOUR_CONFUSED**2
    )


def against_record(prose: str, known: Known) -> list[str]:
    """Claims about site, side, sex and age that the source's record contradicts."""
    return [*_sites(prose, known), *_sexes(prose, known.sex), *_ages(prose, known.age_years)]


def _sites(prose: str, known: Known) -> list[str]:
    wrong = []
    recorded_sides = _sides(known.site_raw or "")
    for mention in text.mentions(prose, site_words.SITE):
        if mention.polarity is not Polarity.AFFIRMED:
            continue
        region = site_words.region(mention.quote)
        if region and known.site and known.site not in _compatible(region):
            wrong.append(f"{mention.quote} / recorded {known.site_raw or known.site}")
        elif recorded_sides and _sides(mention.quote) and not recorded_sides & _sides(mention.quote):
            wrong.append(f"{mention.quote} / recorded {known.site_raw}")
    return wrong


def _sides(words: str) -> set[str]:
    return set(re.findall(r"\b(left|right)\b", words.casefold()))


@cache
def _compatible(region: str) -> frozenset[str]:
    """Regions that the words of one region may also mean: a trunk has a front and a back, a nail is on a hand or a foot."""
    return frozenset({region}.union(*(ring for ring in site_words.SAME_REGION if region in ring)))


_OTHER_SEX = {"female": ("male",), "male": ("female",)}


def _sexes(prose: str, sex: str | None) -> list[str]:
    return [
        f"{m.quote} / recorded {sex}"
        for other in _OTHER_SEX.get(sex or "", ())
        for m in text.mentions(prose, claim_words.SEX[other])
        if not claim_words.EPIDEMIC.search(m.after)
    ]


def _ages(prose: str, years: float | None) -> list[str]:
    if years is None:
        return []
    found = claim_words.AGE.finditer(prose) if possible(claim_words.AGE, prose) else ()
    said = [(match.group(), float(match[1])) for match in found]
    return [f"{quote} / recorded {years:g} years" for quote, age in said if abs(age - years) > thresholds.AGE_APART]


def concludes_otherwise(value: Mapping[str, Any], final: str | None, ontology: Ontology) -> list[str]:
    """Diagnoses that the last sentence to name any affirms, when none of them is the final diagnosis or its kin.

    Kin is what may be true of one picture with it. `final` is the ontology id of `value`'s final diagnosis.
    """
    if final is None:
        return []
    own = f" {' '.join(text.words(value['final_diagnosis']))} "
    for sentence in reversed(text.sentences(value["reasoning"])):
        if own in f" {' '.join(text.words(sentence))} ":  # names that are signs too are not among the mentions
            return []
        named = {name: node for name in ontology.mentions(sentence) if (node := ontology.resolve(name))}
        if named:
            kin = any(not ontology.exclusive(final, node) for node in named.values())
            return [] if kin else [f"{name} / final diagnosis {value['final_diagnosis']}" for name in named]
    return []


def hedges(prose: str) -> list[str]:
    """Hedging words, when there are more than prose that says what it sees needs."""
    if at_most(claim_words.HEDGE, prose, thresholds.HEDGES):
        return []
    found = text.found(prose, claim_words.HEDGE)
    if len(found) <= thresholds.HEDGES:
        return []
    return found if len(found) > len(text.words(prose)) * thresholds.HEDGE_SHARE else []


def personal(prose: str) -> list[str]:
    """Names, dates, addresses and numbers of persons; a title and its name may stand on both sides of a full stop."""
    return [match.group() for _, pattern in _PERSONAL.possible(prose) for match in pattern.finditer(prose)]


def strangers(prose: str, ontology: Ontology) -> list[str]:
    """Capitalised words inside a sentence that are neither medical words nor eponyms: names of people, places and institutions."""
    if not _CAPITALISED.search(prose):
        return []
    known = ontology.words | claim_words.EPONYMS | _schema_words()
    return [
        match[1]
        for match in _CAPITALISED.finditer(prose)
        if match[1].lower().removesuffix("s") not in known and match[1].lower() not in known
    ]


_PERSONAL = Together(dict(enumerate(claim_words.PERSONAL)))
_THE_PATIENT = re.compile(
    r"\b(?:(?:the|this) (?:patient|person|individual|subject)|(?:his|her) (?:age|skin)|as here|\d+ years of age|aged \d+)\b",
    re.IGNORECASE,
)
_CAPITALISED = re.compile(r"([A-Z](?<=[a-z,] [A-Z])[a-z]{2,})(?!\w)")


@cache
def _schema_words() -> frozenset[str]:
    """Words of the closed vocabularies, which some writers capitalise, and function words."""
    terms = [*schemas.SKINCON, *schemas.COLOURS, *schemas.MEASURED]
    terms += [word for key, values in schemas.DERM7PT.items() for word in (key.replace("_", " "), *values)]
    terms += [value for values in schemas.MEASURED.values() for value in values]
    return frozenset(word for term in terms for word in text.words(term)) | language.FUNCTION_WORDS


def stated(pattern: re.Pattern[str], prose: str, unless: re.Pattern[str]) -> list[str]:
    """Matches that the prose affirms or denies, but for those in a clause with a word of `unless` that speaks of nobody in particular."""
    return [
        found.quote
        for found in text.mentions(prose, pattern)
        if found.polarity is not Polarity.UNASSESSED
        for clause in [found.before + found.quote + found.after]
        if not matches(unless, clause) or matches(_THE_PATIENT, clause)
    ]
