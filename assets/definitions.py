"""The code location, and the only place where assets, jobs, schedules and resources are put together."""

import warnings

import dagster as dg

# `backfill_policy` is beta in Dagster 1.13 and would say so for every asset of every process.
warnings.filterwarnings("ignore", category=dg.BetaWarning)

from assets import (  # noqa: E402
    benchmarking,
    documenting,
    grouping,
    ingesting,
    published,
    releasing,
    rendering,
    reviewing,
    standing,
    teaching,
)
from assets.partitions import RANGE  # noqa: E402
from assets.settings import Settings  # noqa: E402

PUBLISHED = dg.AssetSelection.assets("hub_release")
corpus = dg.define_asset_job(
    "corpus",
    selection=dg.AssetSelection.all() - PUBLISHED - standing.CHECKS,
    description="Everything, from published files to a release.",
)
ingest = dg.define_asset_job(
    "ingest",
    selection=dg.AssetSelection.assets(*ingesting.MADE) - standing.CHECKS,
    description="Fetch, read and measure: everything of a picture that needs no other picture and no teacher.",
)
teach = dg.define_asset_job(
    "teach",
    selection=dg.AssetSelection.assets(*teaching.MADE) - standing.CHECKS,
    description="Ask the teacher what the ledger lacks, judge the answers, and have the judge model score them.",
)
publish = dg.define_asset_job("publish", selection=PUBLISHED, description="The finished release to DERMOFORGE_PUBLISH_TO.")


@dg.schedule(
    name="weekly_corpus",
    job=corpus,
    cron_schedule="0 3 * * 0",
    description="Sundays at 03:00: rebuild what changed; unchanged sources, answers and releases are reused.",
)
def weekly() -> dg.RunRequest:
    """One run over all sources."""
    return dg.RunRequest(tags=RANGE)


automatic = dg.AutomationConditionSensorDefinition(
    "automatic_rebuild",
    target=dg.AssetSelection.all() - PUBLISHED,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="For teams who want it: make an asset again when what it is made of has changed. Publishing is never automatic.",
)


def build_defs(settings: Settings | None = None) -> dg.Definitions:
    """The definitions, with other settings if given (tests use a lake of their own)."""
    made = dg.load_assets_from_modules(
        [ingesting, grouping, teaching, reviewing, rendering, benchmarking, releasing, documenting]
    )
    return dg.Definitions(
        assets=[*published.SPECS, *made],
        asset_checks=[standing.tables_stand, standing.packs_stand, standing.release_stands],
        jobs=[corpus, ingest, teach, reviewing.reviewed, publish, standing.nightly_checks],
        schedules=[weekly, standing.nightly],
        sensors=[reviewing.returned_reviews, published.published_versions, automatic],
        resources={"settings": settings or Settings()},
        # One process a run: steps are thin and the heavy work is in Ray, so a process and an import a step would only cost.
        executor=dg.in_process_executor,
    )


defs = build_defs()
