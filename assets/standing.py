"""Checks of what stands in the lake and on the disk, run alone and at night: cheap, and without making anything."""

import json
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from assets.describe import check
from assets.settings import Settings
from pipelines.release import ReleaseDamaged, verified
from pipelines.standing import missing_packs, newest, no_longer_permitted, unsound
from pipelines.tables import TABLES

NO_ASSET = frozenset({"sources", "compared", "leaderboard", "mixes"})
"""Tables that belong to the asset of another: what was read, what was compared, how samples were mixed, scores that people enter."""

STANDING = tuple(table for table in TABLES if table not in NO_ASSET)


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec("stands", asset=table, description="readable, keys present and unique, now") for table in STANDING
    ],
    can_subset=True,
)
def tables_stand(context: dg.AssetCheckExecutionContext, settings: Settings) -> Iterator[dg.AssetCheckResult]:
    """Each table as it lies in the lake now."""
    lake = settings.lake()
    for key in sorted(context.selected_asset_check_keys, key=str):
        table = key.asset_key.to_user_string()
        faults = unsound(lake, table)
        yield check(
            table, key.name, not faults, {"faults": faults, "rows": lake.read(table, columns=[]).num_rows if not faults else 0}
        )


@dg.asset_check(asset="images", name="packs_stand", description="every pack that an image lies in is in the lake")
def packs_stand(settings: Settings) -> dg.AssetCheckResult:
    """Every pack that a row refers to is there."""
    missing = missing_packs(settings.lake())
    return check("images", "packs_stand", not missing, {"missing": missing, "count": len(missing)})


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(
            "release_stands", asset="parquet_shards", description="every file of the newest release is as its manifest says"
        ),
        dg.AssetCheckSpec(
            "still_permitted", asset="parquet_shards", description="today's catalogue still permits what it holds"
        ),
    ],
    can_subset=True,
)
def release_stands(context: dg.AssetCheckExecutionContext, settings: Settings) -> Iterator[dg.AssetCheckResult]:
    """The newest release, file by file, and its licences by the catalogue as it is now."""
    path = newest(settings.releases_path())
    judge = {"release_stands": _damage, "still_permitted": _forbidden}
    for key in sorted(context.selected_asset_check_keys, key=str):
        faults = judge[key.name](path) if path else []
        yield check(
            "parquet_shards", key.name, not faults, {"release": path.name if path else "there is none", "faults": faults}
        )


def _damage(path: Path) -> list[str]:
    try:
        verified(path)
    except (ReleaseDamaged, OSError, ValueError) as error:
        return [str(error)]
    return []


def _forbidden(path: Path) -> list[str]:
    return no_longer_permitted(json.loads((path / "manifest.json").read_text(encoding="utf-8")))


CHECKS = dg.AssetSelection.checks(tables_stand, packs_stand, release_stands)
nightly_checks = dg.define_asset_job(
    "nightly_checks",
    selection=CHECKS,
    description="What stands in the lake and in the newest release, judged without making anything.",
)
nightly = dg.ScheduleDefinition(
    name="nightly_checks",
    job=nightly_checks,
    cron_schedule="0 1 * * *",
    description="Every night at 01:00: cheap checks of what stands.",
)
