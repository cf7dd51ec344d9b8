"""The benchmark's questions asked of a model through the ledger: resumable, each answer paid for once. Memory: the items and their answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pipelines.lake import Lake
from pipelines.teach.ledger import Ledger
from pipelines.teach.requests import Engine, EngineUnavailable, Request
from pipelines.teach.teach import ask_missing
from prompts.benchmark.items import Item


@dataclass(frozen=True, slots=True)
class Predicted:
    """Answers by item id (None: none came), how many were asked now, had been asked before, and have failed."""

    said: Mapping[str, str | None]
    asked: int
    cached: int
    failed: int


def predict(lake: Lake, items: Sequence[Item], engine: Engine) -> Predicted:
    """Ask what the ledger lacks. A question that failed stays failed: it counts as wrong. Raises EngineUnavailable."""
    if engine.teacher.reads != "pixels":
        raise EngineUnavailable(f"{engine.teacher.name} looks at no picture: the benchmark is for models that do")
    requests = {item.item_id: question(item) for item in items}
    # Variants ask the same question of the same image: it is asked once.
    done = ask_missing(lake, requests.values(), engine, "benchmark")
    keys = {item_id: request.key(engine.teacher) for item_id, request in requests.items()}
    rows = Ledger(lake, engine.teacher).find((keys[item_id], request) for item_id, request in requests.items())
    said = {item_id: rows[key]["answer"] if key in rows else None for item_id, key in keys.items()}
    return Predicted(said, done.asked, done.cached, sum(answer is None for answer in said.values()))


def question(item: Item) -> Request:
    """What is asked: the image and the item's question; the answer is free."""
    return Request(
        stage="predict",
        image_id=item.image_id,
        image_sha256=item.image_sha256,
        kind=item.kind,
        prompt=item.question,
        facts={},
        schema={},
    )


def voted(request: Request, votes: int) -> list[Request]:
    """A question once for every vote."""
    return [replace(request, sample=vote) for vote in range(votes)]
