"""What trainers read, by their own loaders where they install here, by their published rules elsewhere."""

import importlib.util
import json
import shutil
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.exports import ExportFault, companion, llama_factory, swift, trl, verl, write_exports
from pipelines.exports.write import EXPORTS, check_file, read
from prompts.schemas import DERM7PT_KEY, DERM7PT_TITLES, SKINCON_KEY

SPEC = importlib.util.spec_from_file_location("tiny_vlm", Path(__file__).with_name("tiny_vlm.py"))
assert SPEC and SPEC.loader
tiny_vlm = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(tiny_vlm)

SPLITS = ("train", "validation", "test")


@pytest.fixture(scope="module")
def trainer(corpus) -> Path:
    return corpus.release / "trainer"


@pytest.fixture(scope="module")
def processor(tmp_path_factory):
    """A Qwen2.5-VL processor, made here."""
    from transformers import AutoProcessor

    return AutoProcessor.from_pretrained(str(tiny_vlm.write(tmp_path_factory.mktemp("processor") / "model")))


def loaded(path: Path, cache: Path):
    """The rows by `datasets`, their images opened."""
    from datasets import Image, List, load_dataset

    rows = load_dataset("json", data_files=str(path), split="train", cache_dir=str(cache))
    root = path.parents[1]
    rows = rows.map(lambda row: {"images": [str(root / one) for one in row["images"]]}, load_from_cache_file=False)
    return rows.cast_column("images", List(Image()))


def test_every_export_of_every_split_is_written_and_listed(corpus, trainer):
    listed = {entry["path"]: entry.get("rows") for entry in corpus.manifest()["files"]}
    for split in SPLITS:
        for export in EXPORTS:
            name = f"trainer/{export.path.format(split=split)}"
            assert listed[name] == len(read(corpus.release / name)) == check_file(corpus.release, name, export)
    samples = sum(len(read(trainer / "sft" / f"{split}.json")) for split in SPLITS)
    assert samples == sum(corpus.manifest()["samples"].values())


def test_all_trainers_get_the_same_rows(trainer):
    def ids(path: str) -> Counter:
        return Counter(row.get("id") or row["extra_info"]["id"] for row in read(trainer / path))

    assert (
        ids("sft/train.json") == ids("trl/sft-train.jsonl") == ids("llama_factory/train.json") == ids("swift/sft-train.jsonl")
    )
    assert ids("grpo/train.jsonl") == ids("trl/grpo-train.jsonl") == ids("swift/grpo-train.jsonl") == ids("verl/train.parquet")


@pytest.mark.parametrize("name", ["trl/sft-test.jsonl", "trl/grpo-test.jsonl"])
def test_trl_takes_the_rows_for_conversations(trainer, tmp_path, name):
    from trl.data_utils import is_conversational, prepare_multimodal_messages

    rows = loaded(trainer / name, tmp_path)
    column = "messages" if "sft" in name else "prompt"
    for row in rows.select(range(20)):
        assert is_conversational({column: row[column]})
        prepared = prepare_multimodal_messages(row[column], images=row["images"])
        pictures = [part for message in prepared for part in message["content"] if part["type"] == "image"]
        assert len(pictures) == 1 and pictures[0]["image"].size == row["images"][0].size


def test_trl_collates_rows_with_as_many_image_tokens_as_their_pictures_must_give(trainer, processor, tmp_path):
    from trl.trainer.sft_trainer import DataCollatorForVisionLanguageModeling

    from pipelines.teach.pictures import tokens_of

    rows = [row for _, row in zip(range(24), loaded(trainer / "trl" / "sft-test.jsonl", tmp_path), strict=False)]
    collate = DataCollatorForVisionLanguageModeling(processor)
    token = processor.tokenizer.convert_tokens_to_ids("<|image_pad|>")
    for row in rows:
        height, width = row["images"][0].size[::-1]
        batch = collate([row])
        assert int((batch["input_ids"] == token).sum()) == tokens_of(processor, (height, width)) > 0
        assert batch["pixel_values"].shape[0] == int(batch["image_grid_thw"].prod())


BY_TYPE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{% for c in m['content'] %}{% if c['type'] == 'image' %}"
    "<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ c['text'] }}{% endif %}{% endfor %}<|im_end|>\n{% endfor %}"
)
"""As Qwen's own templates tell parts apart: in Parquet every part has both fields, and an image's text is null."""


def test_the_released_parquet_feeds_trl_as_it_is(corpus, processor, tmp_path):
    from datasets import load_dataset
    from trl.trainer.sft_trainer import DataCollatorForVisionLanguageModeling

    files = [str(path) for path in sorted((corpus.release / "data" / "description").glob("test-*.parquet"))]
    rows = load_dataset("parquet", data_files=files, split="train", cache_dir=str(tmp_path))
    batch = DataCollatorForVisionLanguageModeling(processor, chat_template=BY_TYPE)([rows[n] for n in range(2)])
    assert (batch["input_ids"] == processor.tokenizer.convert_tokens_to_ids("<|image_pad|>")).any(dim=1).all()


def test_a_chat_template_shows_question_and_answer_around_one_image(trainer, processor):
    row = read(trainer / "trl" / "sft-test.jsonl")[0]
    text = processor.apply_chat_template(row["messages"], tokenize=False)
    assert text.count("<|image_pad|>") == 1 and "<image>" not in text
    assert text.index("<|image_pad|>") < text.index(row["messages"][0]["content"][1]["text"][:30])


def test_the_companions_loader_sees_image_turns_and_truth(trainer):
    """Its rules: human and gpt by turns, a mark an image, the first human turn alone in GRPO, files below the image folder."""
    for split in SPLITS:
        for row in json.loads((trainer / "sft" / f"{split}.json").read_text(encoding="utf-8")):
            assert [turn["from"] for turn in row["conversations"][::2]] == ["human"] * (len(row["conversations"]) // 2)
            assert sum(turn["value"].count("<image>") for turn in row["conversations"]) == 1
            assert (trainer / row["image"]).is_file()
        for row in read(trainer / "grpo" / f"{split}.jsonl"):
            assert "<image>" in row["conversations"][0]["value"]
            assert row["ground_truth"]["task"] in ("task1", "task3")


def test_keys_of_rewards_are_in_title_case_and_those_of_answers_in_snake_case(trainer):
    seen = Counter()
    for row in read(trainer / "grpo" / "train.jsonl"):
        morph = row["ground_truth"]["morph"]
        if row["ground_truth"]["modality"] == "dermoscopic":
            assert set(morph[DERM7PT_KEY]) == set(DERM7PT_TITLES.values())
        else:
            assert morph[SKINCON_KEY] == sorted(morph[SKINCON_KEY])
        seen[row["ground_truth"]["modality"]] += 1
    assert set(seen) == {"dermoscopic", "clinical"}
    answers = [turn["value"] for row in read(trainer / "sft" / "train.json") for turn in row["conversations"][1::2]]
    bodies = [json.loads(text.split("<morph>")[1].split("</morph>")[0]) for text in answers if "<morph>" in text]
    assert any(set(body.get(DERM7PT_KEY, ())) == set(DERM7PT_TITLES) for body in bodies)


def test_llama_factory_finds_its_columns_through_the_registry(trainer):
    info = json.loads((trainer / "llama_factory" / "dataset_info.json").read_text())
    assert set(info) == {f"dermoforge_{split}" for split in SPLITS}
    for entry in info.values():
        columns, tags = entry["columns"], entry["tags"]
        for row in read(trainer / "llama_factory" / entry["file_name"]):
            said = row[columns["messages"]]
            assert [turn[tags["role_tag"]] for turn in said] == [tags["user_tag"], tags["assistant_tag"]] * (len(said) // 2)
            marks = sum(turn[tags["content_tag"]].count("<image>") for turn in said)
            assert marks == len(row[columns["images"]]) == 1


def test_swift_and_verl_read_back_the_truth_that_the_companion_gets(trainer):
    wanted = {row["id"]: row["ground_truth"] for row in read(trainer / "grpo" / "train.jsonl")}
    assert {row["id"]: json.loads(row["solution"]) for row in read(trainer / "swift" / "grpo-train.jsonl")} == wanted
    table = pq.read_table(trainer / "verl" / "train.parquet")
    assert table.column_names == ["data_source", "prompt", "images", "ability", "reward_model", "extra_info"]
    got = {row["extra_info"]["id"]: json.loads(row["reward_model"]["ground_truth"]) for row in table.to_pylist()}
    assert got == wanted


def test_a_nested_truth_survives_columns_only_as_text(trainer):
    """As a nested column, the criteria of one modality come back as nulls in the other's rows: the trap that the text avoids."""
    nested = pa.Table.from_pylist([{"truth": row["ground_truth"]} for row in read(trainer / "grpo" / "test.jsonl")])
    assert any(None in row["truth"]["morph"].values() for row in nested.to_pylist())
    for row in read(trainer / "verl" / "test.parquet"):
        assert None not in json.loads(row["reward_model"]["ground_truth"])["morph"].values()


TRUTH = {
    "task": "task3",
    "modality": "dermoscopic",
    "final_label": "melanoma",
    "taxon_path": ["melanocytic lesion"],
    "morph": {DERM7PT_KEY: dict.fromkeys(DERM7PT_TITLES.values(), "absent")},
}
ASK = {"from": "human", "value": "<image>\nWhat is this?"}
SNAKE = {"morph": {DERM7PT_KEY: dict.fromkeys(DERM7PT_TITLES, "absent")}}


def grpo(ask: dict = ASK, **changes) -> dict:
    return {"id": "x", "image": "a.jpg", "conversations": [ask, {"from": "gpt", "value": "a"}], "ground_truth": TRUTH | changes}


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        (grpo({"from": "human", "value": "What is this?"}), "0 <image> marks"),
        (grpo(task="task2"), "a task that the reward refuses"),
        (grpo(modality="histology"), "an unknown modality"),
        (grpo(**SNAKE), "Title Case"),
        (grpo(modality="clinical"), SKINCON_KEY),
        (grpo(taxon_path=["melanoma"]), "its own path"),
        (grpo(extra=1), "exactly"),
    ],
)
def test_a_grpo_row_that_would_train_on_nothing_is_refused(row, rule):
    assert companion.checked_grpo(grpo())
    with pytest.raises(ExportFault, match=f"x: .*{rule}"):
        companion.checked_grpo(row)


def turn(role: str, text: str) -> dict:
    return {"role": role, "content": text}


GOOD = [turn("user", "<image>\nq"), turn("assistant", "a")]


@pytest.mark.parametrize("checked", [llama_factory.checked, swift.checked])
@pytest.mark.parametrize(
    "messages",
    [
        [],
        GOOD[:1],
        GOOD[::-1],
        [turn("user", "q"), turn("assistant", "<image>")],
        [turn("user", "<image> <image>"), turn("assistant", "a")],
        [turn("user", "<image>"), turn("assistant", " ")],
        [turn("user", "<image>"), turn("assistant", '<morph>{"a": {"b": 1}</morph>')],
    ],
)
def test_conversations_that_a_loader_would_misread_are_refused(checked, messages):
    assert checked({"id": "x", "messages": GOOD, "images": ["a.jpg"]})
    with pytest.raises(ExportFault, match="x: "):
        checked({"id": "x", "messages": messages, "images": ["a.jpg"]})


def test_swift_verl_and_trl_refuse_rewards_that_cannot_be_read():
    base = {"id": "x", "images": ["a.jpg"]}
    for bad in ({**base, "messages": GOOD, "solution": json.dumps(TRUTH)}, {**base, "messages": GOOD[:1], "solution": TRUTH}):
        with pytest.raises(ExportFault):
            swift.checked_grpo(bad)
    row = {"prompt": GOOD[:1], "images": [{"image": "a.jpg"}], "extra_info": {"id": "x"}}
    with pytest.raises(ExportFault, match="no rule"):
        verl.checked(row | {"reward_model": {"style": "model", "ground_truth": json.dumps(TRUTH)}})
    assert verl.checked(row | {"reward_model": {"style": "rule", "ground_truth": json.dumps(TRUTH)}})
    with pytest.raises(ExportFault, match="no text"):
        trl.checked_grpo({**base, "prompt": [trl.message(GOOD[0])], "ground_truth": TRUTH})


def test_trl_refuses_a_mark_left_in_the_text_and_missing_images():
    messages = [trl.message(one) for one in GOOD]
    assert trl.checked({"id": "x", "messages": messages, "images": ["a.jpg"]})
    with pytest.raises(ExportFault, match="1 image parts for 2 images"):
        trl.checked({"id": "x", "messages": messages, "images": ["a.jpg", "b.jpg"]})
    marked = [messages[0], {"role": "assistant", "content": [{"type": "text", "text": "see <image>"}]}]
    with pytest.raises(ExportFault, match="twice"):
        trl.checked({"id": "x", "messages": marked, "images": ["a.jpg"]})


def test_a_fault_names_file_and_row_and_a_missing_image_is_one(corpus, tmp_path):
    rows = [row for row in corpus.lake.read("samples").to_pylist() if row["split"] == "validation"][:20]
    with pytest.raises(ExportFault, match=r"trainer/sft/validation\.json row 0: .* is not in the image tree"):
        write_exports(tmp_path, rows)
    shutil.copytree(corpus.release / "trainer" / "images", tmp_path / "trainer" / "images")
    kept = [row for row in rows if (tmp_path / "trainer" / companion.sft_row(row)["image"]).is_file()]
    assert write_exports(tmp_path, kept)["trainer/sft/validation.json"] == len(kept) > 0
    broken = [kept[0] | {"messages": json.dumps([turn("user", "no mark"), turn("assistant", "a")])}]
    with pytest.raises(ExportFault, match=rf"trainer/sft/validation\.json: {kept[0]['sample_id']}: "):
        write_exports(tmp_path, broken)
