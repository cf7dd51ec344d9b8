"""Teaching: the questions of one source asked through the ledger, with progress while it runs and a polite end."""

import time
from collections.abc import Iterable
from contextlib import closing

from pipelines.lake import Lake
from pipelines.teach.account import Account, Asked, Tell
from pipelines.teach.config import TeacherConfig
from pipelines.teach.drain import Drain, draining
from pipelines.teach.flow import Flow, Listed, Steps, walks
from pipelines.teach.ledger import Ledger
from pipelines.teach.requests import Engine, EngineUnavailable, Request
from pipelines.teach.subjects import subjects


def teach(lake: Lake, source: str, engine: Engine, config: TeacherConfig, tell: Tell | None = None) -> Asked:
    """Ask every stage for every subject of a source, as far as the ledger lacks the answers. Raises EngineUnavailable."""
    with lake.alone(f"teach-{source}") as mine:
        if not mine:  # the same questions would be asked twice
            raise EngineUnavailable(f"another run is teaching {source} in {lake.url}: wait for it, or end it")
        people = subjects(lake, source)
        account = Account(source, len(people) * config.samples, config.price_per_gpu_hour, tell)
        return run(lake, walks(people, config), engine, account)


def ask_missing(lake: Lake, requests: Iterable[Request], engine: Engine, what: str) -> Asked:
    """Ask a list of questions as far as the ledger lacks the answers; the same question asked of two images is asked once."""
    listed = sorted(requests, key=lambda request: request.image_id)
    return run(lake, map(Listed, listed), engine, Account(what, len(listed), 0.0))


def run(lake: Lake, steps: Iterable[Steps], engine: Engine, account: Account) -> Asked:
    """Take every step that the ledger and the engine allow; what was answered is kept however this ends."""
    ledger = Ledger(lake, engine.teacher)
    flow = Flow(steps, ledger, engine.teacher)
    with closing(ledger), draining() as drain:
        _ask(flow, ledger, engine, account, drain)
    account.say(flow.finished, flow.cached, last=True)
    return Asked(cached=flow.cached, asked=account.asked, failed=account.failed)


def _ask(flow: Flow, ledger: Ledger, engine: Engine, account: Account, drain: Drain) -> None:
    """Engine time is shared out evenly: what passes between two deliveries belongs to the answers of the second."""
    since, share = time.monotonic(), 0.0

    def take(most: int) -> list[Request]:
        return [] if drain.asked else flow.take(most)

    with closing(engine.ask(take)) as answers:
        for batch in answers:
            status = engine.status()
            if batch:
                now = time.monotonic()
                share, since = (now - since) * status.replicas / len(batch), now
            for request, answer in batch:
                account.add(answer, share * status.gpus)
                flow.accept(request, ledger.note(flow.key(request), request, answer, share, status.gpus))
            ledger.commit_when_due()
            account.say(flow.finished, flow.cached)
            if drain.over:
                break
