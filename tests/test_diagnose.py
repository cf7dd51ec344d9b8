"""Labels in the lake: one node a label, several weighted labels stay several, and what names nothing is listed."""

import json

import pyarrow as pa
import pytest

from pipelines.diagnose import diagnose, unmapped
from pipelines.lake import Lake
from pipelines.tables import TABLES


def diagnosed(tmp_path, labels: dict[str, tuple[str | None, dict[str, float]]], source: str = "scin") -> tuple[Lake, pa.Table]:
    """The `diagnoses` of images with a raw label and a differential each."""
    lake = Lake(str(tmp_path / "lake"))
    rows = [
        {"image_id": f"{source}:{key}", "source": source, "diagnosis_raw": raw, "differential": json.dumps(weights)}
        for key, (raw, weights) in labels.items()
    ]
    lake.replace("images", pa.Table.from_pylist(rows, schema=TABLES["images"].schema), source=source)
    assert diagnose(lake, source)
    return lake, lake.read("diagnoses")


def test_a_weighted_differential_is_mapped_name_by_name_and_makes_no_diagnosis(tmp_path):
    _, rows = diagnosed(tmp_path, {"1": (None, {"SK/ISK": 0.2, "Melanocytic Nevus": 0.5, "O/E - pustules": 0.3})})
    (row,) = rows.to_pylist()
    assert row["node"] is None and row["how"] == "no label" and row["path"] == []
    named = [(one["raw"], one["weight"], one["node"]) for one in row["differential"]]
    assert named == [
        ("Melanocytic Nevus", 0.5, "nevus"),
        ("O/E - pustules", 0.3, None),
        ("SK/ISK", 0.2, "seborrheic-keratosis"),
    ]


def test_a_coarse_label_keeps_its_level(tmp_path):
    _, rows = diagnosed(tmp_path, {"1": ("vasc", {})}, "ham10000")
    (row,) = rows.to_pylist()
    assert (row["node"], row["granularity"], row["malignancy"], row["differential"]) == ("vascular", "superclass", "mixed", [])


def test_only_labels_that_name_nothing_count_as_unmapped(tmp_path):
    labels = {
        "unlabelled": (None, {}),
        "decided": ("O/E - pustules", {}),
        "known": ("Eczema", {"Eczema": 1.0}),
        "new": ("Glass skin", {"Glass skin": 1.0}),
        "half": (None, {"Tinea": 0.5, "Glass skin": 0.25, "Moon dust": 0.25}),
    }
    _, rows = diagnosed(tmp_path, labels)
    share, names = unmapped(rows)
    assert share == pytest.approx(2 / 4)
    assert list(names.items()) == [("Glass skin", 2), ("Moon dust", 1)]


def test_nothing_changes_when_nothing_is_new(tmp_path):
    lake, _ = diagnosed(tmp_path, {"1": ("Eczema", {"Eczema": 1.0})})
    assert not diagnose(lake, "scin")
