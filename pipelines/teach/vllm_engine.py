"""The `vllm` engine: vLLM in Ray actors on the GPUs or the CPU of this machine or of a cluster, fed with pictures prepared ahead.

Not `ray.data.llm`, which runs here too: its data set is fixed at the start, while our questions follow from answers, and a dead engine ends its
job (ray#59522), where a pool of actors loses the chunks in flight.
"""

import logging
from collections.abc import Generator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pipelines.lake import Lake
from pipelines.teach.config import TeacherConfig
from pipelines.teach.pictures import Packs, prepare_aside
from pipelines.teach.replicas import Limits, Pool
from pipelines.teach.requests import Answered, Engine, EngineUnavailable, Request, Status, Take, Teacher
from pipelines.weights import folder_digest
from pipelines.workers import start_ray

CHUNKS = 4
"""Chunks that make an engine's batch."""

BATCHES = 4
"""Batches in flight at an engine: a chunk keeps its place until its last answer, so that half of the places wait for stragglers."""

ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",
}

log = logging.getLogger("dermoforge.teacher")


def open_vllm(lake: Lake, config: TeacherConfig) -> Engine:
    """The engine for a model directory, or for a hub name whose snapshot is on this machine. Raises EngineUnavailable."""
    if find_spec("vllm") is None:
        raise EngineUnavailable("vllm is not installed: install the `cpu` or `gpu` extra")
    path, revision = find_model(config.model)
    teacher = Teacher(name=f"vllm:{Path(config.model).name}", revision=revision, reads="pixels", sampling=config.decides())
    packs = Packs(lake)

    def ask(take: Take) -> Generator[Answered]:
        import ray

        pool = _pool(path, config)
        # An environment of its own gives workers of its own, so that only those that prepare pictures step back.
        prepared = ray.remote(num_cpus=1, max_retries=2, runtime_env={"env_vars": {"OMP_NUM_THREADS": "1"}})(prepare_aside)

        def send(actor: Any, requests: Sequence[Request]) -> Any:
            pictures = prepared.remote(packs.job(requests, config.max_pixels, encoded=False))
            return actor.answer.remote([(r.prompt, sampling_of(r, teacher)) for r in requests], pictures)

        yield from pool.ask(take, send)

    return Engine(teacher, ask, lambda: _RUNNING[0][1].status() if _RUNNING else Status())


def find_model(model: str) -> tuple[str, str]:
    """Directory and revision of a model: a directory with the digest of its files, or a snapshot with its commit."""
    if Path(model).is_dir():
        return str(Path(model).resolve()), folder_digest(Path(model))[:32]
    from huggingface_hub import snapshot_download

    try:
        path = snapshot_download(model, local_files_only=True)
    except Exception as error:  # the hub client has many ways to say that it is not here
        raise EngineUnavailable(f"{model} is neither a directory nor a snapshot on this machine: {error}") from error
    return path, Path(path).name


_RUNNING: list[tuple[tuple[str, ...], Pool]] = []
"""The one pool of this process with what it was started for: engines stay up from stage to stage, and never stand beside others."""


def _pool(path: str, config: TeacherConfig) -> Pool:
    import ray

    start_ray()
    options, gpus = config.vllm, ray.cluster_resources().get("GPU", 0)
    wanted = (path, options.model_dump_json(), ray.get_runtime_context().get_node_id())
    if _RUNNING and _RUNNING[0][0] != wanted:
        stale = _RUNNING.pop()
        if stale[0][2] == wanted[2]:
            stale[1].close()
    if not _RUNNING:
        each = options.tensor_parallel if gpus else 0
        replicas = options.replicas or max(1, int(gpus // options.tensor_parallel))
        chunk = max(1, options.max_num_seqs // CHUNKS)
        limits = Limits(
            replicas, each, chunk, BATCHES * CHUNKS, options.restarts, options.start_seconds, options.answer_seconds
        )
        _RUNNING.append((wanted, Pool(lambda: _start(path, config, gpu=bool(gpus)), limits)))
    return _RUNNING[0][1]


def _start(path: str, config: TeacherConfig, *, gpu: bool) -> tuple[Any, Any]:
    import ray

    from pipelines.teach.vllm_actor import VllmActor

    options = config.vllm
    where = f"{options.tensor_parallel} GPU(s)" if gpu else "the CPU"
    log.info("starting vLLM with %s on %s (a minute or more)", path, where)
    # On the CPU the engine gets no place of its own: pictures are prepared beside it.
    place = {"num_cpus": 1 if gpu else 0, "num_gpus": options.tensor_parallel if gpu else 0}
    actor: Any = ray.remote(VllmActor)
    here = actor.options(**place, runtime_env={"env_vars": ENVIRONMENT}, max_restarts=0)
    handle = here.remote(path, options.max_model_len, options.max_num_seqs, options.tensor_parallel, dict(options.engine), gpu)
    return handle, handle.ready.remote()


def sampling_of(request: Request, teacher: Teacher) -> dict[str, Any]:
    """Sampling parameters of one question, as vLLM takes them."""
    drawn = {key: value for key, value in teacher.sampling.items() if key in DRAWN}
    return {**drawn, "seed": request.seed(teacher), "schema": for_grammar(request.schema)}


DRAWN = ("temperature", "top_p", "top_k", "repetition_penalty", "max_tokens")
"""Settings that travel with every question; the others belong to the engine."""


def for_grammar(schema: Any) -> Any:
    """The schema without `uniqueItems`, which the grammar compiler cannot express; the checks look at it afterwards."""
    if isinstance(schema, Mapping):
        return {key: for_grammar(value) for key, value in schema.items() if key != "uniqueItems"}
    return [for_grammar(item) for item in schema] if isinstance(schema, list) else schema
