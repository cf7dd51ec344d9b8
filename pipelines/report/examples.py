"""What a report shows instead of counting: rows of the gallery, pairs of copies, and what fell out, each with its picture.

Examples are chosen by the hash of their id, so that the same lake shows the same ones and nobody picks the pretty ones. Memory: keys and
states of the trajectories of one source, and the rows that are shown.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.lake import Lake
from pipelines.report.audience import Audience
from pipelines.tallies import source_of
from prompts.ontology import load
from prompts.schemas import DERM7PT_KEY, DERM7PT_TITLES, NOT_ASSESSABLE, OTHERS_KEY, SKINCON_KEY, TEXT_KEY
from quality.image_gates import ACTIONS, GATES
from quality.text import clip
from sources.record import REASONS

GALLERY = 12
PAIRS_OF_A_KIND = 2
TEXT = 1_200
"""Characters of a text: the schemas allow more than a page has room for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A row of the gallery, ready to be laid out."""

    image_id: str
    name: str
    source: str
    tones: list[str]
    path: list[str]
    teacher: str
    conditioning: str
    verified_by: int
    findings: list[tuple[str, str]]
    description: str
    reasoning: str
    concluded: str
    passed: list[str]
    failed: list[str]
    gates: list[str]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pictures and what was found between them."""

    a: str
    b: str
    names: tuple[str, str]
    said: str


@dataclass(frozen=True, slots=True)
class PairKind:
    """Edges of one kind and verdict: how many, and a few of them."""

    kind: str
    verdict: str
    count: int
    pairs: list[Pair]


@dataclass(frozen=True, slots=True)
class Fallen:
    """A reason for which something fell out: how often, what it means, and an example (its picture's id is None where it has none)."""

    reason: str
    count: int
    meaning: str
    image_id: str | None = None
    name: str = ""
    detail: str = ""
    text: str = ""


def gallery(lake: Lake, sources: Sequence[str], released: Collection[str], audience: Audience) -> list[Shown]:
    """Accepted rows, one of every source and diagnosis before a second one: released ones where there are any."""
    keys: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name in sources:
        rows = lake.read("trajectories", source=name, columns=["image_id", "node", "status", "control"]).to_pylist()
        for row in rows:
            fit = row["status"] == "accepted" and not row["control"] and audience.sees(row["image_id"])
            if fit and (row["image_id"] in released or not released):
                keys[name, row["node"]].append(row["image_id"])
    chosen = _in_turns([sorted(set(ids), key=_hash) for _, ids in sorted(keys.items(), key=lambda item: _hash(str(item[0])))])
    return [row for image_id in chosen[:GALLERY] if (row := _shown(lake, image_id, audience))]


def _in_turns(queues: Sequence[Sequence[str]]) -> list[str]:
    """The first of every queue, then the second of every queue."""
    longest = max(map(len, queues), default=0)
    return [queue[turn] for turn in range(min(longest, GALLERY)) for queue in queues if turn < len(queue)]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _of(lake: Lake, table: str, image_id: str) -> list[dict[str, Any]]:
    return lake.read(table, source=image_id.split(":")[0], among=("image_id", pa.array([image_id]))).to_pylist()


def _shown(lake: Lake, image_id: str, audience: Audience) -> Shown | None:
    accepted = [row for row in _of(lake, "trajectories", image_id) if row["status"] == "accepted" and not row["control"]]
    if not accepted:
        return None
    row = min(accepted, key=lambda row: (-row["verified_by"], row["teacher"], row["conditioning"], row["sample"]))
    seen, argued, ontology = json.loads(row["observation"]), json.loads(row["reasoning"]), load()
    verdicts = json.loads(row["verdicts"])
    image, gates = _of(lake, "images", image_id)[0], _of(lake, "image_quality", image_id)
    return Shown(
        image_id=image_id,
        name=audience.name(image_id),
        source=row["source"],
        tones=[f"{tone['system']} {tone['value']}" for tone in image["skin_tones"] or []],
        path=[ontology.nodes[node].name for node in ontology.path(row["node"])],
        teacher=row["teacher"],
        conditioning=row["conditioning"],
        verified_by=row["verified_by"],
        findings=[(finding, _side(finding, argued)) for finding in _findings(seen)],
        description=clip(seen[TEXT_KEY], TEXT),
        reasoning=clip(argued["reasoning"], TEXT),
        concluded=argued["final_diagnosis"],
        passed=[f"{v['stage']}: {v['check']}" for v in verdicts if v["passed"]],
        failed=[f"{v['stage']}: {v['check']}" for v in verdicts if not v["passed"]],
        gates=[code for found in gates for code in found["gates"]],
    )


def _findings(seen: Mapping[str, Any]) -> list[str]:
    """What the structured part states; what could not be assessed is counted, not listed."""
    if DERM7PT_KEY in seen:
        seven = seen[DERM7PT_KEY]
        stated = [f"{DERM7PT_TITLES[key]}: {value}" for key, value in seven.items() if value != NOT_ASSESSABLE]
        open_ = len(seven) - len(stated)
        return [*stated, *seen[OTHERS_KEY], *([f"{open_} of 7 criteria not assessable"] if open_ else [])]
    return [*seen.get(SKINCON_KEY, []), *seen[OTHERS_KEY]]


def _side(finding: str, argued: Mapping[str, Any]) -> str:
    """Whether the reasoning cites a finding `for` or `against` its conclusion, or not at all."""
    sides = {"for": argued["supporting"], "against": argued["against"]}
    return next((side for side, cited in sides.items() if finding.lower() in {str(one).lower() for one in cited}), "")


def pair_kinds(lake: Lake, sources: Sequence[str], audience: Audience) -> list[PairKind]:
    """Edges by kind and verdict, with a few whose both ends may be seen. Memory: the edges between these sources."""
    edges = lake.read("duplicate_pairs")
    inside = [pc.is_in(source_of(edges.column(end)), pa.array(sorted(sources), pa.string())) for end in ("a", "b")]
    kinds: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for edge in edges.filter(pc.and_(*inside)).to_pylist():
        kinds[edge["kind"], edge["verdict"] or "one key"].append(edge)
    return [PairKind(*key, len(found), _some(found, audience)) for key, found in sorted(kinds.items(), key=_kind_order)]


def _kind_order(item: tuple[tuple[str, str], list[Any]]) -> tuple[int, str, int, str]:
    """Copies first, then lesions, then what shares a key, then what verification refused; most frequent first."""
    (kind, verdict), found = item
    order = ("copy", "same lesion", "one key", "different")
    return (order.index(verdict) if verdict in order else len(order), verdict, -len(found), kind)


def _some(edges: Iterable[Mapping[str, Any]], audience: Audience) -> list[Pair]:
    seen = [edge for edge in edges if audience.sees(edge["a"]) and audience.sees(edge["b"])]
    seen.sort(key=lambda edge: _hash(f"{edge['a']} {edge['b']}"))
    return [Pair(e["a"], e["b"], (audience.name(e["a"]), audience.name(e["b"])), _numbers(e)) for e in seen[:PAIRS_OF_A_KIND]]


def _numbers(edge: Mapping[str, Any]) -> str:
    """What the verdict rests on."""
    said = {
        "keypoints agree": edge["inliers"],
        "tone": edge["tone"],
        "whole": edge["whole"],
        "common": edge["common"],
    }
    return ", ".join(
        f"{what} {value:.2g}" if isinstance(value, float) else f"{value} {what}"
        for what, value in said.items()
        if value is not None
    )


def rejects(lake: Lake, sources: Sequence[str], meaning: Mapping[str, str], audience: Audience) -> list[Fallen]:
    """Why trajectories were rejected, each reason with one whose picture may be seen."""
    counts: dict[str, int] = defaultdict(int)
    first: dict[str, tuple[str, str]] = {}
    for name in sources:
        rows = lake.read("rejects", source=name, columns=["image_id", "check"])
        for image_id, check in zip(*rows.to_pydict().values(), strict=True):
            counts[check] += 1
            if audience.sees(image_id):
                first[check] = min(first.get(check, ("~", "")), (_hash(image_id), image_id))
    found = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [
        _rejected(lake, check, count, meaning.get(check, ""), first.get(check, ("", ""))[1], audience) for check, count in found
    ]


def _rejected(lake: Lake, check: str, count: int, meaning: str, image_id: str, audience: Audience) -> Fallen:
    if not image_id:
        return Fallen(check, count, meaning)
    row = next(row for row in _of(lake, "rejects", image_id) if row["check"] == check)
    return Fallen(
        check,
        count,
        meaning,
        image_id,
        audience.name(image_id),
        clip(row["detail"] or "", 200),
        clip(_prose(row["answer"]), 600),
    )


def _prose(answer: str | None) -> str:
    """The text of an answer; the answer itself where it is no JSON object."""
    try:
        said = json.loads(answer or "")
    except ValueError:
        return answer or ""
    texts = [said[key] for key in (TEXT_KEY, "reasoning") if key in said] if isinstance(said, dict) else []
    return " ".join(text for text in texts if isinstance(text, str)) or answer or ""


def gated(lake: Lake, sources: Sequence[str], audience: Audience) -> list[Fallen]:
    """What image gates found, each gate with the picture on which it fired that comes first by hash."""
    counts: dict[str, int] = defaultdict(int)
    first: dict[str, tuple[str, str]] = {}
    for name in sources:
        rows = lake.read("image_quality", source=name, columns=["image_id", "gates"])
        for image_id, codes in zip(*rows.to_pydict().values(), strict=True):
            for code in codes:
                counts[code] += 1
                if audience.sees(image_id):
                    first[code] = min(first.get(code, ("~", "")), (_hash(image_id), image_id))
    return [
        _gated(lake, gate.code, counts[gate.code], gate.about, first.get(gate.code, ("", ""))[1], audience)
        for gate in GATES
        if counts[gate.code]
    ]


def _gated(lake: Lake, code: str, count: int, about: str, image_id: str, audience: Audience) -> Fallen:
    meaning = f"{about} ({ACTIONS[code]})"
    if not image_id:
        return Fallen(code, count, meaning)
    told = next(v for v in json.loads(_of(lake, "image_quality", image_id)[0]["verdicts"]) if v["code"] == code)
    said = f"{told['metric']} {told['measured']:g}, threshold {told['threshold']:g}"
    return Fallen(code, count, meaning, image_id, audience.name(image_id), said)


def quarantined(lake: Lake, sources: Sequence[str], audience: Audience) -> list[Fallen]:
    """Why inputs fell out or had to be mended; names of files are told to local eyes only."""
    counts: dict[tuple[bool, str], int] = defaultdict(int)
    first: dict[tuple[bool, str], tuple[str, str]] = {}
    for row in _quarantine(lake, sources):
        key = (row["repaired"], row["reason"])
        counts[key] += 1
        if audience.local:
            first.setdefault(key, (f"{row['source']}:{row['native_id']}", clip(row["detail"] or "", 200)))
    return [
        Fallen(
            reason,
            count,
            f"{REASONS.get(reason, '')}{'' if repaired else ' · left out'}",
            None,
            *first.get((repaired, reason), ("", "")),
        )
        for (repaired, reason), count in sorted(counts.items(), key=lambda item: (item[0][0], -item[1], item[0][1]))
    ]


def _quarantine(lake: Lake, sources: Sequence[str]) -> Iterator[dict[str, Any]]:
    for name in sources:
        yield from lake.read("quarantine", source=name).to_pylist()
