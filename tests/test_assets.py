"""The Dagster surface: what exists, what blocks, what a person sees, and what a failure says."""

import base64
import re
from pathlib import Path

import dagster as dg
import pytest

from assets.definitions import build_defs, defs
from assets.partitions import RANGE
from assets.settings import Settings, chosen_sources
from pipelines.ingest import ingest as real
from pipelines.preview import MOST_BYTES, MOST_IMAGES, thumbnails

ASSETS = {
    "images",
    "quarantine",
    "annotations",
    "evidence",
    "image_quality",
    "diagnoses",
    "fingerprints",
    "keypoints",
    "embeddings",
    "duplicate_pairs",
    "groups",
    "completions",
    "image_probe",
    "trajectories",
    "rejects",
    "trajectory_verdicts",
    "judgements",
    "samples",
    "rl_prompts",
    "preference_pairs",
    "benchmark",
    "data_card",
    "report",
    "parquet_shards",
    "webdataset_shards",
    "trainer_exports",
    "hub_release",
    "reviews",
    "review_queue",
    "agreement",
}
MOST_EVENT_BYTES = 100_000
BLOCKING = {
    ("groups", "leakage"),
    ("groups", "largest_group"),
    ("benchmark", "apart"),
    ("parquet_shards", "licences"),
    ("parquet_shards", "privacy"),
    ("parquet_shards", "leakage"),
    ("parquet_shards", "viewer_limits"),
    ("parquet_shards", "files"),
    ("trainer_exports", "loader_contracts"),
    ("data_card", "readable"),
    ("diagnoses", "labels_map"),
}


def specs() -> list[dg.AssetSpec]:
    return [spec for asset in defs.assets or [] if isinstance(asset, dg.AssetsDefinition) for spec in asset.specs]


def test_the_assets_are_the_tables_and_the_release():
    assert {spec.key.to_user_string() for spec in specs()} == ASSETS


def test_every_asset_says_who_owns_it_and_what_it_is():
    for spec in specs():
        assert spec.owners and spec.kinds and spec.description and spec.group_name != "default"


def test_the_checks_that_must_stop_a_release_do():
    checks = {}
    for asset in defs.assets or []:
        if isinstance(asset, dg.AssetsDefinition):
            checks |= {(c.asset_key.to_user_string(), c.name): c.blocking for c in asset.check_specs}
    assert {key for key in BLOCKING if checks[key]} == BLOCKING
    assert all(blocking for (_, name), blocking in checks.items() if name == "schema")
    assert not checks["trajectories", "reject_share"]


def test_jobs_and_the_weekly_schedule_resolve():
    repository = defs.get_repository_def()
    assert {"corpus", "ingest", "teach", "publish"} <= set(repository.job_names)
    schedule = repository.get_schedule_def("weekly_corpus")
    assert schedule.cron_schedule == "0 3 * * 0"
    with dg.DagsterInstance.ephemeral() as instance:
        tick = schedule.evaluate_tick(dg.build_schedule_context(instance, repository_def=repository))
    assert tick.run_requests[0].tags.items() >= RANGE.items()


def test_sources_are_a_sorted_set_from_the_environment(monkeypatch):
    monkeypatch.setenv("DERMOFORGE_SOURCES", " phantom, ham10000,phantom ,")
    assert chosen_sources() == ["ham10000", "phantom"]
    monkeypatch.delenv("DERMOFORGE_SOURCES")
    assert chosen_sources() == ["phantom"]


def test_a_wrong_profile_is_named():
    with pytest.raises(ValueError, match="'open', 'noncommercial' or 'annotations-only'"):
        Settings(profile="everything")


def test_thumbnails_are_bounded_and_real(corpus):
    text = thumbnails(corpus.lake, "phantom")
    pictures = re.findall(r"data:image/jpeg;base64,([^)]+)\)", text)
    assert len(pictures) == MOST_IMAGES
    assert len(text) < MOST_BYTES + 2000
    assert all(base64.b64decode(picture).startswith(b"\xff\xd8") for picture in pictures)


def test_an_asset_run_leaves_the_metadata_that_people_look_at(corpus):
    where = {"lake_url": "lake", "releases": "releases", "reviews": "reviews"}
    found = build_defs(Settings(**{name: str(corpus.home / folder) for name, folder in where.items()}))
    with dg.DagsterInstance.ephemeral() as instance:
        job = found.resolve_job_def("corpus")
        quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        result = job.execute_in_process(instance=instance, tags=RANGE, run_config=quiet)
        assert result.success
        seen = {e.asset_key.to_user_string(): e.materialization for e in result.get_asset_materialization_events()}
        assert set(seen) == ASSETS - {"hub_release"}
        sizes = {f"{e.event_type_value} {e.asset_key or e.step_key}": len(dg.serialize_value(e)) for e in result.all_events}
        assert {name: size for name, size in sizes.items() if size > MOST_EVENT_BYTES} == {}
        images = seen["images"].metadata
        assert images["dagster/partition_row_count"].value == corpus.lake.read("images").num_rows
        assert "data:image/jpeg" in str(images["thumbnails"].value)
        assert "data:image/jpeg" in seen["parquet_shards"].metadata["preview"].value
        for name in ("parquet_shards", "webdataset_shards", "trainer_exports"):
            assert seen[name].metadata["files"].value > 1 and seen[name].metadata["preview"].value != "nothing"
            assert seen[name].metadata["dagster/row_count"].value >= corpus.lake.read("samples").num_rows * 0.9
        for name in ASSETS - {"hub_release", "image_probe"}:
            assert "dagster/uri" in seen[name].metadata
            assert seen[name].tags["dagster/data_version"]
        for name in ("images", "diagnoses", "groups", "trajectories", "samples", "rl_prompts", "benchmark", "review_queue"):
            assert "image_id" in seen[name].metadata["first rows"].value, name
        assert {c.name for c in seen["parquet_shards"].metadata["dagster/column_schema"].value.columns} >= {
            "images",
            "messages",
        }
        assert "█" in seen["groups"].metadata["split"].value
        checks = {(c.asset_key.to_user_string(), c.check_name): c.passed for c in result.get_asset_check_evaluations()}
        assert all(checks.values()), checks


def test_a_source_that_cannot_be_had_fails_with_instructions_and_is_not_retried(tmp_path, monkeypatch):
    from assets import ingesting

    settings = Settings(lake_url=str(tmp_path / "lake"), cache=str(tmp_path / "cache"))
    monkeypatch.setattr(ingesting.ingesting, "ingest", lambda *a, **k: real(a[0], "ham10000", cache=str(tmp_path / "cache")))
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [ingesting.ingested],
            partition_key="phantom",
            resources={"settings": settings},
            instance=instance,
            raise_on_error=False,
        )
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert "DERMOFORGE_MIRROR" in failure.step_failure_data.error.to_string()
    assert failure.step_failure_data.user_failure_data is not None


def test_every_setting_is_explained_in_the_launchpad_and_in_the_docs():
    fields = Settings.to_config_schema().as_field().config_type.fields
    page = (Path(__file__).parents[1] / "docs" / "settings.md").read_text()
    for name, field in fields.items():
        variable = {"lake_url": "LAKE"}.get(name, name.upper())
        assert field.description, name
        assert f"`DERMOFORGE_{variable}`" in page, name
