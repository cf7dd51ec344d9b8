"""Groups and splits: what may not be pulled apart, which copy stands for the others, and where each group goes.

A group is a connected component over the edges that `quality.policies.groups` allows. A copy set is a picture and those that are proved
to be its copies one by one: copies of copies do not chain. External benchmarks come first: a group that touches one leaves the
corpus. Splits then fill each stratum (source with diagnosis, and source with skin tone) towards its share in the order of a content hash.
An image that has a split keeps it when data is added; when new evidence ties two splits together, the strictest side stays and the
other leaves the corpus (`excluded`), and so does a training image that might be a copy of a test image: nothing ever changes sides,
and what has left does not come back. Memory: a few hundred bytes an image and an edge.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from pipelines.annotations import annotated
from pipelines.blocklist import touched
from pipelines.lake import Lake
from pipelines.tables import TABLES
from prompts.ontology import Ontology, load
from quality import policies
from quality.leakage import EXCLUDED
from quality.thresholds import SPLIT_SHARES
from sources.licences import may_release, openness

STRICTEST_FIRST = ("test", "validation", "train")


def split(lake: Lake, blocklists: Sequence[str] = ()) -> bool:
    """Rebuild `groups` over the whole lake; False when nothing changed. Raises BadBlocklist."""
    images = _images(lake)
    edges = lake.read("duplicate_pairs").to_pylist()
    before = lake.read("groups", columns=["image_id", "split"]).to_pydict()
    held = dict(zip(before["image_id"], before["split"], strict=True))
    rows = group_rows(images, edges, held, load(), touched(lake, blocklists))
    return lake.replace("groups", pa.Table.from_pylist(rows, schema=TABLES["groups"].schema))


def _images(lake: Lake) -> list[dict[str, Any]]:
    columns = ["image_id", "source", "skin_tones", "width", "height", "licence_id"]
    rows = annotated(lake, lake.read("images", columns=[*columns, "expert_concepts", "expert_caption", "history"]).to_pylist())
    nodes = lake.read("diagnoses", columns=["image_id", "node"]).to_pydict()
    node_of = dict(zip(nodes["image_id"], nodes["node"], strict=True))
    return [{**row, "node": node_of.get(row["image_id"])} for row in rows]


def group_rows(
    images: Sequence[Mapping[str, Any]],
    edges: Sequence[Mapping[str, Any]],
    before: Mapping[str, str],
    ontology: Ontology,
    blocked: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """Rows of `groups`; `before` holds the splits that images already have, `blocked` the benchmark that an image touches."""
    by_id = {image["image_id"]: image for image in images}
    here = [edge for edge in edges if edge["a"] in by_id and edge["b"] in by_id]
    group_of = components(list(by_id), [(e["a"], e["b"]) for e in here if policies.groups(e)])
    copies = [e for e in here if policies.deletes(e)]
    stands = copy_sets(by_id, copies)
    sizes = Counter(stands.values())
    conflicts = _conflicts(by_id, stands, copies, ontology)
    benchmark = _benchmarks(group_of, blocked or {})
    splits = assign_splits(by_id, group_of, before, benchmark)
    near = _near_test(here, splits)
    return [
        {
            "image_id": i,
            "source": by_id[i]["source"],
            "group_id": f"g-{_hash(group_of[i])[:16]}",
            "copy_id": f"c-{_hash(stands[i])[:16]}",
            "copy_rank": int(stands[i] != i),
            "status": _status(i, stands[i], sizes[stands[i]], conflict=stands[i] in conflicts),
            "label_conflict": stands[i] in conflicts,
            "split": EXCLUDED if i in near else splits[i],
            "benchmark": benchmark.get(group_of[i]) or near.get(i),
        }
        for i in by_id
    ]


def _benchmarks(group_of: Mapping[str, str], blocked: Mapping[str, str]) -> dict[str, str]:
    """The external benchmark that a group touches, by the group's anchor."""
    return {group_of[i]: name for i, name in sorted(blocked.items(), reverse=True) if i in group_of}


def _near_test(edges: Iterable[Mapping[str, Any]], splits: Mapping[str, str]) -> dict[str, str]:
    """Training images (and those that left training for it before) that might be a copy of an own test image, and of which."""
    near: dict[str, str] = {}
    for edge in edges:
        for image, other in ((edge["a"], edge["b"]), (edge["b"], edge["a"])):
            apart = splits[image] in ("train", EXCLUDED) and splits[other] == "test"
            if apart and policies.decontaminates(edge):
                near[image] = min(near.get(image, "~"), f"near {other}")
    return near


def copy_sets(images: Mapping[str, Mapping[str, Any]], edges: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The image that stands for each: itself, or the best one that it is a direct copy of.

    Images with equal pixels count as one, so that what is proved of one holds for all.
    """
    edges = list(edges)
    same = components(list(images), [(e["a"], e["b"]) for e in edges if e["kind"] in policies.EXACT])
    partners: dict[str, set[str]] = defaultdict(set)
    for edge in edges:
        partners[same[edge["a"]]].add(same[edge["b"]])
        partners[same[edge["b"]]].add(same[edge["a"]])
    canonical: dict[str, str] = {}
    stands = {}
    for i in sorted(images, key=lambda i: _preference(images[i])):
        known = [canonical[c] for c in {same[i], *partners[same[i]]} if c in canonical]
        stands[i] = min(known, key=lambda c: _preference(images[c])) if known else i
        if not known:
            canonical[same[i]] = i
    return stands


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


def _conflicts(
    images: Mapping[str, Mapping[str, Any]], stands: Mapping[str, str], edges: Iterable[Mapping[str, Any]], ontology: Ontology
) -> set[str]:
    """Copy sets that hold an image whose label contradicts that of one of its copies, by the image that stands for them."""
    nodes: dict[str, set[str]] = defaultdict(set)
    for i, first in stands.items():
        nodes[first] |= {images[i]["node"]} - {None}
    found = {first for first, labels in nodes.items() if labels_conflict(labels, ontology)}
    for edge in edges:
        if labels_conflict({images[edge["a"]]["node"], images[edge["b"]]["node"]} - {None}, ontology):
            found |= {stands[edge["a"]], stands[edge["b"]]}
    return found


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


def _status(image_id: str, stands: str, size: int, *, conflict: bool) -> str:
    if conflict:
        return "conflicting label"
    if size == 1:
        return "unique"
    return "canonical" if stands == image_id else "redundant"


def assign_splits(
    images: Mapping[str, Mapping[str, Any]],
    group_of: Mapping[str, str],
    before: Mapping[str, str],
    benchmark: Mapping[str, str],
) -> dict[str, str]:
    """Split of every image. Groups that hold an image with a split follow it; new groups fill what their strata lack most."""
    members: dict[str, list[str]] = defaultdict(list)
    for image_id, anchor in group_of.items():
        members[anchor].append(image_id)
    out: dict[str, str] = {}
    filled: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    fresh = []
    for anchor in sorted(members, key=_hash):
        held = {before[i] for i in members[anchor] if i in before}
        if anchor in benchmark or held == {EXCLUDED}:
            out |= dict.fromkeys(members[anchor], EXCLUDED)
        elif held:
            keep = next(name for name in STRICTEST_FIRST if name in held)
            out |= {i: keep if before.get(i, keep) == keep else EXCLUDED for i in members[anchor]}
            for stratum in _strata(images[anchor]):
                filled[stratum][keep] += len(members[anchor])
        else:
            fresh.append(anchor)
    for anchor in fresh:
        strata = _strata(images[anchor])
        name = _emptiest([filled[stratum] for stratum in strata], len(members[anchor]))
        for stratum in strata:
            filled[stratum][name] += len(members[anchor])
        out |= dict.fromkeys(members[anchor], name)
    return out


def _strata(image: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Source with diagnosis, and source with each skin tone as it is stated, every scale by itself."""
    tones = [("tone", image["source"], tone["system"], tone["value"]) for tone in image["skin_tones"] or ()]
    return [("diagnosis", image["source"], image["node"] or ""), *tones]


def _emptiest(filled: Sequence[Counter[str]], size: int) -> str:
    """The split that lacks most of its shares once `size` more images are in the strata."""

    def lack(name: str) -> float:
        return sum(SPLIT_SHARES[name] * (counts.total() + size) - counts[name] for counts in filled)

    return max(SPLIT_SHARES, key=lambda name: (lack(name), SPLIT_SHARES[name]))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
