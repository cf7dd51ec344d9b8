"""The code location, and the only place where assets, jobs, schedules and resources are put together."""

import warnings

import dagster as dg

# `backfill_policy` is beta in Dagster 1.13 and would say so for every asset of every process.
warnings.filterwarnings("ignore", category=dg.BetaWarning)

from assets import benchmarking, documenting, grouping, ingesting, releasing, rendering, reviewing, teaching  # noqa: E402
from assets.partitions import RANGE  # noqa: E402
from assets.settings import Settings  # noqa: E402

PUBLISHED = dg.AssetSelection.assets("hub_release")
corpus = dg.define_asset_job(
    "corpus", selection=dg.AssetSelection.all() - PUBLISHED, description="Everything, from published files to a release."
)
ingest = dg.define_asset_job("ingest", selection=dg.AssetSelection.groups("ingest"))
teach = dg.define_asset_job("teach", selection=dg.AssetSelection.groups("teach"))
publish = dg.define_asset_job("publish", selection=PUBLISHED, description="The finished release to DERMOFORGE_PUBLISH_TO.")


@dg.schedule(name="weekly_corpus", job=corpus, cron_schedule="0 3 * * 0")
def weekly() -> dg.RunRequest:
    """Sundays at 03:00: rebuild what changed; unchanged sources, answers and releases are reused."""
    return dg.RunRequest(tags=RANGE)


def build_defs(settings: Settings | None = None) -> dg.Definitions:
    """The definitions, with other settings if given (tests use a lake of their own)."""
    return dg.Definitions(
        assets=dg.load_assets_from_modules(
            [ingesting, grouping, teaching, reviewing, rendering, benchmarking, releasing, documenting]
        ),
        jobs=[corpus, ingest, teach, reviewing.reviewed, publish],
        schedules=[weekly],
        sensors=[reviewing.returned_reviews],
        resources={"settings": settings or Settings()},
        # One process a run: steps are thin and the heavy work is in Ray, so a process and an import a step would only cost.
        executor=dg.in_process_executor,
    )


defs = build_defs()
