"""The vLLM engine inside a Ray actor: images and prompts in, JSON that fits the schema out. GPU build or CPU build alike.

The actor starts with the first question. Batches are kept two deep in its queue, so that the next one is there when one ends. An
actor that dies is started again a bounded number of times and gets the unanswered batches once more; one bad request costs only
itself. Memory: the model, and two batches of image bytes.
"""

import logging
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

from pipelines.lake import Lake
from pipelines.pixels import pixel_batches
from pipelines.progress import batches
from pipelines.teach.engines import Engine, EngineUnavailable
from pipelines.teach.requests import Answer, Request, Teacher
from pipelines.weights import folder_digest
from pipelines.workers import start_ray

BATCH = 32
IN_FLIGHT = 2
RESTARTS = 3
BATCH_SECONDS = 1800.0
"""The longest a batch may take, engine start included, before the actor counts as dead: no wait is without a limit."""

MAX_MODEL_LEN = 8192
SAMPLING: Mapping[str, Any] = {"temperature": 0.2, "top_p": 0.95, "max_tokens": 1024}
ATTEMPTS = 2

ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    # In one process: when the engine dies the actor dies, and Ray notices.
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
}

CPU_ENGINE: Mapping[str, Any] = {
    "dtype": "float32",
    "enforce_eager": True,
    # A prompt prefilled in parts makes vLLM rewind the seeded generator of its request, which CPU generators cannot do.
    "enable_chunked_prefill": False,
    "max_num_batched_tokens": MAX_MODEL_LEN,
}

log = logging.getLogger("dermoforge.teacher")

Work = list[tuple[Request, dict[str, Any], bytes]]


@dataclass(frozen=True, slots=True)
class _Model:
    path: str
    revision: str


def open_vllm(lake: Lake, model: str) -> Engine:
    """The engine for a model directory (or a hub name whose snapshot is on this machine). Raises EngineUnavailable."""
    if find_spec("vllm") is None:
        raise EngineUnavailable("vllm is not installed: install the `cpu` or `gpu` extra")
    found = _find(model)
    teacher = Teacher(
        name=f"vllm:{Path(model).name}", revision=found.revision, reads="pixels", sampling=SAMPLING, attempts=ATTEMPTS
    )
    running: list[Any] = []  # the one actor of this engine, kept between questions

    def ask(requests: Sequence[Request]) -> Iterator[list[tuple[Request, Answer]]]:
        yield from _answers(found, teacher, running, _work(lake, teacher, requests))

    return Engine(teacher, ask)


def _find(model: str) -> _Model:
    if not model:
        raise EngineUnavailable("teacher vllm needs a model: set TEACHER_MODEL to its directory")
    if Path(model).is_dir():
        return _Model(str(Path(model).resolve()), folder_digest(Path(model))[:32])
    from huggingface_hub import snapshot_download

    try:
        path = snapshot_download(model, local_files_only=True)
    except Exception as error:  # the hub client has many ways to say that it is not here
        raise EngineUnavailable(f"{model} is neither a directory nor a snapshot on this machine: {error}") from error
    return _Model(path, Path(path).name)


def _work(lake: Lake, teacher: Teacher, requests: Sequence[Request]) -> Iterator[Work]:
    """Batches of requests with their image bytes, read pack by pack. One image may be asked about more than once."""
    of_image: dict[str, list[Request]] = {}
    for request in requests:
        of_image.setdefault(request.image_id, []).append(request)
    for group in batches(sorted(of_image), BATCH):
        images = {i: data for batch in pixel_batches(lake, group) for i, data in batch.images()}
        yield [(r, _sampling(r, teacher), images[i]) for i in group for r in of_image[i]]


def _sampling(request: Request, teacher: Teacher) -> dict[str, Any]:
    return {**teacher.sampling, "seed": request.seed(teacher), "schema": for_grammar(request.schema)}


def for_grammar(schema: Any) -> Any:
    """The schema without `uniqueItems`, which the grammar compiler cannot express; the checks look at it afterwards."""
    if isinstance(schema, Mapping):
        return {key: for_grammar(value) for key, value in schema.items() if key != "uniqueItems"}
    return [for_grammar(item) for item in schema] if isinstance(schema, list) else schema


def _answers(
    model: _Model, teacher: Teacher, running: list[Any], work: Iterator[Work]
) -> Iterator[list[tuple[Request, Answer]]]:
    import ray

    pending: deque[tuple[Work, Any]] = deque()
    deaths = 0
    while True:
        if not running:
            running.append(_start(model))
            pending = deque((batch, _send(running[0], batch)) for batch, _ in pending)
        pending.extend((batch, _send(running[0], batch)) for batch in islice(work, IN_FLIGHT - len(pending)))
        if not pending:
            return
        try:
            answers = ray.get(pending[0][1], timeout=BATCH_SECONDS)
        except (ray.exceptions.RayError, ray.exceptions.GetTimeoutError) as error:
            # Whatever the engine raised, its state is not to be trusted any more: a new process is.
            deaths += 1
            log.warning("the engine died (%d of %d restarts): %s", deaths, RESTARTS, str(error).strip().splitlines()[-1])
            if deaths > RESTARTS:
                raise EngineUnavailable(f"{teacher.name} died {deaths} times; the last: {error}") from error
            ray.kill(running.pop())
            continue
        batch, _ = pending.popleft()
        yield [(request, Answer(**answer)) for (request, _, _), answer in zip(batch, answers, strict=True)]


def _send(actor: Any, batch: Work) -> Any:
    return actor.answer.remote([(request.prompt, sampling, data) for request, sampling, data in batch])


def _start(model: _Model) -> Any:
    import ray

    start_ray()
    gpus = 1 if ray.cluster_resources().get("GPU", 0) else 0
    log.info("starting vLLM with %s on %s (a minute or two)", model.path, "a GPU" if gpus else "the CPU")
    actor: Any = ray.remote(VllmActor)
    here = actor.options(num_cpus=1, num_gpus=gpus, runtime_env={"env_vars": ENVIRONMENT})
    return here.remote(model.path, bool(gpus))


class VllmActor:
    """Holds one `vllm.LLM`. Lives in a Ray worker process."""

    def __init__(self, model: str, gpu: bool) -> None:
        """Load the model; on the CPU in float32 and without compilation, which a small model never pays back."""
        from vllm import LLM

        how: dict[str, Any] = {"dtype": "auto"} if gpu else dict(CPU_ENGINE)
        self._llm = LLM(
            model=model,
            max_model_len=MAX_MODEL_LEN,
            max_num_seqs=BATCH,
            limit_mm_per_prompt={"image": 1, "video": 0},
            # Without it a weak model may write white space up to the token limit.
            structured_outputs_config={"backend": "xgrammar", "disable_any_whitespace": True},
            seed=0,
            **how,
        )
        self._image_token = getattr(self._llm.llm_engine.model_config.hf_config, "image_token_id", None)

    def answer(self, batch: Sequence[tuple[str, dict[str, Any], bytes]]) -> list[dict[str, Any]]:
        """Fields of an `Answer` for each `(prompt, sampling, image bytes)`, in order."""
        try:
            return self._generate(batch)
        except ValueError as error:  # vLLM refuses a whole call for one bad request
            if len(batch) == 1:
                return [{"text": None, "failure": "request_refused", "finish_reason": str(error)[:500]}]
            return [answer for one in batch for answer in self.answer([one])]

    def _generate(self, batch: Sequence[tuple[str, dict[str, Any], bytes]]) -> list[dict[str, Any]]:
        chats = [_chat(prompt, data) for prompt, _, data in batch]
        outputs = self._llm.chat(chats, [_parameters(sampling) for _, sampling, _ in batch], use_tqdm=False)  # type: ignore[arg-type]
        return [self._fields(output) for output in outputs]

    def _fields(self, output: Any) -> dict[str, Any]:
        said, prompt = output.outputs[0], output.prompt_token_ids or []
        seen = sum(token == self._image_token for token in prompt)
        blind = self._image_token is not None and not seen
        return {
            "text": None if blind else said.text,
            "failure": "image_not_seen" if blind else None,
            "finish_reason": said.finish_reason,
            "prompt_tokens": len(prompt),
            "image_tokens": seen,
            "answer_tokens": len(said.token_ids),
        }


def _chat(prompt: str, data: bytes) -> list[dict[str, Any]]:
    from PIL import Image

    from quality.raster import BadImage, decode

    try:
        picture = Image.fromarray(decode(data).rgb)
    except BadImage as error:
        raise ValueError(f"undecodable image: {error}") from error
    return [{"role": "user", "content": [{"type": "image_pil", "image_pil": picture}, {"type": "text", "text": prompt}]}]


def _parameters(sampling: dict[str, Any]) -> Any:
    from vllm import SamplingParams
    from vllm.sampling_params import StructuredOutputsParams

    plain = {key: value for key, value in sampling.items() if key != "schema"}
    return SamplingParams(**plain, structured_outputs=StructuredOutputsParams(json=sampling["schema"]))
