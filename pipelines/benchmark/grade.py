"""Claims of written answers counted by a judge model, asked through the ledger; `quality.benchmark.reading` counts them without one."""

import json
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from pipelines.benchmark.predict import voted
from pipelines.lake import Lake
from pipelines.teach.ledger import Ledger
from pipelines.teach.requests import Engine, EngineUnavailable, Request
from pipelines.teach.teach import ask_missing
from prompts.benchmark.items import ABSENT, Item
from prompts.benchmark.judging import judge_prompt, judging_schema
from quality.benchmark import answers
from quality.benchmark.claims import Counts
from quality.thresholds import CLAIM_VOTES


def grade(
    lake: Lake, items: Sequence[Item], said: Mapping[str, str | None], engine: Engine, asked_of: str
) -> dict[str, Counts | None]:
    """Mean counts of `CLAIM_VOTES` votes on every written answer, by item id; None without prose or without a usable vote.

    Raises EngineUnavailable where the judge is the model `asked_of` itself.
    """
    if engine.teacher.name == asked_of:
        raise EngineUnavailable(f"{asked_of} would judge its own answers: name another model as judge")
    written = {item.item_id: item for item in items if item.truth.get("claims")}
    prose = {item_id: answers.prose(said.get(item_id) or "") for item_id in written}
    ballots = {
        item_id: voted(_request(item, prose[item_id]), CLAIM_VOTES) for item_id, item in written.items() if prose[item_id]
    }
    every = [request for ballot in ballots.values() for request in ballot]
    ask_missing(lake, every, engine, "claims judge")
    rows = Ledger(lake, engine.teacher).find((request.key(engine.teacher), request) for request in every)
    votes = {
        item_id: [_vote(rows.get(request.key(engine.teacher)), len(written[item_id].truth["claims"])) for request in ballot]
        for item_id, ballot in ballots.items()
    }
    return {item_id: _mean(vote for vote in votes.get(item_id, []) if vote) for item_id in written}


def _request(item: Item, prose: str) -> Request:
    claims, known = item.truth["claims"], item.truth["morphology"]
    absent = [name.replace("_", " ") for name, value in known.items() if value == ABSENT]
    return Request(
        stage="grade",
        image_id=item.image_id,
        image_sha256=item.image_sha256,
        kind=item.kind,
        prompt=judge_prompt(claims, absent, prose),
        facts={},
        schema=judging_schema(len(claims)),
        picture="none",
    )


def _vote(row: Mapping[str, Any] | None, claims: int) -> Counts | None:
    from jsonschema import Draft202012Validator

    if row is None or row["failure"]:
        return None
    try:
        value = json.loads(row["answer"], strict=False)
    except (ValueError, RecursionError):
        return None
    if not Draft202012Validator(judging_schema(claims)).is_valid(value):
        return None
    said = value["verdicts"]
    return Counts(claims, said.count("supported"), said.count("partial"), said.count("contradicted"), value["extra"])


def _mean(votes: Iterable[Counts]) -> Counts | None:
    kept = list(votes)
    if not kept:
        return None
    names = ("supported", "partial", "contradicted", "extra")
    return Counts(kept[0].claims, *(fmean(getattr(vote, name) for vote in kept) for name in names))
