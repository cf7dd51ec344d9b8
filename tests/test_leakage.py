"""Leakage is judged from the keys themselves: each kind of leak is planted and must be named."""

import pytest

from quality.leakage import leaks


def image(image_id: str, **keys: str | None) -> dict[str, str | None]:
    base = {"source": "s", "patient_id": None, "lesion_id": None, "lineage": None, "archive_id": None}
    return {"image_id": image_id, **base, "sha256": f"sha-{image_id}", "pixel_hash": f"pix-{image_id}", **keys}


def group(image_id: str, split: str, group_id: str | None = None) -> dict[str, str]:
    return {"image_id": image_id, "split": split, "group_id": group_id or f"g-{image_id}"}


@pytest.mark.parametrize("key", ["patient_id", "lesion_id", "lineage", "archive_id", "sha256", "pixel_hash"])
def test_a_shared_key_on_two_sides_is_a_leak(key):
    images = [image("a", **{key: "x"}), image("b", **{key: "x"})]
    assert leaks(images, [group("a", "train"), group("b", "train")], []) == []
    assert len(leaks(images, [group("a", "train"), group("b", "test")], [])) == 1


def test_the_same_patient_number_in_two_sources_is_no_leak():
    images = [image("a", patient_id="7"), image("b", patient_id="7", source="t")]
    assert leaks(images, [group("a", "train"), group("b", "test")], []) == []


def edge(verdict: str | None, kind: str = "perceptual") -> dict[str, str | None]:
    return {"a": "a", "b": "b", "kind": kind, "verdict": verdict}


@pytest.mark.parametrize("verdict", ["copy", "same lesion"])
def test_a_verified_pair_across_splits_is_a_leak_and_a_refused_candidate_is_not(verdict):
    images, groups = [image("a"), image("b")], [group("a", "train"), group("b", "test")]
    assert leaks(images, groups, [edge("different")]) == []
    assert leaks(images, groups, [edge(verdict)]) == [f"{verdict}: test (b) and train (a)"]
    assert leaks(images, groups, [edge(None, "lineage")]) == ["one lineage: test (b) and train (a)"]


def test_a_group_across_splits_is_a_leak():
    assert leaks([image("a"), image("b")], [group("a", "train", "g"), group("b", "test", "g")], [])


def test_an_excluded_image_is_on_no_side():
    images = [image("a", lesion_id="x"), image("b", lesion_id="x")]
    pairs = [edge("copy")]
    assert leaks(images, [group("a", "train"), group("b", "excluded")], pairs) == []


def test_an_image_without_a_split_is_a_fault():
    assert leaks([image("a")], [], []) == ["a has no split"]
