"""The graph that users see: what it offers, that it explains itself, and that one bad source or publisher harms no other."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import dagster as dg
import numpy as np
import pytest
from PIL import Image

from assets import published, standing
from assets.definitions import build_defs, defs
from assets.describe import EVENT_BYTES, bounded
from assets.graph import COPIED, GROUPS, code_of
from assets.settings import Settings
from pipelines import watch
from pipelines.lake import Lake
from pipelines.meanings import EVERYWHERE, OWN, meaning
from pipelines.tables import TABLES
from sources import catalogue, download, upstream
from sources.entry import ArchiveQuery, SourceFile
from tests.graph_snapshot import FILE, snapshot
from tests.server import Site, serving

ROOT = Path(__file__).parents[1]


def test_what_is_offered_is_what_was_agreed():
    """A difference that is meant: `.venv/bin/python -m tests.graph_snapshot`, and read what changed."""
    assert snapshot(defs) == FILE.read_text()


def test_every_asset_says_what_a_row_is_who_answers_for_it_and_what_it_needs():
    graph = defs.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert (node.description or "").startswith(("One row ", "No rows")), key
        assert node.owners and node.kinds and node.code_version and node.group_name in GROUPS, key
        assert any(name.startswith("dermoforge/") for name in node.tags), key


def test_every_column_says_what_it_holds_and_nothing_is_said_of_others():
    told = [meaning(table, column) for table, spec in TABLES.items() for column in spec.schema.names]
    assert all(told) and not [text for text in told if "<" in text]  # the UI takes what stands in angles for markup
    assert all(set(own) <= set(TABLES[table].schema.names) for table, own in OWN.items())
    used = {column for table, spec in TABLES.items() for column in spec.schema.names if column not in OWN.get(table, {})}
    assert used == set(EVERYWHERE)
    key = dg.AssetKey("groups")
    columns = defs.get_assets_def(key).metadata_by_key[key]["dagster/column_schema"].columns
    assert {column.name: column.description for column in columns}["split"] == meaning("groups", "split")


def test_groups_are_read_from_left_to_right():
    graph = defs.resolve_asset_graph()
    place = {key: GROUPS.index(graph.get(key).group_name) for key in graph.get_all_asset_keys()}
    back = [(parent, key) for key in place for parent in graph.get(key).parent_keys if place[parent] > place[key]]
    assert not back and set(place.values()) == set(range(len(GROUPS)))


def test_published_sets_carry_their_page_licence_and_counts():
    for name in catalogue.SOURCES:
        spec = published.published_set(name)
        told = spec.metadata
        assert told["page"].url.startswith("http") and told["licence"] and told["it permits"] and told["access"], name
        assert spec.tags["dermoforge/licence"] == catalogue.effective_licence(catalogue.SOURCES[name])
    assert "did you mean ham10000" in str(published.published_set("ham1000").description)


def test_columns_that_are_said_to_be_copied_hold_nothing_else(corpus):
    graph = defs.resolve_asset_graph()
    for table in COPIED:
        node = graph.get(dg.AssetKey(table))
        for column, origins in node.metadata["dagster/column_lineage"].deps_by_column.items():
            assert {origin.asset_key for origin in origins} <= node.parent_keys, (table, column)
            there = {value for o in origins for value in values(corpus.lake, o.asset_key.to_user_string(), o.column_name)}
            assert values(corpus.lake, table, column) - {None} <= there, (table, column)


def values(lake: Lake, table: str, column: str) -> set:
    return set(lake.read(table, columns=[column]).column(column).to_pylist())


@pytest.mark.parametrize("text", ["one line " * 40_000, "line é\n" * 40_000, "\n\n![a](data:image/jpeg;base64,AAAA)" * 9_000])
def test_what_is_told_of_an_asset_fits_into_an_event(text):
    told = bounded({"rows": 3, "long": dg.MetadataValue.md(text), "other": text, "short": "kept"})
    assert len(json.dumps({name: getattr(value, "value", value) for name, value in told.items()})) <= EVENT_BYTES + 200
    assert told["rows"] == 3 and told["short"] == "kept" and "too long" in told["long"].value
    assert bounded({"short": "kept"}) == {"short": "kept"}


# One source


SETS = """
[{name}]
title = "Clinic {name}"
location = "{home}/{name}"
images = "photos"
modality = "dermoscopic"
licence = "LicenseRef-Own"
"""


@pytest.fixture
def clinics(tmp_path):
    """Three small sets of our own, `b_clinic` in the middle, and how to ingest them."""
    names = ("a_clinic", "b_clinic", "c_clinic")
    (tmp_path / "sets.toml").write_text("".join(SETS.format(name=name, home=tmp_path) for name in names))
    for place, name in enumerate(names):
        photograph(tmp_path / name / "photos" / "naevus" / "1.png", place)
    (tmp_path / "dagster").mkdir()
    shutil.copy(ROOT / "dagster.yaml", tmp_path / "dagster")
    paths = {name: str(tmp_path / name.lower()) for name in ("LAKE", "RELEASES", "REVIEWS", "CACHE")}
    own = {"OWN_SETS": str(tmp_path / "sets.toml"), "SOURCES": ",".join(names)} | paths
    environment = os.environ | {f"DERMOFORGE_{name}": value for name, value in own.items()}
    return tmp_path, environment | {"DAGSTER_HOME": str(tmp_path / "dagster")}


def photograph(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (96, 96, 3), np.uint8)).save(path)


def ingest(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    dermoforge = str(Path(sys.executable).with_name("dermoforge"))
    command = [dermoforge, "build", "--only", "images,diagnoses", "-s", environment["DERMOFORGE_SOURCES"]]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)


def test_a_source_that_fails_leaves_the_others_and_its_own_last_good_data(clinics):
    home, environment = clinics
    first = ingest(environment)
    assert first.returncode == 0, first.stderr
    shutil.rmtree(home / "b_clinic")
    photograph(home / "a_clinic" / "photos" / "naevus" / "2.png", 7)
    photograph(home / "c_clinic" / "photos" / "naevus" / "2.png", 8)
    done = ingest(environment)
    assert done.returncode == 1
    assert "1 of 3 sources failed. b_clinic: photos cannot be fetched" in done.stderr
    lake = Lake(str(home / "lake"))
    held = {name: lake.read("images", source=name).num_rows for name in ("a_clinic", "b_clinic", "c_clinic")}
    assert held == {"a_clinic": 2, "b_clinic": 1, "c_clinic": 2}
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        latest, before = (run.run_id for run in instance.get_runs(limit=2))
        assert made(instance, before, "images") == {"a_clinic", "b_clinic", "c_clinic"}
        assert made(instance, latest, "images") == made(instance, latest, "quarantine") == {"a_clinic", "c_clinic"}
        assert made(instance, latest, "diagnoses") == set()


def made(instance: dg.DagsterInstance, run_id: str, asset: str) -> set[str | None]:
    records = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION).records
    events = [record.event_log_entry.dagster_event for record in records]
    return {event.partition for event in events if event.asset_key == dg.AssetKey(asset)}


# What publishers hold


@pytest.fixture
def site(monkeypatch):
    """`isic9` with one file at a server of ours, and `ph2`, which has nothing to ask."""
    site = Site(files={"/set.zip": b"x" * 1000})
    with serving(site) as address:
        files = (SourceFile(name="set.zip", role="images", url=f"{address}/set.zip"),)
        monkeypatch.setitem(catalogue.SOURCES, "isic9", replace(catalogue.SOURCES["isic9"], files=files, url=""))
        monkeypatch.setitem(catalogue.SOURCES, "ph2", replace(catalogue.SOURCES["ph2"], url=""))
        monkeypatch.setenv("DERMOFORGE_SOURCES", "isic9,ph2")
        yield site


def tick(instance: dg.DagsterInstance, cursor: str | None) -> dg.SensorResult:
    context = dg.build_sensor_context(instance, cursor=cursor)
    result = published.published_versions(context)
    assert isinstance(result, dg.SensorResult)
    return result


def test_the_sensor_sees_a_new_version_once_and_fetches_nothing(site):
    with dg.DagsterInstance.ephemeral() as instance:
        first = tick(instance, None)
        assert [event.asset_key.path for event in first.asset_events] == [["published", "isic9"]]
        assert not first.asset_events[0].tags, "the first look is no change"
        same = tick(instance, first.cursor)
        assert not same.asset_events and "unchanged" in str(same.skip_reason)
        site.files["/set.zip"], site.etag = b"y" * 1001, '"2"'
        (seen,) = (changed := tick(instance, first.cursor)).asset_events
        assert "1,001 bytes" in seen.metadata["changed"].value and seen.tags["dagster/data_version"]
        assert not tick(instance, changed.cursor).asset_events
        assert not changed.run_requests
    assert all(asked is None for _, asked in site.asked) and "/set.zip" in {path for path, _ in site.asked}


def test_a_publisher_that_fails_keeps_what_was_seen_and_harms_no_other(site, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT_SECONDS", 2.0)
    before = {"isic9": {"set.zip": "as it was"}, "nowhere": {"a": "1"}}
    site.files.clear()
    looks = watch.look_at_all(["isic9", "nowhere", "ph2"], before)
    assert [look.source for look in looks] == ["isic9", "nowhere", "ph2"]
    assert looks[0].versions == before["isic9"] and "status 404" in looks[0].errors[0] and not looks[0].changes
    assert "no source is called 'nowhere'" in looks[1].errors[0] and looks[1].versions == before["nowhere"]
    assert looks[2] == watch.Look("ph2", {}, (), ())


def test_a_publisher_that_hangs_is_not_waited_for(monkeypatch, site):
    import threading

    gate = threading.Event()
    monkeypatch.setattr(watch, "published", lambda entry: gate.wait(30) and {} if entry.name == "ph2" else {"set.zip": "1"})
    looks = watch.look_at_all(["isic9", "ph2"], {}, seconds=0.5)
    gate.set()
    assert looks[0].versions == {"set.zip": "1"} and looks[1].errors == ("no answer within 0 s",)


@pytest.mark.parametrize(
    ("url", "path", "answer", "said"),
    [
        ("https://zenodo.org/records/123", "/zenodo/123", {"id": 456, "revision": 3}, "id 456, revision 3"),
        ("https://doi.org/10.5281/zenodo.123", "/zenodo/123", {"id": 123}, "id 123"),
        ("https://doi.org/10.7910/DVN/ABC", "/dataverse/DVN/ABC", {"data": {"versionNumber": 4}}, "versionNumber 4"),
        ("https://doi.org/10.6084/m9.figshare.24.v1", "/figshare/24", {"version": 2}, "version 2"),
        ("https://huggingface.co/datasets/org/set", "/hub/org/set", {"sha": "abc"}, "sha abc"),
        ("https://huggingface.co/datasets/org/set", "/hub/org/set", {"error": "gated"}, "the record has no sha"),
    ],
)
def test_the_version_of_a_record_is_asked_of_who_keeps_it(url, path, answer, said):
    site = Site(answer=lambda asked: (200, json.dumps(answer).encode()) if asked.split("?")[0] == path else (404, b""))
    with serving(site) as address:
        here = {
            pattern: replace(registry, address=f"{address}/{registry.keeper.lower()}/{{}}")
            for pattern, registry in upstream.REGISTRIES.items()
        }
        entry = replace(catalogue.SOURCES["ph2"], url=url, files=())
        (found,) = upstream.published(entry, here).values()
    assert said in str(found)


def test_an_archive_is_asked_for_its_count_alone():
    site = Site(answer=lambda asked: (200, b'{"count": 70123}') if "limit=1" in asked else (404, b""))
    with serving(site) as address:
        entry = replace(catalogue.SOURCES["isic_archive"], query=ArchiveQuery(api=address), files=(), url="")
        assert upstream.published(entry) == {"images in the archive": "70,123"}
    assert len(site.asked) == 1


# What stands, judged at night


def test_nightly_checks_find_what_is_gone_or_changed_and_make_nothing(corpus, tmp_path, monkeypatch):
    for folder in ("lake", "releases"):
        shutil.copytree(corpus.home / folder, tmp_path / folder)
    lake, where = Lake(str(tmp_path / "lake")), Settings(lake_url=str(tmp_path / "lake"), releases=str(tmp_path / "releases"))
    found = build_defs(where)
    versions = {table: lake.version(table) for table in standing.STANDING}
    assert failed(found) == set()
    pack = sorted((tmp_path / "lake" / "packs").glob("*/*"))[0]
    pack.unlink()
    sorted((tmp_path / "lake" / "tables" / "groups").glob("**/*.parquet"))[0].unlink()
    (release,) = [path.parent for path in (tmp_path / "releases").glob("[!.]*/manifest.json")]
    with (release / "README.md").open("a") as handle:
        handle.write("changed")
    monkeypatch.setitem(
        catalogue.SOURCES, "phantom", replace(catalogue.SOURCES["phantom"], licence_claims=(("a letter", "LicenseRef-Own"),))
    )
    assert failed(found) == {
        "groups.stands",
        "images.packs_stand",
        "parquet_shards.release_stands",
        "parquet_shards.still_permitted",
    }
    assert {table: lake.version(table) for table in standing.STANDING} == versions


def failed(found: dg.Definitions) -> set[str]:
    with dg.DagsterInstance.ephemeral() as instance:
        quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        result = found.resolve_job_def("nightly_checks").execute_in_process(instance=instance, run_config=quiet)
    assert result.success and not result.get_asset_materialization_events()
    evaluated = result.get_asset_check_evaluations()
    assert len(evaluated) == len(standing.STANDING) + 3
    return {f"{e.asset_key.to_user_string()}.{e.check_name}" for e in evaluated if not e.passed}


def test_a_code_version_tells_what_a_module_does_and_nothing_of_how_it_is_laid_out(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    text = "def kept(word, most=3):\n    return word in {'b', 'a', 'c'} and len(word) < most\n"
    same = ("# why\n\n" + text, text.replace("(word, most=3):", "(\n    word, most=3\n):"))
    other = (text.replace("'c'", "'d'"), text.replace("<", "<="), text.replace("=3", "=4"), text.replace("and", "or"))
    for number, content in enumerate((text, *same, *other)):
        (tmp_path / f"staged_{number}.py").write_text(content)
    versions = [code_of(f"staged_{number}") for number in range(7)]
    assert versions[1] == versions[2] == versions[0]
    assert len(set(versions)) == 5
