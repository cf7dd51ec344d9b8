"""Assets of what people read about a release: its card, and the report for those who hold the data."""

import hashlib

import dagster as dg

from assets.describe import bounded, check
from assets.graph import code_of, placed
from assets.releasing import FOLDERS
from assets.settings import Settings, chosen_sources
from pipelines import release as releasing
from pipelines.documents import faults
from pipelines.report import write


@dg.asset(
    deps=list(FOLDERS),
    **placed("release"),
    code_version=code_of("pipelines.card", "pipelines.datasheet", "pipelines.croissant"),
    kinds={"markdown", "huggingface"},
    check_specs=[
        dg.AssetCheckSpec(
            "readable",
            asset="data_card",
            blocking=True,
            description="the Hub reads the card, and Croissant lists every shard as it is",
        )
    ],
)
def data_card(settings: Settings) -> dg.MaterializeResult:
    """No rows, three documents of the release: card, datasheet and Croissant metadata, read back as the Hub reads them."""
    args = (settings.lake(), chosen_sources(), settings.releases_path(), settings.release_profile(), settings.cleared_images())
    manifest = releasing.latest(*args)
    if manifest is None:
        nothing = {"why": "there is no release"}
        return dg.MaterializeResult(metadata=nothing, check_results=[check("data_card", "readable", True, nothing)])
    path = settings.releases_path() / manifest["version"]
    found = faults(path, manifest)
    texts = {name: (path / name).read_text(encoding="utf-8") for name in ("README.md", "DATASHEET.md")}
    checksums = {entry["path"]: entry["sha256"] for entry in manifest["files"]}
    return dg.MaterializeResult(
        metadata=bounded(
            {
                "dagster/uri": str(path / "README.md"),
                "version": manifest["version"],
                "card": dg.MetadataValue.md(texts["README.md"].split("---", 2)[2]),
                "hub metadata": dg.MetadataValue.md(f"```yaml\n{texts['README.md'].split('---', 2)[1].strip()}\n```"),
                "datasheet": dg.MetadataValue.md(texts["DATASHEET.md"]),
                "croissant": dg.MetadataValue.path(path / "croissant.json"),
            }
        ),
        data_version=dg.DataVersion(checksums["README.md"][:32]),
        check_results=[check("data_card", "readable", not any(found.values()), found)],
    )


@dg.asset(deps=list(FOLDERS), **placed("release"), kinds={"html"}, code_version=code_of("pipelines.report"))
def report(settings: Settings) -> dg.MaterializeResult:
    """No rows, one HTML file for local eyes, with every picture: counts, gaps, duplicates, rejects, novelty and a gallery."""
    args = (settings.lake(), chosen_sources(), settings.releases_path())
    path = write.write_report(*args, profile=settings.release_profile(), cleared=settings.cleared_images())
    if path is None:
        return dg.MaterializeResult(metadata={"why": "the lake holds no image of these sources"})
    manifest = releasing.latest(*args, settings.release_profile(), settings.cleared_images())
    shared = "there is no release" if manifest is None else str(args[2] / manifest["version"] / "report.html")
    return dg.MaterializeResult(
        metadata={
            "dagster/uri": str(path),
            "open it": dg.MetadataValue.url(path.as_uri()),
            "bytes": path.stat().st_size,
            "pictures": path.read_text(encoding="utf-8").count("<img "),
            "the one that may be passed on": shared,
        },
        data_version=dg.DataVersion(hashlib.sha256(path.read_bytes()).hexdigest()[:32]),
    )
