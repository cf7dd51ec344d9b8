"""A release as its users read it: `datasets`, `webdataset`, the trainers' rules, and the licences that keep images out."""

import hashlib
import io
import json
import shutil
import tarfile
from collections import Counter, defaultdict
from pathlib import Path

import datasets
import duckdb
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
import webdataset
from PIL import Image

from pipelines import release as releasing
from pipelines.exports import ExportFault, checked, grpo_row, sft_row
from pipelines.release import ReleaseDamaged, verified
from pipelines.shard import SHARD_IMAGE_BYTES, prefixes
from prompts import formats

FORMATS = [name for name in formats.FORMATS if name != "choice_25"]
"""What there is of phantoms: they have eighteen diagnoses."""

SPLITS = ("train", "validation", "test")


def parquet(release: Path, name: str, split: str) -> datasets.Dataset:
    files = [str(path) for path in sorted((release / "data" / name).glob(f"{split}-*.parquet"))]
    return datasets.load_dataset("parquet", data_files={split: files}, split=split, cache_dir=str(release.parent.parent / "hf"))


@pytest.mark.parametrize("name", FORMATS)
def test_parquet_and_webdataset_agree_row_by_row(corpus, name):
    for split in SPLITS:
        if f"{name}/{split}" not in corpus.manifest()["samples"]:
            continue
        rows = parquet(corpus.release, name, split)
        tars = [str(path) for path in sorted((corpus.release / "webdataset" / name).glob(f"{split}-*.tar"))]
        samples = list(webdataset.WebDataset(tars, shardshuffle=False).decode("pil"))
        assert [sample["__key__"] for sample in samples] == rows["id"]
        for row, sample in zip(rows, samples, strict=True):
            picture = row.pop("images")[0]
            assert row == sample["json"]
            assert picture.size == sample["jpg"].size
            assert picture.convert("RGB").tobytes() == sample["jpg"].convert("RGB").tobytes()


@pytest.mark.parametrize("name", FORMATS)
def test_messages_are_what_trainers_expect(corpus, name):
    for row in parquet(corpus.release, name, "train"):
        roles = [message["role"] for message in row["messages"]]
        assert roles == ["user", "assistant"] * (len(roles) // 2)
        parts = [part["type"] for message in row["messages"] for part in message["content"]]
        assert parts.count("image") == len(row["images"]) == 1
        assert parts[0] == "image"
        assert all(part["text"] for message in row["messages"] for part in message["content"] if part["type"] == "text")
        assert row["generated"] is True
        assert row["licence"] == "CC0-1.0"


def test_every_row_whose_picture_passed_its_gates_is_released_once(corpus):
    gated = corpus.lake.read("image_quality", columns=["image_id", "excluded", "review"]).to_pylist()
    passed = {row["image_id"] for row in gated if not (row["excluded"] or row["review"])}
    wanted = {row["sample_id"] for row in corpus.lake.read("samples").to_pylist() if row["image_id"] in passed}
    ids = [
        i for path in corpus.release.glob("data/*/*.parquet") for i in pq.read_table(path, columns=["id"]).column(0).to_pylist()
    ]
    assert len(ids) == len(set(ids))
    assert set(ids) == wanted
    assert sum(corpus.manifest()["samples"].values()) == len(ids)


def test_no_lesion_patient_or_picture_is_in_two_splits(corpus):
    images = {r["image_id"]: r for r in corpus.lake.read("images").to_pylist()}
    sides = defaultdict(set)
    for row in corpus.lake.read("samples").to_pylist():
        image = images[row["image_id"]]
        for key in (image["patient_id"], image["lesion_id"], image["sha256"], image["pixel_hash"]):
            sides[key].add(row["split"])
    assert max(len(splits) for splits in sides.values()) == 1


def test_parquet_is_made_for_the_hub(corpus):
    for path in corpus.release.glob("data/*/train-*.parquet"):
        metadata = pq.ParquetFile(path).metadata
        assert all(metadata.row_group(n).num_rows <= 100 for n in range(metadata.num_row_groups))
        assert metadata.row_group(0).column(0).has_column_index
        assert b"huggingface" in metadata.schema.to_arrow_schema().metadata


def test_released_images_carry_no_metadata(corpus):
    for path in corpus.release.glob("trainer/images/*/*.jpg"):
        picture = Image.open(path)
        picture.load()
        assert not picture.getexif()
        assert not {"exif", "icc_profile", "comment", "xmp"} & set(picture.info)


def test_trainer_files_name_images_that_exist(corpus):
    rows = [row for path in corpus.release.glob("trainer/sft/*.json") for row in json.loads(path.read_text())]
    rows += [json.loads(line) for path in corpus.release.glob("trainer/grpo/*.jsonl") for line in path.read_text().splitlines()]
    assert rows
    for row in rows:
        assert (corpus.release / "trainer" / row["image"]).is_file()
        assert row["conversations"][0]["value"].startswith("<image>")


def test_grpo_rows_carry_what_the_reward_reads(corpus):
    rows = [json.loads(line) for path in corpus.release.glob("trainer/grpo/*.jsonl") for line in path.read_text().splitlines()]
    assert {row["ground_truth"]["task"] for row in rows} == {"task1", "task3"}
    for row in rows:
        truth = row["ground_truth"]
        assert truth["final_label"] not in truth["taxon_path"]
        if truth["modality"] == "dermoscopic":
            assert "Pigment Network" in truth["morph"]["morphological_features_Derm7pt"]
        else:
            concepts = truth["morph"]["morphological_features_skincon"]
            assert concepts == sorted(concepts)


def test_the_manifest_names_every_file_and_a_changed_one_is_noticed(corpus, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(corpus.release, copy)
    listed = {entry["path"] for entry in verified(copy)["files"]}
    assert listed == {str(p.relative_to(copy)) for p in copy.rglob("*") if p.is_file()} - {"manifest.json"}
    victim = next(copy.glob("data/*/*.parquet"))
    victim.write_bytes(victim.read_bytes()[:-1] + b"x")
    with pytest.raises(ReleaseDamaged, match=victim.name):
        verified(copy)


def test_a_rebuild_is_byte_identical(corpus, tmp_path):
    again = releasing.release(corpus.lake, ["phantom"], tmp_path)
    assert again is not None and not again.reused
    assert again.manifest == corpus.manifest()


def test_the_card_says_what_the_manifest_says(corpus):
    card, manifest = (corpus.release / "README.md").read_text(), corpus.manifest()
    assert manifest["version"] in card
    assert "generated" in card
    for name in FORMATS:
        assert f"config_name: {name}" in card
    assert "CC0-1.0" in card


def test_a_bucket_that_grows_too_large_splits_and_no_other_row_moves():
    tenth = SHARD_IMAGE_BYTES // 10
    small = {f"{n:02x}{'0' * 22}": tenth for n in range(0, 256, 32)}
    assert set(prefixes(small).values()) == {""}
    grown = small | {f"{n:02x}{'1' * 22}": tenth for n in range(0, 48, 4)}
    after = prefixes(grown)
    assert set(after.values()) == {"000", "001", "01", "1"}
    assert all(int(key[:2], 16) >> 8 - len(prefix) == int(prefix, 2) for key, prefix in after.items())
    again = prefixes(grown | {f"{n:02x}{'2' * 22}": tenth for n in range(128, 136)})
    assert "1" not in again.values()
    assert all(again[key] == prefix for key, prefix in after.items() if prefix != "1")


def test_all_formats_of_an_image_share_a_bucket(corpus):
    place = defaultdict(set)
    for path in corpus.release.glob("data/*/*.parquet"):
        for image in pq.read_table(path, columns=["image_id"]).column(0).to_pylist():
            place[image].add(path.name)
    assert max(map(len, place.values())) == 1


def test_rows_are_streamed_as_they_are_stored(corpus):
    files = sorted(str(path) for path in (corpus.release / "data" / "choice").glob("train-*.parquet"))
    streamed = datasets.load_dataset("parquet", data_files={"train": files}, split="train", streaming=True)
    rows = list(streamed.take(5))
    assert [row["id"] for row in rows] == parquet(corpus.release, "choice", "train")["id"][:5]
    assert all(isinstance(row["images"][0], Image.Image) for row in rows)


def test_the_folder_loads_by_the_names_of_its_card(corpus, tmp_path):
    assert sorted(datasets.get_dataset_config_names(str(corpus.release))) == sorted(FORMATS)
    found = datasets.load_dataset(str(corpus.release), "choice", cache_dir=str(tmp_path))
    for split in SPLITS:
        assert found[split].num_rows == corpus.manifest()["samples"][f"choice/{split}"]


def test_duckdb_and_pyarrow_read_every_row(corpus):
    counts = {cell: count for cell, count in corpus.manifest()["samples"].items() if cell.startswith("choice/")}
    query = (
        f"select split, count(*), min(octet_length(images[1].bytes)) from '{corpus.release}/data/choice/*.parquet' group by 1"
    )
    found = {f"choice/{split}": (count, least) for split, count, least in duckdb.sql(query).fetchall()}
    assert {cell: count for cell, (count, _) in found.items()} == counts
    assert min(least for _, least in found.values()) > 1000
    table = ds.dataset(corpus.release / "data" / "choice").to_table(columns=["split", "messages"])
    assert Counter(f"choice/{split}" for split in table.column("split").to_pylist()) == counts


def test_the_wids_index_describes_the_tars(corpus):
    """The index as random-access readers use it: size and checksum of each tar, and where its samples are."""
    for index in corpus.release.glob("webdataset/*/*-wids.json"):
        told = json.loads(index.read_text())
        assert (told["__kind__"], told["wids_version"]) == ("wids-shard-index-v1", 1)
        for shard in told["shardlist"]:
            tar = index.parent / shard["url"]
            assert hashlib.md5(tar.read_bytes()).hexdigest() == shard["md5sum"]
            assert tar.stat().st_size == shard["filesize"]
            with tarfile.open(tar) as members:
                names = members.getnames()
            assert len(names) == 2 * shard["nsamples"]
            assert [Path(name).stem for name in names[::2]] == [Path(name).stem for name in names[1::2]]


BASE = {
    "sample_id": "x",
    "image_id": "s:1",
    "format": "f",
    "source": "s",
    "teacher": "t",
    "revision": "r",
    "conditioning": "c",
    "verified_by": 0,
    "licence_id": "l",
    "attribution": "a",
    "ground_truth": "{}",
}


@pytest.mark.parametrize(
    "turns",
    [
        [],
        [{"role": "user", "content": "no mark"}, {"role": "assistant", "content": "a"}],
        [{"role": "user", "content": "<image> <image>"}, {"role": "assistant", "content": "a"}],
        [{"role": "user", "content": "<image>"}, {"role": "user", "content": "b"}],
        [{"role": "user", "content": "<image>"}, {"role": "assistant", "content": " "}],
        [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "b"},
            {"role": "user", "content": "<image>"},
            {"role": "assistant", "content": "c"},
        ],
    ],
)
def test_rows_that_a_trainer_would_misread_are_refused(turns):
    with pytest.raises(ExportFault, match="x:"):
        sft_row({**BASE, "messages": json.dumps(turns)})


def test_a_good_row_passes_the_trainers_rules():
    turns = [{"role": "user", "content": "<image>\nq"}, {"role": "assistant", "content": "a"}]
    truth = json.dumps({"final_label": "melanoma"})
    assert checked(sft_row({**BASE, "messages": json.dumps(turns)}))["conversations"][1] == {"from": "gpt", "value": "a"}
    assert grpo_row({**BASE, "messages": json.dumps(turns), "ground_truth": truth})["ground_truth"]["final_label"] == "melanoma"


def test_images_of_a_release_open(corpus):
    table = pq.read_table(next(corpus.release.glob("data/description/train-*.parquet")), columns=["images"])
    for cell in table.column("images").to_pylist()[:20]:
        Image.open(io.BytesIO(cell[0]["bytes"])).load()
