"""Sound trajectories from a seed: observation, reasoning and what is known of the image, all in agreement, in many wordings.

Written without a look at the patterns of the checks, which it serves to measure: its texts say what they say as a dermatologist or a
large model might. Phrases are in `benchmarks.scribe_words`; what may be said is what `prompts.stages` asks for.
"""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from benchmarks import scribe_words as w
from prompts import ontology as ontologies
from prompts.schemas import COLOURS, DERM7PT_KEY, MEASURED, NOT_ASSESSABLE, OTHERS_KEY, SKINCON_KEY, TEXT_KEY, findings
from quality.claims import Known
from sources.vocabulary import DERM7PT

DESCRIPTION_WORDS = (40, 130)
REASONING_WORDS = (60, 160)
KINDS = ("dermoscopic", "clinical")

# Concepts of which one says the other's word, or that exclude each other in one lesion: a text that denies or lists one leaves them.
DENIABLE: dict[str, tuple[str, ...]] = {
    "Scale": ("scale", "scaling"),
    "Crust": ("crust", "crusting"),
    "Ulcer": ("ulceration", "ulcer"),
    "Vesicle": ("vesicles", "vesiculation"),
    "Pustule": ("pustules",),
    "Telangiectasia": ("telangiectasia", "telangiectatic vessels"),
    "Fissure": ("fissures", "fissuring"),
    "Bulla": ("bullae", "blisters"),
    "Purpura/Petechiae": ("purpura", "petechiae"),
    "Comedo": ("comedones",),
    "Burrow": ("burrows",),
}
EXCLUSIVE = (frozenset({"Dome-shaped", "Flat topped"}), frozenset({"Acuminate", "Flat topped"}))
"""Concepts that one lesion cannot have together."""

BLISTERS = frozenset({"Vesicle", "Bulla", "Pustule", "Exudate"})

# What a finding implies for the pixels: colours that such a lesion has.
TINTS: dict[str, tuple[str, ...]] = {
    "Black": ("black",),
    "Blue": ("blue-gray",),
    "Brown(Hyperpigmentation)": ("light brown", "dark brown"),
    "Gray": ("blue-gray",),
    "Purple": ("purple",),
    "Salmon": ("pink",),
    "White(Hypopigmentation)": ("white",),
    "Yellow": ("yellow",),
    "Erythema": ("red", "pink"),
    "Pigmented": ("light brown", "dark brown"),
    "Purpura/Petechiae": ("purple", "red"),
    "Telangiectasia": ("red",),
    "Crust": ("dark brown", "red"),
    "Exudate": ("yellow",),
    "Scale": ("white",),
    "Translucent": ("white",),
    "Scar": ("white",),
    "Pustule": ("yellow", "white"),
    "Comedo": ("black", "dark brown"),
    "blue whitish veil: present": ("blue-gray", "white"),
    "regression structures: blue areas": ("blue-gray",),
    "regression structures: white areas": ("white",),
    "regression structures: combinations": ("blue-gray", "white"),
    **{f"vascular structures: {value}": ("red", "pink") for value in DERM7PT["vascular_structures"][1:]},
    "shiny white lines": ("white",),
    "milia-like cysts": ("white", "yellow"),
}


@dataclass(frozen=True, slots=True)
class Trajectory:
    """One image's answers. `raw_*` are the texts as a teacher sent them; None stands for the JSON of the object.

    `node` is the image's known diagnosis.
    """

    kind: str
    observation: dict[str, Any]
    reasoning: dict[str, Any]
    known: Known
    node: str
    raw_observation: str | None = None
    raw_reasoning: str | None = None

    @property
    def observed(self) -> str:
        """The observation as it is checked."""
        return json.dumps(self.observation, ensure_ascii=False) if self.raw_observation is None else self.raw_observation

    @property
    def reasoned(self) -> str:
        """The reasoning as it is checked."""
        return json.dumps(self.reasoning, ensure_ascii=False) if self.raw_reasoning is None else self.raw_reasoning

    def telling(self, description: str) -> "Trajectory":
        """The same with another description."""
        return replace(self, observation=self.observation | {TEXT_KEY: description})

    def arguing(self, reasoning: str) -> "Trajectory":
        """The same with another text of reasoning."""
        return replace(self, reasoning=self.reasoning | {"reasoning": reasoning})


def dice(seed: int | str) -> random.Random:
    """A source of chance that is the same everywhere; nothing here is a secret."""
    return random.Random(seed)  # noqa: S311


def sound(seed: int | str) -> Trajectory:
    """The sound trajectory of a seed."""
    rng = dice(f"sound/{seed}")
    kind = rng.choice(KINDS)
    observation = structure(rng, kind)
    observation, known = facts(rng, kind, observation)
    observation[TEXT_KEY] = describe(rng, kind, observation, known)
    node = rng.choice(nodes(kind))
    return Trajectory(kind, observation, reason(rng, kind, observation, node), known, node)


def structure(rng: random.Random, kind: str) -> dict[str, Any]:
    """A random structured observation with at least one thing present, without measured findings."""
    if kind == "dermoscopic":
        return {DERM7PT_KEY: _seven(rng), OTHERS_KEY: _free(rng, w.FREE | w.FREE_DERMOSCOPIC)}
    concepts = _concepts(rng)
    return {SKINCON_KEY: concepts, OTHERS_KEY: _free(rng, w.FREE | w.FREE_CLINICAL)}


def _seven(rng: random.Random) -> dict[str, str]:
    while True:
        seven = {name: _criterion(rng, values) for name, values in DERM7PT.items()}
        regressing = seven["regression_structures"] not in ("absent", NOT_ASSESSABLE)
        if seven["vascular_structures"] == "within regression" and not regressing:
            continue
        if any(value not in ("absent", NOT_ASSESSABLE) for value in seven.values()):
            return seven


def _concepts(rng: random.Random) -> list[str]:
    while True:
        concepts = sorted(rng.sample(sorted(w.SKINCON), rng.randint(1, 5)))
        if not any(pair <= set(concepts) for pair in EXCLUSIVE):
            return concepts


def _criterion(rng: random.Random, values: Sequence[str]) -> str:
    drawn = rng.random()
    return NOT_ASSESSABLE if drawn < 0.12 else "absent" if drawn < 0.5 else rng.choice(values[1:])


def _free(rng: random.Random, among: Mapping[str, Any]) -> list[str]:
    return rng.sample(sorted(among), rng.choice((0, 0, 0, 1, 1, 2)))


def facts(rng: random.Random, kind: str, observation: dict[str, Any]) -> tuple[dict[str, Any], Known]:
    """The observation with measured findings among its others, and what is known of the image, in agreement with it."""
    tinted = {colour for finding in findings(observation) for colour in TINTS.get(finding, ())}
    shades = rng.sample(COLOURS, rng.choice((1, 1, 2, 2, 3, 4)))
    measured = [f"colour: {colour}" for colour in COLOURS if colour in shades]
    measured.append(f"number of colours: {('one', 'two', 'three or more')[min(len(shades), 3) - 1]}")
    measured += [
        f"{name}: {rng.choice(MEASURED[name])}" for name in ("symmetry", "outline", "edge", "shape") if rng.random() < 0.7
    ]
    if "outline: irregular" in measured or "symmetry: asymmetric in both axes" in measured:
        measured = [finding for finding in measured if finding != "shape: round"]
    if kind == "clinical" and rng.random() < 0.35:
        measured = []
    contrary = len(shades) < 3 and not tinted <= set(shades)
    if contrary:
        measured = [finding for finding in measured if not finding.startswith("number")]
    listed = [finding for finding in measured if rng.random() < 0.75]
    if any(f.startswith("number") for f in listed):
        listed = [f for f in measured if f.startswith("colour: ") or f in listed]
    traces: dict[str, float] = dict.fromkeys(COLOURS, 0.0)
    traces |= {colour: round(rng.uniform(0.03, 0.2), 3) for colour in sorted(tinted)}
    traces |= {colour: round(rng.uniform(0.12, 0.6), 3) for colour in shades}
    if not measured:  # no outline could be trusted, so nothing is known of the colours either
        traces = {}
    site, raw = _site(rng)
    known = Known(
        tuple(measured), traces, site, raw, rng.choice(("female", "male", None)), rng.choice((None, *range(5, 90, 5)))
    )
    return observation | {OTHERS_KEY: [*listed, *observation[OTHERS_KEY]]}, known


def _site(rng: random.Random) -> tuple[str | None, str | None]:
    if rng.random() < 0.15:
        return None, None
    region = rng.choice(sorted(w.SITES))
    raw = rng.choice(w.SITES[region])[0]
    return region, f"{rng.choice(('left', 'right'))} {raw}" if raw in w.PAIRED and rng.random() < 0.6 else raw


@cache
def nodes(kind: str) -> tuple[str, ...]:
    """Diagnoses below the groups that have criteria for a kind of image, of their own or from above."""
    tree = ontologies.load()
    return tuple(
        sorted(
            node
            for node in tree.nodes
            if len(tree.path(node)) > 2 and any(c.kind in (kind, "both") for c in tree.criteria(node))
        )
    )


def describe(rng: random.Random, kind: str, observation: Mapping[str, Any], known: Known, denying: bool = True) -> str:
    """A description of 40 to 130 words that says what the observation lists and nothing more.

    `denying`: whether a clinical text may say that concepts which are not listed are absent.
    """
    said = _description(rng, kind, observation, known, denying)
    for _ in range(40):
        if len(" ".join(said).split()) <= DESCRIPTION_WORDS[1] - 4:
            break
        said = _description(rng, kind, observation, known, denying)
    padding = rng.sample(w.PADDING, len(w.PADDING))
    while len(" ".join(said).split()) < DESCRIPTION_WORDS[0]:
        said.insert(rng.randint(1, len(said)), padding.pop())
    return opened(rng, kind, said)


def _description(rng: random.Random, kind: str, observation: Mapping[str, Any], known: Known, denying: bool) -> list[str]:
    others = observation[OTHERS_KEY]
    measured = _measured_sentences(rng, [finding for finding in others if finding.split(": ")[0] in MEASURED])
    present = _present_sentences(rng, [nouns(rng, finding) for finding in _present(observation)])
    absent = _absent_sentences(rng, kind, observation) if denying or kind == "dermoscopic" else []
    gaps = _gap_sentences(rng, observation)
    table = w.FREE | w.FREE_DERMOSCOPIC | w.FREE_CLINICAL
    free = [rng.choice(table[finding]) for finding in others if finding in table]
    parts = [measured, present, absent, gaps, free]
    if rng.random() < 0.5:
        rng.shuffle(parts)
    said = [sentence for part in parts for sentence in part]
    if kind == "clinical" and known.site_raw and rng.random() < 0.3:
        said.insert(0, rng.choice(w.SITE_FRAMES).format(site=located(known.site_raw)))
    return said or [rng.choice(w.PADDING)]


def opened(rng: random.Random, kind: str, said: Sequence[str]) -> str:
    """The sentences as a paragraph, some with an opening that names the kind of view."""
    opener = rng.choice(w.OPENERS[kind])
    first = opener + said[0][0].lower() + said[0][1:] if opener else said[0]
    return " ".join([first, *said[1:]])


def located(raw: str) -> str:
    """`on the left forearm` for `left forearm`."""
    side, _, rest = raw.partition(" ") if raw.startswith(("left ", "right ")) else ("", "", raw)
    phrase = next(phrase for rows in w.SITES.values() for word, phrase in rows if word == rest)
    return phrase.replace(" the ", f" the {side} ") if side else phrase


def _present(observation: Mapping[str, Any]) -> list[str]:
    seven = observation.get(DERM7PT_KEY) or {}
    stated = [f"{key.replace('_', ' ')}: {value}" for key, value in seven.items() if value not in ("absent", NOT_ASSESSABLE)]
    return stated + list(observation.get(SKINCON_KEY) or [])


def nouns(rng: random.Random, finding: str) -> str:
    """A noun phrase of a finding that is present, with its mark of number."""
    return rng.choice((w.SEVEN | w.SKINCON)[finding])


def _listing(rng: random.Random, parts: Sequence[str], word: str = "and") -> str:
    if len(parts) < 3:
        return f" {word} ".join(parts)
    return ", ".join(parts[:-1]) + ("," if rng.random() < 0.5 else "") + f" {word} " + parts[-1]


def _plain(noun: str) -> str:
    return noun.removeprefix("+ ")


def _upper(text: str) -> str:
    return text[0].upper() + text[1:]


def filled(frame: str, parts: Sequence[str], rng: random.Random) -> str:
    """A frame about a list of noun phrases, with verbs that agree with it."""
    many = len(parts) > 1 or parts[0].startswith("+")
    np = _listing(rng, [_plain(part) for part in parts])
    verbs = {name: name if many else name + "s" for name in ("speak", "fit", "make", "argue", "weaken")}
    there = "There are" if parts[0].startswith("+") else "There is"
    return frame.format(np=np, Np=_upper(np), be="are" if many else "is", there=there, **verbs)


def _present_sentences(rng: random.Random, parts: list[str]) -> list[str]:
    parts, said = rng.sample(parts, len(parts)), []
    while parts:
        size = rng.choice((1, 1, 2, 2, 3))
        some, parts = parts[:size], parts[size:]
        if len(some) == 2 and rng.random() < 0.4:
            said.append(_compared(rng, *some))
        else:
            said.append(filled(rng.choice(w.PRESENT_FRAMES), some, rng))
    return said


def _compared(rng: random.Random, one: str, two: str) -> str:
    be, be2 = ("are" if part.startswith("+") else "is" for part in (one, two))
    np, np2 = _plain(one), _plain(two)
    return rng.choice(w.COMPARED_FRAMES).format(np=np, Np=_upper(np), np2=np2, Np2=_upper(np2), be=be, be2=be2)


def _absent_sentences(rng: random.Random, kind: str, observation: Mapping[str, Any]) -> list[str]:
    if kind == "dermoscopic":
        names = [rng.choice(w.TOPICS[key]) for key, value in observation[DERM7PT_KEY].items() if value == "absent"]
    else:
        listed = set(observation[SKINCON_KEY])
        free = [c for c in sorted(DENIABLE) if c not in listed and not (c in BLISTERS and listed & BLISTERS)]
        names = [rng.choice(DENIABLE[c]) for c in rng.sample(free, rng.choice((0, 1, 2, 3)))]
    rng.shuffle(names)
    said = []
    while names:
        size = rng.choice((1, 2, 3, 4))
        said.append(denied(rng, names[:size]))
        names = names[size:]
    return said


def denied(rng: random.Random, names: Sequence[str]) -> str:
    """A sentence that denies what is named."""
    return _with_names(rng, rng.choice(w.ABSENT_FRAMES), names)


def undecided(rng: random.Random, names: Sequence[str]) -> str:
    """A sentence that leaves open what is named."""
    return _with_names(rng, rng.choice(w.UNASSESSED_FRAMES), names)


def _with_names(rng: random.Random, frame: str, names: Sequence[str]) -> str:
    joined, either = _listing(rng, names), _listing(rng, names, "or")
    neither = f"Neither {names[0]} nor {names[1]} can be found" if len(names) == 2 else f"No {either} can be found"
    plural = len(names) > 1 or _is_plural(names[0])
    be = "are" if _is_plural(names[-1]) else "is"
    return frame.format(
        nps=either, nps_or=either, joined=joined, Joined=_upper(joined), be=be, be3="are" if plural else "is", Neither=neither
    )


def _is_plural(noun: str) -> bool:
    """Whether a plain noun phrase takes a plural verb: `radial streaks`, `areas of regression`, `streaks or pseudopods`."""
    return noun.split(" of ")[0].endswith(("s", "bullae", "petechiae"))


def _gap_sentences(rng: random.Random, observation: Mapping[str, Any]) -> list[str]:
    seven = observation.get(DERM7PT_KEY) or {}
    names = [rng.choice(w.TOPICS[key]) for key, value in seven.items() if value == NOT_ASSESSABLE]
    return [undecided(rng, names)] if names else []


def _measured_sentences(rng: random.Random, measured: Sequence[str]) -> list[str]:
    form = [
        rng.choice(w.MEASURED[finding]) for finding in measured if finding.split(": ")[0] not in ("colour", "number of colours")
    ]
    rng.shuffle(form)
    subjects, said = iter(["The lesion", "It", "It", "The lesion", "It"]), []
    while form:
        size = rng.choice((1, 2, 2, 3))
        said.append(f"{next(subjects)} {_listing(rng, form[:size])}.")
        form = form[size:]
    colours = [rng.choice(w.COLOURS[f.removeprefix("colour: ")]) for f in measured if f.startswith("colour: ")]
    rng.shuffle(colours)
    number = next((f.split(": ")[1] for f in measured if f.startswith("number")), None)
    if colours:
        frame = rng.choice(w.NUMBERED[number] if number else w.COLOUR_FRAMES)
        listed = _listing(rng, colours)
        said.append(frame.format(c=listed, C=_upper(listed)))
    elif number:
        said.append(f"It {rng.choice(w.MEASURED[f'number of colours: {number}'])}.")
    rng.shuffle(said)
    return said


def reason(rng: random.Random, kind: str, observation: Mapping[str, Any], node: str, coarse: bool = True) -> dict[str, Any]:
    """A reasoning that cites findings of the observation on both sides and ends with the diagnosis, or, rarely, if `coarse`, its group."""
    tree = ontologies.load()
    supporting, against = sides(rng, kind, observation, node)
    parents = tree.path(node)[1:-1]
    final = rng.choice(parents) if coarse and rng.random() < 0.08 and parents else node
    entry = tree.nodes[final]
    label = rng.choice(entry.synonyms) if entry.synonyms and rng.random() < 0.15 else entry.name
    text = ""
    for _ in range(40):
        text = argue(rng, observation, supporting, against, label, node)
        if REASONING_WORDS[0] <= len(text.split()) <= REASONING_WORDS[1]:
            break
    return {"supporting": supporting, "against": against, "reasoning": text, "final_diagnosis": label}


def sides(rng: random.Random, kind: str, observation: Mapping[str, Any], node: str) -> tuple[list[str], list[str]]:
    """Findings that support the diagnosis, at least one, and findings that speak against it: by its criteria, else by lot."""
    citable = [f for f in findings(observation) if f.split(": ")[0] != "colour" and f in _SAYABLE]
    criteria = ontologies.load().criteria(node)
    wanted = {c.finding for c in criteria if c.polarity == "supports" and c.kind in (kind, "both")}
    supporting = [finding for finding in citable if finding in wanted][:6]
    rest = [finding for finding in citable if finding not in supporting]
    if not supporting:
        supporting = [f for f in rest if not f.endswith(": absent")][: rng.randint(1, 3)] or rest[:1]
        rest = [finding for finding in rest if finding not in supporting]
    against = rng.sample(rest, min(len(rest), rng.choice((0, 1, 2, 3))))
    return supporting, against


_SAYABLE = frozenset(w.SEVEN) | set(w.SKINCON) | set(w.MEASURED_NOUNS) | {f"{k.replace('_', ' ')}: absent" for k in w.TOPICS}


def cited(rng: random.Random, finding: str) -> str:
    """A finding as an argument."""
    if finding in w.MEASURED_NOUNS:
        return rng.choice(w.MEASURED_NOUNS[finding])
    if finding.endswith(": absent"):
        topic = rng.choice(w.TOPICS[finding.removesuffix(": absent").replace(" ", "_")])
        return rng.choice(("the absence of {}", "the lack of {}", "the missing {}", "the absent {}")).format(topic)
    return nouns(rng, finding)


def argue(
    rng: random.Random, observation: Mapping[str, Any], supporting: Sequence[str], against: Sequence[str], label: str, node: str
) -> str:
    """The text of a reasoning; `label` is the last thing it names."""
    said = [rng.choice(w.ARGUMENT_OPENERS)]
    half = len(supporting) // 2 if len(supporting) > 2 else len(supporting)
    parts = [some for some in (supporting[:half], supporting[half:]) if some]
    said += [filled(rng.choice(w.SUPPORT_FRAMES), [cited(rng, finding) for finding in some], rng) for some in parts]
    if against:
        said.append(filled(rng.choice(w.AGAINST_FRAMES), [cited(rng, finding) for finding in against], rng))
    else:
        said.append(rng.choice(w.NOTHING_AGAINST))
    said += _gap_sentences(rng, observation)
    if rng.random() < 0.4:
        said.append(_differential(rng, node))
    said += rng.sample(w.LIMIT_FRAMES, rng.choice((0, 1, 2, 3)))
    return " ".join([*said, rng.choice(w.CONCLUSION_FRAMES).format(d=label)])


def _differential(rng: random.Random, node: str) -> str:
    tree = ontologies.load()
    # A diagnosis at the lowest level may have no relative at that level: then those of its parent.
    apart = [n for of in (node, tree.path(node)[-2]) for ring in tree.cousins(of)[:3] for n in ring][:12]
    other = tree.nodes[rng.choice(apart)].name
    return rng.choice(w.DIFFERENTIAL_FRAMES).format(other=other, Other=_upper(other))
