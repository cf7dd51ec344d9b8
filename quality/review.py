"""Which trajectories people should look at, and what their verdicts decide. Pure: rows of `trajectories` and `reviews` in.

Everything is drawn by content hash: the same trajectories and verdicts give the same queue, whatever their order.
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prompts.ontology import Ontology
from prompts.schemas import digest
from quality.agreement import teacher_values
from quality.thresholds import RARE_DIAGNOSIS, REVIEW_ITEMS, REVIEW_SHARES

Row = Mapping[str, Any]
ACCEPT, REJECT, SKIPPED = "accept", "reject", "skipped"
BY_CHANCE = "drawn at random"
_JUDGED = ("image_id", "teacher", "revision", "conditioning", "sample", "observation", "reasoning", "final_node")


def item_of(trajectory: Row) -> str:
    """24 hex digits of exactly what a person judges: another answer, or another teacher's, is another item."""
    return digest([trajectory[name] for name in _JUDGED])[:24]


@dataclass(frozen=True, slots=True)
class Chosen:
    """An item of the queue: the stratum that drew it, and everything that speaks for looking at it."""

    row: Row
    item: str
    stratum: str
    why: tuple[str, ...]


def choose(trajectories: Sequence[Row], judged: Iterable[str], ontology: Ontology) -> list[Chosen]:
    """Up to `REVIEW_ITEMS` trajectories that hold an observation and that nobody judged yet, strata in the order of `REVIEW_SHARES`.

    The random sample is drawn from all of them before anything else (the control apart, which is never trained on), so that shares
    measured on it hold for the corpus. The others take the gravest first.
    """
    done = set(judged)
    rows = {item: row for row in trajectories if row["observation"] and (item := item_of(row)) not in done}
    reasons = reasons_of(rows, trajectories, ontology)
    room = {
        name: min(int(REVIEW_ITEMS * share), len(reasons[name])) for name, share in REVIEW_SHARES.items() if name != "random"
    }
    room = {"random": REVIEW_ITEMS - sum(room.values()), **room}
    found: dict[str, str] = {}
    for stratum in REVIEW_SHARES:
        left = [item for item in reasons[stratum] if item not in found]
        left.sort(key=lambda item, name=stratum: (-reasons[name][item][0], _hash(f"{name}/{item}")))
        found |= dict.fromkeys(left[: room[stratum]], stratum)
    whys = {item: [reasons[name][item][1] for name in REVIEW_SHARES if item in reasons[name]] for item in found}
    return [Chosen(rows[item], item, stratum, _told(stratum, whys[item])) for item, stratum in found.items()]


def _told(stratum: str, whys: Sequence[str]) -> tuple[str, ...]:
    """Random is a reason only for what was drawn at random; everything could have been."""
    return tuple(why for why in whys if why != BY_CHANCE or stratum == "random")


def reasons_of(
    rows: Mapping[str, Row], everything: Sequence[Row], ontology: Ontology
) -> dict[str, dict[str, tuple[float, str]]]:
    """Gravity and reason by stratum and item; `everything` is what samples and counts are compared over."""
    images = Counter(node for node in {row["image_id"]: row["node"] for row in everything}.values() if node)
    apart = _samples_apart(everything)
    found: dict[str, dict[str, tuple[float, str]]] = {name: {} for name in REVIEW_SHARES}
    for item, row in rows.items():
        failed = [verdict["check"] for verdict in json.loads(row["verdicts"]) if not verdict["passed"]]
        blind = row["conditioning"] == "blind" and bool({"diagnosis_disagrees", "diagnosis_unknown"} & set(failed))
        if not row["control"]:
            found["random"][item] = (0.0, BY_CHANCE)
        if failed and not blind:
            found["rejected by checks"][item] = (0.0, f"rejected by checks: {', '.join(sorted(set(failed)))}")
        if blind:
            found["blind control disagrees"][item] = (0.0, f"blind, it said {_name(row['final_node'], ontology)}")
        if differ := apart.get(_answer_of(row)):
            found["samples disagree"][item] = (float(len(differ)), f"samples disagree: {', '.join(differ)}")
        if row["node"] and images[row["node"]] < RARE_DIAGNOSIS:
            found["rare diagnosis"][item] = (-float(images[row["node"]]), f"rare diagnosis: {images[row['node']]} images")
    return found


def _answer_of(row: Row) -> tuple[str, str, str]:
    return row["image_id"], row["teacher"], row["conditioning"]


def _samples_apart(rows: Iterable[Row]) -> dict[tuple[str, str, str], list[str]]:
    """Fields on which the samples of an image say different things."""
    said: dict[tuple[str, str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in rows:
        fields = teacher_values(row["kind"], json.loads(row["observation"])) if row["observation"] else {}
        if row["final_node"]:
            fields["diagnosis"] = row["final_node"]
        for field, value in fields.items():
            said[_answer_of(row)][field].add(value)
    return {key: differ for key, fields in said.items() if (differ := sorted(f for f, v in fields.items() if len(v) > 1))}


def _name(node: str | None, ontology: Ontology) -> str:
    return ontology.nodes[node].name if node else "a name outside the ontology"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Decision:
    """What people decided about a trajectory: how many accept it, of how many, and their reasons."""

    accepts: int
    of: int
    why: str

    @property
    def accepted(self) -> bool:
        """More accept it than not: what people are divided about is not let through."""
        return self.accepts * 2 > self.of


def decide(reviews: Sequence[Row], *, identifies_person: bool) -> Decision | None:
    """The decision of the verdicts on one trajectory, None when nobody gave one. A picture that identifies a person is always rejected."""
    given = [row for row in reviews if row["verdict"] != SKIPPED]
    accepts = sum(row["verdict"] == ACCEPT for row in given)
    if identifies_person:
        return Decision(0, max(len(given), 1), "the picture identifies a person")
    if not given:
        return None
    comments = [row["comment"] for row in sorted(given, key=lambda row: row["reviewer"]) if row["comment"]]
    return Decision(accepts, len(given), "; ".join([f"{accepts} of {len(given)} people accept", *comments]))
