"""Every deterministic check on a teacher's answer that needs only its text, the image's kind, ontology and label.

An answer is the raw text of one JSON object: an observation (`prompts.schemas.observation_schema`) or a reasoning
(`prompts.schemas.reasoning_schema`). Each check is a code of `CHECKS` and gives one `Verdict`, passed or not, whose
detail quotes the offending words. No check raises on any text. Checks against pixels are in `quality.evidence`.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from prompts import schemas
from prompts.ontology import Ontology
from quality import claim_words, claims, finding_words, form_words, language, lexicon, text, thresholds
from quality.claims import NOTHING, Known
from quality.patterns import Together, apart, folded, matches, possible, spans
from quality.text import Mention, Polarity

CHECKS: dict[str, str] = {
    "not_json": "The answer is one JSON object and nothing else, in text that UTF-8 can hold, without repeated keys.",
    "schema": "The object has exactly the fields, types and sizes of the stage's JSON schema.",
    "vocabulary": "Every value of a closed vocabulary is one of its terms.",
    "wrong_modality": "Dermoscopic images use the seven criteria, clinical ones the SkinCon concepts, and the "
    "words fit as well.",
    "names_diagnosis": "The observation names no disease, by name, synonym, abbreviation or a word such as benign.",
    "non_visual": "The observation claims nothing that a picture cannot show: history, symptoms, age, sex, "
    "touch, histology, treatment.",
    "provenance": "The text does not speak of a given label, metadata, file names or its own instructions.",
    "refusal": "The text is an answer, not a refusal, an apology or an advice to see a doctor.",
    "length": "The text has a plausible number of words.",
    "language": "The text reads as English prose and not as noise or another language.",
    "degenerate": "The text does not repeat itself and holds no unfilled template.",
    "all_absent": "At least one thing was observed: a criterion, a concept or a measured finding.",
    "contradiction": "The description does not deny what the structured findings state, nor state what they deny or leave out.",
    "unmentioned": "The description names every finding that is listed as present.",
    "against_pixels": "No colour, symmetry, outline, edge or shape is claimed that the measured lesion clearly contradicts.",
    "against_record": "No site, side, sex or age is claimed that the source's record contradicts.",
    "hedging": "The text says what it sees, without a hedge in every sentence.",
    "management": "The text gives no advice on tests, treatment or follow-up.",
    "personal_data": "The text holds no name, date, address or number of a person.",
    "cites_unobserved": "Every finding that the reasoning cites stands in the observation.",
    "no_support": "The reasoning cites at least one supporting finding.",
    "cited_both_ways": "No finding is cited both for and against the conclusion.",
    "diagnosis_unknown": "The final diagnosis is a name of the ontology.",
    "diagnosis_unnamed": "The reasoning text mentions its own final diagnosis by some name.",
    "concludes_otherwise": "The last diagnosis that the reasoning names is its final diagnosis, or above or below it.",
    "copied_text": "The description is not that of another image whose findings differ.",
    "diagnosis_disagrees": "The final diagnosis is the image's known diagnosis, or above or below it in the ontology.",
}

_AGREES = frozenset({"same", "ancestor", "descendant", "overlap"})
_HYPOTHETICAL = re.compile(
    r"\b(?:would|expect\w*|typically|usually|often|commonly|classically|may|might|can(?! be (?:\w+ly )?(?:felt|palpated|moved|lifted|pinched|rolled|pressed|squeezed|compressed|stretched))|could|if|dermoscop\w+|tends?|unusual|anticipat\w+|elsewhere)\b",
    re.IGNORECASE,
)
_MEANS = re.compile(
    rf"{_HYPOTHETICAL.pattern}|\b(?:reflect|correspond|represent|stand|due|caus|explain|account|suggest|indicat|impl(?:y|ies)|mean|equivalent|consistent|correlat|attribut"
    r"|result|produc|stem|aris|from|because|since|that is|namely|mark of|sign of|pattern of|origin|owing|speak|point|argu|favou?r|compatible|keeping)\w*",
    re.IGNORECASE,
)
"""What a finding stands for in the tissue may be said, as its meaning."""

_LIKE_A_SIGN = re.compile(r"\b(?:wart|cyst|comedo|scar|milia|hive|blister|tag|burn|bite)-like\b", re.IGNORECASE)
"""Compared with a sign that is a diagnosis too: no disease is named by it."""

_SAID_OF = re.compile(
    r"\s*(?:(?:that|which) \w+|is|are|was|were|appears?|looks?|of|with|at|in|from|laid|set|drawn|bent|shaped|running|curved|curled|coiled|arising|like|resembling|strewn|scattered|arranged|distributed|spread|varying|spaced|placed|confined|forming|showing|displaying|having|combining|consisting|composed|comprising|made|seen|visible|locali[sz]ed|across|along|around|"
    r"restricted|limited|throughout|all over|extending|reaching|covers?|covering|whose)\b",
    re.IGNORECASE,
)
_PHRASE_END = re.compile(
    r",|\band\b(?! \w+ly \w+(?:ed|d|t)\b| \w+(?: (?:morphology|shape|course|pattern|distribution|arrangement|calibre|caliber|size|spacing|form)\b|$|[.;]))|\b(?:or|as well as|next to|beside|alongside|together|than|accompanied|under|over(?! (?:the (?:whole|entire)|all|most)\b)|within)\b",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"(?<!\babsence )(?<!\black )(?<!\bsign )(?<!\btrace )(?<!\bevidence )(?<!\bhint )\b(?:within|inside|in|on|over|around|across|beneath|at|of|from|along|outside|surround|surrounds|surrounding|cover|covers|covering|near|beside|beyond|to|towards?|by) (?:the|this|its|each|every|an?) (?:\w+ )?$",
    re.IGNORECASE,
)
"""Ahead of a listed concept that is only the place of something else: "no scale within the patch"."""

_NEXT_PHRASE = re.compile(
    r",\s*(?:and\s+)?(?:an?|the|some|several|many|few)\b|\bwith (?:an?|the|some|several)\b", re.IGNORECASE
)
_ITEM_END = re.compile(r",|\band\b", re.IGNORECASE)
apart(*lexicon.NON_VISUAL.values(), *lexicon.UNTOLD.values(), claim_words.HEDGE, claim_words.MANAGEMENT, *claim_words.PERSONAL)
# A dermoscopic image is asked about the criteria, a clinical one about the concepts.
apart(
    *finding_words.CRITERIA.values(),
    *(pattern for values in finding_words.VALUES.values() for pattern in values.values()),
    *(claim_words.NAMED[key] for key in finding_words.CRITERIA),
)
apart(
    *finding_words.CONCEPTS.values(),
    *finding_words.COLOUR_CONCEPTS.values(),
    *(claim_words.NAMED[name] for name in (*finding_words.CONCEPTS, *finding_words.COLOUR_CONCEPTS)),
)
apart(lexicon.DERMOSCOPIC_ONLY)  # a dermoscopic image may have them all
apart(form_words.PARTLY, claim_words.EPIDEMIC)  # asked of a few words, never of a text
_CRITERIA, _CONCEPTS, _COLOUR_CONCEPTS = map(
    Together, (finding_words.CRITERIA, finding_words.CONCEPTS, finding_words.COLOUR_CONCEPTS)
)
_VALUES = {key: Together(values) for key, values in finding_words.VALUES.items()}
_NON_VISUAL, _UNTOLD = Together(lexicon.NON_VISUAL), Together(lexicon.UNTOLD)
_CHARACTER_RUN = re.compile(r"(\S)\1{" + str(thresholds.CHARACTER_RUN_MAX) + ",}")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of one check (a code of `CHECKS`); `detail` quotes what offended, or notes how a pass came about."""

    check: str
    passed: bool
    detail: str


def check_observation(
    raw_text: str, kind: str, ontology: Ontology, known: Known = NOTHING
) -> tuple[dict[str, Any] | None, tuple[Verdict, ...]]:
    """The observation in `raw_text` and the verdict of every check that could be made on it.

    `kind` is `dermoscopic` or `clinical`; `known` is what else is known of the image. The object is `None` unless it parses and fits the schema; later checks may
    still have failed on an object that is returned.
    """
    value, fault = _decode(raw_text)
    if fault:
        return None, (Verdict("not_json", False, fault),)
    form = _form_verdicts(value, kind)
    prose = _observed_prose(value)
    verdicts = [
        _verdict("not_json", ()),
        *form,
        _verdict("wrong_modality", _wrong_schema(value, kind) + _wrong_words(prose, kind)),
        _verdict("names_diagnosis", _diagnoses_named(prose, ontology)),
        _verdict("non_visual", _non_visual(prose)),
        *_prose_verdicts(prose, _string(value, schemas.TEXT_KEY), thresholds.DESCRIPTION_WORDS),
        *_claim_verdicts(prose, known),
        *_manner_verdicts(prose, ontology),
    ]
    if not all(verdict.passed for verdict in form):
        return None, tuple(verdicts)
    verdicts += [
        _all_absent(value),
        _verdict("contradiction", contradictions(value, prose)),
        _verdict("unmentioned", claims.unmentioned(value, prose)),
    ]
    return value, tuple(verdicts)


def check_reasoning(
    raw_text: str,
    observation: Mapping[str, Any],
    kind: str,
    diagnosis_node: str | None,
    ontology: Ontology,
    known: Known = NOTHING,
) -> tuple[dict[str, Any] | None, tuple[Verdict, ...]]:
    """The reasoning in `raw_text` and the verdict of every check on it, given the image's schema-valid `observation`.

    `diagnosis_node` is the ontology id of the image's known diagnosis, `None` when there is none to agree with. The
    object is `None` unless it parses and fits the schema.
    """
    value, fault = _decode(raw_text)
    if fault:
        return None, (Verdict("not_json", False, fault),)
    form = _form_verdicts(value, "reasoning")
    prose = _string(value, "reasoning")
    verdicts = [_verdict("not_json", ()), *form, _verdict("wrong_modality", _wrong_features(prose, kind))]
    verdicts += _prose_verdicts(prose, prose, thresholds.REASONING_WORDS)
    unnamed = _without_names(prose, ontology)
    about = _about_it(prose, ontology) if claims.may_claim(prose, known) else ""
    verdicts += [_verdict("non_visual", _untold(unnamed)), *_claim_verdicts(about, known)]
    verdicts += _manner_verdicts(unnamed, ontology)
    if not all(verdict.passed for verdict in form):
        return None, tuple(verdicts)
    verdicts += _citation_verdicts(value, schemas.findings(observation))
    verdicts += _diagnosis_verdicts(value, diagnosis_node, ontology)
    return value, tuple(verdicts)


def contradictions(observation: Mapping[str, Any], prose: str) -> list[str]:
    """Phrases of `prose` at odds with the structured findings of a schema-valid observation, each with the finding."""
    seven = observation.get(schemas.DERM7PT_KEY)
    if seven is not None:
        named = dict(_CRITERIA.possible(prose))
        others = [item.lower() for item in observation[schemas.OTHERS_KEY]]
        return [fault for key, value in seven.items() if key in named for fault in _criterion_faults(key, value, prose, others)]
    concepts = frozenset(observation[schemas.SKINCON_KEY])
    found = [fault for name, _ in _CONCEPTS.possible(prose) for fault in _concept_faults(name, name in concepts, prose)]
    colours = _COLOUR_CONCEPTS.possible(prose)
    found += [
        f"{_in_clause(mention)} / {name}"
        for name, pattern in colours
        if name in concepts
        for mention in text.denials(prose, pattern)
    ]
    return found + _colours_unlisted(observation, concepts, colours, prose)


def _colours_unlisted(
    observation: Mapping[str, Any], concepts: frozenset[str], colours: Sequence[tuple[str, re.Pattern[str]]], prose: str
) -> list[str]:
    """Colours that the prose gives to an area, but neither a concept nor a measured colour."""
    alike = finding_words.COLOURS_OF_CONCEPT
    measured = {item.removeprefix("colour: ") for item in observation[schemas.OTHERS_KEY] if item.startswith("colour: ")}
    return [
        f"{_in_clause(mention)} / {name} not listed"
        for name, pattern in colours
        if name not in concepts and name in alike and not alike[name] & measured
        for mention in text.mentions(prose, pattern)
        if mention.polarity is Polarity.AFFIRMED
    ]


def _verdict(check: str, found: Sequence[str], note: str = "") -> Verdict:
    if not found:
        return _passed(check, note)
    return Verdict(check, False, text.quoted(found, thresholds.QUOTE_CHARACTERS, thresholds.QUOTES))


@lru_cache(maxsize=64)
def _passed(check: str, note: str) -> Verdict:
    return Verdict(check, True, note)


def _decode(raw_text: str) -> tuple[Any, str]:
    """The JSON value of an answer, raw control characters inside strings allowed, or the reason why there is none."""
    try:
        value = _DECODER.decode(raw_text) if raw_text[:1] != _BYTE_ORDER else json.loads(raw_text)
        raw_text.encode()
        if "\\u" in raw_text:  # the only other way for half a character to get in
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        return None, f"{text.clip(str(error), thresholds.QUOTE_CHARACTERS)} in {text.quoted([raw_text], 60, 1)}"
    if raw_text.count("{") + raw_text.count("[") > thresholds.JSON_DEPTH_MAX and _deeper_than(value, thresholds.JSON_DEPTH_MAX):
        return None, f"nested deeper than {thresholds.JSON_DEPTH_MAX}"
    return value, ""


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return value


_DECODER = json.JSONDecoder(strict=False, object_pairs_hook=_unique_keys)
_BYTE_ORDER = "\ufeff"
"""A mark of which `json.loads` says what it is; a decoder does not."""


def _deeper_than(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        holders = [item for item in level if isinstance(item, (dict, list))]
        if not holders:
            return False
        level = [child for item in holders for child in (item.values() if isinstance(item, dict) else item)]
    return bool(level)


@cache
def _validators(stage: str) -> tuple[Any, Any]:
    """A compiled validator that says yes or no, and one that says what is wrong."""
    import jsonschema_rs
    from jsonschema import Draft202012Validator

    schema = schemas.reasoning_schema() if stage == "reasoning" else schemas.observation_schema(stage)
    return jsonschema_rs.validator_for(schema), Draft202012Validator(schema)


def _form_verdicts(value: Any, stage: str) -> list[Verdict]:
    fits, validator = _validators(stage)
    errors = [] if fits.is_valid(value) else list(validator.iter_errors(value))
    outside = [f"{_place(error)}: {error.instance}" for error in errors if error.validator == "enum"]
    shape = [f"{_place(error)} {error.validator}: {error.message}" for error in errors if error.validator != "enum"]
    return [_verdict("schema", shape), _verdict("vocabulary", outside)]


def _place(error: Any) -> str:
    return ".".join(str(step) for step in error.absolute_path) or "answer"


def _string(value: Any, key: str) -> str:
    """A string field as far as it is read, empty if it is none: longer texts fail the schema, and matching them costs."""
    found = value.get(key) if isinstance(value, dict) else None
    return found[: thresholds.PROSE_CHARACTERS] if isinstance(found, str) else ""


def _observed_prose(value: Any) -> str:
    """All free text of an observation: the description, then the others, a sentence each."""
    others = value.get(schemas.OTHERS_KEY) if isinstance(value, dict) else None
    extra = [item for item in others if isinstance(item, str)] if isinstance(others, list) else []
    return "\n".join([_string(value, schemas.TEXT_KEY), *extra])[: thresholds.PROSE_CHARACTERS]


def _wrong_schema(value: Any, kind: str) -> list[str]:
    other = schemas.SKINCON_KEY if kind == "dermoscopic" else schemas.DERM7PT_KEY
    return [other] if isinstance(value, dict) and other in value else []


def _wrong_words(prose: str, kind: str) -> list[str]:
    pattern = lexicon.CLINICAL_ONLY if kind == "dermoscopic" else lexicon.DERMOSCOPIC_ONLY
    return [mention.quote for mention in text.mentions(prose, pattern) if mention.polarity is not Polarity.UNASSESSED]


def _wrong_features(prose: str, kind: str) -> list[str]:
    """Dermoscopic features that the reasoning about a clinical image takes for seen, not those it would expect."""
    if kind == "dermoscopic":
        return []
    seen = [found for found in text.mentions(prose, lexicon.DERMOSCOPIC_ONLY) if found.polarity is Polarity.AFFIRMED]
    return [found.quote for found in seen if not matches(_HYPOTHETICAL, found.before + found.quote + found.after)]


def _diagnoses_named(prose: str, ontology: Ontology) -> list[str]:
    prose = _LIKE_A_SIGN.sub("", prose) if "-like" in folded(prose) else prose
    return [*ontology.mentions(prose), *text.found(prose, lexicon.DIAGNOSTIC)]


def _non_visual(prose: str) -> list[str]:
    return [f"{quote} ({claim})" for claim, pattern in _NON_VISUAL.possible(prose) for quote in text.found(prose, pattern)]


def _without_names(prose: str, ontology: Ontology) -> str:
    """Prose without its diagnoses: "recurrent nevus" tells no history."""
    for name in sorted(set(ontology.mentions(prose)), key=lambda name: (-len(name), name)):
        for start, end in reversed(spans(_written(name), prose)):
            prose = f"{prose[:start]}this{prose[end:]}"
    return prose


@cache
def _written(name: str) -> re.Pattern[str]:
    """A diagnosis as prose may write it; there are more of them than `re` keeps."""
    return re.compile(r"[\W_]+".join(name.split()), re.IGNORECASE)


def _untold(prose: str) -> list[str]:
    """What a reasoning claims of the patient: it was told nothing of the kind. What it would expect of a condition is no claim."""
    said = [
        f"{quote} ({claim})"
        for claim, pattern in _UNTOLD.possible(prose)
        for quote in claims.stated(pattern, prose, _HYPOTHETICAL)
    ]
    return said + [f"{quote} (histology)" for quote in claims.stated(lexicon.TISSUE, prose, _MEANS)]


def _about_it(prose: str, ontology: Ontology) -> str:
    """The sentences of a reasoning that speak of this image: those that name a condition tell what it would look like."""
    said = text.sentences(prose)
    return "\n".join(one for one in said if not matches(_HYPOTHETICAL, one) and not ontology.mentions(one))


def _claim_verdicts(prose: str, known: Known) -> list[Verdict]:
    if not prose:
        return [_passed("against_pixels", ""), _passed("against_record", "")]
    return [
        _verdict("against_pixels", claims.against_pixels(prose, known)),
        _verdict("against_record", claims.against_record(prose, known)),
    ]


def _manner_verdicts(prose: str, ontology: Ontology) -> list[Verdict]:
    return [
        _verdict("hedging", claims.hedges(prose)),
        _verdict("management", text.found(prose, claim_words.MANAGEMENT)),
        _verdict("personal_data", claims.personal(prose) + claims.strangers(prose, ontology)),
    ]


def _prose_verdicts(prose: str, main: str, word_range: tuple[int, int]) -> list[Verdict]:
    """Verdicts on wording, for all free text (`prose`) or its running part (`main`)."""
    return [
        _verdict("provenance", text.found(prose, lexicon.PROVENANCE)),
        _verdict("refusal", text.found(prose, lexicon.REFUSAL)),
        _length(main, word_range),
        _verdict("language", _language_faults(main)),
        _verdict("degenerate", _degenerate_faults(main, prose)),
    ]


def _length(prose: str, word_range: tuple[int, int]) -> Verdict:
    low, high = word_range
    count = len(text.words(prose))
    return Verdict("length", low <= count <= high, f"{count} words, {low} to {high} allowed")


def _language_faults(prose: str) -> list[str]:
    tokens, kinds = text.words(prose), language.kinds(prose)
    low, high = thresholds.FUNCTION_WORD_SHARE
    many = max(len(tokens), 1)
    share, letters = kinds.count(language.CLOSED) / many, language.letter_share(prose)
    mean = len("".join(tokens)) / many
    distinct = len(language.FUNCTION_WORDS.intersection(tokens))
    held = (
        low <= share <= high,
        distinct >= thresholds.FUNCTION_WORDS_DISTINCT_MIN,
        letters >= thresholds.LETTER_SHARE_MIN,
        thresholds.WORD_LETTERS[0] <= mean <= thresholds.WORD_LETTERS[1],
        (len(tokens) - kinds.count(language.NOISE)) / many >= thresholds.PRONOUNCEABLE_SHARE_MIN,
        "\ufffd" not in prose,
        not language.holds_foreign(prose),
    )
    if all(held):
        return []
    faults = (
        f"{share:.2f} of the words are English function words",
        f"{distinct} different function words",
        f"{letters:.2f} of the characters are letters",
        f"{mean:.1f} letters in a word",
        "unpronounceable words",
        "undecodable characters",
        "sentences in another language",
    )
    return [fault for fault, fine in zip(faults, held, strict=True) if not fine]


def _degenerate_faults(prose: str, whole: str) -> list[str]:
    """Faults of the running part of a text; `whole` is all of it, searched already."""
    tokens = text.words(prose)
    said = [" ".join(sentence.casefold().split()) for sentence in text.sentences(prose)]
    share = language.repeated_share(tokens, thresholds.REPEATED_GRAM_WORDS)
    faults = text.found(prose, lexicon.PLACEHOLDER) if possible(lexicon.PLACEHOLDER, whole) else []
    if language.may_hold_run(prose, thresholds.CHARACTER_RUN_MAX):
        faults += [match.group() for match in _CHARACTER_RUN.finditer(prose)]
    if len(set(said)) < len(said):
        faults += [sentence for i, sentence in enumerate(said) if " " in sentence and sentence in said[:i]]
    if share and (loop := language.looped(tokens)):  # what is said again and again repeats such a sequence too
        faults.append(f"{loop} again and again")
    if (run := language.longest_run(tokens)) > thresholds.WORD_RUN_MAX:
        faults.append(f"one word {run} times in a row")
    if share > thresholds.REPEATED_GRAM_SHARE_MAX:
        faults.append(f"{share:.2f} of the {thresholds.REPEATED_GRAM_WORDS}-word sequences are repetitions")
    return faults


def _all_absent(observation: Mapping[str, Any]) -> Verdict:
    stated = [finding for finding in schemas.findings(observation) if not finding.endswith(": absent")]
    return Verdict("all_absent", bool(stated), "" if stated else "no finding but absent or not assessable ones")


def _criterion_faults(key: str, value: str, prose: str, others: Sequence[str]) -> list[str]:
    """What the prose says at odds with a criterion; what stands among the other findings, in small letters, is no such criterion."""
    pattern, values = finding_words.CRITERIA[key], _values_in(key, prose)
    mentions = text.mentions(prose, pattern) if _may_overstate(key, value, values) else text.denials(prose, pattern)
    wrong = [mention for mention in mentions if _criterion_contradicts(key, value, mention, values)]
    if wrong and value in ("absent", schemas.NOT_ASSESSABLE) and (told := [one for one in others if pattern.search(one)]):
        wrong = [one for one in wrong if not any(item in _clause(one) for item in told)]
    return [f"{_in_clause(mention)} / {key.replace('_', ' ')}: {value}" for mention in wrong]


def _may_overstate(key: str, value: str, values: Collection[str]) -> bool:
    """Whether a statement of a criterion can be at odds with its value in prose that may name `values`; a denial always can."""
    if value in ("absent", schemas.NOT_ASSESSABLE) and key not in finding_words.NEEDS_VALUE:
        return True
    return any(not _part_of(one, value) for one in values)


def _criterion_contradicts(key: str, value: str, mention: Mention, values: Mapping[str, re.Pattern[str]]) -> bool:
    """Whether a mention is at odds with the value of its criterion; `values` are those that its prose may name."""
    if mention.polarity in (Polarity.UNASSESSED, Polarity.UNCLEAR):
        return False
    if mention.polarity is Polarity.DENIED:
        # "no atypical network" does not deny a typical one, and "free of pigment" is said of the skin around.
        if mention.quote.lower() == "pigment" or value == "absent":
            return False
        return value == schemas.NOT_ASSESSABLE or _denies_value(key, value, mention, values)
    if value in ("absent", schemas.NOT_ASSESSABLE):
        return key not in finding_words.NEEDS_VALUE or bool(_values_said(key, mention, values))
    told_apart = any(_part_of(one, value) for one in finding_words.VALUES.get(key, {}))
    return told_apart and any(not _part_of(one, value) for one in _values_said(key, mention, values))


def _denies_value(key: str, value: str, mention: Mention, values: Mapping[str, re.Pattern[str]]) -> bool:
    """Whether a denial is of the value itself: of no value named, or of it among others, as in "no diffuse or localized pigmentation"."""
    said = _values_said(key, mention, values)
    ahead = " ".join(text.reach(mention.before).split()[-thresholds.VALUE_WORDS_AHEAD :])
    listed = [one for one in values if values[one].search(ahead)] if " or " in ahead else []
    return all(_part_of(one, value) for one in said) or any(_part_of(one, value) for one in listed)


def _clause(mention: Mention) -> str:
    return (mention.before + mention.quote + mention.after).lower()


def _part_of(said: str, value: str) -> bool:
    """Whether a value word is the value or one of its two parts: "diffuse" of "diffuse irregular"."""
    return said == value or said in value.split()


def _values_in(key: str, prose: str) -> Mapping[str, re.Pattern[str]]:
    """The values of a criterion that some part of prose may name. Words are joined by one space before they are asked."""
    if key not in _VALUES or not text.singly_spaced(prose):
        return finding_words.VALUES.get(key, {})
    return dict(_VALUES[key].possible(prose))


def _values_said(key: str, mention: Mention, values: Mapping[str, re.Pattern[str]]) -> list[str]:
    """The values that prose gives a criterion: the nearest words ahead of it, one for each part of a value, or else what is said of it.

    `values` are those that its prose may name.
    """
    if not values:
        return []
    phrase = _own_adjectives(_NEXT_PHRASE.split(text.reach(mention.before))[-1], values.values())
    ahead = " ".join([*phrase.split()[-thresholds.VALUE_WORDS_AHEAD :], mention.quote])
    found = {value: places[-1][1] for value, pattern in values.items() if (places := spans(pattern, ahead))}
    parts = finding_words.VALUE_PARTS.get(key, (tuple(finding_words.VALUES.get(key, {})),))
    told = [max(said, key=found.__getitem__) for part in parts if (said := [value for value in part if value in found])]
    open_parts = [part for part in parts if not any(value in found for value in part)]
    unsaid = [value for part in open_parts for value in part if value in values]
    return told + _values_behind(mention.after, {value: values[value] for value in unsaid})


def _values_behind(after: str, values: Mapping[str, re.Pattern[str]]) -> list[str]:
    """The values said of a phrase behind it: "globules of every size", "streaks are uneven"; none when the words name another finding."""
    said = _PHRASE_END.split(" ".join(after.split()[: thresholds.VALUE_WORDS_BEHIND]))[0] if values else ""
    if not _SAID_OF.match(said):
        return []
    found = [value for value, pattern in values.items() if matches(pattern, said)]
    return [] if found and any(matches(pattern, said) for pattern in finding_words.CRITERIA.values()) else found


def _own_adjectives(phrase: str, patterns: Collection[re.Pattern[str]]) -> str:
    """The end of a phrase without other items of its list: a comma or "and" parts items unless a value word stands before it."""
    for end in reversed(list(_ITEM_END.finditer(phrase))):
        *_, last = phrase[: end.start()].split() or [""]
        if not any(matches(pattern, last) for pattern in patterns):
            return phrase[end.end() :]
    return phrase


def _concept_faults(concept: str, listed: bool, prose: str) -> list[str]:
    pattern = finding_words.CONCEPTS[concept]
    if listed:
        denied = [mention for mention in text.denials(prose, pattern) if not matches(_PLACE, mention.before)]
        return [f"{_in_clause(mention)} / {concept} listed" for mention in denied]
    claimed = [mention for mention in text.mentions(prose, pattern) if mention.polarity is Polarity.AFFIRMED]
    return [f"{_in_clause(mention)} / {concept} not listed" for mention in claimed]


def _in_clause(mention: Mention) -> str:
    """The words as said, with up to three before and after: enough to see why they offend."""
    return " ".join([*mention.before.split()[-3:], mention.quote, *mention.after.split()[:3]])


def _citation_verdicts(value: Mapping[str, Any], observed: Sequence[str]) -> list[Verdict]:
    supporting, against = value["supporting"], value["against"]
    return [
        _verdict("cites_unobserved", [finding for finding in supporting + against if finding not in observed]),
        Verdict("no_support", bool(supporting), "" if supporting else "the supporting list is empty"),
        _verdict("cited_both_ways", [finding for finding in supporting if finding in against]),
    ]


def _diagnosis_verdicts(value: Mapping[str, Any], known: str | None, ontology: Ontology) -> list[Verdict]:
    label = value["final_diagnosis"]
    final = ontology.resolve(label)
    return [
        _verdict("diagnosis_unknown", [] if final else [label]),
        _verdict("diagnosis_unnamed", [] if _names(value["reasoning"], label, final, ontology) else [label]),
        _verdict("concludes_otherwise", claims.concludes_otherwise(value, final, ontology)),
        _agreement(label, final, known, ontology),
    ]


def _names(prose: str, label: str, final: str | None, ontology: Ontology) -> bool:
    if final is not None and final in map(ontology.resolve, ontology.mentions(prose)):
        return True
    said = " ".join(text.words(label))
    return bool(said) and f" {said} " in f" {' '.join(text.words(prose))} "


def _agreement(label: str, final: str | None, known: str | None, ontology: Ontology) -> Verdict:
    if known is None:
        return Verdict("diagnosis_disagrees", True, "no known diagnosis to agree with")
    relation = ontology.relation(final, known) if final else "unrelated"
    if relation in _AGREES:
        return Verdict("diagnosis_disagrees", True, relation)
    name = ontology.nodes[known].name
    return Verdict("diagnosis_disagrees", False, f"{text.quoted([label], thresholds.QUOTE_CHARACTERS, 1)}: {relation} ({name})")
