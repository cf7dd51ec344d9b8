"""What people said: verdicts that came back from Label Studio, kept as `reviews`, and put above every check when trajectories are judged.

A verdict is about one answer of a teacher. When that answer changes, the verdict stays in the table and decides nothing.
Memory: all verdicts, and while importing the trajectories of the lake.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipelines.lake import Lake
from pipelines.tables import TABLES
from prompts.ontology import load
from quality import label_studio
from quality.label_studio import Stated, WrongFile
from quality.reliability import reviewers_agree
from quality.review import ACCEPT, REJECT, SKIPPED, Decision, decide, item_of

KEY = ("image_id", "teacher", "conditioning", "sample")
CHECK, STAGE = "reviewer", "review"
"""How a person's verdict appears among a trajectory's verdicts and reasons."""

Row = dict[str, Any]


@dataclass(slots=True)
class Imported:
    """What came of a file: annotations by outcome (new, changed, known, older, skipped, outdated), and those that could not be used."""

    outcomes: Counter[str] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)

    def __iadd__(self, other: "Imported") -> "Imported":
        """Add another file's."""
        self.outcomes += other.outcomes
        self.refused += other.refused
        return self


def import_folder(lake: Lake, folder: Path) -> Imported:
    """Import every `*.json` of a folder (not below it), whatever was imported before. A file that is no export is refused by name."""
    done = Imported()
    for path in sorted(folder.glob("*.json")):
        try:
            done += import_file(lake, path)
        except WrongFile as error:
            done.refused.append(str(error))
    return done


def import_file(lake: Lake, path: Path) -> Imported:
    """Take the verdicts of one JSON export into `reviews`; the latest of a reviewer on a trajectory stands, in whatever order files come.

    Raises WrongFile, naming the file, for one that is no such export or cannot be read.
    """
    try:
        stated = list(label_studio.read_export(path.read_bytes()))
    except (OSError, WrongFile) as error:
        raise WrongFile(f"{path}: {error}") from error
    known = {(*_key(row), row["reviewer"]): row for row in lake.read("reviews").to_pylist()}
    about = {_key(row): row for row in lake.read("trajectories").to_pylist()}
    done = Imported()
    for one in stated:
        try:
            row = review_row(one, about)
        except ValueError as error:
            done.refused.append(f"{path.name}, task {one.task}, annotation {one.annotation or '?'}: {error}")
            continue
        done.outcomes[_taken(known, row) if row else "outdated"] += 1
    lake.replace("reviews", pa.Table.from_pylist([*known.values()], schema=TABLES["reviews"].schema))
    return done


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in KEY)


def _taken(known: dict[tuple[Any, ...], Row], row: Row) -> str:
    """Put a verdict in its place unless a later one stands there; what became of it."""
    key = (*_key(row), row["reviewer"])
    before = known.get(key)
    if before is not None and _later(before) > _later(row):
        return "older"
    known[key] = row
    if before == row:
        return "known"
    return "skipped" if row["verdict"] == SKIPPED else "new" if before is None else "changed"


def _later(row: Row) -> tuple[Any, ...]:
    """Order of two verdicts of one reviewer, without ties between different ones."""
    return row["stated_at"], row["annotation"].zfill(20), json.dumps(row, sort_keys=True)


def review_row(one: Stated, about: Mapping[tuple[Any, ...], Row]) -> Row | None:
    """A row of `reviews` from an annotation; None when the answer that it judges has changed since. Raises ValueError with a reason."""
    if one.fault:
        raise ValueError(one.fault)
    key = tuple(one.data.get(name) for name in KEY)
    trajectory = about.get(key) if all(isinstance(part, str | int) for part in key) else None
    if trajectory is None:
        raise ValueError(f"it is about no trajectory of this lake ({one.data.get('image_id')!r}, {one.data.get('teacher')!r})")
    if one.data.get("item") != item_of(trajectory):
        return None
    said: dict[str, Any] = {"verdict": SKIPPED} if one.cancelled else _verdict(one, trajectory)
    about_it = {"image_id": trajectory["image_id"], "source": trajectory["source"], "item": one.data["item"]}
    return {
        **dict.fromkeys(TABLES["reviews"].schema.names),
        **{name: trajectory[name] for name in KEY},
        **about_it,
        "reviewer": one.reviewer,
        "stated_at": one.stated_at,
        "annotation": one.annotation,
        "identifies_person": False,
        **said,
    }


def _verdict(one: Stated, trajectory: Row) -> dict[str, Any]:
    """What a person says about both stages. A stage that they corrected cannot stand as it is, whatever they ticked."""
    person = label_studio.PERSON_SHOWN in one.answers.get(label_studio.PERSON, ())
    comment = str(one.answers.get("comment", ""))[: label_studio.COMMENT_CHARACTERS]
    corrections = label_studio.corrected(trajectory["kind"], one.answers, json.loads(trajectory["observation"]))
    node = _diagnosis(one.answers.get("diagnosis"))
    observation, reasoning = _ticked(one, "observation"), _ticked(one, "reasoning")
    if corrections:
        observation = REJECT
    if node and trajectory["reasoning"] and node != trajectory["final_node"]:
        reasoning = REJECT
    if observation is None and not person:
        raise ValueError("it holds no verdict on the observation")
    if trajectory["reasoning"] and reasoning is None and observation != REJECT and not person:
        raise ValueError("it holds no verdict on the reasoning")
    return {
        "verdict": REJECT if person or REJECT in (observation, reasoning) else ACCEPT,
        "observation": observation,
        "reasoning": reasoning,
        "corrections": json.dumps(corrections, ensure_ascii=False, sort_keys=True) if corrections else None,
        "diagnosis": node,
        "identifies_person": person,
        "comment": comment or None,
    }


def _ticked(one: Stated, stage: str) -> str | None:
    name = f"{stage}_verdict"
    ticked = one.answers.get(name) or []
    if not set(ticked) <= set(label_studio.VERDICTS[name]) or len(ticked) > 1:
        raise ValueError(f"{name}: {ticked} is no verdict")
    return ticked[0] if ticked and ticked[0] != label_studio.NOT_WRITTEN else None


def _diagnosis(path: Sequence[str] | None) -> str | None:
    if not path:
        return None
    node = load().resolve(path[-1])
    if node is None:
        raise ValueError(f"diagnosis {path[-1]!r} is not in the ontology")
    return node


def overrule(lake: Lake, rows: Sequence[Row], rejects: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Rows of `trajectories` and `rejects` with people's verdicts above the checks', both ways, and `verified_by` set from nothing else.

    A rejection rejects with the reason `reviewer`; an acceptance accepts what checks refused, if both stages were written. The checks'
    verdicts stay beside it. A picture that identifies a person rejects every trajectory of its image.
    """
    said: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for review in lake.read("reviews").to_pylist():
        said[_key(review)].append(review)
    people = {review["image_id"] for reviews in said.values() for review in reviews if review["identifies_person"]}
    judged, overruled = [], {}
    for row in rows:
        reviews = [review for review in said.get(_key(row), ()) if review["item"] == item_of(row)]
        decision = decide(reviews, identifies_person=row["image_id"] in people)
        judged.append(_decided(row, decision))
        if decision is not None and judged[-1]["status"] != row["status"]:
            overruled[_key(row)] = decision
    kept = [row for row in rejects if not (_key(row) in overruled and overruled[_key(row)].accepted)]
    return judged, kept + [_reject(row, d.why) for row in judged if (d := overruled.get(_key(row))) and not d.accepted]


def _decided(row: Row, decision: Decision | None) -> Row:
    if decision is None:
        return row | {"verified_by": 0}
    verdict = {"stage": STAGE, "check": CHECK, "passed": decision.accepted, "detail": decision.why}
    whole = row["observation"] is not None and row["reasoning"] is not None
    stands = {True: "accepted" if whole else row["status"], False: f"rejected: {CHECK}"}[decision.accepted]
    return row | {
        "verdicts": json.dumps([*json.loads(row["verdicts"]), verdict], sort_keys=True),
        "status": stands,
        "verified_by": decision.accepts if decision.accepted and whole else 0,
    }


def _reject(row: Row, why: str) -> Row:
    return {**{name: row[name] for name in (*KEY, "source")}, "stage": STAGE, "check": CHECK, "detail": why, "answer": None}


def between_reviewers(lake: Lake) -> list[tuple[str, str, float | None, int, int]]:
    """How far reviewers agree on each stage and on the whole: (what, coefficient, its value, shared items, reviewers)."""
    rows = [row for row in lake.read("reviews").to_pylist() if row["verdict"] != SKIPPED]
    found = []
    for what in ("verdict", "observation", "reasoning"):
        said: dict[str, dict[str, str]] = defaultdict(dict)
        for row in rows:
            if row[what] is not None:
                said[row["reviewer"]][row["item"]] = row[what]
        if len(said) > 1:
            name, value, shared = reviewers_agree(said)
            found.append((what, name, value, shared, len(said)))
    return found


def checks_against_people(trajectories: Iterable[Mapping[str, Any]]) -> dict[str, tuple[int, int]]:
    """By check: trajectories that it rejected, and how many of them people let through; `all passed` counts what people rejected after all.

    Of reviewed trajectories alone; a rate for the corpus follows only from the queue's random stratum.
    """
    refused, overruled = Counter[str](), Counter[str]()
    for row in trajectories:
        verdicts = json.loads(row["verdicts"])
        people = next((v["passed"] for v in verdicts if v["check"] == CHECK), None)
        if people is None:
            continue
        failed = {v["check"] for v in verdicts if not v["passed"] and v["check"] != CHECK} or {"all passed"}
        refused.update(failed)
        overruled.update(failed if people != (failed == {"all passed"}) else ())
    return {name: (count, overruled[name]) for name, count in sorted(refused.items())}
