"""The report: what it may show to whom, what hostile input does to it, and whether its numbers and charts hold."""

import re
import shutil
import xml.etree.ElementTree as ET
from collections import Counter
from html.parser import HTMLParser
from itertools import product

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.lake import Lake
from pipelines.report import charts, page
from pipelines.report.__main__ import main
from pipelines.report.audience import LOCAL, public
from pipelines.report.facts import facts
from pipelines.report.write import write_report
from pipelines.shard import image_key
from pipelines.tables import TABLES
from quality.coverage import SCALES, coverage
from quality.novelty import distances

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>&amp;{{7*7}} $\\frac{ \x00\u2028'


class Page(HTMLParser):
    """What a browser would find: tags, and attributes that load or run something."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags, self.loads, self.handlers, self.ids = Counter(), [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        for name, value in attrs:
            if name in ("src", "srcset", "data", "poster", "action"):
                self.loads.append(value)
            if name == "href" and not value.startswith("#"):
                self.loads.append(value)
            if name.startswith("on"):
                self.handlers.append((tag, name))
            if name == "id":
                self.ids.append(value)


def written(lake, tmp_path, *, local, sources=("phantom",)):
    return write_report(lake, list(sources), tmp_path, profile="noncommercial", local=local).read_text(encoding="utf-8")


@pytest.fixture(scope="module", params=[True, False], ids=["local", "public"])
def html(request, corpus, tmp_path_factory):
    return written(corpus.lake, tmp_path_factory.mktemp("report"), local=request.param)


def test_a_report_is_one_file_that_loads_and_runs_nothing(html):
    found = Page(html)
    assert not found.tags.keys() & {"script", "link", "iframe", "object", "embed", "form"}
    assert found.tags["img"] > 20
    assert all(load.startswith("data:image/jpeg;base64,") for load in found.loads)
    assert not found.handlers
    assert not re.search(r"url\((?!#)|@import", html)
    assert len(html) < 4_000_000
    assert len(found.ids) == len(set(found.ids))


def test_the_same_lake_gives_the_same_bytes(corpus, tmp_path):
    for local in (True, False):
        assert written(corpus.lake, tmp_path / "a", local=local) == written(corpus.lake, tmp_path / "b", local=local)


def test_the_report_of_a_release_tells_no_file_name_of_a_source(corpus):
    html = (corpus.release / "report.html").read_text(encoding="utf-8")
    natives = corpus.lake.read("images", columns=["native_id"]).column("native_id").to_pylist()
    natives += corpus.lake.read("quarantine", columns=["native_id"]).column("native_id").to_pylist()
    assert not [native for native in natives if native in html]
    assert "For local eyes" not in html


def test_every_reason_kind_and_check_has_its_count_on_the_page(corpus, html):
    told = facts(corpus.lake, ["phantom"], set())
    for reason in (*told.counts["quarantined"], *told.counts["image_gates"], *told.counts["rejects"]):
        assert f"<code>{reason}</code>" in html
    for pair in told.counts["pairs"]:
        assert pair.split(", ")[1] in html
    assert all(f"<code>{row['check']}</code>" in html for row in told.checks)


def test_counts_add_up_to_the_images_of_the_lake(corpus):
    released = {row["image_id"] for row in corpus.lake.read("samples").to_pylist()}
    told = facts(corpus.lake, ["phantom"], released)
    images = corpus.lake.read("images").num_rows
    for counts in told.dimensions.values():
        assert sum(count.images for count in counts) == images
        assert sum(count.released for count in counts) == len(released)
    assert sum(branch.images for branch in told.tree) == images
    drawn = {count.name: count.images for count in told.tones["drawn"]}
    stated = Counter(tone["value"] for row in corpus.lake.read("images").to_pylist() for tone in row["skin_tones"])
    assert drawn == stated


def poisoned(corpus, tmp_path) -> Lake:
    """The corpus with markup in every text that came from outside: metadata, teacher, quarantine, verdicts."""
    shutil.copytree(corpus.home / "lake", tmp_path / "lake")
    lake = Lake(str(tmp_path / "lake"))
    quarantine = lake.read("quarantine").to_pylist()
    spoilt = [{**row, "native_id": f"{HOSTILE}{n}", "detail": HOSTILE, "reason": HOSTILE} for n, row in enumerate(quarantine)]
    lake.replace("quarantine", pa.Table.from_pylist(spoilt, schema=TABLES["quarantine"].schema), source="phantom")
    images = lake.read("images").to_pylist()
    for row in images:
        row |= {"body_site": HOSTILE, "sex": HOSTILE, "modality": HOSTILE, "diagnosis_basis": HOSTILE}
        row["skin_tones"] = [{"value": HOSTILE, "system": HOSTILE, "basis": HOSTILE}]
    lake.replace("images", pa.Table.from_pylist(images, schema=TABLES["images"].schema), source="phantom")
    rows = lake.read("trajectories").to_pylist()
    for row in rows:
        row["teacher"] = HOSTILE
        row["observation"] = row["observation"].replace("lesion", "lesion <script>alert(3)</script>")
    rejected = [{**TABLES_ROW, "image_id": row["image_id"], "answer": row["observation"]} for row in rows[:3]]
    lake.replace("trajectories", pa.Table.from_pylist(rows, schema=TABLES["trajectories"].schema), source="phantom")
    lake.replace("rejects", pa.Table.from_pylist(rejected, schema=TABLES["rejects"].schema), source="phantom")
    return lake


TABLES_ROW = {
    "source": "phantom",
    "teacher": HOSTILE,
    "conditioning": "confirmed",
    "sample": 0,
    "stage": "observe",
    "check": HOSTILE,
    "detail": HOSTILE,
}


@pytest.mark.parametrize("local", [True, False], ids=["local", "public"])
def test_markup_in_metadata_and_answers_stays_text(corpus, tmp_path, local):
    html = written(poisoned(corpus, tmp_path), tmp_path, local=local)
    found = Page(html)
    assert "script" not in found.tags
    assert not found.handlers
    assert all(load.startswith("data:image/jpeg;base64,") for load in found.loads)
    assert "&lt;script&gt;" in html
    assert "49 $" not in html


LICENCES = ("CC0-1.0", "CC-BY-4.0", "CC-BY-NC-4.0", "CC-BY-NC-ND-4.0", "LicenseRef-ISIC-Mixed", "made up", None)


def test_only_what_licence_gates_and_privacy_let_out_is_shown(tmp_path):
    lake = Lake(str(tmp_path))
    cases = list(product(LICENCES, (False, True, None), (False, True, None), (None, "language", "personal_data", "reviewer")))
    ids = [f"ham10000:{n}" for n in range(len(cases))]
    images = [
        {"image_id": i, "source": "ham10000", "licence_id": case[0], "attribution": "a"}
        for i, case in zip(ids, cases, strict=True)
    ]
    lake.replace(
        "images",
        pa.Table.from_pylist([*images, {**images[0], "image_id": "ham10000:ungated"}], schema=TABLES["images"].schema),
        source="ham10000",
    )
    gates = [{"image_id": i, "source": "ham10000", "excluded": c[1], "review": c[2]} for i, c in zip(ids, cases, strict=True)]
    lake.replace("image_quality", pa.Table.from_pylist(gates, schema=TABLES["image_quality"].schema), source="ham10000")
    rejects = [{"image_id": i, "source": "ham10000", "check": c[3]} for i, c in zip(ids, cases, strict=True) if c[3]]
    lake.replace("rejects", pa.Table.from_pylist(rejects, schema=TABLES["rejects"].schema), source="ham10000")
    for profile, free in (("open", LICENCES[:2]), ("noncommercial", LICENCES[:3])):
        audience = public(lake, ["ham10000"], profile)
        wanted = {
            i
            for i, (licence, excluded, review, check) in zip(ids, cases, strict=True)
            if licence in free and excluded is False and review is False and check in (None, "language")
        }
        assert audience.shown == wanted
        assert not audience.sees("ham10000:ungated")
    assert public(lake, ["ham10000"], "annotations-only").shown == frozenset()


def test_pictures_of_closed_images_are_in_the_local_report_alone(corpus, tmp_path):
    shutil.copytree(corpus.home / "lake", tmp_path / "lake")
    lake = Lake(str(tmp_path / "lake"))
    rows = [{**row, "licence_id": "LicenseRef-ISIC-Mixed"} for row in lake.read("images").to_pylist()]
    lake.replace("images", pa.Table.from_pylist(rows, schema=TABLES["images"].schema), source="phantom")
    assert Page(written(lake, tmp_path, local=False)).tags["img"] == 0
    assert Page(written(lake, tmp_path, local=True)).tags["img"] > 20
    assert "For local eyes" in written(lake, tmp_path, local=True)


def test_names_outside_are_public_ids():
    assert LOCAL.name("set:7") == "set:7"
    assert public(Lake("/nowhere/at/all"), [], "open").name("set:7") == image_key("set:7")


def test_pictures_beyond_the_bound_are_left_out_and_said_so(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(page, "PICTURE_BYTES", 40_000)
    html = written(corpus.lake, tmp_path, local=True)
    assert 0 < Page(html).tags["img"] < 20
    assert "picture left out" in html


def test_the_command_writes_the_report_and_says_when_there_is_nothing(corpus, tmp_path, capsys):
    where = ["--lake", str(corpus.home / "lake"), "--releases", str(tmp_path), "--sources", "phantom"]
    assert main([*where, "--public"]) == 0
    assert (tmp_path / "report-public.html").is_file()
    assert main(["--lake", str(tmp_path / "empty"), "--releases", str(tmp_path), "--sources", "phantom"]) == 1
    assert "make corpus" in capsys.readouterr().err


TEXT = st.text(st.characters(codec="utf-8"), max_size=40)


@settings(deadline=None, max_examples=40)
@given(rows=st.lists(st.tuples(TEXT, st.integers(0, 10**9), st.integers(0, 10**6)), max_size=5))
def test_charts_of_any_labels_are_whole_svg_and_repeat(rows):
    drawn = charts.bars("any", rows)
    ET.fromstring(drawn.replace("<svg ", '<svg xmlns:xlink="http://www.w3.org/1999/xlink" ', 1))
    assert drawn == charts.bars("any", rows)
    assert "<script" not in drawn
    assert not re.search(r"fill: #|stroke: #", drawn)


def test_two_charts_share_no_id_and_hold_no_date():
    one, other = charts.histogram("a", [1, 2, 9], 1, "x", (3,)), charts.histogram("b", [1, 2, 9], 1, "x", (3,))
    ids = [set(re.findall(r'id="([^"]+)"', chart)) for chart in (one, other)]
    assert ids[0] and not ids[0] & ids[1]
    assert "Matplotlib" not in one + other and "dc:date" not in one + other


COUNTS = st.dictionaries(st.tuples(st.sampled_from("abcdef"), st.sampled_from(("I", "II", "VI", "other"))), st.integers(1, 50))


@given(counts=COUNTS)
def test_coverage_counts_everything_and_names_exactly_the_empty_cells(counts):
    found = coverage("fitzpatrick", counts)
    assert sum(map(sum, found.cells)) == sum(counts.values())
    assert found.tones[:6] == SCALES["fitzpatrick"]
    names = {(diagnosis, tone) for tone, missing in found.missing.items() for diagnosis in missing}
    assert names == {(d, t) for d in found.diagnoses for t in found.tones} - counts.keys()
    assert found.empty == len(names)


def test_embedding_novelty_is_that_of_the_nearest_image_elsewhere():
    rng = np.random.default_rng(0)
    vectors = {name: rng.normal(size=(n, 16)) for name, n in (("a", 40), ("b", 30), ("c", 20))}
    vectors = {name: (v / np.linalg.norm(v, axis=1, keepdims=True)).astype("<f2") for name, v in vectors.items()}
    vectors["b"][:10] = vectors["a"][:10]
    found = distances(vectors, 0.95)
    others = np.concatenate([vectors["b"], vectors["c"]]).astype(np.float32)
    nearest = (vectors["a"].astype(np.float32) @ others.T).max(axis=1)
    assert found["a"].asked == 40
    assert found["a"].novel == pytest.approx(0.75)
    assert found["a"].median == pytest.approx(float(np.median(nearest)), abs=1e-3)
    assert found["c"].novel == 1.0
    assert distances({"a": vectors["a"]}, 0.95) == {}


def test_embeddings_reach_the_report(corpus, tmp_path):
    shutil.copytree(corpus.home / "lake", tmp_path / "lake")
    lake = Lake(str(tmp_path / "lake"))
    images = lake.read("images").to_pylist()[:20]
    for source in ("phantom", "other"):
        rows = [{**row, "image_id": row["image_id"].replace("phantom", source), "source": source} for row in images]
        lake.replace("images", pa.Table.from_pylist(rows, schema=TABLES["images"].schema), source=source)
        one = np.eye(20, dtype="<f2")
        vectors = [
            {
                "image_id": row["image_id"],
                "source": source,
                "input_digest": str(n),
                "vector": one[n if source == "other" else n // 2].tobytes(),
            }
            for n, row in enumerate(rows)
        ]
        lake.replace("embeddings", pa.Table.from_pylist(vectors, schema=TABLES["embeddings"].schema), source=source)
    told = {row.source: row.distance for row in facts(lake, ["other", "phantom"], set()).novelty}
    assert told["phantom"].novel == 0.0
    assert told["other"].novel == 0.5
