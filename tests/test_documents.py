"""Card, datasheet and Croissant metadata as the Hub, `datasets` and `mlcroissant` read them."""

import io
import json
import logging
import re
import shutil
from dataclasses import replace
from importlib.resources import files
from itertools import islice

import datasets
import mlcroissant
import pyarrow.parquet as pq
import pytest
from huggingface_hub import DatasetCard
from PIL import Image

from benchmarks.measured import TARGET, summary
from pipelines.card import card, table
from pipelines.datasheet import OPEN, datasheet
from pipelines.documents import DOCUMENTS, faults
from pipelines.provenance import asked
from pipelines.report.facts import facts
from prompts import formats
from quality.checks import CHECKS
from quality.image_gates import GATES
from quality.measured import CheckRecall, measured

FORMATS = [name for name in formats.FORMATS if name != "choice_25"]
"""Phantoms have too few diagnoses for twenty-five options."""


def hub_values(name: str) -> set[str]:
    return set(json.loads((files("datasets.utils.resources") / f"{name}.json").read_text()))


def test_every_document_is_a_file_of_the_release(corpus):
    listed = {entry["path"] for entry in corpus.manifest()["files"]}
    assert set(DOCUMENTS) <= listed


def test_the_hub_reads_the_card(corpus):
    data = DatasetCard.load(corpus.release / "README.md").data.to_dict()
    assert data["license"] == "cc0-1.0"
    assert set(data["size_categories"]) <= hub_values("size_categories")
    assert set(data["language"]) <= hub_values("languages")
    creators = json.loads((files("datasets.utils.resources") / "creators.json").read_text())
    assert set(data["language_creators"]) <= set(creators["language"])
    assert set(data["annotations_creators"]) <= set(creators["annotations"])
    assert [config["config_name"] for config in data["configs"]] == list(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_datasets_loads_each_config_from_the_card_alone(corpus, tmp_path, name):
    promised = datasets.load_dataset_builder(str(corpus.release), name, cache_dir=str(tmp_path)).info.splits
    loaded = datasets.load_dataset(str(corpus.release), name, cache_dir=str(tmp_path))
    assert {split: info.num_examples for split, info in promised.items()} == {
        split: rows.num_rows for split, rows in loaded.items()
    }
    assert {f"{name}/{split}": rows.num_rows for split, rows in loaded.items()} == {
        cell: count for cell, count in corpus.manifest()["samples"].items() if cell.startswith(f"{name}/")
    }


@pytest.mark.parametrize("name", FORMATS)
def test_croissant_validates_and_reads_the_rows(corpus, caplog, name):
    with caplog.at_level(logging.ERROR):
        dataset = mlcroissant.Dataset(str(corpus.release / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    read = list(islice(dataset.records(name), 5))
    parquet = {
        row["id"]: row
        for path in sorted((corpus.release / "data" / name).glob("*.parquet"))
        for row in pq.read_table(path).to_pylist()
    }
    assert read
    for record in read:
        row = parquet[record[f"{name}/id"].decode()]
        assert record[f"{name}/diagnosis"].decode() == row["diagnosis"]
        assert [text.decode() for text in record[f"{name}/texts"]] == [turn["content"][-1]["text"] for turn in row["messages"]]
        assert record[f"{name}/images"][0].size == Image.open(io.BytesIO(row["images"][0]["bytes"])).size


def test_a_shard_that_changed_or_is_missing_is_a_fault(corpus, tmp_path):
    manifest = corpus.manifest()
    assert faults(corpus.release, manifest) == {"card": [], "croissant": []}
    shard = next(entry for entry in manifest["files"] if entry["path"].startswith("data/"))
    changed = [{**entry, "sha256": "0" * 64} if entry is shard else entry for entry in manifest["files"]]
    assert faults(corpus.release, {**manifest, "files": changed})["croissant"] == [f"{shard['path']}: another size or checksum"]
    extra = [*manifest["files"], {**shard, "path": "data/choice/train-new.parquet"}]
    assert faults(corpus.release, {**manifest, "files": extra})["croissant"] == [
        "data/choice/train-new.parquet is not described"
    ]


def test_a_card_that_the_hub_cannot_read_is_a_fault(corpus, tmp_path):
    copy = tmp_path / "release"
    shutil.copytree(corpus.release, copy, ignore=shutil.ignore_patterns("trainer", "webdataset"))
    text = (copy / "README.md").read_text()
    (copy / "README.md").write_text(text.replace("configs:", "configs: ["))
    assert faults(copy, corpus.manifest())["card"]
    (copy / "README.md").write_text(text.replace("data/choice/test-*.parquet", "data/choice/tset-*.parquet"))
    assert faults(copy, corpus.manifest())["card"] == ["no file matches data/choice/tset-*.parquet"]


@pytest.fixture(scope="module")
def described(corpus):
    """What the documents of the corpus are made from."""
    head = {key: value for key, value in corpus.manifest().items() if key != "files"}
    released = {row["image_id"] for row in corpus.lake.read("samples").to_pylist()}
    return head, facts(corpus.lake, ["phantom"], released)


def test_the_recall_of_the_checks_is_read_from_the_shipped_figures(described):
    head, told = described
    odd = CheckRecall(known=0.123, unseen=0.456, false_alarms=0.789)
    other = replace(told, recall=replace(told.recall, checks={**told.recall.checks, "hedging": odd}))
    text = card(head, [], other, [])
    (line,) = [line for line in text.splitlines() if line.startswith("| `hedging`")]
    assert "| 0.12 | 0.46 |" in line
    assert line.endswith("| 0.789 |")
    assert "`hedging` 0.46" in text.split("## Known limits")[1]


def test_the_shipped_figures_are_those_of_the_benchmarks():
    assert TARGET.read_text() == summary()
    assert set(measured().checks) == set(CHECKS)
    assert set(measured().gates) == {gate.code for gate in GATES}


def test_a_check_that_finds_little_is_named_among_the_limits(described):
    head, told = described
    limits = card(head, [], told, []).split("## Known limits")[1]
    for code, known in told.recall.checks.items():
        assert (f"`{code}` " in limits) == (known.unseen is not None and known.unseen < 0.8)


def test_the_card_says_who_wrote_the_text_and_how_they_were_asked(corpus):
    text, head = (corpus.release / "README.md").read_text(), corpus.manifest()
    accepted = sum(row["status"] == "accepted" and not row["control"] for row in corpus.lake.read("trajectories").to_pylist())
    stages = {entry["stage"]: 0 for entry in head["asked"]}
    for entry in head["asked"]:
        stages[entry["stage"]] += entry["answers"]
        assert entry["prompt_version"] in text
        assert entry["teacher"] in text
    assert stages == {"observe": accepted, "reason": accepted}
    assert head["asked"] == asked(corpus.lake, ["phantom"])


def test_sampling_settings_stand_in_the_ledger_and_the_card(described):
    head, told = described
    warm = [{**head["asked"][0], "sampling": '{"temperature": 0.7}'}]
    assert '`{"temperature": 0.7}`' in card({**head, "asked": warm}, [], told, [])


def test_the_datasheet_answers_every_question(described):
    head, told = described
    text = datasheet(head, told)
    questions = re.findall(r"^\*\*(.+\?)\*\*$", text, re.MULTILINE)
    assert len(questions) > 25
    assert len(questions) == len(set(questions))
    assert all(answer.strip() for answer in re.split(r"^\*\*.+\?\*\*$", text, flags=re.MULTILINE)[1:])
    assert text.count(OPEN) == 3
    assert f"{sum(told.counts['images'].values()):,} images" in text


def test_a_cell_cannot_break_a_table():
    assert table(["a"], [["x | y\n| z"]]).splitlines()[-1] == "| x \\| y \\| z |"


def test_several_licences_are_other_and_one_is_named(described):
    head, told = described
    data = card({**head, "licences": {"phantom": ["CC-BY-4.0", "CC0-1.0"]}}, [], told, [])
    assert "license: other" in data
    assert DatasetCard(data).data.license == "other"


def test_a_million_rows_have_a_size_that_the_hub_knows(described):
    head, told = described
    for count in (999, 10_000, 5_000_000, 50_000_000):
        data = DatasetCard(card({**head, "samples": {"choice/train": count}}, [], told, [])).data
        assert set(data.size_categories) <= hub_values("size_categories")
