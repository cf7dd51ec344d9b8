"""Planted faults: each kind takes a sound trajectory and returns one that is faulty in one way, with the checks that ought to say so.

Written without a look at the patterns of the checks. A kind that cannot be planted in a trajectory (no sibling, nothing absent) returns None.
The second, third and fourth author wrote without sight of the checks and of what they had caught; the checks were mended from what they missed
of each, after it had been measured at first sight (docs/checks.md).
"""

import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, Literal

from benchmarks import plant_words as p
from benchmarks import plant_words_fifth, plant_words_fourth, plant_words_second, plant_words_sixth, plant_words_third, scribe
from benchmarks import scribe_words as w
from benchmarks.scribe import KINDS, Trajectory, dice
from prompts import ontology as ontologies
from prompts.schemas import DERM7PT_KEY, NOT_ASSESSABLE, OTHERS_KEY, SKINCON, SKINCON_KEY, TEXT_KEY, findings
from sources.vocabulary import DERM7PT

Plant = Callable[[random.Random, Trajectory], Trajectory | None]
Sentence = Callable[[random.Random, Trajectory], str | None]
Author = Literal["first", "second", "third", "fourth", "fifth", "sixth"]
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z(])")


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault: how it is planted, and the checks of which one ought to fail."""

    plant: Plant
    checks: frozenset[str]


def planted(kind: str, count: int, author: Author = "first") -> list[tuple[Trajectory, Trajectory]]:
    """The first `count` trajectories of a kind in an author's words, sound and then faulty, from seeds in their order."""
    fault, seed = AUTHORS[author][kind], 0
    found: list[tuple[Trajectory, Trajectory]] = []
    while len(found) < count:
        sound = scribe.sound(f"{kind}/{seed}")
        faulty = fault.plant(dice(f"{kind}/{seed}"), sound)
        found += [(sound, faulty)] if faulty else []
        seed += 1
    return found


# --- form ---------------------------------------------------------------------------------------------------------------------


def _raw(rng: random.Random, one: Trajectory, change: Callable[[str], str]) -> Trajectory:
    """Either of the two answers with its text changed."""
    if rng.random() < 0.5:
        return replace(one, raw_observation=change(one.observed))
    return replace(one, raw_reasoning=change(one.reasoned))


def _wrapped(frames: Sequence[str]) -> Plant:
    def plant(rng: random.Random, one: Trajectory) -> Trajectory:
        frame = rng.choice(frames)
        return _raw(rng, one, lambda text: frame.replace("{}", text))

    return plant


def _truncated(rng: random.Random, one: Trajectory) -> Trajectory:
    share = rng.uniform(0.1, 0.99)
    return _raw(rng, one, lambda text: text[: max(1, int(len(text) * share) - 1)])


def _object(rng: random.Random, one: Trajectory, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Trajectory:
    return _raw(rng, one, lambda text: json.dumps(change(json.loads(text)), ensure_ascii=False))


def _missing_field(rng: random.Random, one: Trajectory) -> Trajectory:
    def change(value: dict[str, Any]) -> dict[str, Any]:
        nested = value.get(DERM7PT_KEY)
        if nested and rng.random() < 0.5:
            gone = rng.choice(sorted(nested))
            return value | {DERM7PT_KEY: {k: v for k, v in nested.items() if k != gone}}
        gone = rng.choice(sorted(value))
        return {k: v for k, v in value.items() if k != gone}

    return _object(rng, one, change)


def _extra_field(rng: random.Random, one: Trajectory) -> Trajectory:
    key, content = rng.choice(p.EXTRA_FIELDS)
    return _object(rng, one, lambda value: value | {key: content})


def _unknown_term(rng: random.Random, one: Trajectory) -> Trajectory:
    if one.kind == "dermoscopic":
        seven = one.observation[DERM7PT_KEY] | {rng.choice(sorted(DERM7PT)): rng.choice(p.UNKNOWN_VALUES)}
        return replace(one, observation=one.observation | {DERM7PT_KEY: seven})
    concepts = [*one.observation[SKINCON_KEY], rng.choice(p.UNKNOWN_TERMS)]
    return replace(one, observation=one.observation | {SKINCON_KEY: concepts})


def _wrong_schema(rng: random.Random, one: Trajectory) -> Trajectory:
    kind = KINDS[one.kind == KINDS[0]]
    observation = scribe.structure(rng, kind)
    observation[TEXT_KEY] = scribe.describe(rng, kind, observation, one.known)
    return replace(one, observation=observation)


def _all_absent(rng: random.Random, one: Trajectory) -> Trajectory:
    if one.kind == "dermoscopic":
        observation: dict[str, Any] = {DERM7PT_KEY: dict.fromkeys(DERM7PT, "absent"), OTHERS_KEY: []}
    else:
        observation = {SKINCON_KEY: [], OTHERS_KEY: []}
    return replace(one, observation=observation | {TEXT_KEY: scribe.describe(rng, one.kind, observation, one.known)})


# --- sentences that must not be there -----------------------------------------------------------------------------------------


def inserted(rng: random.Random, text: str, sentence: str) -> str:
    """A text with a sentence more, anywhere in it."""
    parts = SENTENCE_END.split(text)
    parts.insert(rng.randint(0, len(parts)), sentence)
    return " ".join(parts)


def _observed(make: Sentence) -> Plant:
    """A sentence more in the description."""

    def plant(rng: random.Random, one: Trajectory) -> Trajectory | None:
        sentence = make(rng, one)
        return one.telling(inserted(rng, one.observation[TEXT_KEY], sentence)) if sentence else None

    return plant


def _argued(make: Sentence) -> Plant:
    """A sentence more in the reasoning, before its conclusion."""

    def plant(rng: random.Random, one: Trajectory) -> Trajectory | None:
        *said, conclusion = SENTENCE_END.split(one.reasoning["reasoning"])
        sentence = make(rng, one)
        return one.arguing(f"{inserted(rng, ' '.join(said), sentence)} {conclusion}") if sentence else None

    return plant


def _one_of(sentences: Sequence[str]) -> Callable[[random.Random, Trajectory], str]:
    return lambda rng, one: rng.choice(sentences)


def _age(frames: Sequence[str]) -> Sentence:
    return lambda rng, one: rng.choice(frames).format(n=rng.randint(1, 95), d=rng.randint(2, 8) * 10)


def _sex(sentences: Mapping[str, Sequence[str]]) -> Sentence:
    """The sex that the record does not give, or either where it gives none."""

    def make(rng: random.Random, one: Trajectory) -> str:
        other = {"female": "male", "male": "female"}.get(one.known.sex or "") or rng.choice(sorted(sentences))
        return rng.choice(sentences[other])

    return make


def _site(sites: Mapping[str, Sequence[tuple[str, str]]], frames: Sequence[str]) -> Sentence:
    """Another region than the recorded one and its neighbours."""

    def make(rng: random.Random, one: Trajectory) -> str | None:
        if one.known.site is None:
            return None
        region = rng.choice(sorted(set(sites) - {one.known.site} - _NEAR.get(one.known.site, set())))
        return rng.choice(frames).format(site=rng.choice(sites[region])[1])

    return make


# Neighbours of which a picture near the border may show either.
_NEAR = {
    "gluteal_buttocks": {"trunk_back", "lower_limb"},
    "trunk_back": {"gluteal_buttocks"},
    "lower_limb": {"gluteal_buttocks"},
}


def _side(frames: Sequence[str]) -> Sentence:
    """The recorded site on the other side of the body."""

    def make(rng: random.Random, one: Trajectory) -> str | None:
        turned = {"left": "right", "right": "left"}
        side, _, rest = (one.known.site_raw or "").partition(" ")
        return rng.choice(frames).format(site=scribe.located(f"{turned[side]} {rest}")) if side in turned else None

    return make


def _colour(shades: Mapping[str, Sequence[str]], frames: Sequence[str]) -> Sentence:
    """A colour of which, as of its neighbours, the pixels hold nothing."""

    def make(rng: random.Random, one: Trajectory) -> str | None:
        lacking = [c for c, share in one.known.traces.items() if share == 0 and not _akin(c, one.known.traces)]
        if not lacking:
            return None
        shade = rng.choice(shades[rng.choice(lacking)])
        return rng.choice(frames).format(c=shade, C=shade[0].upper() + shade[1:])

    return make


def _akin(colour: str, traces: Mapping[str, float | None]) -> bool:
    """Whether a neighbour of a colour that people confuse it with is there."""
    return any(traces[other] for pair in _AKIN for other in pair if colour in pair)


_AKIN = (
    ("pink", "red"),
    ("light brown", "dark brown"),
    ("dark brown", "black"),
    ("blue-gray", "black"),
    ("light brown", "yellow"),
)


def _dermoscopic_words(sentences: Sequence[str]) -> Sentence:
    return lambda rng, one: rng.choice(sentences) if one.kind == "clinical" else None


_SIGNS = {concept.lower() for concept in SKINCON}
"""Names of diagnoses that are concepts too: to name them names no disease."""


def _named(which: str, frames: Sequence[str]) -> Callable[[random.Random, Trajectory], str | None]:
    """A sentence with the name, synonym or abbreviation of a diagnosis, the true one half of the time."""

    def make(rng: random.Random, one: Trajectory) -> str | None:
        tree = ontologies.load()
        nodes = [n for n in tree.nodes.values() if getattr(n, which)]
        nodes = [n for n in nodes if len(tree.path(n.id)) > 2] or nodes
        true = tree.nodes[one.node]
        node = true if getattr(true, which) and rng.random() < 0.5 else rng.choice(nodes)
        names = getattr(node, which)
        name = names if isinstance(names, str) else rng.choice(names)
        if name.lower() in _SIGNS:
            return None
        sentence = rng.choice(frames).format(d=name)
        return sentence[0].upper() + sentence[1:]

    return make


def _plural(frames: Sequence[str], plurals: Sequence[str]) -> Sentence:
    return lambda rng, one: rng.choice(frames).format(d=rng.choice(plurals))


def _measured(topic: str, predicates: Mapping[str, Sequence[str]]) -> Sentence:
    """The opposite of a measured value, said in the description."""

    def make(rng: random.Random, one: Trajectory) -> str | None:
        known = [f for f in one.known.measured if f.startswith(f"{topic}: ")]
        opposite = _OPPOSITE.get(known[0]) if known else None
        return (
            f"{rng.choice(('The lesion', 'It', 'Overall, the lesion'))} {rng.choice(predicates[opposite])}."
            if opposite
            else None
        )

    return make


_OPPOSITE = {
    "symmetry: symmetric": "symmetry: asymmetric in both axes",
    "symmetry: asymmetric in both axes": "symmetry: symmetric",
    "outline: smooth": "outline: irregular",
    "outline: irregular": "outline: smooth",
    "edge: sharp": "edge: gradual",
    "edge: gradual": "edge: sharp",
    "shape: round": "shape: elongated",
    "shape: elongated": "shape: round",
    "number of colours: one": "number of colours: three or more",
    "number of colours: three or more": "number of colours: one",
}


# --- description against structure --------------------------------------------------------------------------------------------


def _redescribed(rng: random.Random, one: Trajectory, changed: dict[str, Any]) -> Trajectory:
    """The same structure, told as if it were another one."""
    return one.telling(scribe.describe(rng, one.kind, one.observation | changed, one.known))


def _set(one: Trajectory, key: str, value: str) -> dict[str, Any]:
    return {DERM7PT_KEY: one.observation[DERM7PT_KEY] | {key: value}}


def _positive(one: Trajectory) -> list[str]:
    return [key for key, value in one.observation[DERM7PT_KEY].items() if value not in ("absent", NOT_ASSESSABLE)]


def _denies_listed(rng: random.Random, one: Trajectory) -> Trajectory | None:
    if one.kind == "dermoscopic":
        return _redescribed(rng, one, _set(one, rng.choice(_positive(one)), "absent"))
    concept = rng.choice(one.observation[SKINCON_KEY])
    told = _redescribed(rng, one, {SKINCON_KEY: [c for c in one.observation[SKINCON_KEY] if c != concept]})
    name = re.sub(r"^(?:an?|the|some) ", "", scribe.nouns(rng, concept).removeprefix("+ "))
    return told.telling(inserted(rng, told.observation[TEXT_KEY], scribe.denied(rng, [name])))


def _claims_absent(rng: random.Random, one: Trajectory) -> Trajectory | None:
    if one.kind == "dermoscopic":
        absent = [key for key, value in one.observation[DERM7PT_KEY].items() if value == "absent"]
        if not absent:
            return None
        key = rng.choice(absent)
        return _redescribed(rng, one, _set(one, key, rng.choice(DERM7PT[key][1:])))
    return _redescribed(rng, one, {SKINCON_KEY: [*one.observation[SKINCON_KEY], rng.choice(_free(one))]})


def _free(one: Trajectory) -> list[str]:
    """Concepts that are neither listed nor implied by what is."""
    listed = one.observation[SKINCON_KEY]
    return sorted(set(SKINCON) - set(listed) - _told(one) - {near for c in listed for near in _KIN.get(c, ())})


def _told(one: Trajectory) -> set[str]:
    """Concepts of colour that the list of measured colours says already."""
    shades = {f.removeprefix("colour: ") for f in one.observation[OTHERS_KEY] if f.startswith("colour: ")}
    return {concept for concept in _COLOURED if shades & set(scribe.TINTS[concept])}


_COLOURED = (
    *("Black", "Blue", "Brown(Hyperpigmentation)", "Gray", "Purple", "Salmon", "White(Hypopigmentation)", "Yellow"),
    *("Pigmented", "Erythema"),
)

# Concepts that a text about the first may well name too.
_KIN: dict[str, tuple[str, ...]] = {
    "Pigmented": ("Brown(Hyperpigmentation)",),
    "Brown(Hyperpigmentation)": ("Pigmented",),
    "Purple": ("Purpura/Petechiae",),
    "Purpura/Petechiae": ("Purple", "Pigmented"),
    "Sclerosis": ("Induration",),
    "Induration": ("Sclerosis",),
    "Poikiloderma": ("Telangiectasia", "Atrophy", "Pigmented"),
}


def _another_value(rng: random.Random, one: Trajectory) -> tuple[str, str] | None:
    """A criterion that is present, and a value that is not the one listed."""
    if one.kind != "dermoscopic":
        return None
    parts = ("within regression", "combinations")  # another value is a part of these, and no contradiction
    seven = one.observation[DERM7PT_KEY]
    keys = [key for key in _positive(one) if len(DERM7PT[key]) > 2 and seven[key] not in parts]
    if not keys:
        return None
    key = rng.choice(keys)
    others = [value for value in DERM7PT[key][1:] if value not in (seven[key], *parts)]
    return key, rng.choice(others)


def _other_value(rng: random.Random, one: Trajectory) -> Trajectory | None:
    other = _another_value(rng, one)
    return _redescribed(rng, one, _set(one, *other)) if other else None


def _unmentioned(rng: random.Random, one: Trajectory) -> Trajectory | None:
    if one.kind == "dermoscopic":
        seven = one.observation[DERM7PT_KEY]
        gone = rng.choice(_positive(one))
        if gone == "regression_structures" and seven["vascular_structures"] == "within regression":
            return None
        return _redescribed(rng, one, {DERM7PT_KEY: {k: v for k, v in seven.items() if k != gone}})
    listed = one.observation[SKINCON_KEY]
    gone = rng.choice(listed)
    if gone in _told(one) or any(gone in _KIN.get(other, ()) for other in listed):
        return None
    told = scribe.describe(
        rng, one.kind, one.observation | {SKINCON_KEY: [c for c in listed if c != gone]}, one.known, denying=False
    )
    return one.telling(told)


def _claim(words: ModuleType, rng: random.Random, finding: str) -> str:
    return rng.choice(words.CLAIM_FRAMES).format(x=rng.choice(words.CLAIMED[finding]))


def _denial(words: ModuleType, rng: random.Random, thing: str) -> str:
    return rng.choice(words.DENIAL_FRAMES).format(x=rng.choice(words.DENIED[thing]))


def _silent_on(rng: random.Random, one: Trajectory, thing: str, sentence: str) -> Trajectory:
    """A description that says nothing of a criterion or concept but this sentence."""
    if one.kind == "dermoscopic":
        less = {DERM7PT_KEY: {k: v for k, v in one.observation[DERM7PT_KEY].items() if k != thing}}
    else:
        less = {SKINCON_KEY: [c for c in one.observation[SKINCON_KEY] if c != thing]}
    told = scribe.describe(rng, one.kind, one.observation | less, one.known, denying=False)
    return one.telling(inserted(rng, told, sentence))


def _denies_in_a_sentence(words: ModuleType) -> Plant:
    def plant(rng: random.Random, one: Trajectory) -> Trajectory:
        listed = _positive(one) if one.kind == "dermoscopic" else one.observation[SKINCON_KEY]
        thing = rng.choice(listed)
        return _silent_on(rng, one, thing, _denial(words, rng, thing))

    return plant


def _claims_in_a_sentence(words: ModuleType) -> Plant:
    def plant(rng: random.Random, one: Trajectory) -> Trajectory | None:
        if one.kind == "clinical":
            concept = rng.choice(_free(one))
            return _silent_on(rng, one, concept, _claim(words, rng, concept))
        absent = [key for key, value in one.observation[DERM7PT_KEY].items() if value == "absent"]
        if not absent:
            return None
        key = rng.choice(absent)
        return _silent_on(rng, one, key, _claim(words, rng, f"{key.replace('_', ' ')}: {rng.choice(DERM7PT[key][1:])}"))

    return plant


def _other_value_in_a_sentence(words: ModuleType) -> Plant:
    def plant(rng: random.Random, one: Trajectory) -> Trajectory | None:
        key, value = _another_value(rng, one) or (None, "")
        return _silent_on(rng, one, key, _claim(words, rng, f"{key.replace('_', ' ')}: {value}")) if key else None

    return plant


# --- reasoning ----------------------------------------------------------------------------------------------------------------


def _cites_unobserved(rng: random.Random, one: Trajectory) -> Trajectory:
    observed = set(findings(one.observation))
    if one.kind == "dermoscopic":
        pool = [f for f in w.SEVEN if f not in observed]
    else:
        pool = [f for f in w.SKINCON if f not in observed]
    pool += [f for f in w.MEASURED if f not in observed]
    side = rng.choice(("supporting", "against"))
    cited = list(one.reasoning[side])
    cited.insert(rng.randint(0, len(cited)), rng.choice(pool))
    return replace(one, reasoning=one.reasoning | {side: cited})


def _both_ways(rng: random.Random, one: Trajectory) -> Trajectory:
    finding = rng.choice(one.reasoning["supporting"])
    return replace(one, reasoning=one.reasoning | {"against": [*one.reasoning["against"], finding]})


def _both_ways_respelled(rng: random.Random, one: Trajectory) -> Trajectory:
    finding = rng.choice(one.reasoning["supporting"])
    written = rng.choice((finding.upper(), finding.swapcase(), f" {finding}", f"{finding}.", finding.replace(" ", "  ") + " "))
    return replace(one, reasoning=one.reasoning | {"against": [*one.reasoning["against"], written]})


def _no_support(rng: random.Random, one: Trajectory) -> Trajectory:
    return replace(one, reasoning=one.reasoning | {"supporting": []})


def _far(one: Trajectory) -> list[str]:
    tree = ontologies.load()
    return [n for n in tree.nodes if tree.relation(n, one.node) == "unrelated" and len(tree.path(n)) > 2]


def _concludes_otherwise(frames: Sequence[str]) -> Plant:
    """The text ends with another diagnosis than the final one, one that cannot be true of the picture with it."""

    def plant(rng: random.Random, one: Trajectory) -> Trajectory | None:
        tree = ontologies.load()
        *said, _ = SENTENCE_END.split(one.reasoning["reasoning"])
        other = rng.choice(tree.siblings(one.node) if tree.siblings(one.node) and rng.random() < 0.5 else _far(one))
        final = tree.resolve(one.reasoning["final_diagnosis"])
        if final is None or not tree.exclusive(other, final):
            return None
        return one.arguing(" ".join([*said, rng.choice(frames).format(d=tree.nodes[other].name)]))

    return plant


def concluding(one: Trajectory, label: str, rng: random.Random, frames: Sequence[str] = w.CONCLUSION_FRAMES) -> Trajectory:
    """The same argument with another conclusion, in text and label."""
    *said, _ = SENTENCE_END.split(one.reasoning["reasoning"])
    text = " ".join([*said, rng.choice(frames).format(d=label)])
    return replace(one, reasoning=one.reasoning | {"reasoning": text, "final_diagnosis": label})


def _unknown_diagnosis(names: Sequence[str], frames: Sequence[str]) -> Plant:
    return lambda rng, one: concluding(one, rng.choice(names), rng, frames)


def related(rng: random.Random, node: str, relation: str) -> str | None:
    """Another diagnosis in a relation to a node: `sibling`, `cousin` (same superclass) or `unrelated`; None where there is none."""
    tree = ontologies.load()
    wanted = {"sibling": "sibling", "cousin": "same superclass", "unrelated": "unrelated"}[relation]
    found = [n for n in tree.nodes if len(tree.path(n)) > 2 and tree.relation(n, node) == wanted]
    return rng.choice(found) if found else None


def _other_diagnosis(relation: str) -> Plant:
    """The reasoning argues consistently for another diagnosis than the known one."""

    def plant(rng: random.Random, one: Trajectory) -> Trajectory | None:
        other = related(rng, one.node, relation)
        return replace(one, reasoning=scribe.reason(rng, one.kind, one.observation, other, coarse=False)) if other else None

    return plant


# --- whole texts --------------------------------------------------------------------------------------------------------------


def _whole(make: Callable[[random.Random, Trajectory], str]) -> Plant:
    """The description is this text and nothing else."""
    return lambda rng, one: one.telling(make(rng, one))


def _refused(sentences: Sequence[str]) -> Callable[[random.Random, Trajectory], str]:
    return lambda rng, one: " ".join(rng.sample(sentences, rng.choice((1, 2, 3))))


def _refused_raw(sentences: Sequence[str]) -> Plant:
    def plant(rng: random.Random, one: Trajectory) -> Trajectory:
        text = _refused(sentences)(rng, one)
        return _raw(rng, one, lambda _: text)

    return plant


def _refused_within(sentences: Sequence[str]) -> Plant:
    """A refusal where the reasoning stands, before its conclusion."""

    def plant(rng: random.Random, one: Trajectory) -> Trajectory:
        *_, conclusion = SENTENCE_END.split(one.reasoning["reasoning"])
        return one.arguing(f"{_refused(sentences)(rng, one)} {conclusion}")

    return plant


def _hedged(frames: Sequence[str]) -> Callable[[random.Random, Trajectory], str]:
    def make(rng: random.Random, one: Trajectory) -> str:
        things = [_bare(rng, f) for f in findings(one.observation) if f in w.SEVEN or f in w.SKINCON] or ["a lesion"]
        return " ".join(rng.choice(frames).format(x=rng.choice(things)) for _ in range(rng.randint(4, 7)))

    return make


def _bare(rng: random.Random, finding: str) -> str:
    return scribe.nouns(rng, finding).removeprefix("+ ")


def _foreign(sentences: Sequence[str]) -> Plant:
    return _whole(lambda rng, one: " ".join(rng.sample(sentences, rng.randint(6, 10))))


def _half_foreign(languages: Mapping[str, Sequence[str]]) -> Callable[[random.Random, Trajectory], str]:
    def make(rng: random.Random, one: Trajectory) -> str:
        parts = SENTENCE_END.split(one.observation[TEXT_KEY])
        foreign = rng.sample(languages[rng.choice(sorted(languages))], rng.randint(3, 5))
        return " ".join([*parts[: max(2, len(parts) // 2)], *foreign])

    return make


def _noise(rng: random.Random, one: Trajectory) -> str:
    return " ".join(rng.sample(p.NOISE, rng.choice((2, 3, 4))))


def _too_long(rng: random.Random, one: Trajectory) -> str:
    seeds = (scribe.sound(f"long/{rng.random()}") for _ in range(40))
    said = [one.observation[TEXT_KEY]]
    for other in seeds:
        if len(" ".join(said).split()) > rng.randint(260, 300):
            break
        said += [other.observation[TEXT_KEY]] if other.kind == one.kind else []
    return " ".join(said)


def _loop(rng: random.Random, one: Trajectory) -> str:
    text = one.observation[TEXT_KEY]
    parts = SENTENCE_END.split(text)
    sentence, times = rng.choice(parts), rng.randint(4, 9)
    words = sentence.rstrip(".").split()
    how = rng.choice(p.LOOPS)
    if how == "sentence":
        return " ".join([*parts[:3], *[sentence] * times])
    if how == "phrase":
        return text + " It shows " + ", ".join([" ".join(words[-3:])] * (2 * times)) + "."
    if how == "word":
        return text + " It is " + " ".join([rng.choice(words)] * (2 * times)) + "."
    return " ".join([text] * rng.choice((2, 3)))


def origin_of(one: Trajectory) -> Trajectory:
    """The sound trajectory that the kind `copied_text` takes the description of a faulty one from."""
    return scribe.sound(f"origin of {json.dumps(one.reasoning, sort_keys=True)}")


def _copied(rng: random.Random, one: Trajectory) -> Trajectory | None:
    """The description of another image with other findings, which is `origin_of(one)`."""
    other = origin_of(one)
    if other.kind != one.kind or set(findings(other.observation)) == set(findings(one.observation)):
        return None
    return one.telling(other.observation[TEXT_KEY])


def _copied_and_edited(rng: random.Random, one: Trajectory) -> Trajectory | None:
    """The same with one word replaced."""
    copy = _copied(rng, one)
    if copy is None:
        return None
    words = copy.observation[TEXT_KEY].split()
    places = [place for place, word in enumerate(words) if word in _REPLACEABLE]
    if not places:
        return None
    place = rng.choice(places)
    words[place] = _REPLACEABLE[words[place]]
    return copy.telling(" ".join(words))


_REPLACEABLE = {
    "visible.": "noticeable.",
    "evident.": "obvious.",
    "apparent.": "recognisable.",
    "present.": "found.",
    "seen.": "observed.",
    "lesion": "spot",
    "image": "photo",
    "picture": "photo",
    "shows": "presents",
    "displays": "has",
    "reveals": "uncovers",
    "exhibits": "shows",
    "There": "Here",
}


def _fault(plant: Plant, *checks: str) -> Fault:
    return Fault(plant, frozenset(checks))


def _both(name: str, make: Sentence, *checks: str) -> dict[str, Fault]:
    """A kind in the description, and the same in the reasoning."""
    return {name: _fault(_observed(make), *checks), f"{name}, in reasoning": _fault(_argued(make), *checks)}


_UNWORDED: dict[str, Fault] = {
    "json_fenced": _fault(_wrapped(p.FENCED), "not_json"),
    "json_truncated": _fault(_truncated, "not_json"),
    "chatter_before": _fault(_wrapped(p.CHATTER_BEFORE), "not_json"),
    "chatter_after": _fault(_wrapped(p.CHATTER_AFTER), "not_json"),
    "missing_field": _fault(_missing_field, "schema"),
    "extra_field": _fault(_extra_field, "schema"),
    "unknown_term": _fault(_unknown_term, "vocabulary"),
    "wrong_schema": _fault(_wrong_schema, "wrong_modality"),
    "all_absent": _fault(_all_absent, "all_absent"),
    "text_denies_listed": _fault(_denies_listed, "contradiction"),
    "text_claims_absent": _fault(_claims_absent, "contradiction"),
    "text_other_value": _fault(_other_value, "contradiction"),
    "unmentioned": _fault(_unmentioned, "unmentioned"),
    "cites_unobserved": _fault(_cites_unobserved, "cites_unobserved"),
    "cited_both_ways": _fault(_both_ways, "cited_both_ways"),
    "cited_both_ways, respelled": _fault(_both_ways_respelled, "cited_both_ways", "cites_unobserved"),
    "no_support": _fault(_no_support, "no_support"),
    "diagnosis_sibling": _fault(_other_diagnosis("sibling"), "diagnosis_disagrees"),
    "diagnosis_same_superclass": _fault(_other_diagnosis("cousin"), "diagnosis_disagrees"),
    "diagnosis_other_superclass": _fault(_other_diagnosis("unrelated"), "diagnosis_disagrees"),
    "noise": _fault(_whole(_noise), "language", "degenerate"),
    "too_long": _fault(_whole(_too_long), "length", "schema"),
    "loop": _fault(_whole(_loop), "degenerate"),
    "copied_text": _fault(_copied, "copied_text"),
    "copied_text, a word changed": _fault(_copied_and_edited, "copied_text"),
}


def _worded(words: ModuleType) -> dict[str, Fault]:
    """The kinds that depend on an author's words."""
    return {
        "dermoscopic_words": _fault(_observed(_dermoscopic_words(words.DERMOSCOPIC_WORDS)), "wrong_modality"),
        "diagnosis_name": _fault(_observed(_named("name", words.DIAGNOSIS_FRAMES)), "names_diagnosis"),
        "diagnosis_synonym": _fault(_observed(_named("synonyms", words.DIAGNOSIS_FRAMES)), "names_diagnosis"),
        "diagnosis_abbreviation": _fault(_observed(_named("abbreviations", words.SHORT_FRAMES)), "names_diagnosis"),
        "diagnosis_denied": _fault(_observed(_named("name", words.DIAGNOSIS_DENIED)), "names_diagnosis"),
        "diagnosis_plural": _fault(_observed(_plural(words.PLURAL_FRAMES, words.PLURALS)), "names_diagnosis"),
        "diagnosis_adjective": _fault(_observed(_one_of(words.ADJECTIVES)), "names_diagnosis"),
        "concludes_otherwise": _fault(_concludes_otherwise(words.CONCLUSION_FRAMES), "concludes_otherwise"),
        "diagnosis_unknown": _fault(_unknown_diagnosis(words.UNKNOWN_DIAGNOSES, words.CONCLUSION_FRAMES), "diagnosis_unknown"),
        "site_contradicted": _fault(_observed(_site(words.SITES, words.SITE_FRAMES)), "against_record"),
        "side_contradicted": _fault(_observed(_side(words.SITE_FRAMES)), "against_record"),
        "colour_contradicted": _fault(_observed(_colour(words.SHADES, words.COLOUR_CLAIMS)), "against_pixels", "contradiction"),
        "symmetry_contradicted": _fault(_observed(_measured("symmetry", words.MEASURED)), "against_pixels", "contradiction"),
        "outline_contradicted": _fault(_observed(_measured("outline", words.MEASURED)), "against_pixels", "contradiction"),
        "edge_contradicted": _fault(_observed(_measured("edge", words.MEASURED)), "against_pixels", "contradiction"),
        "shape_contradicted": _fault(_observed(_measured("shape", words.MEASURED)), "against_pixels", "contradiction"),
        "colours_contradicted": _fault(
            _observed(_measured("number of colours", words.MEASURED)), "against_pixels", "contradiction"
        ),
        **_both("sex_claimed", _sex(words.SEX), "against_record", "non_visual"),
        **_both("age_claimed", _age(words.AGE), "against_record", "non_visual"),
        **_both("history", _one_of(words.HISTORY), "non_visual"),
        **_both("symptoms", _one_of(words.SYMPTOMS), "non_visual"),
        **_both("palpation", _one_of(words.PALPATION), "non_visual"),
        **_both("histology", _one_of(words.HISTOLOGY), "non_visual"),
        **_both("label_told", _one_of(words.LABEL), "provenance"),
        **_both("metadata_told", _one_of(words.METADATA), "provenance"),
        **_both("file_name_told", _one_of(words.FILE_NAME), "provenance"),
        "refusal": _fault(_whole(_refused(words.REFUSALS)), "refusal"),
        "refusal, instead of JSON": _fault(_refused_raw(words.REFUSALS), "not_json", "refusal"),
        "refusal, in reasoning": _fault(_refused_within(words.REFUSALS), "refusal"),
        **_both("ai_talk", _one_of(words.AI_TALK), "refusal", "provenance"),
        "hedged": _fault(_whole(_hedged(words.HEDGES)), "hedging"),
        **{f"language_{name}": _fault(_foreign(said), "language") for name, said in words.LANGUAGES.items()},
        "language_half": _fault(_whole(_half_foreign(words.LANGUAGES)), "language"),
        "too_short": _fault(_whole(_one_of(words.SHORT)), "length"),
        **_both("template", _one_of(words.TEMPLATES), "degenerate"),
        **_both("treatment", _one_of(words.TREATMENT), "management", "non_visual"),
        **_both("management", _one_of(words.MANAGEMENT), "management", "refusal"),
        **_both("person_named", _one_of(words.NAMES), "personal_data"),
        **_both("date", _one_of(words.DATES), "personal_data"),
        **_both("contact", _one_of(words.CONTACTS), "personal_data"),
        **_both("record_number", _one_of(words.NUMBERS), "personal_data"),
    }


def _contradicted(words: ModuleType) -> dict[str, Fault]:
    """The contradictions told in an author's own sentence."""
    return {
        "text_denies_listed": _fault(_denies_in_a_sentence(words), "contradiction"),
        "text_claims_absent": _fault(_claims_in_a_sentence(words), "contradiction"),
        "text_other_value": _fault(_other_value_in_a_sentence(words), "contradiction"),
    }


FAULTS: dict[str, Fault] = _UNWORDED | _worded(p)
SECOND: dict[str, Fault] = _worded(plant_words_second) | _contradicted(plant_words_second)
THIRD: dict[str, Fault] = _worded(plant_words_third) | _contradicted(plant_words_third)
FOURTH: dict[str, Fault] = _worded(plant_words_fourth) | _contradicted(plant_words_fourth)
FIFTH: dict[str, Fault] = _worded(plant_words_fifth) | _contradicted(plant_words_fifth)
SIXTH: dict[str, Fault] = _worded(plant_words_sixth) | _contradicted(plant_words_sixth)
AUTHORS: dict[Author, dict[str, Fault]] = {
    "first": FAULTS,
    "second": SECOND,
    "third": THIRD,
    "fourth": FOURTH,
    "fifth": FIFTH,
    "sixth": SIXTH,
}
"""Faults by kind. The first author's contradictions are told in the words of `benchmarks.scribe`."""
