"""What is asked of a teacher: one `Request` a question, and the key under which its answer is kept for ever.

The key is a hash of everything that can change the answer and of nothing else: stage, image content, what the teacher reads,
the schema, the teacher with its revision, sampling and seed. Names, folders, order and batch size do not enter.
"""

import json
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from prompts.schemas import digest
from prompts.stages import Conditioning

StageName = Literal["observe", "reason", "normalise", "judge", "predict", "grade"]

BLANK = "blank"
"""Stands for the content of an empty picture, which the probe shows instead of an image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Teacher:
    """Who answers: `name` of the engine and model, `revision` of its weights or code, and what it looks at.

    A teacher that reads `pixels` gets the rendered prompt and the image; one that reads `facts` (the composer) gets annotations
    and measurements instead of either. `sampling` holds every setting that can change an answer.
    """

    name: str
    revision: str
    reads: Literal["pixels", "facts"]
    sampling: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Request:
    """One question about one image. `facts` never holds label, metadata or file name at the observe stage.

    `picture` says what is shown: the stored image, a blank one of its size, or nothing; an empty `schema` leaves the answer free. Requests are compared by identity.
    """

    stage: StageName
    image_id: str
    image_sha256: str
    kind: str
    prompt: str
    facts: Mapping[str, Any]
    schema: Mapping[str, Any]
    conditioning: Conditioning = "blind"
    picture: Literal["stored", "blank", "none"] = "stored"
    sample: int = 0
    attempt: int = 0

    def read_by(self, teacher: Teacher) -> str:
        """The text that decides the answer: the prompt, or the facts in canonical form."""
        if teacher.reads == "pixels":
            return self.prompt
        return json.dumps(self.facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @property
    def shown(self) -> str:
        """The content of what is shown, for key and seed: the image's sha256, or what stands in its place."""
        return {"stored": self.image_sha256, "blank": f"{BLANK} {self.image_sha256}", "none": ""}[self.picture]

    def seed(self, teacher: Teacher) -> int:
        """31-bit seed from the content asked about, the sample and the attempt, so that it is the same on every machine."""
        return int(digest([self.stage, self.shown, self.read_by(teacher), self.sample, self.attempt])[:8], 16) >> 1

    def key(self, teacher: Teacher) -> str:
        """The ledger's key of this question to this teacher: sha256 hex."""
        return digest(
            [
                self.stage,
                self.shown,
                self.read_by(teacher),
                digest(self.schema),
                teacher.name,
                teacher.revision,
                dict(teacher.sampling),
                self.seed(teacher),
            ]
        )


FAILURES: dict[str, str] = {
    "nothing_to_say": "The composer has neither annotation nor measurement that supports a sentence.",
    "undecodable_image": "The stored bytes could not be decoded into a picture.",
    "context_overflow": "Prompt, picture and answer do not fit into the model's context.",
    "request_refused": "The engine or server refused the request; the detail is what it said.",
    "image_not_seen": "The prompt did not hold the image tokens that a picture of this size must give.",
    "engine_died": "The engine's process died three times over this question, the last time with nothing beside it.",
    "endpoint_failed": "The server failed this request on every try, and answered another question after the last.",
    "refused": "The server withheld the answer, by a refusal or a content filter.",
    "truncated": "The answer was cut off at its token limit and is no whole JSON object.",
    "unanswered": "The teacher was not asked: the run was ended early, or is still going on.",
}
"""Reasons for an answer that is none, beside the checks of `quality.checks`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: the raw text, or a `failure` code when there is none. Token counts are None where nothing counts them."""

    text: str | None
    failure: str | None = None
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    image_tokens: int | None = None
    answer_tokens: int | None = None


Take = Callable[[int], list[Request]]
"""At most so many questions that are ready now. None while others are being answered means: perhaps more later."""

Answered = list[tuple[Request, Answer]]

Ask = Callable[[Take], Generator[Answered]]
"""An engine at work: takes questions while it has room, yields answers in any order, ends when none is left or open.

It yields at least every second, nothing if need be, so that whoever asks can commit, report and stop. Closing it gives up the rest."""


@dataclass(frozen=True, slots=True)
class Status:
    """Engines that are up side by side, GPUs of each, restarts so far, and seconds that the engines waited without a question."""

    replicas: int = 1
    gpus: int = 0
    restarts: int = 0
    idle_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Engine:
    """A teacher that can be asked. Nothing is started before the first question that the ledger cannot answer."""

    teacher: Teacher
    ask: Ask
    status: Callable[[], Status] = Status


class EngineUnavailable(Exception):
    """The engine asked for cannot run here, or can no longer; the message says what is missing."""
