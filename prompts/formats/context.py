"""Diagnosis with clinical context: what the source states about the person is told, what it does not state is not mentioned.

The answer argues from the picture alone and names the diagnosis: context helps the reader, no criterion of ours is made of it.
"""

from prompts import questions
from prompts.formats.record import Context, Record, Turn, once
from prompts.ontology import Ontology

SITES = {
    "head_neck": "head or neck",
    "trunk_front": "front of the trunk",
    "trunk_back": "back",
    "trunk_unspecified": "trunk",
    "shoulder_axilla": "shoulder or armpit",
    "upper_limb": "arm or hand",
    "lower_limb": "leg or foot",
    "gluteal_buttocks": "buttocks",
    "groin_genital_perineum": "groin or genital skin",
    "nail": "nail",
    "mucosa": "mucosa",
}
"""The eleven regions of `sources.fields.body_site` in words."""

SEXES = {"female": "woman", "male": "man"}

SYMPTOMS: dict[str, tuple[str, str]] = {
    "itch": ("it itches", "it does not itch"),
    "hurt": ("it hurts", "it does not hurt"),
    "bleed": ("it has bled", "it has not bled"),
    "grew": ("it has grown", "it has not grown"),
    "changed": ("it has changed", "it has not changed"),
    "condition_symptoms_itching": ("it itches", "it does not itch"),
    "condition_symptoms_pain": ("it hurts", "it does not hurt"),
    "condition_symptoms_bleeding": ("it has bled", "it has not bled"),
    "condition_symptoms_burning": ("it burns", "it does not burn"),
    "condition_symptoms_increasing_size": ("it has grown", "it has not grown"),
    "condition_symptoms_darkening": ("it has become darker", "it has not become darker"),
    "condition_symptoms_bothersome_appearance": ("its look bothers the person", "its look does not bother the person"),
}
"""Fields of a source's history that are told, when true and when false. Fields on biopsies, types and difficulty give the diagnosis
away and are not among them."""

DURATIONS = {
    "ONE_DAY": "for a day",
    "LESS_THAN_ONE_WEEK": "for less than a week",
    "ONE_TO_FOUR_WEEKS": "for one to four weeks",
    "ONE_TO_THREE_MONTHS": "for one to three months",
    "THREE_TO_TWELVE_MONTHS": "for three to twelve months",
    "MORE_THAN_ONE_YEAR": "for more than a year",
    "MORE_THAN_FIVE_YEARS": "for more than five years",
    "SINCE_CHILDHOOD": "since childhood",
}
"""Values of `condition_duration` in SCIN."""

_TRUE = {"true": True, "1": True, "1.0": True, "yes": True, "false": False, "0": False, "0.0": False, "no": False}


def context(record: Record, ontology: Ontology) -> list[Turn]:
    """A case and the question for the diagnosis; empty when nothing is stated about the person."""
    told = case(record.context)
    if not told:
        return []
    ask = questions.pick(questions.CONTEXT, f"{record.sha256}/context").format(case=told)
    answer = questions.CONTEXT_ANSWER.format(reasoning=record.reasoning["reasoning"], name=ontology.nodes[record.node].name)
    return once(ask, answer)


def case(context: Context) -> str:
    """The person, the site and the history in words; empty when none is known."""
    parts = [person(context), f"Site: {SITES[context.site]}." if context.site in SITES else "", history(context)]
    return " ".join(part for part in parts if part)


def person(context: Context) -> str:
    """Age and sex."""
    sex = SEXES.get(context.sex or "")
    if context.age_years is None:
        return f"The person is a {sex}." if sex else ""
    years = f"{context.age_years:g} years{' or older' if context.age_is_floor else ''}"
    return f"Age: {years}." + (f" Sex: {context.sex}." if sex else "")


def history(context: Context) -> str:
    """What the person says about it."""
    said = dict.fromkeys(
        SYMPTOMS[name][0 if _TRUE[value.strip().casefold()] else 1]
        for name, value in context.history.items()
        if name in SYMPTOMS and value.strip().casefold() in _TRUE
    )
    duration = DURATIONS.get(context.history.get("condition_duration", ""))
    facts = [*([f"it has been there {duration}"] if duration else []), *said]
    return f"History: {', '.join(facts)}." if facts else ""
