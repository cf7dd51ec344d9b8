"""The stages of one image: observe blind, reason to a diagnosis, and name it in the ontology's words. What is asked, and what follows.

A `Walk` is one subject's way through the stages for one sample. It holds the open questions and judges each answer as it comes, so the
same code goes on from a fresh answer, from the ledger after a crash, and in the judge. Nothing here asks or stores anything.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from pipelines.teach.config import TeacherConfig
from pipelines.teach.requests import Request
from pipelines.teach.subjects import Subject
from prompts import schemas, stages
from prompts.ontology import load
from prompts.stages import NONE_OF_THESE, Conditioning
from quality import checks

Row = Mapping[str, Any]

HOPELESS = frozenset({"undecodable_image", "context_overflow", "nothing_to_say", "engine_died"})
"""Failures that another seed cannot mend."""

NAMES = 12
"""Names of the ontology that the normalise stage offers."""

UNNAMED = frozenset({"diagnosis_unknown", "diagnosis_disagrees"})
"""Failed checks that a name of the ontology might mend."""


SILENT = frozenset({"diagnosis_disagrees"})
"""Checks whose detail tells the source's diagnosis."""

BEHIND_SLASH = re.compile(r" / [^\"]*")
"""What a claim was held against, in the detail of a check."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An attempt with its parsed answer (None if it failed) and every check's verdict."""

    request: Request
    answer: str | None
    parsed: dict[str, Any] | None
    verdicts: tuple[checks.Verdict, ...]
    key: str = ""
    normalised_from: str | None = None

    @property
    def passed(self) -> bool:
        """Whether the answer exists and every check passed."""
        return self.parsed is not None and all(v.passed for v in self.verdicts)

    @property
    def faults(self) -> set[str]:
        """Codes of the checks that failed."""
        return {v.check for v in self.verdicts if not v.passed}


class Walk:
    """One subject's way through the stages for one sample: what was answered so far, and the questions that are open."""

    __slots__ = ("_config", "earlier", "observed", "open", "reasoned", "sample", "subject")

    def __init__(self, subject: Subject, sample: int, config: TeacherConfig) -> None:
        """Starts with the blind question."""
        self.subject, self.sample, self._config = subject, sample, config
        self.observed: Judged | None = None
        self.reasoned: dict[Conditioning, Judged] = {}
        self.earlier: list[Judged] = []
        self.open: list[Request] = [observe_request(subject, sample)]

    @property
    def conditionings(self) -> tuple[Conditioning, ...]:
        """What the reason stage is told: as configured, and for the control share also nothing."""
        main = self._config.conditioning
        return (main, "blind") if main != "blind" and in_control(self.subject, self._config.control_share) else (main,)

    def take(self, request: Request, row: Row) -> None:
        """Judge the answer to an open question, and open what follows from it."""
        self.open.remove(request)
        if request.stage == "normalise":
            self.reasoned[request.conditioning] = _normalised(self.reasoned[request.conditioning], row, self.subject)
            return
        judged = self._judge(request, row)
        if request.stage == "observe":
            self.observed = judged
        else:
            self.reasoned[request.conditioning] = judged
        self.open += self._next(judged)

    def _judge(self, request: Request, row: Row) -> Judged:
        if request.stage == "observe":
            known = self.subject.known
            return _judged(request, row, lambda text: checks.check_observation(text, self.subject.kind, load(), known))
        assert self.observed is not None and self.observed.parsed is not None
        seen, one = self.observed.parsed, self.subject
        return _judged(request, row, lambda text: checks.check_reasoning(text, seen, one.kind, one.node, load(), one.known))

    def _next(self, judged: Judged) -> Iterator[Request]:
        request = judged.request
        if judged.passed and request.stage == "observe":
            assert judged.parsed is not None
            for conditioning in self.conditionings:
                yield reason_request(self.subject, judged.parsed, conditioning, self._config.candidates, self.sample)
        elif self._config.normalise and judged.parsed and "diagnosis_unknown" in judged.faults <= UNNAMED:
            yield from _normalise_request(request, judged.parsed["final_diagnosis"])
        elif self._worth_another_seed(judged) and request.attempt + 1 < self._config.seeds:
            self.earlier.append(judged)
            yield self._once_more(judged)

    def _once_more(self, judged: Judged) -> Request:
        """The question with another seed, and with what was wrong with the answer, if one came."""
        request = judged.request
        if request.stage == "observe":
            first = observe_request(self.subject, self.sample)
        else:
            assert self.observed is not None and self.observed.parsed is not None
            first = reason_request(
                self.subject, self.observed.parsed, request.conditioning, self._config.candidates, self.sample
            )
        told = [] if judged.answer is None else told_faults(judged)
        prompt = stages.repair_prompt(first.prompt, told) if told else first.prompt
        return replace(first, attempt=request.attempt + 1, prompt=prompt)

    def _worth_another_seed(self, judged: Judged) -> bool:
        """Not where the teacher was not told the diagnosis and merely disagrees: asking until it agrees would give it away."""
        told = judged.request.conditioning == "confirmed" or judged.request.stage == "observe"
        faults = judged.faults if told else judged.faults - {"diagnosis_disagrees"}
        return bool(faults) and not judged.faults & HOPELESS


def told_faults(judged: Judged) -> list[str]:
    """What the teacher is told of an answer that failed: the rules, and its own words. Never what it may not know.

    What a detail says after the slash was measured or recorded; a detail about the known diagnosis is left out with it.
    """
    return [
        checks.CHECKS[verdict.check] + _own_words(verdict)
        for verdict in judged.verdicts
        if not verdict.passed and verdict.check in checks.CHECKS
    ]


def _own_words(verdict: checks.Verdict) -> str:
    if verdict.check in SILENT or not verdict.detail:
        return ""
    return f" Found: {BEHIND_SLASH.sub('', verdict.detail)}"


def in_control(subject: Subject, share: float) -> bool:
    """Whether an image belongs to the answer-blind control, by its content."""
    return int(hashlib.sha256(f"control {subject.sha256}".encode()).hexdigest()[:8], 16) < share * 2**32


@cache
def _observe(kind: str) -> tuple[str, dict[str, Any]]:
    return stages.observe_prompt(kind), schemas.observation_schema(kind)


@cache
def _reasoning_schema() -> dict[str, Any]:
    return schemas.reasoning_schema()


def observe_request(subject: Subject, sample: int = 0) -> Request:
    """The blind question: nothing of label, metadata or file name is in it."""
    prompt, schema = _observe(subject.kind)
    return Request(
        stage="observe",
        image_id=subject.image_id,
        image_sha256=subject.sha256,
        kind=subject.kind,
        prompt=prompt,
        facts={"kind": subject.kind, "expert_concepts": subject.expert_concepts, "measured": list(subject.measured)},
        schema=schema,
        sample=sample,
    )


def reason_request(
    subject: Subject,
    observation: Mapping[str, Any],
    conditioning: Conditioning = "confirmed",
    candidates: int = 5,
    sample: int = 0,
) -> Request:
    """The second question: the accepted observation, and as much of the source's diagnosis as `conditioning` says."""
    text = json.dumps(observation, ensure_ascii=False, sort_keys=True)
    return Request(
        stage="reason",
        image_id=subject.image_id,
        image_sha256=subject.sha256,
        kind=subject.kind,
        prompt=stages.reason_prompt(subject.kind, text, conditioning, told_names(subject, conditioning, candidates)),
        facts={"kind": subject.kind, "observation": observation, "node": subject.node, "criteria": load().digest},
        schema=_reasoning_schema(),
        conditioning=conditioning,
        sample=sample,
    )


def told_names(subject: Subject, conditioning: Conditioning, candidates: int) -> list[str]:
    """Names that the reason stage is shown: none, the diagnosis among its nearest relatives in an order by hash, or it alone."""
    ontology = load()
    if conditioning == "blind":
        return []
    told = [subject.node]
    if conditioning == "candidates":
        rings = ontology.cousins(subject.node)
        others = [n for ring in rings for n in sorted(ring, key=lambda n: _hash(subject.sha256, n))]
        told = sorted([*told, *others[: candidates - 1]], key=lambda n: _hash(subject.sha256, f"place {n}"))
    return [ontology.nodes[node].name for node in told]


def _hash(sha256: str, text: str) -> str:
    return hashlib.sha256(f"{sha256}/{text}".encode()).hexdigest()


def _normalise_request(request: Request, label: str) -> Iterator[Request]:
    names = load().close_names(label, NAMES)
    if names:
        schema = schemas.normalising_schema([*names, NONE_OF_THESE])
        prompt = stages.normalise_prompt(label, names)
        yield replace(
            request, stage="normalise", prompt=prompt, schema=schema, facts={"label": label}, picture="none", attempt=0
        )


def _judged(request: Request, row: Row, check: Any) -> Judged:
    """The checks' verdicts; a failed answer has one, and one cut off at its token limit says so instead of `not_json`."""
    if row["failure"] is not None:
        verdict = checks.Verdict(row["failure"], False, row["finish_reason"] or "")
        return Judged(request, None, None, (verdict,), row["request_key"])
    parsed, verdicts = check(row["answer"])
    if row["finish_reason"] == "length" and parsed is None:
        verdicts = (checks.Verdict("truncated", False, f"cut off after {row['answer_tokens']} tokens"),)
    return Judged(request, row["answer"], parsed, verdicts, row["request_key"])


def _normalised(judged: Judged, row: Row, subject: Subject) -> Judged:
    """The reasoning with its diagnosis in the ontology's words, checked again; as it was where no name fits."""
    assert judged.parsed is not None
    name = _chosen(row)
    if name is None:
        return judged
    label = judged.parsed["final_diagnosis"]
    text = json.dumps({**judged.parsed, "final_diagnosis": name}, ensure_ascii=False, sort_keys=True)
    # What was said of the findings stands; only the name is new.
    parsed, verdicts = checks.check_reasoning(text, {}, judged.request.kind, subject.node, load())
    kept = {v.check: v for v in judged.verdicts if v.check not in UNNAMED}
    again = tuple(kept.get(v.check, v) for v in verdicts)
    return replace(judged, parsed=parsed, verdicts=again, normalised_from=label)


def _chosen(row: Row) -> str | None:
    if row["failure"] is not None:
        return None
    try:
        name = json.loads(row["answer"], strict=False)["diagnosis"]
    except (ValueError, KeyError, TypeError):
        return None
    return name if isinstance(name, str) and load().resolve(name) else None
