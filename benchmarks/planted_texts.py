"""How many planted faults the checks on text find, and how often they are wrong about sound texts.

`python -m benchmarks.planted_texts [--quick]` prints recall by kind of fault, false alarms by check, label swaps by stage, and examples of
what was missed and wrongly raised; the full run writes benchmarks/results/planted_texts.json. Faults are those of `benchmarks.plants`, sound
texts those of `benchmarks.scribe`, of the composer and of `benchmarks.sound_texts`; none was written with the patterns of the checks in
view. The checks were mended from what they missed of all four authors' faults; how they did on the fourth author's at first sight, which says
how they do on what they have not seen, stands in docs/checks.md.
"""

import argparse
import json
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks import label_swaps, plants, scribe, sound_texts
from benchmarks.plants import SENTENCE_END, Author
from benchmarks.scribe import KINDS, Trajectory, dice
from pipelines.teach.composer import NothingToSay, compose_observation, compose_reasoning
from prompts import ontology as ontologies
from prompts.schemas import COLOURS, MEASURED, SKINCON, TEXT_KEY, findings
from quality.checks import CHECKS, check_observation, check_reasoning
from quality.claims import Known
from quality.near_texts import near_pairs
from sources.vocabulary import DERM7PT

RESULTS = Path(__file__).with_name("results") / "planted_texts.json"
SIZES = {"quick": (20, 300, 200, 100), "full": (250, 2_000, 1_000, 1_000)}
"""Faults of a kind, sound texts of the scribe, of the composer, and swaps of a name."""

EXAMPLES = 3
AUTHORS: dict[Author, str] = {
    "first": "first author, whose misses the checks were mended from",
    "second": "second author, whose misses the checks were mended from later",
    "third": "third author, whose misses the checks were mended from last",
    "fourth": "fourth author, whose plainest misses the checks were mended from after first sight",
    "fifth": "fifth author, likewise",
    "sixth": "sixth author, likewise",
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few texts of each kind")
    which = "quick" if parser.parse_args().quick else "full"
    faults, sound, composed, swaps = SIZES[which]
    report: dict[str, Any] = {
        "faults": {author: {kind: recall(kind, faults, author) for kind in plants.AUTHORS[author]} for author in AUTHORS}
    }
    report["sound"] = {
        "scribe": false_alarms([scribe.sound(seed) for seed in range(sound)]),
        "composer": false_alarms(compositions(composed)),
    } | {f"{author} author": false_alarms(sound_texts.trajectories(author)) for author in sound_texts.AUTHORS}
    report["swaps"] = {name: asdict(label_swaps.caught(name, swaps, stages)) for name in label_swaps.SWAPS}
    alarms = {
        writer: max((row["share"] for row in rows["checks"].values()), default=0.0) for writer, rows in report["sound"].items()
    }
    recalls = {author: [row["recall"] for row in rows.values()] for author, rows in report["faults"].items()}
    report["ratios"] = {
        **{f"least_recall_{author}": min(found) for author, found in recalls.items()},
        **{f"mean_recall_{author}": round(mean(found), 4) for author, found in recalls.items()},
        "most_false_alarms": max(alarms["scribe"], alarms["composer"]),
    } | {f"most_false_alarms_{author}": alarms[f"{author} author"] for author in sound_texts.AUTHORS}
    show(report)
    if which == "full":
        RESULTS.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")


def stages(one: Trajectory) -> tuple[set[str], set[str]]:
    """The failed checks of the observation and of the reasoning."""
    observed, reasoned = details(one)
    return set(observed), set(reasoned)


def details(one: Trajectory) -> tuple[dict[str, str], dict[str, str]]:
    """The failed checks of both stages with their words; a reasoning without a readable observation is not judged."""
    tree = ontologies.load()
    parsed, verdicts = check_observation(one.observed, one.kind, tree, one.known)
    observed = {verdict.check: verdict.detail for verdict in verdicts if not verdict.passed}
    if parsed is None:
        return observed, {}
    _, verdicts = check_reasoning(one.reasoned, parsed, one.kind, one.node, tree, one.known)
    return observed, {verdict.check: verdict.detail for verdict in verdicts if not verdict.passed}


def recall(kind: str, count: int, author: Author) -> dict[str, Any]:
    """The row of a kind of fault in an author's words: how many of `count` its checks caught, how many any check did, and some that they missed."""
    named = plants.AUTHORS[author][kind].checks
    caught, caught_by_any, missed, by = 0, 0, [], Counter[str]()
    for sound, faulty in plants.planted(kind, count, author):
        failed = copied(sound, faulty) if kind.startswith("copied_text") else set.union(*stages(faulty))
        by.update(failed)
        caught += bool(failed & named)
        caught_by_any += bool(failed)
        if not failed & named:
            missed.append(example(sound, faulty) | {"caught by": sorted(failed)})
    shares = {check: round(number / count, 4) for check, number in sorted(by.items())}
    return {
        "planted": count,
        "checks": sorted(named),
        "recall": round(caught / count, 4),
        "caught_by_any": round(caught_by_any / count, 4),
        "by_check": shares,
        "missed": _distinct(missed),
    }


def copied(sound: Trajectory, faulty: Trajectory) -> set[str]:
    """The checks that a copied description fails, beside the one that it was copied from."""
    texts = [plants.origin_of(sound).observation[TEXT_KEY], faulty.observation[TEXT_KEY]]
    return set.union(*stages(faulty)) | ({"copied_text"} if near_pairs(texts) else set())


def _distinct(missed: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Some examples, each with other planted words."""
    return list({row["planted"]: row for row in missed}.values())[:EXAMPLES]


def example(sound: Trajectory, faulty: Trajectory) -> dict[str, Any]:
    """What was planted: the sentences that the sound text lacks, and what the image shows."""
    parts = []
    for one, other in zip(told(sound), told(faulty), strict=True):
        had = set(SENTENCE_END.split(one))
        parts += [sentence for sentence in SENTENCE_END.split(other) if sentence not in had]
    known = faulty.known
    record = {"measured": known.measured, "site": known.site_raw, "sex": known.sex, "age": known.age_years}
    return {
        "planted": " ".join(parts)[:700],
        "findings": list(findings(sound.observation)),
        "known": record | {"lacks": [colour for colour, share in known.traces.items() if share == 0]},
        "node": faulty.node,
    }


def told(one: Trajectory) -> tuple[str, str, str]:
    """What is compared of a trajectory: both texts, raw ones as they are, and the rest of its reasoning."""
    description = one.observation.get(TEXT_KEY, "") if one.raw_observation is None else one.raw_observation
    if one.raw_reasoning is not None:
        return description, one.raw_reasoning, ""
    rest = {key: value for key, value in one.reasoning.items() if key != "reasoning"}
    return description, one.reasoning["reasoning"], json.dumps(rest)


def false_alarms(sound: Sequence[Trajectory]) -> dict[str, Any]:
    """For each check that fails on sound trajectories: the share, and some examples."""
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    for one in sound:
        observed, reasoned = details(one)
        for check, detail in (observed | reasoned).items():
            text = one.observation[TEXT_KEY] if check in observed else one.reasoning["reasoning"]
            found[check].append({"detail": detail, "text": text, "findings": "; ".join(findings(one.observation))})
    for a, b in near_pairs([one.observation[TEXT_KEY] for one in sound]):
        if set(findings(sound[a].observation)) != set(findings(sound[b].observation)):
            pair = (sound[a].observation[TEXT_KEY], sound[b].observation[TEXT_KEY])
            found["copied_text"].append({"detail": " / ".join(pair), "text": pair[0], "findings": ""})
    rows = {check: {"share": round(len(some) / len(sound), 4), "examples": some[:EXAMPLES]} for check, some in found.items()}
    return {"texts": len(sound), "checks": dict(sorted(rows.items()))}


def compositions(count: int) -> list[Trajectory]:
    """Trajectories of the composer on random annotations, those apart that say themselves that nothing was seen or nothing supports."""
    made: list[Trajectory] = []
    seed = 0
    while len(made) < count:
        one = composition(dice(f"composed/{seed}"), str(seed))
        made += [one] if one else []
        seed += 1
    return made


def composition(rng: random.Random, key: str) -> Trajectory | None:
    """One trajectory of the composer; None where it has nothing to say."""
    kind, measured = rng.choice(KINDS), _measurements(rng)
    if kind == "dermoscopic":
        concepts: dict[str, Any] = {name: rng.choice(values) for name, values in DERM7PT.items() if rng.random() < 0.8}
    else:
        concepts = {"skincon": rng.sample(SKINCON, rng.randint(0, 8))}
    node = rng.choice(scribe.nodes(kind))
    tree = ontologies.load()
    try:
        observation = compose_observation(kind, concepts, measured, key)
    except NothingToSay:
        return None
    reasoning = compose_reasoning(kind, observation, tree.nodes[node], tree, key)
    seen = measured or concepts.get("skincon") or set(concepts.values()) - {"absent"}
    if not reasoning["supporting"] or not seen:
        return None
    traces = {colour: 0.3 if f"colour: {colour}" in measured else 0.0 for colour in COLOURS}
    traces |= {tint: 0.1 for finding in findings(observation) for tint in scribe.TINTS.get(finding, ()) if not traces[tint]}
    return Trajectory(kind, observation, reasoning, Known(measured=tuple(measured), traces=traces), node)


def _measurements(rng: random.Random) -> list[str]:
    colours = rng.sample(COLOURS, rng.randint(0, 5))
    found = [f"colour: {colour}" for colour in colours]
    if colours and rng.random() < 0.5:
        found.append(f"number of colours: {MEASURED['number of colours'][min(len(colours), 3) - 1]}")
    return found + [
        f"{name}: {rng.choice(MEASURED[name])}" for name in ("symmetry", "outline", "edge", "shape") if rng.random() < 0.7
    ]


def show(report: dict[str, Any]) -> None:
    """The tables, the examples, then a line for each claim."""
    for author, title in AUTHORS.items():
        _show_recall(title, report["faults"][author])
    for writer, rows in report["sound"].items():
        print(f"\nfalse alarms on {rows['texts']:,} sound trajectories of the {writer}")
        for check in CHECKS:
            print(f"{check:34} {rows['checks'].get(check, {'share': 0.0})['share']:8.4f}")
    print(f"\n{'swapped':34} {'swaps':>8} {'observed':>9} {'reasoned':>9} {'either':>8}")
    for name, row in report["swaps"].items():
        print(f"{name:34} {row['swaps']:8,} {row['observation']:9.3f} {row['reasoning']:9.3f} {row['either']:8.3f}")
    _show_examples(report)
    for key, value in report["ratios"].items():
        print(f"RATIO {key} {value:.4f}")


def _show_recall(title: str, rows: dict[str, Any]) -> None:
    print(f"\n{title}\n{'kind of fault':34} {'planted':>8} {'recall':>8} {'any':>8}  checks")
    for kind, row in sorted(rows.items(), key=lambda item: item[1]["recall"]):
        print(f"{kind:34} {row['planted']:8,} {row['recall']:8.3f} {row['caught_by_any']:8.3f}  {', '.join(row['checks'])}")


def _show_examples(report: dict[str, Any]) -> None:
    for author, title in AUTHORS.items():
        print(f"\nmissed, {title}")
        for kind, row in report["faults"][author].items():
            for miss in row["missed"]:
                print(f"  {kind}: {miss['planted'][:300]}\n      findings {miss['findings']}; caught by {miss['caught by']}")
    print("\nfalse alarms")
    for writer, rows in report["sound"].items():
        for check, row in rows["checks"].items():
            for alarm in row["examples"]:
                print(f"  {writer}, {check}: {alarm['detail'][:300]}")


if __name__ == "__main__":
    main()
