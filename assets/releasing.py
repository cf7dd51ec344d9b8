"""Assets of what users take away: the parts of the release folder, here and where it is published."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.describe import bounded, check, markdown_table
from assets.graph import code_of, placed
from assets.settings import Settings, chosen_sources
from pipelines import release as releasing
from pipelines.audit import CHECKS, audited, in_words
from pipelines.diff import since_before
from pipelines.publish import publish as publishing
from pipelines.publish.tree import NotPublished
from pipelines.release_preview import columns, preview
from prompts.schemas import digest

FOLDERS = {"parquet_shards": "data/", "webdataset_shards": "webdataset/", "trainer_exports": "trainer/"}
"""Parts of a release folder, each an asset: they are written together, in one step."""

KINDS = {
    "parquet_shards": (
        {"parquet", "huggingface"},
        "One row a sample: Parquet files with pictures, as the Hub's viewer and `datasets` read them.",
    ),
    "webdataset_shards": ({"webdataset"}, "One row a sample: the same as WebDataset tars with a wids index."),
    "trainer_exports": ({"json"}, "One row a sample in the layout of a trainer, over one image tree."),
}
CHECKED = {
    "licences": "parquet_shards",
    "privacy": "parquet_shards",
    "leakage": "parquet_shards",
    "viewer_limits": "parquet_shards",
    "files": "parquet_shards",
    "loader_contracts": "trainer_exports",
}
"""Which part shows each check; every check reads all files."""

MOST_FILES = 10
"""Files that an asset's metadata names."""


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            name,
            deps=["samples", "preference_pairs", "images", "image_quality", "benchmark"],
            **placed("release"),
            code_version=code_of("pipelines.release", "pipelines.shard", "pipelines.exports"),
            kinds=kinds,
            description=about,
        )
        for name, (kinds, about) in KINDS.items()
    ],
    check_specs=[
        dg.AssetCheckSpec(name, asset=CHECKED[name], blocking=True, description=about) for name, about in CHECKS.items()
    ],
)
def release(settings: Settings) -> Iterator[dg.MaterializeResult]:
    """The release folder, moved into place in one step and read back: each asset is a part of it."""
    lake, names, profile = settings.lake(), chosen_sources(), settings.release_profile()
    done = releasing.release(lake, names, settings.releases_path(), profile, settings.cleared_images())
    faults = audited(lake, done.path) if done else {name: [] for name in CHECKS}
    diff = since_before(done.path) if done else None
    for name, folder in FOLDERS.items():
        results = [
            check(name, key, not found, {"faults": in_words(found)}) for key, found in faults.items() if CHECKED[key] == name
        ]
        if done is None:
            yield dg.MaterializeResult(
                asset_key=name, metadata={"why": "no accepted sample may be released"}, check_results=results
            )
            continue
        files = [entry for entry in done.manifest["files"] if entry["path"].startswith(folder)]
        yield dg.MaterializeResult(
            asset_key=name,
            metadata=bounded(
                {
                    **_told(done, name),
                    **_sizes(files),
                    "preview": dg.MetadataValue.md(preview(done.path, name)),
                    "since the release before": dg.MetadataValue.md(diff.markdown() if diff else "there is none"),
                }
            ),
            data_version=dg.DataVersion(digest([[entry["path"], entry["sha256"]] for entry in files])[:32]),
            check_results=results,
        )


@dg.asset(
    deps=[*FOLDERS, "data_card"],
    **placed("release", needs="network", on_request=True),
    kinds={"huggingface"},
    code_version=code_of("pipelines.publish"),
)
def hub_release(settings: Settings) -> dg.MaterializeResult:
    """No rows of its own, the release at DERMOFORGE_PUBLISH_TO: what a publish would change; it does so where DERMOFORGE_PUBLISH is yes."""
    if not settings.publish_to:
        return dg.MaterializeResult(metadata={"why": "DERMOFORGE_PUBLISH_TO is not set"})
    args = (settings.lake(), chosen_sources(), settings.releases_path(), settings.release_profile(), settings.cleared_images())
    manifest = releasing.latest(*args)
    if manifest is None:
        raise dg.Failure(
            "there is no release of the lake as it is now: materialise `parquet_shards` first", allow_retries=False
        )
    try:
        done = publishing.publish(
            settings.releases_path() / manifest["version"], settings.publish_to, go=settings.really_publish()
        )
    except NotPublished as error:
        raise dg.Failure(f"not published: {error}", allow_retries=False) from None
    return dg.MaterializeResult(
        metadata={
            "dagster/uri": done.plan.target,
            "version": manifest["version"],
            "licence profile": manifest["profile"],
            "target before": done.plan.state,
            "published": done.revision or "dry run: nothing was sent (DERMOFORGE_PUBLISH=yes publishes)",
            **done.plan.facts(),
        },
        data_version=dg.DataVersion(done.revision or f"dry run of {manifest['version']}"),
    )


def _told(done: releasing.Release, name: str) -> dict[str, Any]:
    """What the manifest says about the whole release, beside its shards."""
    manifest = done.manifest
    told: dict[str, Any] = {
        "dagster/uri": str(done.path / FOLDERS[name]),
        "version": manifest["version"],
        "stood there already": done.reused,
    }
    if found := columns(done.path, name):
        told["dagster/column_schema"] = dg.TableSchema([dg.TableColumn(column, kind) for column, kind in found])
    if (report := done.path / "report.html").exists():
        told["report and gallery"] = dg.MetadataValue.url(report.as_uri())
    if name != "parquet_shards":
        return told
    return told | {
        "licence profile": manifest["profile"],
        "samples": dg.MetadataValue.json(manifest["samples"]),
        "images": dg.MetadataValue.json(manifest["images"]),
        "withheld images": dg.MetadataValue.json(manifest["withheld_images"]),
        "card": dg.MetadataValue.md((done.path / "README.md").read_text(encoding="utf-8").split("---", 2)[2]),
    }


def _sizes(files: list[dict[str, Any]]) -> dict[str, Any]:
    """Files, bytes and rows of a part of a release, and its largest files."""
    largest = sorted((entry["bytes"], entry["path"]) for entry in files)[: -MOST_FILES - 1 : -1]
    return {
        "dagster/row_count": sum(entry.get("rows", 0) for entry in files),
        "files": len(files),
        "MB": round(sum(entry["bytes"] for entry in files) / 1e6, 1),
        "largest": markdown_table(("file", "MB"), [(path, f"{size / 1e6:,.2f}") for size, path in largest]),
    }
