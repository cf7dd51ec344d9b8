"""Assets of what users take away: the release folder, here and where it is published."""

from pathlib import Path

import dagster as dg

from assets.describe import check
from assets.settings import Settings, chosen_sources
from pipelines import release as releasing
from pipelines.publish.publish import publish
from pipelines.publish.tree import NotPublished
from sources.licences import Profile, may_release

GROUP = "release"
OWNERS = ["team:data-engineering"]


@dg.asset(
    deps=["samples", "images", "image_quality"],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"parquet", "huggingface"},
    check_specs=[
        dg.AssetCheckSpec("licences", asset="release", blocking=True, description="no row outside the profile was written"),
        dg.AssetCheckSpec("files", asset="release", blocking=True, description="every file is as the manifest says"),
    ],
)
def release(settings: Settings) -> dg.MaterializeResult:
    """Parquet, WebDataset, trainer exports, card and manifest, moved into place in one step."""
    lake = settings.lake()
    done = releasing.release(
        lake, chosen_sources(), settings.releases_path(), settings.release_profile(), settings.cleared_images()
    )
    if done is None:
        nothing = {"why": "no accepted sample may be released"}
        results = [check("release", name, True, nothing) for name in ("licences", "files")]
        return dg.MaterializeResult(metadata=nothing, check_results=results)
    manifest = done.manifest
    return dg.MaterializeResult(
        metadata={
            "dagster/uri": str(done.path),
            "dagster/row_count": sum(manifest["samples"].values()),
            "version": manifest["version"],
            "stood there already": done.reused,
            "samples": dg.MetadataValue.json(manifest["samples"]),
            "images": dg.MetadataValue.json(manifest["images"]),
            "withheld images": dg.MetadataValue.json(manifest["withheld_images"]),
            "files": len(manifest["files"]),
            "card": dg.MetadataValue.md((done.path / "README.md").read_text(encoding="utf-8").split("---", 2)[2]),
        },
        data_version=dg.DataVersion(manifest["version"]),
        check_results=[_licences(done.path, settings.release_profile()), _files(done.path)],
    )


@dg.asset(deps=["release"], group_name=GROUP, owners=OWNERS, kinds={"huggingface"})
def hub_release(settings: Settings) -> dg.MaterializeResult:
    """The release at DERMOFORGE_PUBLISH_TO: what a publish would change; it does so where DERMOFORGE_PUBLISH is yes."""
    if not settings.publish_to:
        return dg.MaterializeResult(metadata={"why": "DERMOFORGE_PUBLISH_TO is not set"})
    args = (settings.lake(), chosen_sources(), settings.releases_path(), settings.release_profile())
    manifest = releasing.latest(*args)
    if manifest is None:
        raise dg.Failure("there is no release of the lake as it is now: materialise `release` first", allow_retries=False)
    try:
        done = publish(settings.releases_path() / manifest["version"], settings.publish_to, go=settings.really_publish())
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


def _licences(path: Path, profile: Profile) -> dg.AssetCheckResult:
    written = releasing.written_licences(path)
    outside = sorted(value for value in written if not may_release(value, profile))
    return check("release", "licences", not outside, {"licences": sorted(written), "outside the profile": outside})


def _files(path: Path) -> dg.AssetCheckResult:
    try:
        manifest = releasing.verified(path)
    except releasing.ReleaseDamaged as error:
        return check("release", "files", False, {"damage": str(error)})
    return check("release", "files", True, {"files": len(manifest["files"])})
