"""Groups and splits: what may not be pulled apart, which copy stands for the others, and where each group goes.

A group is a connected component over verified copies, patients, lesions and shared archive ids. A copy set is a component over
verified copies alone. Splits fill each stratum (source and diagnosis) towards its share in the order of a content hash. An
image that has a split keeps it when data is added; when new evidence ties two splits together, the strictest side stays and the
other leaves the corpus (`excluded`): it never changes sides. Memory: a few hundred bytes an image.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from pipelines.annotations import annotated
from pipelines.lake import Lake
from pipelines.tables import TABLES
from prompts.ontology import Ontology, load
from quality.thresholds import SPLIT_SHARES
from sources.licences import may_release, openness

STRICTEST_FIRST = ("test", "validation", "train")


def split(lake: Lake) -> bool:
    """Rebuild `groups` over the whole lake; False when nothing changed."""
    images = _images(lake)
    pairs = lake.read("duplicate_pairs").to_pylist()
    before = lake.read("groups", columns=["image_id", "split"]).to_pydict()
    rows = group_rows(images, pairs, dict(zip(before["image_id"], before["split"], strict=True)), load())
    return lake.replace("groups", pa.Table.from_pylist(rows, schema=TABLES["groups"].schema))


def _images(lake: Lake) -> list[dict[str, Any]]:
    columns = ["image_id", "source", "patient_id", "lesion_id", "archive_id", "lineage", "width", "height", "licence_id"]
    rows = annotated(lake, lake.read("images", columns=[*columns, "expert_concepts", "expert_caption", "history"]).to_pylist())
    nodes = lake.read("diagnoses", columns=["image_id", "node"]).to_pydict()
    node_of = dict(zip(nodes["image_id"], nodes["node"], strict=True))
    return [{**row, "node": node_of.get(row["image_id"])} for row in rows]


def group_rows(
    images: Sequence[Mapping[str, Any]],
    pairs: Iterable[Mapping[str, Any]],
    before: Mapping[str, str],
    ontology: Ontology,
) -> list[dict[str, Any]]:
    """Rows of `groups` for the images given; `before` holds the splits that images already have."""
    ids = [image["image_id"] for image in images]
    copies = [(p["a"], p["b"]) for p in pairs if p["verified"]]
    copy_of = components(ids, copies)
    group_of = components(ids, [*copies, *shared_keys(images)])
    by_id = {image["image_id"]: image for image in images}
    ranks, conflicts = _copy_sets(by_id, copy_of, ontology)
    splits = assign_splits(by_id, group_of, before)
    return [
        {
            "image_id": i,
            "source": by_id[i]["source"],
            "group_id": f"g-{_hash(group_of[i])[:16]}",
            "copy_id": f"c-{_hash(copy_of[i])[:16]}",
            "copy_rank": ranks[i][0],
            "status": _status(*ranks[i], conflict=copy_of[i] in conflicts),
            "label_conflict": copy_of[i] in conflicts,
            "split": splits[i],
        }
        for i in ids
    ]


def components(ids: Sequence[str], edges: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The smallest id of the connected component of every id. An edge end that is no id joins the ids that share it."""
    import numpy as np
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    edges = list(edges)
    names = sorted({*ids, *(end for edge in edges for end in edge)})
    index = {name: n for n, name in enumerate(names)}
    rows = [index[a] for a, _ in edges]
    columns = [index[b] for _, b in edges]
    graph = coo_matrix((np.ones(len(edges), dtype=np.int8), (rows, columns)), shape=(len(names), len(names)))
    _, labels = connected_components(graph, directed=False)
    first: dict[int, str] = {}
    for image_id in sorted(ids):
        first.setdefault(int(labels[index[image_id]]), image_id)
    return {image_id: first[int(labels[index[image_id]])] for image_id in ids}


def shared_keys(images: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Edges from an image to its patient, lesion and lineage (ids of its own source) and to its archive id (shared by all sources)."""
    edges = []
    for image in images:
        scope = {"patient_id": image["source"], "lesion_id": image["source"], "lineage": image["source"], "archive_id": ""}
        edges += [
            (image["image_id"], f"\0{key}\0{where}\0{image[key]}") for key, where in scope.items() if image.get(key) is not None
        ]
    return edges


def _copy_sets(
    images: Mapping[str, Mapping[str, Any]], copy_of: Mapping[str, str], ontology: Ontology
) -> tuple[dict[str, tuple[int, int]], set[str]]:
    """`(rank, size)` of every image in its copy set, best first, and the copy sets whose labels contradict."""
    members: dict[str, list[str]] = defaultdict(list)
    for image_id, copy_id in copy_of.items():
        members[copy_id].append(image_id)
    ranks, conflicts = {}, set()
    for copy_id, ids in members.items():
        for rank, image_id in enumerate(sorted(ids, key=lambda i: _preference(images[i]))):
            ranks[image_id] = (rank, len(ids))
        if labels_conflict({images[i]["node"] for i in ids} - {None}, ontology):
            conflicts.add(copy_id)
    return ranks, conflicts


def _preference(image: Mapping[str, Any]) -> tuple[Any, ...]:
    """Order of survivors: one that may be released, most pixels, richest annotation, most permissive licence, then id.

    Without the first, a large picture that no release may hold would take its releasable copies out of every release.
    """
    notes = sum(bool(image[key]) and image[key] != "{}" for key in ("expert_concepts", "expert_caption", "history", "node"))
    kept_back = not may_release(image["licence_id"], "noncommercial")
    return (kept_back, -image["width"] * image["height"], -notes, -openness(image["licence_id"]), image["image_id"])


def labels_conflict(nodes: Iterable[str], ontology: Ontology) -> bool:
    """Whether two labels of one picture exclude each other; a coarse label and one below it do not."""
    nodes = sorted(nodes)
    agree = {"same", "ancestor", "descendant"}
    return any(ontology.relation(a, b) not in agree for n, a in enumerate(nodes) for b in nodes[n + 1 :])


def _status(rank: int, size: int, *, conflict: bool) -> str:
    if conflict:
        return "conflicting label"
    if size == 1:
        return "unique"
    return "redundant" if rank else "canonical"


def assign_splits(
    images: Mapping[str, Mapping[str, Any]], group_of: Mapping[str, str], before: Mapping[str, str]
) -> dict[str, str]:
    """Split of every image. Groups that hold an image with a split follow it; new groups fill their stratum's shares."""
    members: dict[str, list[str]] = defaultdict(list)
    for image_id, anchor in group_of.items():
        members[anchor].append(image_id)
    out: dict[str, str] = {}
    filled: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    fresh = []
    for anchor in sorted(members, key=_hash):
        stratum = (images[anchor]["source"], images[anchor]["node"] or "")
        held = {before[i] for i in members[anchor] if before.get(i) in STRICTEST_FIRST}
        if not held:
            fresh.append((anchor, stratum))
            continue
        keep = next(name for name in STRICTEST_FIRST if name in held)
        out |= {i: keep if before.get(i, keep) == keep else "excluded" for i in members[anchor]}
        filled[stratum][keep] += len(members[anchor])
    for anchor, stratum in fresh:
        name = _emptiest(filled[stratum], len(members[anchor]))
        filled[stratum][name] += len(members[anchor])
        out |= dict.fromkeys(members[anchor], name)
    return out


def _emptiest(filled: Counter[str], size: int) -> str:
    """The split that lacks most of its share once `size` more images are in the stratum."""
    total = filled.total() + size
    return max(SPLIT_SHARES, key=lambda name: (SPLIT_SHARES[name] * total - filled[name], SPLIT_SHARES[name]))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
