"""One vLLM engine in a Ray actor: prompts and prepared pictures in, JSON that fits the schema out, continuously batched.

A request that the engine refuses is a row with a reason. An engine that is dead, or that failed in a way nobody expected, takes its process
with it, so that Ray starts another: a half-dead engine must not answer. Memory: the model, and the pictures of the calls in its queue.
"""

import asyncio
import itertools
import os
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

from pipelines.teach.pictures import Picture, image_size, tokens_of

CPU_ENGINE: Mapping[str, Any] = {
    "dtype": "float32",
    "enforce_eager": True,
    # A prompt prefilled in parts makes vLLM rewind the seeded generator of its request, which CPU generators cannot do.
    "enable_chunked_prefill": False,
}

TOO_LONG = ("maximum model length", "maximum context length", "longer than the maximum", "max_model_len")
"""What vLLM says of a prompt that does not fit."""

Question = tuple[str, dict[str, Any]]
"""The prompt, and its sampling with `seed` and `schema`."""


class VllmActor:
    """Holds one `AsyncLLM`. Lives in a Ray worker process; calls run at the same time and share the engine's batches."""

    def __init__(
        self, model: str, max_model_len: int, max_num_seqs: int, tensor_parallel: int, engine: Mapping[str, Any], gpu: bool
    ) -> None:
        """Load the model; on the CPU in float32 and without compilation, which a small model never pays back."""
        from transformers import AutoProcessor
        from vllm import AsyncEngineArgs
        from vllm.v1.engine.async_llm import AsyncLLM

        arguments = engine_arguments(model, max_model_len, max_num_seqs, tensor_parallel, engine, gpu=gpu)
        self._engine = AsyncLLM.from_engine_args(AsyncEngineArgs(**arguments))
        self._processor = AutoProcessor.from_pretrained(model)
        self._image_token = getattr(self._engine.model_config.hf_config, "image_token_id", None)
        self._due = lru_cache(maxsize=4096)(partial(tokens_of, self._processor))
        self._numbers = itertools.count()
        self._active = 0
        self._idle = 0.0
        self._idle_since = time.monotonic()
        self._begun = False

    async def ready(self) -> int:
        """The actor's process id, once the engine is up."""
        return os.getpid()

    async def answer(self, questions: Sequence[Question], pictures: Sequence[Picture]) -> tuple[list[dict[str, Any]], float]:
        """Fields of an `Answer` for each question with its picture, in order, and the seconds that the engine has been idle so far."""
        self._work(len(questions))
        try:
            answers = await asyncio.gather(*(self._one(*pair) for pair in zip(questions, pictures, strict=True)))
        except Exception as error:
            _end_process(error)
            raise
        self._work(-len(questions))
        return list(answers), self._idle

    def _work(self, change: int) -> None:
        now = time.monotonic()
        if not self._active and self._begun:
            self._idle += now - self._idle_since
        self._begun, self._active, self._idle_since = True, self._active + change, now

    async def _one(self, question: Question, picture: Picture) -> dict[str, Any]:
        from vllm.exceptions import VLLMClientError

        prompt, sampling = question
        if picture.fault:
            return _failed("undecodable_image", picture.fault)
        try:
            output = await self._generate(prompt, sampling, picture)
        except (ValueError, VLLMClientError) as error:
            told = str(error)
            return _failed("context_overflow" if any(words in told for words in TOO_LONG) else "request_refused", told)
        return self._fields(output, picture)

    async def _generate(self, prompt: str, sampling: Mapping[str, Any], picture: Picture) -> Any:
        from vllm.renderers import ChatParams

        parameters = ChatParams(chat_template_kwargs={"add_generation_prompt": True, "tokenize": False})
        rendered = await self._engine.renderer.render_chat_async([chat_of(prompt, picture)], parameters)  # type: ignore[arg-type]
        last = None
        async for output in self._engine.generate(rendered[1][0], parameters_of(sampling), str(next(self._numbers))):
            last = output
        return last

    def _fields(self, output: Any, picture: Picture) -> dict[str, Any]:
        said, prompt = output.outputs[0], output.prompt_token_ids or []
        seen = sum(token == self._image_token for token in prompt)
        size = image_size(picture)
        due = self._due(size) if size else 0
        counts = {"prompt_tokens": len(prompt), "image_tokens": seen, "answer_tokens": len(said.token_ids)}
        if self._image_token is not None and (seen != due if due is not None else not seen):
            told = (
                f"{seen} image tokens in the prompt, {due} are due for {size[1]} x {size[0]} pixels"
                if size
                else f"{seen} image tokens"
            )
            return {**_failed("image_not_seen", told), **counts}
        return {"text": said.text, "failure": None, "finish_reason": said.finish_reason, **counts}


def engine_arguments(
    model: str, max_model_len: int, max_num_seqs: int, tensor_parallel: int, engine: Mapping[str, Any], *, gpu: bool
) -> dict[str, Any]:
    """Arguments of vLLM's engine; those of the configuration come last."""
    base: dict[str, Any] = {} if gpu else {**CPU_ENGINE, "max_num_batched_tokens": max_model_len}
    return {
        **base,
        "model": model,
        "max_model_len": max_model_len,
        "max_num_seqs": max_num_seqs,
        "tensor_parallel_size": tensor_parallel,
        "limit_mm_per_prompt": {"image": 1, "video": 0},
        # Without it a weak model may write white space up to the token limit.
        "structured_outputs_config": {"backend": "xgrammar", "disable_any_whitespace": True},
        "distributed_executor_backend": "mp" if tensor_parallel > 1 else None,
        "disable_log_stats": True,
        "seed": 0,
        **engine,
    }


def _failed(code: str, told: str) -> dict[str, Any]:
    return {"text": None, "failure": code, "finish_reason": told[:500]}


def _end_process(error: BaseException) -> None:
    """Ray keeps an actor whose engine is dead; a process that has ended it replaces."""
    import sys
    import traceback

    traceback.print_exception(error)
    sys.stderr.flush()
    os._exit(1)


def chat_of(prompt: str, picture: Picture) -> list[dict[str, Any]]:
    """The conversation of one question: the picture, then the words."""
    content: list[dict[str, Any]] = [{"type": "text", "text": prompt}]
    if picture.rgb is not None:
        from PIL import Image

        content.insert(0, {"type": "image_pil", "image_pil": Image.fromarray(picture.rgb)})
    return [{"role": "user", "content": content}]


def parameters_of(sampling: Mapping[str, Any]) -> Any:
    """VLLM's own form of a question's sampling."""
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams

    plain = {key: value for key, value in sampling.items() if key != "schema"}
    return SamplingParams(
        **plain,
        structured_outputs=StructuredOutputsParams(json=sampling["schema"]) if sampling["schema"] else None,
        output_kind=RequestOutputKind.FINAL_ONLY,
    )
