"""Image embeddings with open_clip, on the GPU when there is one.

The model is a name (`hf-hub:owner/name`) or a directory with `open_clip_config.json` and its weights. Without weights on this
machine and without a route to the hub, rows say why no vector was computed, and everything downstream goes on without semantic
pairs. Memory: one batch of images and one copy of the model.
"""

import logging
import os
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pyarrow as pa

from pipelines.increment import Increment, bring_up_to_date
from pipelines.lake import Lake
from pipelines.pixels import pixel_batches
from pipelines.tables import TABLES
from pipelines.weights import folder_digest
from prompts.schemas import digest

DEFAULT_MODEL = "hf-hub:laion/CLIP-ViT-B-32-laion2B-s34B-b79K"
VERSION = "1"
HUB_WAIT_SECONDS = 3.0

log = logging.getLogger("dermoforge.embed")


@dataclass(frozen=True, slots=True)
class Embedder:
    """A model that can be loaded (`spec` for open_clip, digest of its weights), or the reason why there is none."""

    model: str
    spec: str
    weights: str
    why_not: str = ""


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

    return bring_up_to_date(lake, "embeddings", source, wanted, compute), found


def _without(found: Embedder, source: str, missing: Sequence[str], wanted: dict[str, str]) -> Iterator[pa.Table]:
    yield _rows(found, source, [(i, wanted[i], None) for i in missing], 0)


def _vectors(lake: Lake, found: Embedder, source: str, missing: list[str], wanted: dict[str, str]) -> Iterator[pa.Table]:
    import numpy as np

    encode = load_encoder(found.spec)
    for batch in pixel_batches(lake, missing, source=source, size=64):
        names, data = zip(*batch.images(), strict=True)
        vectors = encode(data)
        rows = [(name, wanted[name], vector.astype("<f2").tobytes()) for name, vector in zip(names, vectors, strict=True)]
        yield _rows(found, source, rows, int(np.shape(vectors)[1]))


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


def load_encoder(spec: str):  # noqa: ANN201 - a closure over torch, which must not be imported for its types
    """A function from encoded images to float32 unit vectors, shape (n, dim). Raises what open_clip raises on a bad model."""
    import open_clip
    import torch
    from PIL import Image

    from quality.raster import decode

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model, _, preprocess = open_clip.create_model_and_transforms(spec, device=device)
    model.eval()

    def encode(images: Sequence[bytes]):  # noqa: ANN202
        pixels = torch.stack([preprocess(Image.fromarray(decode(data).rgb)) for data in images])  # type: ignore[operator]
        with torch.inference_mode():
            vectors = model.encode_image(pixels.to(device)).float()  # type: ignore[operator]
        return torch.nn.functional.normalize(vectors, dim=-1).cpu().numpy()

    return encode
