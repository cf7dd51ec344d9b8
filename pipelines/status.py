"""What a rebuild would do: for each stage of each source what is missing or out of date, why, and what the teacher's share would cost.

Read from the lake alone; nothing is fetched, decoded or asked. Memory: ids and digests of one source, and one block of questions.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from pipelines import keypoints, measure
from pipelines.diagnose import mapped
from pipelines.increment import wanted_digests
from pipelines.ingest import outdated
from pipelines.lake import Lake, digest_rows
from pipelines.release import latest
from pipelines.teach.config import TeacherConfig
from pipelines.teach.flow import BLOCK, follow, walks
from pipelines.teach.ledger import Ledger
from pipelines.teach.requests import Teacher
from pipelines.teach.spent import spent
from pipelines.teach.subjects import subjects
from sources.catalogue import source as entry_of
from sources.licences import Profile


@dataclass(frozen=True, slots=True)
class Due:
    """Work that the next run would do: `count` of what, why, and an estimate of its cost in words."""

    source: str
    stage: str
    count: int
    why: str
    cost: str = ""


def due(
    lake: Lake,
    sources: Sequence[str],
    teacher: Teacher,
    config: TeacherConfig,
    releases: Path,
    profile: Profile,
    cleared: Collection[str] = (),
) -> Iterator[Due]:
    """Everything that is due, in the order of the pipeline; nothing for what is up to date.

    What follows from the answers is not made again to compare it: only that it was never made is seen.
    """
    read = {row["source"]: row for row in lake.read("sources").to_pylist()}
    for name in sources:
        if name not in read:
            yield Due(name, "images", 1, "never read")
            continue
        if outdated(entry_of(name), read[name]):
            yield Due(
                name, "images", read[name]["images"], "the set's version or its reader changed: everything of it is read again"
            )
        yield from _per_image(lake, name)
        yield from _questions(lake, name, teacher, config)
        yield from _unmade(lake, name)
    if lake.version("samples") is not None and latest(lake, sources, releases, profile, cleared) is None:
        yield Due(", ".join(sources), "release", 1, "the samples in the lake have not been released")


STAGES = {
    "evidence": measure.VERSION,
    "image_quality": f"{measure.VERSION}/{measure.QUALITY_VERSION}",
    "keypoints": keypoints.VERSION,
}
"""Per-image tables, with the version of what computes them."""


def _per_image(lake: Lake, source: str) -> Iterator[Due]:
    for table, version in STAGES.items():
        wanted = wanted_digests(lake, source, version)
        have = lake.read(table, source=source, columns=["image_id", "input_digest"]).to_pydict()
        held = dict(zip(have["image_id"], have["input_digest"], strict=True))
        new = sum(image not in held for image in wanted)
        old = sum(image in held and held[image] != digest for image, digest in wanted.items())
        if new:
            yield Due(source, table, new, "images without a row")
        if old:
            yield Due(source, table, old, "rows of an earlier version, or of other bytes")
    images = _ids(lake, "images", source)
    for table in ("embeddings", "groups"):
        if new := len(images - _ids(lake, table, source)):
            yield Due(source, table, new, "images without a row")
    labels = mapped(lake, source)
    if digest_rows(labels.sort_by("image_id")) != digest_rows(lake.read("diagnoses", source=source)):
        yield Due(source, "diagnoses", labels.num_rows, "labels or ontology changed")


def _ids(lake: Lake, table: str, source: str) -> set[str]:
    return set(lake.read(table, source=source, columns=["image_id"]).column("image_id").to_pylist())


def _unmade(lake: Lake, source: str) -> Iterator[Due]:
    """Stages after the teacher that have never been run on what the one before gave."""
    taught = {subject.image_id for subject in subjects(lake, source)}
    if new := len(taught - _ids(lake, "trajectories", source)):
        yield Due(source, "trajectories", new, "images whose answers have not been judged")
    accepted = lake.read("trajectories", source=source, columns=["status"]).column("status").to_pylist().count("accepted")
    if accepted and not _ids(lake, "samples", source):
        yield Due(source, "samples", accepted, "accepted trajectories, none of which was rendered")


def _questions(lake: Lake, source: str, teacher: Teacher, config: TeacherConfig) -> Iterator[Due]:
    """Questions that the ledger cannot answer. What follows from an answer that is missing is not counted: nobody knows it yet."""
    ledger, open_ = Ledger(lake, teacher), dict[str, int]()
    steps = walks(subjects(lake, source), config)
    while block := list(islice(steps, BLOCK)):
        fresh = [(walk, request) for walk in block for request in walk.open]
        for stage in {key: request.stage for _, key, request in follow(fresh, teacher, ledger.find)}.values():
            open_[stage] = open_.get(stage, 0) + 1
    rates = _rates(spent(lake), teacher.name)
    for stage, count in sorted(open_.items()):
        yield Due(source, f"teacher: {stage}", count, "questions without an answer", _cost(count, rates.get(stage), config))


def _rates(rows: Iterable[Mapping[str, Any]], teacher: str) -> dict[str, tuple[float, float, float]]:
    """By stage, what an answer of this teacher took on average: tokens, engine hours, GPU hours."""
    sums: dict[str, list[float]] = {}
    for row in rows:
        if row["teacher"] == teacher:
            held = sums.setdefault(row["stage"], [0.0] * 4)
            for place, value in enumerate(
                (row["answers"], row["prompt_tokens"] + row["answer_tokens"], row["engine_hours"], row["gpu_hours"])
            ):
                held[place] += value or 0.0
    return {stage: (tokens / n, hours / n, gpu / n) for stage, (n, tokens, hours, gpu) in sums.items() if n}


def _cost(count: int, rate: tuple[float, float, float] | None, config: TeacherConfig) -> str:
    if rate is None:
        return "unknown: this teacher has not answered this stage yet"
    tokens, hours, gpu = (count * value for value in rate)
    parts = [f"{tokens / 1e6:,.2f} M tokens"] if tokens else []
    parts += [f"{hours:,.2f} engine hours"] + ([f"{gpu:,.2f} GPU hours"] if gpu else [])
    parts += (
        [f"{gpu * config.price_per_gpu_hour:,.2f} at {config.price_per_gpu_hour:g} an hour"]
        if gpu and config.price_per_gpu_hour
        else []
    )
    return ", ".join(parts)
