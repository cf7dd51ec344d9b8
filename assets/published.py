"""The image sets as their publishers hold them: one external asset a chosen source, and the sensor that asks whether they changed.

Only the sources of this deployment are shown: the whole catalogue is docs/sets.md and would bury the graph.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from assets.graph import OWNERS
from assets.settings import chosen_sources
from pipelines.watch import Look, look_at_all
from prompts.schemas import digest
from sources.catalogue import effective_licence, how_to_get, released
from sources.catalogue import source as entry_of
from sources.entry import Source
from sources.licences import LICENCES

EVERY_SECONDS = 6 * 3600
"""Between two looks at the publishers."""


def key_of(name: str) -> dg.AssetKey:
    """The asset of a set as it is published."""
    return dg.AssetKey(["published", name])


def published_set(name: str) -> dg.AssetSpec:
    """The external asset of a set: page, licence, access, counts and traps of its catalogue entry."""
    try:
        entry = entry_of(name)
    except ValueError as error:  # a wrong name is told where it is looked for, and by every run; the graph still loads
        return dg.AssetSpec(key_of(name), group_name="sources", owners=OWNERS, description=f"One row an image? {error}")
    return dg.AssetSpec(
        key_of(name),
        description=f"One row {'an image' if not entry.annotates else 'an annotated image'}: {entry.title}.",
        group_name="sources",
        owners=OWNERS,
        kinds={_kind(entry)},
        tags={"dermoforge/access": entry.access.replace(" ", "-"), "dermoforge/licence": effective_licence(entry)},
        code_version=entry.version,
        metadata=_told(entry),
    )


def _kind(entry: Source) -> str:
    if entry.access == "built-in":
        return "python"
    if entry.query:
        return "api"
    return "table" if entry.annotates else "image"


def _told(entry: Source) -> dict[str, Any]:
    licence = LICENCES.get(effective_licence(entry))
    pages = {"page": entry.url, "licence page": licence.url if licence else ""}
    return {
        **{name: dg.MetadataValue.url(url) for name, url in pages.items() if url},
        "version": entry.version,
        "licence": effective_licence(entry),
        "it permits": licence.permits() if licence else "nothing: unknown",
        "a release may contain": released(entry),
        "access": entry.access,
        "how to get it": how_to_get(entry),
        "images published": entry.published_images if entry.published_images is not None else "not stated",
        "modality": str(entry.modality or "each image's own"),
        "citation": entry.citation,
        "attribution": entry.attribution,
        "overlaps": ", ".join(entry.overlaps) or "none known",
        "traps": dg.MetadataValue.md("\n".join(f"- {trap}" for trap in entry.traps) or "none known"),
    }


SETS = [key_of(name) for name in chosen_sources()]
SPECS = [published_set(name) for name in chosen_sources()]


@dg.sensor(
    minimum_interval_seconds=EVERY_SECONDS,
    description="Asks the publishers what they hold now, without fetching it; a change is observed on published/<set>.",
)
def published_versions(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Ask the publishers what they hold now, without fetching it. A change is observed on `published/<set>`; nothing is started.

    A set is pinned by its catalogue entry, so a person decides what a new version is worth. The cursor keeps what was seen last.
    """
    seen: dict[str, dict[str, str]] = json.loads(context.cursor or "{}")
    looks = look_at_all(chosen_sources(), seen)
    for look in looks:
        for line in [*look.errors, *look.changes]:
            context.log.warning(f"{look.source}: {line}")
    kept = {look.source: dict(look.versions) for look in looks if look.versions}
    events = list(_observed(looks, seen))
    why = None if events else dg.SkipReason(_in_words(looks))
    return dg.SensorResult(skip_reason=why, asset_events=events, cursor=json.dumps(kept, sort_keys=True))


def _observed(looks: list[Look], seen: Mapping[str, Any]) -> Iterator[dg.AssetObservation]:
    """Sets that are seen for the first time, or have changed: only these have a new data version, which marks `images` as outdated."""
    for look in looks:
        if not look.versions or (look.source in seen and not look.changes):
            continue
        told: dict[str, Any] = {"seen": dg.MetadataValue.json(dict(look.versions))}
        tags = {}
        if look.changes:
            told["changed"] = dg.MetadataValue.md("\n".join(f"- {line}" for line in look.changes))
            told["what to do"] = (
                f"read the set's page; to take the new files, delete cache/{look.source} and materialise this partition of `images`"
            )
            tags = {"dagster/data_version": digest(dict(look.versions))[:32]}
        yield dg.AssetObservation(key_of(look.source), metadata=told, tags=tags)


def _in_words(looks: list[Look]) -> str:
    counts = {
        "unchanged": sum(bool(look.versions) for look in looks),
        "could not be asked": sum(bool(look.errors) for look in looks),
        "with nothing to ask": sum(not look.versions and not look.errors for look in looks),
    }
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)
