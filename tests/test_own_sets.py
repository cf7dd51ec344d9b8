"""Sets of your own in ten lines: a folder with a table, class folders, a Hugging Face Parquet tree, WebDataset shards."""

import importlib.util
import io
import json
import sys
import tarfile
from pathlib import Path

import pytest

from pipelines.ingest import ingest
from pipelines.lake import Lake
from sources import catalogue

_spec = importlib.util.spec_from_file_location("made", Path(__file__).with_name("made.py"))
assert _spec and _spec.loader
made = sys.modules.setdefault("made", importlib.util.module_from_spec(_spec))
_spec.loader.exec_module(made)


@pytest.fixture
def described(tmp_path, monkeypatch):
    """Writes the file of own sets and makes the catalogue read it."""

    def write(text: str) -> None:
        path = tmp_path / "own.toml"
        path.write_text(text.replace("HERE", str(tmp_path)))
        monkeypatch.setenv("DERMOFORGE_OWN_SETS", str(path))

    return write


def rows(tmp_path: Path, name: str) -> dict[str, dict]:
    lake = Lake(str(tmp_path / "lake"))
    ingest(lake, name)
    return {row["native_id"]: row for row in lake.read("images", source=name).to_pylist()}


def test_a_folder_with_a_table(tmp_path, described):
    described(
        """
        [clinic]
        title = "Mole clinic"
        location = "HERE/clinic"
        images = "photos"
        table = "visits.csv"
        modality = "dermoscopic"
        [clinic.columns]
        id = "file"
        diagnosis = "dx"
        patient_id = "who"
        fitzpatrick = "skin"
        history = ["itch"]
        """
    )
    for n in range(5):
        made.written(tmp_path / f"clinic/photos/2024/P{n}.JPG", made.picture(n))
    lines = [dict(file=f"2024/P{n}.JPG", dx="nevus", who=f"w{n // 2}", skin="4", itch="yes", age="44") for n in range(5)]
    made.written(tmp_path / "clinic/visits.csv", made.table(lines, delimiter=";"))
    found = rows(tmp_path, "clinic")
    assert set(found) == {f"P{n}" for n in range(5)}
    one = found["P3"]
    assert (one["diagnosis_raw"], one["patient_id"], one["modality"], one["age_years"]) == ("nevus", "w1", "dermoscopic", 44)
    assert one["skin_tones"] == [{"value": "IV", "system": "fitzpatrick", "basis": "metadata"}]
    assert json.loads(one["history"]) == {"itch": "yes"} and one["licence_id"] == "LicenseRef-Own"


def test_class_folders_need_no_table(tmp_path, described):
    described('[plain]\nlocation = "HERE/plain"\nimages = "all.zip"\n')
    made.zipped(
        tmp_path / "plain/all.zip", {f"{c}/{n}.jpg": made.picture(n + len(c)) for c in ("nevus", "melanoma") for n in range(3)}
    )
    assert {r["diagnosis_raw"] for r in rows(tmp_path, "plain").values()} == {"nevus", "melanoma"}


def test_a_hugging_face_tree_as_datasets_writes_it_and_reads_it(tmp_path, described):
    import datasets
    from PIL import Image

    pictures = [Image.open(io.BytesIO(made.picture(n))) for n in range(12)]
    features = datasets.Features(
        {
            "image": datasets.Image(),
            "label": datasets.ClassLabel(names=["nevus", "melanoma"]),
            "patient": datasets.Value("string"),
        }
    )
    data = datasets.Dataset.from_dict(
        {"image": pictures, "label": [n % 2 for n in range(12)], "patient": [f"p{n // 3}" for n in range(12)]},
        features=features,
    )
    for shard in range(2):
        data.shard(2, shard, contiguous=True).to_parquet(str(tmp_path / f"hub/data/train-{shard:05d}-of-00002.parquet"))
    described(
        """
        [hub]
        location = "HERE/hub"
        images = "data/*.parquet"
        [hub.columns]
        diagnosis = "label"
        patient_id = "patient"
        """
    )
    found = rows(tmp_path, "hub")
    assert len(found) == 12
    assert [r["diagnosis_raw"] for _, r in sorted(found.items())] == ["nevus", "melanoma"] * 6
    streamed = datasets.load_dataset("parquet", data_files=str(tmp_path / "hub/data/*.parquet"), split="train", streaming=True)
    lake = Lake(str(tmp_path / "lake"))
    packs = {r["image_id"]: (r["pack"], r["pack_row"]) for r in found.values()}
    mine = {i: next(iter(lake.read_pack(pack, [row])))[1] for i, (pack, row) in packs.items()}
    theirs = [row["image"]["bytes"] for row in streamed.cast_column("image", datasets.Image(decode=False))]
    assert sorted(mine.values()) == sorted(theirs)


def webdataset(path: Path, numbers: range) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as shard:
        for n in numbers:
            facts = {"patient": f"p{n // 2}", "dx": "nevus", "age": 40 + n, "nothing": None}
            for name, data in ((f"s{n:04d}.jpg", made.picture(n)), (f"s{n:04d}.json", json.dumps(facts).encode())):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                shard.addfile(info, io.BytesIO(data))


@pytest.mark.parametrize("end", ["tar", "tar.gz"])
def test_webdataset_shards(tmp_path, described, end):
    for shard in range(3):
        webdataset(tmp_path / f"wds/shard-{shard}.{end}", range(shard * 4, shard * 4 + 4))
    described(
        f"""
        [wds]
        location = "HERE/wds"
        images = "shard-*.{end}"
        licence = "CC-BY-4.0"
        [wds.columns]
        diagnosis = "dx"
        patient_id = "patient"
        """
    )
    found = rows(tmp_path, "wds")
    assert set(found) == {f"s{n:04d}" for n in range(12)}
    assert found["s0005"]["patient_id"] == "p2" and found["s0005"]["age_years"] == 45
    assert found["s0005"]["licence_id"] == "CC-BY-4.0"


def test_broken_json_of_a_sample_is_a_row_in_quarantine(tmp_path, described):
    path = tmp_path / "wds/shard-0.tar"
    webdataset(path, range(6))
    with tarfile.open(path, "a") as shard:
        for name, data in (("bad.jpg", made.picture(77)), ("bad.json", b"[1, 2")):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            shard.addfile(info, io.BytesIO(data))
    described('[wds]\nlocation = "HERE/wds"\nimages = "shard-*.tar"\n')
    found = rows(tmp_path, "wds")
    assert len(found) == 7
    quarantine = Lake(str(tmp_path / "lake")).read("quarantine").to_pylist()
    assert [(r["native_id"], r["reason"]) for r in quarantine] == [("bad.json", "row_malformed")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[a]\nimages = "x"\n', r"own\.toml \[a\]: location must be given"),
        ('[a]\nlocation = "x"\nimages = "x"\ncolour = 1\n', r"\[a\]: no key colour; there are .*columns"),
        ('[a]\nlocation = "x"\nimages = "x"\nlicence = "mine"\n', r"licence 'mine' is not known; there are CC0-1.0"),
        ('[a]\nlocation = "x"\nimages = "x"\nmodality = "x-ray"\n', r"modality 'x-ray' is not one of dermoscopic"),
        ('[a]\nlocation = "x"\nimages = "x"\n[a.columns]\ndx = "y"\n', r"columns has no dx; there are id, history, diagnosis"),
        ('["a b"]\nlocation = "x"\nimages = "x"\n', "letters, digits and underscores"),
        ("[a\n", r"own\.toml: "),
    ],
)
def test_a_wrong_description_names_the_file_the_set_and_what_there_is(described, text, message):
    described(text)
    with pytest.raises(ValueError, match=message):
        catalogue.source("a")


def test_a_name_of_a_published_set_may_not_be_taken(described):
    described('[ham10000]\nlocation = "x"\nimages = "x"\n')
    with pytest.raises(ValueError, match="ham10000 is a published set"):
        catalogue.source("ham10000")
