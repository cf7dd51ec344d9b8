"""Nothing forbidden reaches a release: random sets, licences, gates and notes in, the bytes of the finished folder searched."""

import ast
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from pipelines.audit import CHECKS, audit
from pipelines.lake import Lake
from pipelines.outgoing import outgoing
from pipelines.publish.tree import NotPublished, publishable
from pipelines.release import release, verified
from pipelines.shard import image_key
from pipelines.tables import TABLES
from quality.image_gates import ACTIONS
from quality.raster import release_jpeg
from sources.licences import LICENCES, PROFILES
from tests.outgoing_lake import SECRETS, Made, everything, lake_of, numbered, pixels_inside, same_pixels

EXCLUDING, REVIEWING = (sorted(code for code, action in ACTIONS.items() if action == what) for what in ("exclude", "review"))
NAMES_A_PERSON = "seen with Dr. Petrova, phone +44 20 7946 0018"

licences = st.one_of(
    st.sampled_from(sorted(LICENCES)), st.sampled_from(["CC-BY-4.0", "CC0-1.0"]), st.sampled_from(["WTFPL", "", None])
)
made = st.builds(
    Made,
    number=st.just(0),
    source=st.sampled_from(["ham10000", "pad_ufes_20", "fitzpatrick17k", "phantom"]),
    licence=licences,
    said=licences,
    gates=st.one_of(st.just(()), st.just(()), st.none(), st.tuples(st.sampled_from(EXCLUDING + REVIEWING))),
    kind=st.sampled_from(["JPEG", "JPEG", "PNG"]),
    history=st.sampled_from(["no complaint", "no complaint", NAMES_A_PERSON]),
    text=st.sampled_from(["", "", NAMES_A_PERSON]),
    split=st.sampled_from(["train", "validation", "test"]),
)


def allowed(image: Made, profile: str, real: bool) -> bool:
    """The rule in its own words, beside the one that is tested."""
    terms = [LICENCES.get(name or "") for name in (image.licence, image.said)]
    if None in terms or image.gates != () or NAMES_A_PERSON in (image.history, image.text):
        return False
    if real and image.source == "phantom":
        return False
    if profile == "annotations-only":
        return all(x.annotations and not x.agreement for x in terms)
    free = all(x.redistribute and x.derivatives and not x.agreement for x in terms)
    return free and (profile == "noncommercial" or all(x.commercial for x in terms))


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(made, min_size=1, max_size=8), st.sampled_from(PROFILES))
def test_no_forbidden_byte_or_field_ever_reaches_a_release(images, profile):
    images = numbered(images)
    sources = sorted({image.source for image in images})
    real = sources != ["phantom"]
    good = [image for image in images if allowed(image, profile, real)]
    with tempfile.TemporaryDirectory() as home:
        done = release(lake_of(Path(home), images), sources, Path(home) / "releases", profile)
        if not good:
            assert done is None
            return
        assert done is not None
        held = everything(done.path)
        assert not [fault for faults in audit(done.path).values() for fault in faults]
    for image in images:
        mine = image in good
        assert (image.public.encode() in held) == mine
        assert (image_key(image.image_id).encode() in held) == mine
        assert (image.secret("credit").encode() in held) == mine
        assert (pixels_inside(release_jpeg(image.data())) in held) == (mine and profile != "annotations-only")
        for field in SECRETS:
            assert image.secret(field).encode() not in held
    assert b"Petrova" not in held


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A release of two sources, an image of each in every split."""
    home = tmp_path_factory.mktemp("good")
    sources, splits = ("ham10000", "pad_ufes_20"), ("train", "validation", "test")
    images = numbered([Made(0, source=source, split=split) for source in sources for split in splits for _ in range(3)])
    done = release(lake_of(home, images), sources, home / "releases", "open")
    assert done
    return done.path


def rewritten(path: Path, change) -> None:
    """The Parquet file with changed rows, everything else as it was."""
    file = pq.ParquetFile(path)
    rows = [change(row) for row in file.read().to_pylist()]
    pq.write_table(pa.Table.from_pylist(rows, schema=file.schema_arrow), path, write_page_index=True)


def first(release_: Path, pattern: str) -> Path:
    return sorted(release_.glob(pattern))[0]


def other_licence(root):
    rewritten(first(root, "data/choice/train-*.parquet"), lambda row: {**row, "licence": "CC-BY-NC-4.0"})


def no_licence(root):
    rewritten(first(root, "data/choice/train-*.parquet"), lambda row: {**row, "licence": None})


def another_column(root):
    path = first(root, "data/choice/train-*.parquet")
    rows = pq.read_table(path)
    pq.write_table(rows.append_column("patient_id", pa.array(["p"] * rows.num_rows)), path)


def stray_picture(root):
    path = root / "trainer" / "images" / "ab" / f"ab{'0' * 22}.jpg"
    path.parent.mkdir(exist_ok=True)
    shutil.copy(first(root, "trainer/images/*/*.jpg"), path)


def other_picture(root):
    pictures = sorted(root.glob("trainer/images/*/*.jpg"))
    shutil.copy(pictures[0], pictures[1])


def kept_exif(root):
    path = first(root, "trainer/images/*/*.jpg")
    exif = Image.Exif()
    exif[0x010E] = "a camera"
    Image.open(io.BytesIO(path.read_bytes())).save(path, "JPEG", exif=exif)


def trailing_bytes(root):
    path = first(root, "trainer/images/*/*.jpg")
    path.write_bytes(path.read_bytes() + b"patient 17")


def source_name(root):
    rewritten(
        first(root, "data/choice/train-*.parquet"), lambda row: {**row, "images": [{**row["images"][0], "path": "PAT_1.png"}]}
    )


def named_person(root):
    def change(row):
        row["messages"][1]["content"][0]["text"] = NAMES_A_PERSON
        return row

    rewritten(first(root, "data/choice/train-*.parquet"), change)


def source_id(root):
    def change(row):
        row["messages"][1]["content"][0]["text"] = "as in ham10000:ISIC_0024306"
        return row

    rewritten(first(root, "data/choice/train-*.parquet"), change)


def two_splits(root):
    train, test = (pq.read_table(first(root, f"data/choice/{split}-*.parquet")) for split in ("train", "test"))
    both = pa.concat_tables(
        [test, train.set_column(train.schema.get_field_index("split"), "split", [["test"] * train.num_rows])]
    )
    pq.write_table(both, first(root, "data/choice/test-*.parquet"), write_page_index=True)


def phantom_inside(root):
    rewritten(first(root, "data/choice/train-*.parquet"), lambda row: {**row, "source": "phantom"})


def large_groups(root):
    path = first(root, "data/choice/train-*.parquet")
    rows = pq.read_table(path)
    pq.write_table(pa.concat_tables([rows] * 50), path, write_page_index=True)


def no_page_index(root):
    path = first(root, "data/choice/train-*.parquet")
    pq.write_table(pq.read_table(path), path)


def no_mark(root):
    rewritten(first(root, "data/choice/train-*.parquet"), lambda row: {**row, "messages": row["messages"][::-1]})


def lost_picture(root):
    first(root, "trainer/images/*/*.jpg").unlink()


def trainer_licence(root):
    path = first(root, "trainer/sft/train.json")
    rows = json.loads(path.read_text())
    rows[0]["licence_id"] = "LicenseRef-Stanford-AIMI"
    path.write_text(json.dumps(rows))


def trainer_field(root):
    path = first(root, "trainer/sft/train.json")
    rows = json.loads(path.read_text())
    rows[0]["lesion_id"] = "HAM_1"
    path.write_text(json.dumps(rows))


def trainer_turns(root):
    path = first(root, "trainer/sft/train.json")
    rows = json.loads(path.read_text())
    rows[0]["conversations"].pop()
    path.write_text(json.dumps(rows))


def tar_without_row(root):
    with tarfile.open(first(root, "webdataset/choice/train-*.tar"), "a") as tar:
        info = tarfile.TarInfo("stray.jpg")
        info.size = 4
        tar.addfile(info, io.BytesIO(b"\xff\xd8\xff\xd9"))


def said_behind(path):
    path.write_text(path.read_text(encoding="utf-8") + "\nas in ham10000:ISIC_0024306", encoding="utf-8")


def card_names_a_source_id(root):
    said_behind(root / "README.md")


def report_names_a_source_id(root):
    said_behind(root / "report.html")


def unknown_kind(root):
    (root / "extra.npz").write_bytes(b"anything")


SLIPS = {
    other_licence: "licences",
    no_licence: "licences",
    another_column: "licences",
    stray_picture: "licences",
    other_picture: "licences",
    trainer_licence: "licences",
    trainer_field: "licences",
    tar_without_row: "licences",
    kept_exif: "privacy",
    trailing_bytes: "privacy",
    source_name: "privacy",
    named_person: "privacy",
    source_id: "privacy",
    card_names_a_source_id: "privacy",
    report_names_a_source_id: "privacy",
    two_splits: "leakage",
    phantom_inside: "leakage",
    large_groups: "viewer_limits",
    no_page_index: "viewer_limits",
    no_mark: "loader_contracts",
    trainer_turns: "loader_contracts",
    lost_picture: "loader_contracts",
    unknown_kind: "files",
}


def signed(root: Path) -> None:
    """The manifest made to fit whatever the folder holds: only what the files say can now speak against them."""
    manifest = json.loads((root / "manifest.json").read_text())
    files = sorted(path for path in root.rglob("*") if path.is_file() and path.name != "manifest.json")
    told = [(str(path.relative_to(root)), path.read_bytes()) for path in files]
    manifest["files"] = [{"path": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in told]
    manifest["samples"] = {"all/all": sum(pq.read_metadata(path).num_rows for path in root.glob("data/*/*.parquet"))}
    (root / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: slip.__name__)
def test_what_slips_into_a_finished_release_is_found_and_never_published(good, tmp_path, slip):
    root = tmp_path / "release"
    shutil.copytree(good, root)
    slip(root)
    signed(root)
    faults = audit(root)
    assert faults[SLIPS[slip]], faults
    with pytest.raises(NotPublished):
        publishable(root)


def test_a_sound_release_has_no_fault(good):
    assert audit(good) == {check: [] for check in CHECKS}
    assert publishable(good).entries


def test_a_file_that_the_manifest_does_not_name_is_a_fault(good, tmp_path):
    shutil.copytree(good, tmp_path / "release")
    (tmp_path / "release" / "notes.txt").write_text("from the desk of")
    assert "notes.txt is not in the manifest" in audit(tmp_path / "release")["files"]


def test_credits_name_everybody_and_every_licence(good):
    told, terms = (good / "ATTRIBUTION.md").read_text(), (good / "LICENSES.md").read_text()
    for number in range(18):
        assert Made(number).secret("credit") in told
    assert "[CC-BY-4.0](https://creativecommons.org/licenses/by/4.0/)" in terms
    assert "may be sold" in terms


def test_phantoms_never_join_real_images(tmp_path):
    images = [Made(0, source="phantom"), Made(1, source="phantom"), Made(2)]
    found = outgoing(lake_of(tmp_path, images), ["phantom", "ham10000"], "noncommercial")
    assert found.images.column("source").to_pylist() == ["ham10000"]
    assert found.withheld() == {"phantoms are never mixed with real images": 2}


def test_what_stays_in_is_counted_by_reason(tmp_path):
    images = [
        Made(0),
        Made(1, licence="CC-BY-NC-4.0"),
        Made(2, said="LicenseRef-Research-Only"),
        Made(3, gates=None),
        Made(4, gates=(EXCLUDING[0],)),
        Made(5, gates=(REVIEWING[0],)),
        Made(6, history=NAMES_A_PERSON),
        Made(7, text=NAMES_A_PERSON),
    ]
    found = outgoing(lake_of(tmp_path, images), ["ham10000"], "open", cleared={images[5].image_id})
    released = {row for batch in found.rows() for row in batch.column("image_id").to_pylist()}
    assert released == {images[0].image_id, images[5].image_id}
    assert found.withheld() == {
        "licence CC-BY-NC-4.0 is outside profile open": 1,
        "licence LicenseRef-Research-Only is outside profile open": 1,
        "no image gate has seen it": 1,
        f"image gate {EXCLUDING[0]} excludes": 1,
        "personal data in the source's notes: to be reviewed": 1,
        "personal data in the text of a sample": 1,
    }


@pytest.mark.parametrize("packed", ["folder", "zip", "tar.gz"])
def test_whoever_holds_the_images_joins_them_to_a_release_without_images(tmp_path, packed):
    images = numbered(
        [Made(0, licence="LicenseRef-No-Clear-Rights", source="fitzpatrick17k", kind=kind) for kind in ("JPEG", "PNG", "JPEG")]
    )
    done = release(lake_of(tmp_path, images), ["fitzpatrick17k"], tmp_path / "releases", "annotations-only")
    assert done and not list(done.path.glob("trainer/images/*/*"))
    held = tmp_path / "held"
    held.mkdir()
    for image in images[:2]:
        (held / f"renamed {image.number}.dat").write_bytes(image.data())
    if packed == "zip":
        with zipfile.ZipFile(tmp_path / "held.zip", "w") as archive:
            for path in held.iterdir():
                archive.write(path, path.name)
    elif packed == "tar.gz":
        with tarfile.open(tmp_path / "held.tar.gz", "w:gz") as archive:
            archive.add(held, "held")
    place = held if packed == "folder" else tmp_path / f"held.{packed}"
    script = [sys.executable, str(done.path / "rejoin.py"), str(place), "--out", str(tmp_path / "joined")]
    printed = subprocess.run(script, capture_output=True, text=True, cwd=tmp_path, check=True).stdout
    assert printed.startswith("2 of 3 images found, 4 rows joined")
    assert (tmp_path / "joined" / "missing.txt").read_text() == f"{image_key(images[2].image_id)}\n"
    files = [str(path) for path in (tmp_path / "joined").glob("data/choice/*.parquet")]
    rows = datasets.load_dataset("parquet", data_files={"train": files}, split="train", cache_dir=str(tmp_path / "hf"))
    by_key = {image_key(image.image_id): image for image in images}
    assert rows.num_rows == 2
    for row in rows:
        out = io.BytesIO()
        row["images"][0].convert("RGB").save(out, "PNG")
        assert same_pixels(out.getvalue(), by_key[row["image_id"]].data())


def test_the_script_that_joins_needs_nothing_of_this_project():
    from pipelines import rejoin

    tree = ast.parse(Path(rejoin.__file__).read_text())
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert {str(name).split(".")[0] for name in names} - set(sys.stdlib_module_names) == {"pyarrow"}


def test_a_release_without_images_is_sound_and_says_so(tmp_path):
    images = numbered([Made(0, licence="CC-BY-NC-ND-4.0"), Made(1)])
    done = release(lake_of(tmp_path, images), ["ham10000"], tmp_path / "releases", "annotations-only")
    assert done and audit(done.path) == {check: [] for check in CHECKS}
    assert {row["image_sha256"] for row in pq.read_table(next(done.path.glob("data/choice/*.parquet"))).to_pylist()} == {
        hashlib.sha256(image.data()).hexdigest() for image in images
    }
    assert verified(done.path)["profile"] == "annotations-only"
    assert "No image is in this release" in (done.path / "LICENSES.md").read_text()
    picture = release_jpeg(images[0].data())
    (done.path / "README.md").write_bytes((done.path / "README.md").read_bytes() + picture)
    assert audit(done.path)["licences"]


def test_pixels_keep_their_compressed_bytes(tmp_path):
    image = Made(1)
    clean = release_jpeg(image.data())
    assert same_pixels(clean, image.data()) and pixels_inside(clean) in image.data()
    assert b"exif" not in clean and b"comment" not in clean


@pytest.mark.parametrize(
    "note",
    [
        "refer to anna.k@clinic.example",
        "tel. 555-010-4477",
        "biopsy on 12/03/2019",
        "seen 3 March 2021",
        "Mr. Okafor says it itches",
        "MRN 88412077",
        "lives in Bergen",
    ],
)
def test_notes_that_lead_to_a_person_are_found(tmp_path, note):
    found = outgoing(lake_of(tmp_path, [Made(0), Made(1, history=note)]), ["ham10000"], "open")
    assert found.withheld() == {"personal data in the source's notes: to be reviewed": 1}


def test_an_empty_lake_has_nothing_to_release(tmp_path):
    lake = Lake(str(tmp_path))
    lake.replace("samples", TABLES["samples"].schema.empty_table(), source="ham10000")
    assert release(lake, ["ham10000"], tmp_path / "releases") is None
