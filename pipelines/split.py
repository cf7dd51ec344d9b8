"""Groups and splits: what may not be pulled apart, which copy stands for the others, and where each group goes.

A group is a connected component over the edges that `quality.policies.groups` allows. A copy set is a picture and those that are proved
to be its copies one by one: copies of copies do not chain. External benchmarks come first: a group that touches one leaves the
corpus. Splits then fill each stratum (source with diagnosis, and source with skin tone) towards its share in the order of a content hash.
An image that has a split keeps it when data is added; when new evidence ties two splits together, the strictest side stays and the
other leaves the corpus (`excluded`), and so does a training image that might be a copy of a test image: nothing ever changes sides,
and what has left does not come back. Memory: about 600 bytes an image (an id of ten letters and half an edge each), input and result
included, and all annotations of the lake.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.annotations import annotated
from pipelines.blocklist import touched
from pipelines.columns import beside, coded, positions
from pipelines.copy_sets import conflicts, copy_sets
from pipelines.lake import Lake
from pipelines.tables import TABLES
from prompts.ontology import Ontology, load
from quality import policies
from quality.leakage import EXCLUDED
from quality.thresholds import SPLIT_SHARES

SPLITS = (EXCLUDED, "train", "validation", "test")
NEW, OUT, TRAIN, TEST = -1, 0, 1, 3
"""Splits by their codes, the strictest last, and the code of an image that has none yet."""

EDGES = ("a", "b", "kind", "verdict", "distance")
RANKED = ("width", "height", "licence_id", "expert_concepts", "expert_caption", "history")
"""Columns of an edge that policies look at, and of an image that decide which copy stays."""

BATCH = 1 << 20
"""Rows that become Python objects at once."""


def split(lake: Lake, blocklists: Sequence[str] = ()) -> bool:
    """Rebuild `groups` over the whole lake; False when nothing changed. Raises BadBlocklist."""
    edges = lake.read("duplicate_pairs", columns=EDGES)
    before = lake.read("groups", columns=["image_id", "split"])
    return lake.replace("groups", group_table(_images(lake, edges), edges, before, load(), touched(lake, blocklists)))


def _images(lake: Lake, edges: pa.Table) -> pa.Table:
    """All images; what ranks copies, which is most of a row, only of those that have one."""
    copies = edges.filter(pa.array(_allowed(edges, policies.deletes)))
    ends = pa.chunked_array([*copies.column("a").chunks, *copies.column("b").chunks], pa.string())
    ranked = lake.read("images", columns=["image_id", *RANKED], among=("image_id", pc.unique(ends)))
    said = lake.read("annotations", columns=["image_id"]).column("image_id")
    told = pc.is_in(ranked.column("image_id"), value_set=said.combine_chunks())
    merged = pa.Table.from_pylist(annotated(lake, ranked.filter(told).to_pylist()), schema=ranked.schema)
    images = lake.read("images", columns=["image_id", "source", "skin_tones"])
    images = beside(images, pa.concat_tables([ranked.filter(pc.invert(told)), merged]))
    return beside(images, lake.read("diagnoses", columns=["image_id", "node"]))


def group_table(
    images: pa.Table,
    edges: pa.Table,
    before: pa.Table,
    ontology: Ontology,
    blocked: Mapping[str, str] | None = None,
) -> pa.Table:
    """The table `groups`, sorted by image id; `before` holds the splits that images already have.

    `images` have a source, skin tones, a diagnosis `node`, and those with copies what is in RANKED; `blocked` has the benchmark that an
    image touches.
    """
    images = images.sort_by("image_id")
    ids = images.column("image_id").combine_chunks()
    a, b, kinds = _inside(edges, ids)
    grouped, copied = _allowed(kinds, policies.groups), _allowed(kinds, policies.deletes)
    exact = copied & _allowed(kinds, lambda edge: edge["kind"] in policies.EXACT)
    anchor = _joined(len(ids), a[grouped], b[grouped])
    same = _joined(len(ids), a[exact], b[exact])
    stands = copy_sets(images, same, a[copied], b[copied])
    conflict = conflicts(images.column("node"), stands, a[copied], b[copied], ontology)
    benchmark = _benchmarks(ids, anchor, blocked or {})
    digests = _digests(ids)
    barred = benchmark.is_valid().to_numpy(zero_copy_only=False)
    splits = assign_splits(images, anchor, _held(ids, before), barred, digests)
    near = _near_test(a, b, kinds, splits)
    columns = {
        "image_id": ids,
        "source": images.column("source"),
        "group_id": _named(b"g-", digests[anchor]),
        "copy_id": _named(b"c-", digests[stands]),
        "copy_rank": (stands != np.arange(len(ids))).astype(np.int64),
        "status": _status(stands, conflict),
        "label_conflict": conflict,
        "split": pa.array(SPLITS).take(pa.array(np.where(near < len(ids), OUT, splits))),
        "benchmark": pc.coalesce(benchmark, _near_what(ids, near)),
    }
    return pa.table(columns, schema=TABLES["groups"].schema)


def _inside(edges: pa.Table, ids: pa.Array) -> tuple[np.ndarray, np.ndarray, pa.Table]:
    """Positions of the ends of each edge between two of the ids, and what policies look at."""
    a, b = positions(edges.column("a"), ids), positions(edges.column("b"), ids)
    here = (a >= 0) & (b >= 0)
    return a[here], b[here], edges.select(["kind", "verdict", "distance"]).filter(pa.array(here))


def _allowed(edges: pa.Table, policy: Callable[[policies.Edge], bool]) -> np.ndarray:
    """Which edges a policy of their kind and verdict allows."""
    (kind, kinds), (verdict, verdicts) = coded(edges.column("kind")), coded(edges.column("verdict"))
    table = [[policy({"kind": k, "verdict": v}) for v in verdicts] for k in kinds]
    return np.array(table, bool).reshape(len(kinds), len(verdicts))[kind, verdict]


def components(ids: Sequence[str], edges: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The smallest id of the connected component of every id. An edge end that is no id joins the ids that share it."""
    edges, own = list(edges), sorted(set(ids))
    names = [*own, *{end for edge in edges for end in edge}.difference(own)]
    index = {name: n for n, name in enumerate(names)}
    ends = np.array([(index[a], index[b]) for a, b in edges], np.int64).reshape(-1, 2)
    first = _joined(len(names), ends[:, 0], ends[:, 1])
    return {name: names[first[index[name]]] for name in ids}


def _joined(count: int, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The smallest member of the connected component of each of so many positions."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    graph = coo_matrix((np.ones(len(a), np.int8), (a, b)), shape=(count, count))
    _, labels = connected_components(graph, directed=False)
    first = np.empty(count, np.int64)
    first[labels[::-1]] = np.arange(count)[::-1]  # the last that is written stays: the smallest
    return first[labels]


def _benchmarks(ids: pa.Array, anchor: np.ndarray, blocked: Mapping[str, str]) -> pa.Array:
    """The external benchmark that the group of each image touches: that of its first image on a list."""
    listed = sorted(blocked, reverse=True)
    at = positions(pa.array(listed, pa.string()), ids)
    named = np.full(len(ids), -1)
    named[anchor[at[at >= 0]]] = np.flatnonzero(at >= 0)  # the last that is written stays: the first by its id
    which = named[anchor]
    return pa.array([blocked[i] for i in listed], pa.string()).take(pa.array(which, mask=which < 0))


def _held(ids: pa.Array, before: pa.Table) -> np.ndarray:
    """The split that each image has already."""
    at, code = positions(before.column("image_id"), ids), positions(before.column("split"), pa.array(SPLITS))
    held = np.full(len(ids), NEW)
    held[at[at >= 0]] = code[at >= 0]
    return held


def assign_splits(
    images: pa.Table, anchor: np.ndarray, held: np.ndarray, barred: np.ndarray, digests: np.ndarray
) -> np.ndarray:
    """Split of every image. Groups that hold an image with a split follow it; new groups fill what their strata lack most.

    `anchor` is the first image of each image's group; images that are `barred` leave the corpus with their groups.
    """
    from pipelines.split_kernels import filled_up

    first = np.flatnonzero(anchor == np.arange(len(anchor)))
    group = np.searchsorted(first, anchor)
    sizes = np.bincount(group, minlength=len(first))
    keep = np.full(len(first), NEW)
    np.maximum.at(keep, group, held)
    keep[group[barred]] = OUT
    starts, strata = _strata(images.select(["source", "node", "skin_tones"]).take(pa.array(first)))
    filled = np.zeros((strata.max(initial=-1) + 1, len(SPLITS)), np.int64)
    of = np.repeat(np.arange(len(first)), np.diff(starts))
    old = keep[of] > OUT
    np.add.at(filled, (strata[old], keep[of[old]]), sizes[of[old]])
    fresh = np.flatnonzero(keep == NEW)
    fresh = fresh[_in_order(digests[first[fresh]])]
    shares = np.array([SPLIT_SHARES.get(name, 0.0) for name in SPLITS])
    keep[fresh] = filled_up(fresh, sizes, starts, strata, filled, shares)
    splits = keep[group]
    return np.where((held == NEW) | (held == splits), splits, OUT)


def _strata(images: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """Source with diagnosis, and source with each skin tone as it is stated, every scale by itself.

    The strata of row n are `strata[starts[n] : starts[n + 1]]` of (starts, strata), numbered from 0.
    """
    source, _ = coded(images.column("source"))
    node, nodes = coded(pc.fill_null(images.column("node"), ""))
    tones = images.column("skin_tones").combine_chunks()
    counts = pc.fill_null(pc.list_value_length(tones), 0).to_numpy()
    (system, systems), (value, values) = (coded(pa.chunked_array([tones.flatten().field(key)])) for key in ("system", "value"))
    tone = (np.repeat(source, counts).astype(np.int64) * len(systems) + system) * len(values) + value
    starts = np.concatenate([[0], np.cumsum(counts + 1)])
    strata = np.empty(starts[-1], np.int64)
    is_tone = np.ones(len(strata), bool)
    is_tone[starts[:-1]] = False
    # Even numbers for diagnoses and odd ones for tones, then without gaps.
    strata[~is_tone], strata[is_tone] = 2 * (source.astype(np.int64) * len(nodes) + node), 2 * tone + 1
    return starts, np.unique(strata, return_inverse=True)[1]


def _near_test(a: np.ndarray, b: np.ndarray, kinds: pa.Table, splits: np.ndarray) -> np.ndarray:
    """The first own test image that each training image (or one that left training for it before) might be a copy of.

    The number of images where there is none.
    """
    near = np.full(len(splits), len(splits))
    for image, other in ((a, b), (b, a)):
        apart = np.flatnonzero(np.isin(splits[image], (TRAIN, OUT)) & (splits[other] == TEST))
        apart = apart[np.fromiter(map(policies.decontaminates, _rows(kinds.take(pa.array(apart)))), bool, len(apart))]
        np.minimum.at(near, image[apart], other[apart])
    return near


def _rows(table: pa.Table) -> Iterator[policies.Edge]:
    for batch in table.to_batches(max_chunksize=BATCH):
        yield from batch.to_pylist()


def _near_what(ids: pa.Array, near: np.ndarray) -> pa.Array:
    return pc.binary_join_element_wise("near", ids.take(pa.array(near, mask=near == len(ids))), " ")


def _status(stands: np.ndarray, conflict: np.ndarray) -> pa.Array:
    alone = np.bincount(stands, minlength=len(stands))[stands] == 1
    canonical = stands == np.arange(len(stands))
    names = pa.array(["conflicting label", "unique", "canonical", "redundant"])
    return names.take(pa.array(np.select([conflict, alone, canonical], [0, 1, 2], 3)))


def _digests(ids: pa.Array) -> np.ndarray:
    """sha256 of every id, (n, 32) bytes."""
    out = np.empty((len(ids), 32), np.uint8)
    for start in range(0, len(ids), BATCH):
        names = ids.slice(start, BATCH).cast(pa.binary()).to_pylist()
        hashed = b"".join(hashlib.sha256(name).digest() for name in names)
        out[start : start + len(names)] = np.frombuffer(hashed, np.uint8).reshape(-1, 32)
    return out


def _in_order(digests: np.ndarray) -> np.ndarray:
    """What sorts digests, as their hexadecimal text would be sorted."""
    words = digests.view(">u8").astype(np.uint64)
    return np.lexsort(words.T[::-1])


def _named(prefix: bytes, digests: np.ndarray) -> pa.Array:
    """Ids of a two-byte prefix and the first 16 hexadecimal digits of each digest."""
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)
    text = np.empty((len(digests), 18), np.uint8)
    text[:, :2] = np.frombuffer(prefix, np.uint8)
    text[:, 2::2], text[:, 3::2] = digits[digests[:, :8] >> 4], digits[digests[:, :8] & 15]
    return pa.array(text.view("S18").ravel()).cast(pa.string())
