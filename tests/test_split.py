"""Groups and splits: nothing that belongs together is pulled apart, shares are kept, and an old image never changes sides."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.split import components, group_rows, labels_conflict
from prompts.ontology import load
from quality.leakage import leaks
from quality.thresholds import SPLIT_SHARES

ONTOLOGY = load()
NEVUS = ONTOLOGY.resolve("melanocytic nevus")
MELANOMA = ONTOLOGY.resolve("melanoma")


def image(n: int, **changes):
    base = {
        "image_id": f"s:{n:05d}",
        "source": "s",
        "patient_id": None,
        "lesion_id": None,
        "archive_id": None,
        "width": 100,
        "height": 100,
        "licence_id": "CC-BY-4.0",
        "expert_concepts": "{}",
        "expert_caption": None,
        "history": "{}",
        "node": NEVUS,
        "sha256": f"sha{n}",
        "pixel_hash": f"pix{n}",
    }
    return {**base, **changes}


def pair(a: int, b: int, verified: bool = True):
    return {"a": f"s:{a:05d}", "b": f"s:{b:05d}", "verified": verified}


corpora = st.builds(
    lambda people, lesions, edges: (
        [
            image(n, patient_id=None if p == 9 else str(p), lesion_id=None if q == 9 else str(q))
            for n, (p, q) in enumerate(zip(people, lesions, strict=False))
        ],
        edges,
    ),
    st.lists(st.integers(0, 9), min_size=1, max_size=40),
    st.lists(st.integers(0, 9), min_size=40, max_size=40),
    st.lists(st.tuples(st.integers(0, 39), st.integers(0, 39), st.booleans()), max_size=12),
)


def _pairs(images, edges):
    n = len(images)
    return [pair(min(a, b), max(a, b), ok) for a, b, ok in edges if a != b and a < n and b < n]


@settings(max_examples=150, deadline=None)
@given(corpora)
def test_no_corpus_leaks(corpus):
    images, edges = corpus
    pairs = _pairs(images, edges)
    assert leaks(images, group_rows(images, pairs, {}, ONTOLOGY), pairs) == []


@settings(max_examples=150, deadline=None)
@given(corpora, corpora)
def test_added_images_never_move_an_old_one_to_another_side(old, new):
    images, edges = old
    before = {row["image_id"]: row["split"] for row in group_rows(images, _pairs(images, edges), {}, ONTOLOGY)}
    more = images + [{**row, "image_id": f"s:{n + 100:05d}"} for n, row in enumerate(new[0])]
    pairs = _pairs(images, edges) + [pair(a, b + 100) for a, b, _ in new[1] if a < len(images) and b < len(new[0])]
    after = group_rows(more, pairs, before, ONTOLOGY)
    for row in after:
        assert row["split"] in {before.get(row["image_id"], row["split"]), "excluded"}
    unique_hashes = [{**row, "sha256": row["image_id"], "pixel_hash": row["image_id"]} for row in more]
    assert leaks(unique_hashes, after, pairs) == []
    again = group_rows(more, pairs, {row["image_id"]: row["split"] for row in after}, ONTOLOGY)
    assert again == after


def test_a_second_run_changes_nothing():
    images = [image(n, node=NEVUS if n % 3 else MELANOMA) for n in range(100)]
    first = group_rows(images, [], {}, ONTOLOGY)
    assert group_rows(images, [], {row["image_id"]: row["split"] for row in first}, ONTOLOGY) == first


def test_the_order_of_images_does_not_matter():
    images = [image(n) for n in range(60)]
    forward = {row["image_id"]: row for row in group_rows(images, [pair(1, 2)], {}, ONTOLOGY)}
    backward = {row["image_id"]: row for row in group_rows(images[::-1], [pair(1, 2)], {}, ONTOLOGY)}
    assert forward == backward


def test_every_stratum_gets_its_shares():
    images = [image(n, node=NEVUS if n < 900 else MELANOMA) for n in range(1000)]
    rows = group_rows(images, [], {}, ONTOLOGY)
    for node, total in ((NEVUS, 900), (MELANOMA, 100)):
        mine = {i["image_id"] for i in images if i["node"] == node}
        counts = Counter(row["split"] for row in rows if row["image_id"] in mine)
        for name, share in SPLIT_SHARES.items():
            assert counts[name] == pytest.approx(share * total, abs=1)


def test_the_survivor_is_the_picture_with_the_most_pixels_then_the_richest():
    images = [image(1), image(2, width=200), image(3, width=200, expert_caption="seen")]
    rows = {row["image_id"]: row["status"] for row in group_rows(images, [pair(1, 2), pair(2, 3)], {}, ONTOLOGY)}
    assert rows == {"s:00001": "redundant", "s:00002": "redundant", "s:00003": "canonical"}


def test_a_copy_that_may_not_be_released_never_stands_for_one_that_may():
    images = [image(1), image(2, width=900, licence_id="LicenseRef-ISIC-Mixed")]
    rows = {row["image_id"]: row["status"] for row in group_rows(images, [pair(1, 2)], {}, ONTOLOGY)}
    assert rows == {"s:00001": "canonical", "s:00002": "redundant"}


def test_contradicting_labels_are_kept_and_marked():
    rows = group_rows([image(1), image(2, node=MELANOMA)], [pair(1, 2)], {}, ONTOLOGY)
    assert {row["status"] for row in rows} == {"conflicting label"}
    assert all(row["label_conflict"] for row in rows)


def test_a_coarse_label_does_not_contradict_a_finer_one():
    parent = ONTOLOGY.nodes[MELANOMA].parent
    assert not labels_conflict({MELANOMA, parent}, ONTOLOGY)
    assert labels_conflict({MELANOMA, NEVUS}, ONTOLOGY)


def test_an_unverified_candidate_makes_no_edge():
    rows = group_rows([image(1), image(2)], [pair(1, 2, verified=False)], {}, ONTOLOGY)
    assert len({row["group_id"] for row in rows}) == 2


def test_archive_ids_join_across_sources():
    rows = group_rows(
        [image(1, archive_id="ISIC_1"), image(2, source="t", archive_id="ISIC_1", node=MELANOMA)], [], {}, ONTOLOGY
    )
    assert len({row["group_id"] for row in rows}) == 1
    assert len({row["copy_id"] for row in rows}) == 2


def test_components_are_named_by_their_smallest_member():
    assert components(["c", "a", "b"], [("b", "c")]) == {"a": "a", "b": "b", "c": "b"}
