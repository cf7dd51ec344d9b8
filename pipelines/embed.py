"""Image embeddings with open_clip, on the GPU when there is one.

The model is a name (`hf-hub:owner/name`) or a directory with `open_clip_config.json` and its weights. Without weights on this
machine and without a route to the hub, rows say why no vector was computed, and everything downstream goes on without semantic
pairs. Memory: one copy of the model, and a few batches of pictures in its size.
"""

import logging
import os
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines import views
from pipelines.increment import Increment, bring_up_to_date
from pipelines.lake import Lake
from pipelines.pixels import PixelBatch, pixel_batches
from pipelines.tables import TABLES
from pipelines.weights import folder_digest
from pipelines.workers import gpus, map_in_order
from prompts.schemas import digest

DEFAULT_MODEL = "hf-hub:laion/CLIP-ViT-B-32-laion2B-s34B-b79K"
VERSION = "1"
HUB_WAIT_SECONDS = 3.0
BATCH = 64
"""Pictures that the model sees together."""

log = logging.getLogger("dermoforge.embed")


@dataclass(frozen=True, slots=True)
class Embedder:
    """A model that can be loaded (`spec` for open_clip, digest of its weights), or the reason why there is none."""

    model: str
    spec: str
    weights: str
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class InputJob:
    """A batch of images to prepare for a model, and how."""

    spec: str
    preparation: views.Preparation
    batch: PixelBatch


@dataclass(frozen=True, slots=True)
class Inputs:
    """Pictures ready for a model: uint8 of shape (n, height, width, 3)."""

    spec: str
    preparation: views.Preparation
    names: tuple[str, ...]
    pixels: np.ndarray


def find_embedder(model: str) -> Embedder:
    """Look for the weights of `model` without importing torch: a directory, the hub cache, then the hub itself."""
    if Path(model).is_dir():
        return Embedder(Path(model).name, f"local-dir:{Path(model).resolve()}", folder_digest(Path(model)))
    if not model.startswith("hf-hub:"):
        return Embedder(model, model, "", f"{model} is neither a directory nor an hf-hub: name")
    commit = _hub_commit(model.removeprefix("hf-hub:"))
    if commit is None:
        return Embedder(model, model, "", "weights are not on this machine and the hub cannot be reached")
    return Embedder(model, model, commit)


def _hub_commit(repository: str) -> str | None:
    from huggingface_hub import HfApi, try_to_load_from_cache

    cached = try_to_load_from_cache(repository, "open_clip_config.json")
    if isinstance(cached, str):
        return Path(cached).parent.name
    if os.environ.get("HF_HUB_OFFLINE") == "1" or not _reachable("huggingface.co"):
        return None
    try:
        return HfApi().model_info(repository, timeout=HUB_WAIT_SECONDS).sha
    except Exception as error:  # any failure of the hub means one thing here: no weights
        log.info("the hub did not answer for %s: %s", repository, error)
        return None


@lru_cache(maxsize=4)
def _reachable(host: str) -> bool:
    try:
        with socket.create_connection((host, 443), timeout=HUB_WAIT_SECONDS):
            return True
    except OSError:
        return False


def embed(lake: Lake, source: str, model: str = DEFAULT_MODEL) -> tuple[Increment, Embedder]:
    """Bring `embeddings` of one source up to date; says in one line when it has to go on without vectors."""
    found = find_embedder(model)
    images = lake.read("images", source=source, columns=["image_id", "sha256"]).to_pydict()
    stamp = [VERSION, found.model, found.weights, bool(found.why_not)]
    wanted = {i: digest([*stamp, sha]) for i, sha in zip(images["image_id"], images["sha256"], strict=True)}
    if found.why_not:
        log.warning("no embeddings for %s: %s; going on without semantic pairs", source, found.why_not)

    def compute(missing: list[str]) -> Iterator[pa.Table]:
        yield from (
            _without(found, source, missing, wanted) if found.why_not else _vectors(lake, found, source, missing, wanted)
        )

    done = bring_up_to_date(lake, "embeddings", source, wanted, compute)
    views.drop(lake, source)
    return done, found


def wanted_views(model: str) -> views.Preparation | None:
    """What ingest has to hand on for `model`; None for a model that cannot be loaded here."""
    found = find_embedder(model) if model else None
    return None if found is None or found.why_not else preparation(found.spec)


def _without(found: Embedder, source: str, missing: Sequence[str], wanted: dict[str, str]) -> Iterator[pa.Table]:
    yield _rows(found, source, [(i, wanted[i], None) for i in missing], 0)


def _vectors(lake: Lake, found: Embedder, source: str, missing: list[str], wanted: dict[str, str]) -> Iterator[pa.Table]:
    """Pictures are decoded and cut in workers, ahead of the model: a GPU takes them faster than one process decodes them."""
    batches = pixel_batches(lake, missing, source=source, size=BATCH)
    how = preparation(found.spec)
    ready = map_in_order(model_inputs, (InputJob(found.spec, how, batch) for batch in batches))
    gpu = 1 if len(batches) > 1 and gpus() else 0
    for names, vectors in map_in_order(encode, ready, gpu) if gpu else map(encode, ready):
        rows = [(name, wanted[name], vector.astype("<f2").tobytes()) for name, vector in zip(names, vectors, strict=True)]
        yield _rows(found, source, rows, vectors.shape[1])


def _rows(found: Embedder, source: str, rows: list[tuple[str, str, bytes | None]], dim: int) -> pa.Table:
    columns = [
        {
            "image_id": image_id,
            "source": source,
            "input_digest": stamp,
            "model": found.model,
            "weights": found.weights or None,
            "dim": dim,
            "vector": vector,
            "why_not": found.why_not or None,
        }
        for image_id, stamp, vector in rows
    ]
    return pa.Table.from_pylist(columns, schema=TABLES["embeddings"].schema)


def preparation(spec: str) -> views.Preparation:
    """What open_clip does to a picture before this model sees it."""
    import open_clip

    model: Any = open_clip.create_model(spec, load_weights=False)
    return dict(model.visual.preprocess_cfg)


def model_inputs(job: InputJob) -> Inputs:
    """The pictures of a batch in the size that the model wants: as ingest handed them on, decoded where it did not. Runs in a worker."""
    names = tuple(name for _, name in job.batch.rows)
    pixels = views.handed_on(job.batch, job.preparation)
    return Inputs(job.spec, job.preparation, names, _decoded(job) if pixels is None else pixels)


def _decoded(job: InputJob) -> np.ndarray:
    from quality.raster import decode

    return np.stack([views.shown(decode(data).rgb, job.preparation) for _, data in job.batch.images()])


def encode(inputs: Inputs) -> tuple[tuple[str, ...], np.ndarray]:
    """The names of a batch and its unit vectors, float32 of shape (n, dim). Runs where the model is."""
    import torch

    model, device = _model(inputs.spec)
    scale = views.transform(inputs.preparation).transforms[-1]
    with torch.inference_mode():
        pixels = torch.tensor(inputs.pixels).permute(0, 3, 1, 2).to(device).float().div(255)
        vectors = model.encode_image(scale(pixels)).float()
    return inputs.names, torch.nn.functional.normalize(vectors, dim=-1).cpu().numpy()


@lru_cache(maxsize=1)
def _model(spec: str) -> tuple[Any, str]:
    """The model and its device, loaded once a process. Raises what open_clip raises on a bad model."""
    import open_clip
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    return open_clip.create_model(spec, device=device).eval(), device
