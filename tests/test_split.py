"""Groups and splits: nothing that belongs together is pulled apart, shares are kept, and an old image never changes sides."""

import hashlib
from collections import Counter, defaultdict

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.copy_sets import labels_conflict
from pipelines.deduplicate import key_pairs
from pipelines.split import components, group_table
from pipelines.tables import TABLES
from prompts.ontology import load
from quality.leakage import leaks
from quality.thresholds import SPLIT_SHARES

ONTOLOGY = load()
NEVUS = ONTOLOGY.resolve("melanocytic nevus")
MELANOMA = ONTOLOGY.resolve("melanoma")
IMAGES = TABLES["images"].schema.append(pa.field("node", pa.string()))
BEFORE = pa.schema([("image_id", pa.string()), ("split", pa.string())])


def image(n: int, **changes):
    base = {
        "image_id": f"s:{n:05d}",
        "source": "s",
        "patient_id": None,
        "lesion_id": None,
        "archive_id": None,
        "lineage": None,
        "skin_tones": [],
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


def pair(a: int, b: int, verified: bool = True, **changes):
    verdict = "copy" if verified else "different"
    return {"a": f"s:{a:05d}", "b": f"s:{b:05d}", "kind": "perceptual", "verdict": verdict, "distance": 4.0, **changes}


def rows_of(images, pairs=(), before=None, blocked=None):
    """Rows for images and candidates; what identifiers join is added as the pipeline adds it."""
    table = pa.Table.from_pylist(images, schema=IMAGES)
    edges = pa.concat_tables([pa.Table.from_pylist(list(pairs), schema=TABLES["duplicate_pairs"].schema), key_pairs(table)])
    held = pa.Table.from_pylist([{"image_id": i, "split": name} for i, name in (before or {}).items()], schema=BEFORE)
    return group_table(table, edges, held, ONTOLOGY, blocked).to_pylist()


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
    assert leaks(images, rows_of(images, pairs), pairs) == []


@settings(max_examples=150, deadline=None)
@given(corpora, corpora)
def test_added_images_never_move_an_old_one_to_another_side(old, new):
    images, edges = old
    before = {row["image_id"]: row["split"] for row in rows_of(images, _pairs(images, edges))}
    more = images + [{**row, "image_id": f"s:{n + 100:05d}"} for n, row in enumerate(new[0])]
    pairs = _pairs(images, edges) + [pair(a, b + 100) for a, b, _ in new[1] if a < len(images) and b < len(new[0])]
    after = rows_of(more, pairs, before)
    for row in after:
        assert row["split"] in {before.get(row["image_id"], row["split"]), "excluded"}
    unique_hashes = [{**row, "sha256": row["image_id"], "pixel_hash": row["image_id"]} for row in more]
    assert leaks(unique_hashes, after, pairs) == []
    again = rows_of(more, pairs, {row["image_id"]: row["split"] for row in after})
    assert again == after


def test_a_second_run_changes_nothing():
    images = [image(n, node=NEVUS if n % 3 else MELANOMA) for n in range(100)]
    first = rows_of(images, [])
    assert rows_of(images, [], {row["image_id"]: row["split"] for row in first}) == first


def test_the_order_of_images_does_not_matter():
    images = [image(n) for n in range(60)]
    forward = {row["image_id"]: row for row in rows_of(images, [pair(1, 2)])}
    backward = {row["image_id"]: row for row in rows_of(images[::-1], [pair(1, 2)])}
    assert forward == backward


def test_every_stratum_gets_its_shares():
    images = [image(n, node=NEVUS if n < 900 else MELANOMA) for n in range(1000)]
    rows = rows_of(images, [])
    for node, total in ((NEVUS, 900), (MELANOMA, 100)):
        mine = {i["image_id"] for i in images if i["node"] == node}
        counts = Counter(row["split"] for row in rows if row["image_id"] in mine)
        for name, share in SPLIT_SHARES.items():
            assert counts[name] == pytest.approx(share * total, abs=1)


def test_the_survivor_is_the_picture_with_the_most_pixels_then_the_richest():
    images = [image(1), image(2, width=200), image(3, width=200, expert_caption="seen")]
    rows = {row["image_id"]: row["status"] for row in rows_of(images, [pair(1, 2), pair(2, 3), pair(1, 3)])}
    assert rows == {"s:00001": "redundant", "s:00002": "redundant", "s:00003": "canonical"}


def test_a_copy_that_may_not_be_released_never_stands_for_one_that_may():
    images = [image(1), image(2, width=900, licence_id="LicenseRef-ISIC-Mixed")]
    rows = {row["image_id"]: row["status"] for row in rows_of(images, [pair(1, 2)])}
    assert rows == {"s:00001": "canonical", "s:00002": "redundant"}


def test_contradicting_labels_are_kept_and_marked():
    rows = rows_of([image(1), image(2, node=MELANOMA)], [pair(1, 2)])
    assert {row["status"] for row in rows} == {"conflicting label"}
    assert all(row["label_conflict"] for row in rows)


def test_a_contradiction_between_copies_of_different_sets_is_marked_too():
    images = [image(1, width=900), image(2, width=800), image(3, node=MELANOMA)]
    rows = rows_of(images, [pair(1, 2), pair(2, 3)])
    assert all(row["label_conflict"] for row in rows)


def test_a_coarse_label_does_not_contradict_a_finer_one():
    parent = ONTOLOGY.nodes[MELANOMA].parent
    assert not labels_conflict({MELANOMA, parent}, ONTOLOGY)
    assert labels_conflict({MELANOMA, NEVUS}, ONTOLOGY)


def test_an_unverified_candidate_makes_no_edge():
    rows = rows_of([image(1), image(2)], [pair(1, 2, verified=False)])
    assert len({row["group_id"] for row in rows}) == 2


def test_archive_ids_join_across_sources():
    rows = rows_of([image(1, archive_id="ISIC_1"), image(2, source="t", archive_id="ISIC_1", node=MELANOMA)])
    assert len({row["group_id"] for row in rows}) == 1
    assert len({row["copy_id"] for row in rows}) == 2


def test_components_are_named_by_their_smallest_member():
    assert components(["c", "a", "b"], [("b", "c")]) == {"a": "a", "b": "b", "c": "b"}


def test_copies_of_copies_do_not_chain():
    images = [image(n, width=100 - n) for n in range(1, 5)]
    rows = {row["image_id"]: row for row in rows_of(images, [pair(1, 2), pair(2, 3), pair(3, 4)])}
    assert [rows[f"s:{n:05d}"]["status"] for n in range(1, 5)] == ["canonical", "redundant", "canonical", "redundant"]
    assert len({row["group_id"] for row in rows.values()}) == 1


def test_one_lesion_keeps_its_photographs_in_one_group():
    rows = rows_of([image(1), image(2)], [pair(1, 2, verdict="same lesion")])
    assert {row["status"] for row in rows} == {"unique"}
    assert len({row["group_id"] for row in rows}) == 1


def test_what_is_proved_of_a_picture_holds_for_its_exact_copies():
    images = [image(1, width=900), image(2), image(3)]
    rows = {row["image_id"]: row["status"] for row in rows_of(images, [pair(1, 2), pair(2, 3, kind="bytes")])}
    assert rows == {"s:00001": "canonical", "s:00002": "redundant", "s:00003": "redundant"}


@settings(max_examples=100, deadline=None)
@given(corpora, st.sets(st.integers(0, 39), max_size=4))
def test_a_group_that_touches_a_benchmark_leaves_whole_and_for_good(corpus, listed):
    images, edges = corpus
    blocked = {f"s:{n:05d}": "bench" for n in listed if n < len(images)}
    rows = rows_of(images, _pairs(images, edges), {}, blocked)
    hit = {row["group_id"] for row in rows if row["image_id"] in blocked}
    assert all((row["split"] == "excluded") == (row["group_id"] in hit) for row in rows)
    assert {row["benchmark"] for row in rows if row["group_id"] in hit} <= {"bench"}
    assert rows_of(images, _pairs(images, edges), {row["image_id"]: row["split"] for row in rows}, blocked) == rows


@settings(max_examples=100, deadline=None)
@given(corpora)
def test_no_training_image_might_be_a_copy_of_a_test_image(corpus):
    images, edges = corpus
    pairs = [{**p, "distance": 2.0} for p in _pairs(images, edges)]
    rows = rows_of(images, pairs)
    split = {row["image_id"]: row["split"] for row in rows}
    assert not any({split[p["a"]], split[p["b"]]} == {"train", "test"} for p in pairs)
    assert rows_of(images, pairs, split) == rows


def test_ids_come_from_the_first_of_a_group_and_the_best_of_a_copy_set():
    rows = rows_of([image(1), image(2, width=200), image(3, lesion_id="x"), image(4, lesion_id="x")], [pair(1, 2)])

    def named(prefix, n):
        return prefix + hashlib.sha256(f"s:{n:05d}".encode()).hexdigest()[:16]

    assert [row["group_id"] for row in rows] == [named("g-", n) for n in (1, 1, 3, 3)]
    assert [row["copy_id"] for row in rows] == [named("c-", n) for n in (2, 2, 3, 4)]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.lists(st.integers(0, 2), max_size=3), st.integers(0, 9)), max_size=40))
def test_new_groups_go_by_their_hash_where_their_strata_lack_most(made):
    def tones(values):
        return [{"system": "fitzpatrick", "value": str(value), "basis": "expert"} for value in values]

    nodes = [NEVUS, MELANOMA, None]
    images = [image(n, node=nodes[d], skin_tones=tones(t), lesion_id=str(lesion)) for n, (d, t, lesion) in enumerate(made)]
    groups = {}
    for one in images:
        groups.setdefault(one["lesion_id"], []).append(one)
    wanted, filled = {}, defaultdict(Counter)
    for group in sorted(groups.values(), key=lambda group: hashlib.sha256(group[0]["image_id"].encode()).hexdigest()):
        counts = [filled[stratum] for stratum in [group[0]["node"], *(tone["value"] for tone in group[0]["skin_tones"])]]
        lacks = {k: sum(share * (c.total() + len(group)) - c[k] for c in counts) for k, share in SPLIT_SHARES.items()}
        name = max(SPLIT_SHARES, key=lambda k, lacks=lacks: (lacks[k], SPLIT_SHARES[k]))
        for count in counts:
            count[name] += len(group)
        wanted |= {one["image_id"]: name for one in group}
    assert {row["image_id"]: row["split"] for row in rows_of(images)} == wanted


def test_shares_hold_in_every_skin_tone():
    def tone(n):
        return [{"system": "fitzpatrick", "value": str(n % 3 + 1), "basis": "expert"}]

    images = [image(n, node=MELANOMA if n % 7 == 0 else NEVUS, skin_tones=tone(n)) for n in range(900)]
    split = {row["image_id"]: row["split"] for row in rows_of(images)}
    for value in "123":
        mine = [split[i["image_id"]] for i in images if i["skin_tones"][0]["value"] == value]
        for name, share in SPLIT_SHARES.items():
            assert mine.count(name) == pytest.approx(share * len(mine), abs=2)
