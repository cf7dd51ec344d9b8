"""Teaching: the questions of one source asked through the ledger, with progress while it runs and a polite end."""

import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict

from pipelines.lake import Lake
from pipelines.teach.account import Account, Asked, Tell
from pipelines.teach.config import TeacherConfig
from pipelines.teach.drain import Drain, draining
from pipelines.teach.flow import Flow, Listed, Steps, walks
from pipelines.teach.ledger import Ledger
from pipelines.teach.requests import Engine, EngineUnavailable, Request
from pipelines.teach.subjects import TABLES as SUBJECTS
from pipelines.teach.subjects import subjects
from pipelines.unchanged import made_of, note, recall


def teach(lake: Lake, source: str, engine: Engine, config: TeacherConfig, tell: Tell | None = None) -> Asked:
    """Ask every stage for every subject of a source, as far as the ledger lacks the answers. Raises EngineUnavailable.

    Where all was answered and nothing of it has changed since, no answer is looked up and judged again.
    """
    with lake.alone(f"teach-{source}") as mine:
        if not mine:  # the same questions would be asked twice
            raise EngineUnavailable(f"another run is teaching {source} in {lake.url}: wait for it, or end it")
        what, made = f"completions/{source}", made_of(lake, SUBJECTS, source, asdict(engine.teacher), config.model_dump())
        people = subjects(lake, source)
        count = len(people) * config.samples
        account = Account(source, count, config.price_per_gpu_hour, tell)
        if was := recall(lake, what, made):
            account.say(count, was["answers"], last=True)
            return Asked(cached=was["answers"])
        done = run(lake, walks(people, config), engine, account)
        if account.finished == count:
            note(lake, what, made, {"answers": done.cached + done.asked})
        return done


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
