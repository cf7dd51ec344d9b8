"""A release as its users read it: `datasets`, `webdataset`, the trainers' rules, and the licences that keep images out."""

import io
import json
import shutil
from collections import Counter, defaultdict
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import webdataset
from PIL import Image

from pipelines import release as releasing
from pipelines.exports import ExportFault, checked, grpo_row, sft_row
from pipelines.lake import Lake
from pipelines.release import ReleaseDamaged, releasable, shard_jobs, verified
from pipelines.shard import bucket_count, bucket_of
from pipelines.tables import TABLES
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


def all_passed(lake: Lake, *sources: str) -> None:
    """Gates that let every picture with samples through."""
    for source in sources:
        ids = sorted(set(lake.read("samples", source=source).column("image_id").to_pylist()))
        rows = [{"image_id": i, "source": source, "gates": [], "excluded": False, "review": False} for i in ids]
        lake.replace("image_quality", pa.Table.from_pylist(rows, schema=TABLES["image_quality"].schema), source=source)


def test_phantoms_never_join_real_images(corpus, tmp_path):
    lake = Lake(str(tmp_path))
    rows = corpus.lake.read("samples")
    real = rows.set_column(1, "source", [["ham10000"] * rows.num_rows])
    lake.replace("samples", rows, source="phantom")
    lake.replace("samples", real, source="ham10000")
    all_passed(lake, "phantom", "ham10000")
    allowed, withheld = releasable(lake, ["phantom", "ham10000"], "noncommercial")
    assert {row["source"] for row in allowed} == {"ham10000"}
    assert withheld["phantoms are never mixed with real images"] == len(set(rows.column("image_id").to_pylist()))


@pytest.mark.parametrize("licence", ["LicenseRef-ISIC-Mixed", "LicenseRef-Research-Only", "made up", None])
def test_what_may_not_be_redistributed_is_withheld_and_counted(corpus, tmp_path, licence):
    lake = Lake(str(tmp_path))
    rows = corpus.lake.read("samples").to_pydict()
    rows["licence_id"] = [licence if n % 2 else "CC-BY-4.0" for n in range(len(rows["sample_id"]))]
    lake.replace(
        "samples", corpus.lake.read("samples").from_pydict(rows, schema=corpus.lake.read("samples").schema), source="phantom"
    )
    all_passed(lake, "phantom")
    allowed, withheld = releasable(lake, ["phantom"], "open")
    assert {row["licence_id"] for row in allowed} == {"CC-BY-4.0"}
    assert sum(withheld.values()) > 0


def test_a_noncommercial_image_stays_out_of_an_open_release(corpus, tmp_path):
    lake = Lake(str(tmp_path))
    rows = corpus.lake.read("samples").to_pydict()
    rows["licence_id"] = ["CC-BY-NC-4.0"] * len(rows["sample_id"])
    lake.replace(
        "samples", corpus.lake.read("samples").from_pydict(rows, schema=corpus.lake.read("samples").schema), source="phantom"
    )
    all_passed(lake, "phantom")
    assert releasable(lake, ["phantom"], "open")[0] == []
    assert len(releasable(lake, ["phantom"], "noncommercial")[0]) == len(rows["sample_id"])


def test_doubling_the_buckets_splits_them_and_moves_nothing_else():
    for n in range(500):
        assert bucket_of(f"s:{n}", 8) // 2 == bucket_of(f"s:{n}", 4)
    assert [bucket_count(mb << 20) for mb in (0, 200, 257, 2000)] == [1, 1, 2, 8]


def test_all_formats_of_an_image_share_a_bucket(corpus):
    every = ("description", "morph_description", "reasoning", "adequacy")
    rows = [{**row, "n_bytes": 4 << 20} for row in corpus.lake.read("samples").to_pylist() if row["format"] in every]
    place = defaultdict(set)
    for job in shard_jobs(corpus.lake, corpus.home, rows):
        for row in job.rows:
            place[row["image_id"]].add(job.name.split("/")[1])
    assert max(map(len, place.values())) == 1
    assert len(Counter(name for names in place.values() for name in names)) > 4


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
