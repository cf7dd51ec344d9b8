"""Edges grow with the lake: new images are compared with all others, old ones are left alone, and exact copies need no proof."""

import csv
import hashlib
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import blocklist
from pipelines import deduplicate as stage
from pipelines.diagnose import diagnose
from pipelines.ingest import ingest
from pipelines.keypoints import find_keypoints
from pipelines.lake import Lake
from pipelines.split import split
from pipelines.tables import TABLES
from quality import percolation, policies
from quality.phash import phash8
from quality.raster import decode
from sources import phantom


@pytest.fixture
def pictures() -> list[bytes]:
    return [phantom.render(f"L{n:04d}-v0.jpg") for n in range(30)]


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Makes a set of one's own from pictures and reads it into the lake, up to its splits."""
    lake, sets = Lake(str(tmp_path / "lake")), tmp_path / "own.toml"
    monkeypatch.setenv("DERMOFORGE_OWN_SETS", str(sets))

    def add(name: str, files: dict[str, bytes], blocklists: tuple[str, ...] = ()) -> stage.Compared:
        folder = tmp_path / name / "nevus"
        folder.mkdir(parents=True, exist_ok=True)
        for file, data in files.items():
            (folder / file).write_bytes(data)
        with sets.open("a") as out:
            out.write(f'[{name}]\nlocation = "{tmp_path / name}"\nimages = "."\n')
        ingest(lake, name)
        diagnose(lake, name)
        find_keypoints(lake, name)
        done = stage.deduplicate(lake)
        split(lake, blocklists)
        return done

    return lake, add


def edges(lake: Lake) -> dict[tuple[str, str, str], dict]:
    return {(e["a"], e["b"], e["kind"]): e for e in lake.read("duplicate_pairs").to_pylist()}


def test_a_grown_lake_compares_only_what_is_new_and_moves_nothing(own, pictures):
    lake, add = own
    assert add("first", {f"{n}.jpg": data for n, data in enumerate(pictures[:28])}).images == 28
    old, before = edges(lake), {r["image_id"]: r["split"] for r in lake.read("groups").to_pylist()}
    cropped = cv2.imencode(".jpg", cv2.imdecode(np.frombuffer(pictures[4], np.uint8), 1)[20:, 30:])[1].tobytes()
    done = add("second", {"new.jpg": pictures[28], "same.jpg": pictures[3], "cropped.jpg": cropped})
    assert done.images == 2  # equal bytes are compared once
    now = edges(lake)
    assert {key: now[key] for key in old} == old
    assert now["first:nevus/3", "second:nevus/same", "bytes"]["verdict"] == "copy"
    assert {e["verdict"] for e in now.values() if (e["a"], e["b"]) == ("first:nevus/4", "second:nevus/cropped")} == {"copy"}
    after = {r["image_id"]: r["split"] for r in lake.read("groups").to_pylist()}
    assert {i: after[i] for i in before} == before
    assert after["second:nevus/same"] == before["first:nevus/3"]
    again = stage.deduplicate(lake)
    assert (again.images, again.candidates, again.changed) == (0, 0, False)


def test_what_leaves_the_lake_takes_its_edges_along(own, pictures, tmp_path):
    lake, add = own
    add("first", {"a.jpg": pictures[0], "b.jpg": pictures[1], "c.jpg": pictures[0]})
    assert ("first:nevus/a", "first:nevus/c", "bytes") in edges(lake)
    (tmp_path / "first" / "nevus" / "a.jpg").unlink()
    ingest(lake, "first")
    find_keypoints(lake, "first")
    assert stage.deduplicate(lake).images == 1  # the other copy now stands for itself
    assert not any("first:nevus/a" in key for key in edges(lake))


def test_identifiers_are_edges_of_their_own_kind():
    base = {"source": "s", "patient_id": None, "lesion_id": None, "lineage": None, "archive_id": None}
    images = [{**base, "image_id": f"s:{n}", "lineage": "family", "archive_id": "ISIC_1"} for n in range(3)]
    images.append({**base, "source": "t", "image_id": "t:0", "lineage": "family", "archive_id": "ISIC_1"})
    schema = TABLES["images"].schema
    found = {(e["a"], e["b"], e["kind"]) for e in stage.key_pairs(pa.Table.from_pylist(images, schema=schema)).to_pylist()}
    lineage = {("s:0", "s:1", "lineage"), ("s:0", "s:2", "lineage")}
    assert found == lineage | {("s:0", other, "archive id") for other in ("s:1", "s:2", "t:0")}


@pytest.mark.parametrize(
    ("edge", "allowed"),
    [
        ({"kind": "bytes", "verdict": "copy", "distance": None}, (True, True, True)),
        ({"kind": "keypoints", "verdict": "same lesion", "distance": 0.1}, (False, True, True)),
        ({"kind": "patient", "verdict": None, "distance": None}, (False, True, True)),
        ({"kind": "perceptual", "verdict": "different", "distance": 2.0}, (False, False, True)),
        ({"kind": "perceptual", "verdict": "different", "distance": 4.0}, (False, False, False)),
        ({"kind": "semantic", "verdict": "different", "distance": 0.04}, (False, False, True)),
        ({"kind": "keypoints", "verdict": "different", "distance": 0.1}, (False, False, False)),
    ],
)
def test_three_policies_over_one_table(edge, allowed):
    assert (policies.deletes(edge), policies.groups(edge), policies.decontaminates(edge)) == allowed


def test_images_of_an_external_benchmark_leave_in_every_orientation(own, pictures, tmp_path):
    lake, add = own
    bench, listed = tmp_path / "bench", tmp_path / "bench.csv"
    bench.mkdir()
    turned = np.ascontiguousarray(np.rot90(decode(pictures[5]).rgb))
    (bench / "turned.png").write_bytes(cv2.imencode(".png", turned[:, :, ::-1])[1].tobytes())
    (bench / "same.jpg").write_bytes(pictures[6])
    (bench / "readme.txt").write_text("no picture")
    with listed.open("w") as out:
        writer = csv.writer(out)
        writer.writerow(("name", "sha256", "phash"))
        writer.writerows(blocklist.rows(sorted(bench.iterdir())))
    add("first", {f"{n}.jpg": data for n, data in enumerate(pictures[:10])}, (str(listed),))
    rows = {r["image_id"]: (r["split"], r["benchmark"]) for r in lake.read("groups").to_pylist()}
    assert {i for i, row in rows.items() if row == ("excluded", "bench")} == {"first:nevus/5", "first:nevus/6"}


def test_a_blocklist_may_be_json_lines_or_parquet(own, pictures, tmp_path):
    lake, add = own
    add("first", {"a.jpg": pictures[0], "b.jpg": pictures[1]})
    sha = hashlib.sha256(pictures[0]).hexdigest().upper()
    (tmp_path / "l.jsonl").write_text(f'{{"sha256": "{sha}"}}\n')
    assert blocklist.touched(lake, [str(tmp_path / "l.jsonl")]) == {"first:nevus/a": "l"}


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("l.csv", "file\nx\n", "none of sha256, phash, vector"),
        ("l.csv", "phash\n0123456789abcdef\nxyz\n", "row 2: 'xyz' is no pHash"),
        ("l.txt", "", "give CSV, Parquet or JSON lines"),
        ("missing.csv", None, "missing.csv"),
        ("l.parquet", "not parquet", "l.parquet"),
    ],
)
def test_a_bad_blocklist_is_named_with_its_row(own, pictures, tmp_path, name, text, says):
    lake, add = own
    add("first", {"a.jpg": pictures[0], "b.jpg": pictures[1]})
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(blocklist.BadBlocklist, match=says):
        blocklist.touched(lake, [str(tmp_path / name)])


def test_the_hash_of_a_list_is_that_of_the_lake(pictures, tmp_path):
    (tmp_path / "a.jpg").write_bytes(pictures[0])
    ((_, sha, phash),) = blocklist.rows([Path(tmp_path / "a.jpg")])
    assert sha == hashlib.sha256(pictures[0]).hexdigest()
    assert int(phash, 16) == int(phash8(decode(pictures[0]).rgb)[0])


def edge(a: int, b: int, kind: str = "keypoints"):
    return {"a": f"{a:03d}", "b": f"{b:03d}", "kind": kind, "verdict": "copy", "distance": 0.1}


def test_a_single_pair_between_two_crowds_is_a_bridge():
    left = [edge(a, b) for a in range(10) for b in range(a + 1, 10)]
    right = [edge(a, b) for a in range(20, 30) for b in range(a + 1, 30)]
    assert percolation.bridges([*left, edge(3, 24), *right]) == [edge(3, 24)]
    assert percolation.bridges([*left, edge(3, 24), edge(4, 25), *right]) == []
    assert percolation.bridges([*left, edge(3, 24, "lesion"), *right]) == []


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)).filter(lambda p: p[0] < p[1]), unique=True, max_size=80))
def test_bridges_are_what_taking_each_edge_away_would_show(pairs):
    from pipelines.split import components

    everything = [edge(a, b) for a, b in pairs]
    wanted = []
    for n, one in enumerate(everything):
        rest = [(e["a"], e["b"]) for e in everything[:n] + everything[n + 1 :]]
        part = components(sorted({end for e in everything for end in (e["a"], e["b"])}), rest)
        sizes = [sum(anchor == part[one[end]] for anchor in part.values()) for end in ("a", "b")]
        if part[one["a"]] != part[one["b"]] and min(sizes) >= percolation.PART:
            wanted.append(one)
    assert percolation.bridges(everything) == wanted
