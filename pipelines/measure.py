"""Evidence and image quality: what is measured in each picture, from one decode, brought up to date image by image; then the gates.

Gates are judged from the stored numbers in every run, so that another threshold or another stated modality costs no decode.
Memory: one batch of images a worker; the driver holds rows of a few batches and the numbers of one source (about 0.5 KB an image).
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from pipelines.columns import beside
from pipelines.increment import Increment, bring_tables_up_to_date
from pipelines.lake import Lake
from pipelines.pixels import PixelBatch
from quality.image_gates import excludes, judge

VERSION = "2"
"""Raise when the measuring of evidence changes: all evidence is then measured again, and image quality with it."""

QUALITY_VERSION = "3"
"""Raise when the metrics of image quality change. Thresholds of gates need no new version."""

JUDGED = ("excluded", "review", "gates", "verdicts")
"""The columns of `image_quality` that follow from the others and from the modality that the source states."""


def measure(lake: Lake, source: str) -> dict[str, Increment]:
    """Bring `evidence` and `image_quality` of one source up to date with its images."""
    versions = {"evidence": VERSION, "image_quality": f"{VERSION}/{QUALITY_VERSION}"}
    done = bring_tables_up_to_date(lake, source, versions, measure_batch)
    judge_images(lake, source)
    return done


def measure_batch(batch: PixelBatch) -> dict[str, list[dict[str, Any]]]:
    """Rows of both tables for one batch, without source, digest and gates. Runs in a worker."""
    import cv2

    from quality import evidence, raster

    cv2.setNumThreads(1)
    rows: dict[str, list[dict[str, Any]]] = {"evidence": [], "image_quality": []}
    for image_id, data in batch.images():
        rgb = raster.decode(data).rgb
        measured = evidence.measure(rgb)
        rows["evidence"].append(_evidence_row(image_id, measured))
        rows["image_quality"].append({"image_id": image_id, **quality_of(data, rgb, measured)})
    return rows


def _evidence_row(image_id: str, measured: Any) -> dict[str, Any]:
    from quality.evidence import findings

    return {
        "image_id": image_id,
        "measured": measured.measured,
        "why_not": measured.why_not or None,
        "findings": list(findings(measured)),
        "traces": list(measured.traces),
        "evidence": json.dumps(asdict(measured), sort_keys=True, allow_nan=False),
    }


def quality_of(data: bytes, rgb: Any, measured: Any) -> dict[str, Any]:
    """The measured columns of `image_quality`, of a file, its raster and its evidence."""
    from quality import appearance, compression, image_metrics, modality, off_topic, people, skin_tone

    grey = image_metrics.working_grey(rgb)
    metrics = image_metrics.measure(rgb, grey)
    seen = appearance.features(rgb, grey)
    odds = modality.score(seen)
    lesion = (4 / math.pi * measured.area_share * rgb.shape[0] * rgb.shape[1]) ** 0.5
    return {
        **asdict(metrics),
        "modality_score": odds,
        "modality_predicted": modality.predicted(odds),
        "off_topic_score": off_topic.score(seen),
        "ita": skin_tone.typology_angle(measured),
        "ita_doubt": skin_tone.doubt(measured),
        "face_score": people.face_score(rgb),
        "shorter_side": min(rgb.shape[:2]),
        "lesion_pixels": round(lesion, 1) if measured.measured else None,
        "jpeg_quality": compression.jpeg_quality(data),
    }


def judge_images(lake: Lake, source: str) -> bool:
    """Fill the gates' columns of `image_quality` from its numbers; False when they were right already."""
    rows = lake.read("image_quality", source=source)
    stated = beside(rows, lake.read("images", source=source, columns=["image_id", "modality"]))
    judged = [_judged(row) for batch in stated.to_batches(max_chunksize=4096) for row in _numbers(batch)]
    for name in JUDGED:
        field = rows.schema.field(name)
        rows = rows.set_column(rows.schema.get_field_index(name), field, pa.array([row[name] for row in judged], field.type))
    return lake.replace("image_quality", rows, source=source)


def _numbers(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    yield from batch.drop_columns([*JUDGED, "input_digest"]).to_pylist()


def _judged(row: Mapping[str, Any]) -> dict[str, Any]:
    verdicts = judge(row, row["modality"])
    return {
        "excluded": excludes(verdicts),
        "review": any(verdict.action == "review" for verdict in verdicts),
        "gates": [verdict.code for verdict in verdicts],
        "verdicts": json.dumps([asdict(verdict) for verdict in verdicts]),
    }
