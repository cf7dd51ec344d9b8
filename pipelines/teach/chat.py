"""OpenAI's chat completions, as much of them as a teacher needs: the body of a request, and what a response means."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import numpy as np

from pipelines.teach.pictures import BLANK_GREY, Picture, encoded
from pipelines.teach.requests import Answer, Request, Teacher
from pipelines.teach.vllm_engine import for_grammar, sampling_of

LARGEST_BODY = 4 << 20
"""Bytes of a response that are read: an answer has a few kilobytes."""

TOO_LONG = ("context length", "context_length", "model length", "max_model_len", "too many tokens", "maximum context")

WAIT = frozenset({408, 425, 429, 503, 529})
"""Statuses that mean: later."""

NEVER = {
    401: "the API key was refused",
    403: "the API key may not use this model",
    404: "no such model or path",
    405: "this path takes no questions",
}
"""Statuses that no other question would change."""


@dataclass(frozen=True, slots=True)
class Later:
    """The server is busy; `seconds` is its Retry-After."""

    seconds: float | None


@dataclass(frozen=True, slots=True)
class Failed:
    """The server or the network failed this request; another try may go well."""

    why: str


@dataclass(frozen=True, slots=True)
class Fatal:
    """Nothing that is asked here will be answered."""

    why: str


Outcome = Answer | Later | Failed | Fatal


def body_of(request: Request, picture: Picture, teacher: Teacher, model: str) -> dict[str, Any]:
    """The JSON body of one question."""
    sampling = sampling_of(request, teacher)
    schema = for_grammar(sampling.pop("schema"))
    content: list[dict[str, Any]] = [{"type": "text", "text": request.prompt}]
    if picture.jpeg is not None:
        url = f"data:image/jpeg;base64,{base64.b64encode(picture.jpeg).decode()}"
        content.insert(0, {"type": "image_url", "image_url": {"url": url}})
    shape = {"type": "json_schema", "json_schema": {"name": request.stage, "schema": schema, "strict": True}}
    shaped = {"response_format": shape} if schema else {}
    return {"model": model, "messages": [{"role": "user", "content": content}], **shaped, **sampling}


def trial(model: str, *, pictured: bool) -> dict[str, Any]:
    """A question of a few tokens, with a grey picture or without: the difference in prompt tokens is what the model is shown."""
    content: list[dict[str, Any]] = [{"type": "text", "text": "Answer with one word."}]
    if pictured:
        grey = encoded(np.full((112, 112, 3), BLANK_GREY, np.uint8))
        url = f"data:image/jpeg;base64,{base64.b64encode(grey).decode()}"
        content.insert(0, {"type": "image_url", "image_url": {"url": url}})
    return {"model": model, "messages": [{"role": "user", "content": content}], "max_tokens": 1, "temperature": 0.0}


def meaning(status: int, headers: Mapping[str, str], body: bytes) -> Outcome:
    """What a response says."""
    told = body[:500].decode("utf-8", "replace").strip()
    if status in WAIT:
        return Later(_seconds(headers.get("Retry-After")))
    if status in NEVER:
        return Fatal(f"{NEVER[status]} (HTTP {status}): {told}")
    if 400 <= status < 500:
        code = "context_overflow" if any(words in told for words in TOO_LONG) else "request_refused"
        return Answer(text=None, failure=code, finish_reason=f"HTTP {status}: {told}")
    if status != 200:
        return Failed(f"HTTP {status}: {told}")
    try:
        return _answer(json.loads(body))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        return Failed(f"no chat completion: {told}")


def _answer(value: Mapping[str, Any]) -> Answer:
    choice = value["choices"][0]
    message, usage = choice["message"], value.get("usage") or {}
    text, reason = message.get("content"), choice.get("finish_reason")
    counts: dict[str, Any] = {
        "prompt_tokens": _count(usage, "prompt_tokens"),
        "answer_tokens": _count(usage, "completion_tokens"),
    }
    if not isinstance(text, str) or reason == "content_filter":
        told = str(message.get("refusal") or reason or "no text")
        return Answer(text=None, failure="refused", finish_reason=told[:500], **counts)
    return Answer(text=text, finish_reason=None if reason is None else str(reason), **counts)


def _count(usage: Mapping[str, Any], key: str) -> int | None:
    value = usage.get(key)
    return value if isinstance(value, int) else None


def _seconds(retry_after: str | None) -> float | None:
    """Retry-After as seconds: a number, or a date."""
    if retry_after is None:
        return None
    try:
        return float(retry_after)
    except ValueError:
        pass
    try:
        from datetime import UTC, datetime

        return (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return None
