"""Publishing to an object store and to a folder: files first, then the one name that readers follow."""

import json
import shutil
from pathlib import Path

import dagster as dg
import pytest

from assets.definitions import build_defs
from assets.settings import Settings
from pipelines.publish import store
from pipelines.publish.publish import publish
from pipelines.publish.tree import NotPublished, publishable


def objects(keys_below: str) -> dict[str, tuple[str, str]]:
    """Checksum and time of every object, by key below a prefix."""
    import boto3

    pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket="corpus", Prefix=keys_below)
    found = [item for page in pages for item in page.get("Contents", [])]
    return {item["Key"].removeprefix(keys_below): (item["ETag"], str(item["LastModified"])) for item in found}


def latest(keys_below: str) -> str:
    import boto3

    return json.loads(boto3.client("s3").get_object(Bucket="corpus", Key=f"{keys_below}latest.json")["Body"].read())["version"]


@pytest.fixture
def target(bucket) -> str:
    """A place for releases in an S3 emulator."""
    return bucket.replace("lake", "releases")


def test_a_bucket_gets_every_file_then_the_pointer_and_nothing_twice(target, versions):
    entries = publishable(versions[0]).entries
    assert publish(versions[0], target).revision is None and not objects("releases/")
    done = publish(versions[0], target, go=True)
    assert len(done.plan.send) == len(entries) and done.revision == latest("releases/") == versions[0].name
    held = objects("releases/")
    assert set(held) == {"latest.json", *(f"{versions[0].name}/{entry.path}" for entry in entries)}
    again = publish(versions[0], target, go=True)
    assert not again.plan.changes and len(again.plan.there) == len(entries)
    assert {key for key, value in objects("releases/").items() if held[key] != value} <= {"latest.json"}


def test_a_damaged_and_a_missing_object_are_the_only_ones_sent_again(target, versions):
    import boto3

    publish(versions[0], target, go=True)
    one, other = [entry for entry in publishable(versions[0]).entries if entry.path.endswith(".parquet")][:2]
    client, below = boto3.client("s3"), f"releases/{versions[0].name}/"
    client.put_object(Bucket="corpus", Key=below + one.path, Body=bytes(one.n_bytes))
    client.delete_object(Bucket="corpus", Key=below + other.path)
    assert publish(versions[0], target, go=True).plan.send == (one, other)
    body = client.get_object(Bucket="corpus", Key=below + one.path)["Body"].read()
    assert body == one.file.read_bytes()


def test_a_publish_that_breaks_off_leaves_the_pointer_and_goes_on_where_it_stood(target, versions, tmp_path):
    publish(versions[0], target, go=True)
    copy = tmp_path / versions[1].name
    shutil.copytree(versions[1], copy)
    planned = store.plan(publishable(copy), target)
    lost = planned.send[len(planned.send) // 2]
    lost.file.rename(tmp_path / "aside")
    with pytest.raises(NotPublished, match=r"latest\.json was not changed"):
        store.send(planned, target)
    assert latest("releases/") == versions[0].name
    (tmp_path / "aside").rename(lost.file)
    rest = publish(copy, target, go=True).plan.send
    assert rest == planned.send[len(planned.send) // 2 :]
    assert latest("releases/") == versions[1].name


def test_an_object_sent_in_parts_is_known_by_its_parts_checksum(target, tmp_path, monkeypatch):
    import boto3
    from boto3.s3.transfer import TransferConfig

    monkeypatch.setattr(store, "PART_BYTES", 5 << 20)
    file = tmp_path / "large"
    file.write_bytes(bytes(range(256)) * (6 << 12))
    rules = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
    boto3.client("s3").upload_file(str(file), "corpus", "large", Config=rules)
    etag = boto3.client("s3").head_object(Bucket="corpus", Key="large")["ETag"].strip('"')
    assert etag.endswith("-2") and store._multipart_md5(file) == etag


def test_a_bucket_that_is_not_there_is_told(target, versions):
    with pytest.raises(NotPublished, match="nowhere"):
        publish(versions[0], "s3://nowhere/releases", go=True)
    with pytest.raises(NotPublished, match="leave them to the environment"):
        publish(versions[0], "s3://key:secret@corpus/releases")


def test_a_folder_is_a_target_too(versions, tmp_path):
    for path in versions:
        publish(path, str(tmp_path / "shelf"), go=True)
        said = json.loads((tmp_path / "shelf" / "latest.json").read_text())
        assert said["version"] == path.name
        assert (tmp_path / "shelf" / said["manifest"]).read_bytes() == (path / "manifest.json").read_bytes()
    assert sorted(p.name for p in (tmp_path / "shelf").iterdir()) == sorted([*(path.name for path in versions), "latest.json"])


def materialised(settings: Settings) -> dict[str, dg.MetadataValue]:
    with dg.DagsterInstance.ephemeral() as instance:
        quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        result = build_defs(settings).resolve_job_def("publish").execute_in_process(instance=instance, run_config=quiet)
        (event,) = result.get_asset_materialization_events()
        return dict(event.materialization.metadata)


def test_the_asset_looks_unless_told_to_publish_and_sleeps_without_a_target(corpus, tmp_path):
    where = {"lake_url": str(corpus.home / "lake"), "releases": str(corpus.home / "releases")}
    assert materialised(Settings(**where))["why"].value == "DERMOFORGE_PUBLISH_TO is not set"
    shelf = tmp_path / "shelf"
    seen = materialised(Settings(**where, publish_to=str(shelf)))
    assert "dry run" in str(seen["published"].value) and not shelf.exists()
    files = len(publishable(corpus.release).entries)
    assert seen["new: files"].value == files and seen["already there: files"].value == 0
    assert materialised(Settings(**where, publish_to=str(shelf), publish="yes"))["published"].value == corpus.release.name
    seen = materialised(Settings(**where, publish_to=str(shelf)))
    assert seen["new: bytes"].value == 0 and seen["already there: files"].value == files


def test_the_asset_fails_with_the_reason_and_is_not_retried(corpus):
    settings = Settings(lake_url=str(corpus.home / "lake"), releases=str(corpus.home / "releases"), publish_to="hf://org/name")
    with dg.DagsterInstance.ephemeral() as instance:
        job = build_defs(settings).resolve_job_def("publish")
        result = job.execute_in_process(instance=instance, raise_on_error=False)
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert "not published: hf://org/name: a target on the Hub is written" in failure.step_failure_data.error.to_string()


def test_a_word_that_is_neither_yes_nor_no_publishes_nothing():
    with pytest.raises(ValueError, match="'no' or 'yes'"):
        Settings(publish="maybe")


def test_the_only_release_is_the_default_and_several_are_listed(versions, tmp_path):
    from pipelines.publish.publish import chosen

    with pytest.raises(NotPublished, match="RELEASE="):
        chosen("", versions[0].parent)
    with pytest.raises(NotPublished, match="no release in"):
        chosen("", tmp_path)
    shutil.copytree(versions[0], tmp_path / "one")
    assert chosen("", tmp_path) == tmp_path / "one"
    assert chosen("elsewhere", tmp_path) == Path("elsewhere")
