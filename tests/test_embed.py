"""Embeddings with the real library: a seeded random model from a directory, and an honest row where there is none."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines.deduplicate import deduplicate
from pipelines.embed import InputJob, embed, encode, find_embedder, model_inputs, preparation
from pipelines.ingest import ingest
from pipelines.keypoints import find_keypoints
from pipelines.lake import Lake
from pipelines.pixels import pixel_batches
from quality.raster import decode
from sources import phantom

TINY = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 64, "layers": 2, "width": 64, "patch_size": 16, "head_width": 32},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A seeded random model saved in open_clip's own layout."""
    import open_clip
    import torch

    torch.manual_seed(7)
    folder = tmp_path_factory.mktemp("tiny-clip")
    model = open_clip.CLIP(**TINY)
    torch.save(model.state_dict(), folder / "open_clip_pytorch_model.bin")
    preprocess = {"mean": [0.48, 0.46, 0.41], "std": [0.27, 0.26, 0.28]}
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": TINY, "preprocess_cfg": preprocess}))
    return folder


@pytest.fixture(scope="module")
def lake(tmp_path_factory, monkeypatch_module):
    made = Lake(str(tmp_path_factory.mktemp("lake")))
    ingest(made, "phantom")
    return made


@pytest.fixture(scope="module")
def monkeypatch_module():
    """A plan of 40 lesions, so that the module takes seconds."""
    patch = pytest.MonkeyPatch()
    small = phantom.Plan(lesions=40)
    records, render, truth = phantom.records, phantom.render, phantom.truth
    patch.setattr(phantom, "records", lambda plan=small: records(plan))
    patch.setattr(phantom, "render", lambda member, plan=small: render(member, plan))
    patch.setattr(phantom, "truth", lambda plan=small: truth(plan))
    yield patch
    patch.undo()


def test_without_weights_every_row_says_why(lake):
    done, found = embed(lake, "phantom", "hf-hub:no-such-owner/no-such-model")
    rows = lake.read("embeddings", source="phantom")
    assert rows.num_rows == lake.read("images").num_rows == done.computed
    assert rows.column("vector").null_count == rows.num_rows
    assert set(rows.column("why_not").to_pylist()) == {found.why_not}


def test_a_local_checkpoint_gives_unit_vectors_in_place_of_the_empty_rows(lake, checkpoint):
    embed(lake, "phantom", "hf-hub:no-such-owner/no-such-model")
    done, found = embed(lake, "phantom", str(checkpoint))
    rows = lake.read("embeddings", source="phantom").to_pylist()
    assert done.computed == done.dropped == len(rows)
    vectors = np.stack([np.frombuffer(row["vector"], "<f2") for row in rows]).astype(float)
    assert vectors.shape == (len(rows), 32)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=2e-3)
    assert {row["weights"] for row in rows} == {found.weights}
    again, _ = embed(lake, "phantom", str(checkpoint))
    assert again.computed == 0


def test_pictures_reach_the_model_as_its_library_would_show_them(lake, checkpoint):
    import open_clip
    import torch
    from PIL import Image

    spec = f"local-dir:{checkpoint}"
    made: Any = open_clip.create_model_and_transforms(spec)
    model, _, shown = made
    batch = pixel_batches(lake, lake.read("images").column("image_id").to_pylist()[:8], source="phantom")[0]
    names, vectors = encode(model_inputs(InputJob(spec, preparation(spec), batch)))
    assert names == tuple(name for name, _ in batch.images())
    pixels = torch.stack([shown(Image.fromarray(decode(data).rgb)) for _, data in batch.images()])
    with torch.inference_mode():
        theirs = torch.nn.functional.normalize(model.eval().encode_image(pixels), dim=-1).numpy()
    assert np.array_equal(vectors, theirs)


def vectors_of(lake: Lake) -> dict[str, bytes]:
    rows = lake.read("embeddings", source="phantom", columns=["image_id", "vector"]).to_pydict()
    return dict(zip(rows["image_id"], rows["vector"], strict=True))


def views_of(lake: Lake) -> list[Path]:
    return sorted(Path(lake.url).glob("views/*/*/*"))


@pytest.fixture
def handed(tmp_path, monkeypatch_module, checkpoint):
    """A lake whose ingest knew the model."""
    made = Lake(str(tmp_path / "handed"))
    ingest(made, "phantom", embedder=str(checkpoint))
    return made


def test_what_ingest_decoded_is_not_decoded_again(lake, checkpoint, handed):
    packs = sorted(Path(handed.url).glob("packs/*/*"))
    assert packs and len(views_of(handed)) == len(packs)
    for pack in packs:
        pack.unlink()
    embed(handed, "phantom", str(checkpoint))
    embed(lake, "phantom", str(checkpoint))
    assert vectors_of(handed) == vectors_of(lake)
    assert not Path(handed.url, "views").exists()


def test_views_that_are_cut_off_or_of_another_model_cost_a_decode_and_nothing_else(lake, checkpoint, handed, tmp_path):
    for view in views_of(handed):
        view.write_bytes(view.read_bytes()[: view.stat().st_size // 2])
    embed(handed, "phantom", str(checkpoint))
    embed(lake, "phantom", str(checkpoint))
    assert vectors_of(handed) == vectors_of(lake)

    other = tmp_path / "other"
    shutil.copytree(checkpoint, other)
    config = json.loads((other / "open_clip_config.json").read_text())
    config["preprocess_cfg"]["interpolation"] = "bilinear"
    (other / "open_clip_config.json").write_text(json.dumps(config))
    fresh = Lake(str(tmp_path / "fresh"))
    ingest(fresh, "phantom", embedder=str(other))
    embed(fresh, "phantom", str(checkpoint))
    assert vectors_of(fresh) == vectors_of(lake) and not views_of(fresh)


def test_without_weights_ingest_hands_nothing_on(lake):
    assert not views_of(lake)


def test_other_weights_are_noticed(checkpoint, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    for path in checkpoint.iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    assert find_embedder(str(other)).weights == find_embedder(str(checkpoint)).weights
    (other / "open_clip_config.json").write_text("{}")
    assert find_embedder(str(other)).weights != find_embedder(str(checkpoint)).weights


def test_semantic_candidates_are_verified_like_all_others(lake, checkpoint):
    embed(lake, "phantom", str(checkpoint))
    find_keypoints(lake, "phantom")
    deduplicate(lake)
    rows = [row for row in lake.read("duplicate_pairs").to_pylist() if row["kind"] == "semantic"]
    assert rows
    assert all(0 <= row["distance"] <= 0.05 for row in rows)
    assert {row["verdict"] for row in rows} <= {"copy", "same lesion", "different"}
    assert any(row["verdict"] == "different" for row in rows)


def test_a_name_that_is_neither_directory_nor_hub_name_is_explained():
    assert "neither a directory" in find_embedder("ViT-Z-99").why_not
