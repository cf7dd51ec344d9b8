"""What is asked of a teacher: one `Request` a question, and the key under which its answer is kept for ever.

The key is a hash of everything that can change the answer and of nothing else: stage, image content, what the teacher reads,
the schema, the teacher with its revision, sampling and seed. Names, folders, order and batch size do not enter.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from prompts.schemas import digest

StageName = Literal["observe", "reason"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Teacher:
    """Who answers: `name` of the engine and model, `revision` of its weights or code, and what it looks at.

    A teacher that reads `pixels` gets the rendered prompt and the image; one that reads `facts` (the composer) gets annotations
    and measurements instead of either.
    """

    name: str
    revision: str
    reads: Literal["pixels", "facts"]
    sampling: Mapping[str, Any] = field(default_factory=dict)
    attempts: int = 1
    """Answers an image may be asked for when the first ones fail their checks; each has its own seed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One question about one image. `facts` never holds label, metadata or file name at the observe stage."""

    stage: StageName
    image_id: str
    image_sha256: str
    kind: str
    prompt: str
    facts: Mapping[str, Any]
    schema: Mapping[str, Any]
    attempt: int = 0

    def read_by(self, teacher: Teacher) -> str:
        """The text that decides the answer: the prompt, or the facts in canonical form."""
        if teacher.reads == "pixels":
            return self.prompt
        return json.dumps(self.facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def seed(self, teacher: Teacher) -> int:
        """31-bit seed from the content asked about, so that it is the same on every machine."""
        return int(digest([self.stage, self.image_sha256, self.read_by(teacher), self.attempt])[:8], 16) >> 1

    def key(self, teacher: Teacher) -> str:
        """The ledger's key of this question to this teacher: sha256 hex."""
        return digest(
            [
                self.stage,
                self.image_sha256,
                self.read_by(teacher),
                digest(self.schema),
                teacher.name,
                teacher.revision,
                dict(teacher.sampling),
                self.seed(teacher),
            ]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: the raw text, or a `failure` code when there is none. Token counts are None where nothing counts them."""

    text: str | None
    failure: str | None = None
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    image_tokens: int | None = None
    answer_tokens: int | None = None
