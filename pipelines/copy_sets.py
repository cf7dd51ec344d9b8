"""Copy sets: which picture stands for the others that are proved to be its copies, and whose labels contradict each other.

Copies of copies do not chain: every picture of a set is a direct copy of the one that stays. Images are positions in the order of
their ids. Memory: 16 bytes an image, and 100 bytes an image that has a copy.
"""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.columns import coded
from prompts.ontology import Ontology
from sources.licences import may_release, openness

NOTES = ("expert_concepts", "expert_caption", "history", "node")
"""Columns that make a picture's annotation richer."""


def copy_sets(images: pa.Table, same: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The image that stands for each: itself, or the best one that it is a direct copy of by an edge from `a` to `b`.

    Images with equal pixels (`same`: the first of them) count as one, so that what is proved of one holds for all.
    """
    from scipy.sparse import coo_matrix

    from pipelines.split_kernels import survivors

    ends = np.unique(np.concatenate([a, b]))
    ranked = ends[_best_first(images.take(pa.array(ends)))]
    best = ranked[np.sort(np.unique(same[ranked], return_index=True)[1])]
    rank = np.full(len(same), -1, np.int32)
    rank[same[best]] = np.arange(len(best))
    x, y = rank[same[a]], rank[same[b]]
    graph = coo_matrix((np.ones(2 * len(x), bool), (np.r_[x, y], np.r_[y, x])), shape=(len(best), len(best))).tocsr()
    stands = np.arange(len(same))
    stands[ends] = best[survivors(graph.indptr, graph.indices)][rank[same[ends]]]
    return stands


def _best_first(images: pa.Table) -> np.ndarray:
    """Order of survivors: one that may be released, most pixels, richest annotation, most permissive licence, then id.

    Without the first, a large picture that no release may hold would take its releasable copies out of every release.
    """
    licence, names = coded(images.column("licence_id"))
    kept_back = np.array([not may_release(name, "noncommercial") for name in names], bool)[licence]
    permits = np.array([openness(name) for name in names], np.int64)[licence]
    pixels = images.column("width").to_numpy() * images.column("height").to_numpy()
    nothing = pa.array([None, "", "{}"])
    notes = np.sum([~pc.is_in(images.column(name), value_set=nothing).to_numpy() for name in NOTES], axis=0)
    return np.lexsort((-permits, -notes, -pixels, kept_back))


def conflicts(nodes: pa.ChunkedArray, stands: np.ndarray, a: np.ndarray, b: np.ndarray, ontology: Ontology) -> np.ndarray:
    """Whether the copy set of each image holds one whose label contradicts that of one of its copies."""
    label, names = coded(nodes)
    found = np.zeros(len(stands), bool)
    clash = _clashing(label[a], label[b], names, ontology)
    found[stands[a[clash]]] = found[stands[b[clash]]] = True
    ends = np.unique(np.concatenate([a, b]))
    first, held = np.divmod(np.unique(stands[ends] * len(names) + label[ends]), max(1, len(names)))
    # Labels of one set follow each other: each is compared with the next, then with the one after that, as far as any set reaches.
    step = 1
    while (at := np.flatnonzero(first[step:] == first[:-step])).size:
        clash = _clashing(held[at], held[at + step], names, ontology)
        found[first[at[clash]]] = True
        step += 1
    return found[stands]


def _clashing(x: np.ndarray, y: np.ndarray, names: list[str | None], ontology: Ontology) -> np.ndarray:
    pairs, at = np.unique(x.astype(np.int64) * len(names) + y, return_inverse=True)
    both = ((names[pair // len(names)], names[pair % len(names)]) for pair in pairs.tolist())
    return np.array([labels_conflict({name for name in some if name is not None}, ontology) for some in both], bool)[at]


def labels_conflict(nodes: Iterable[str], ontology: Ontology) -> bool:
    """Whether two labels of one picture exclude each other; a coarse label and one below it do not, nor two that overlap."""
    nodes = sorted(nodes)
    return any(ontology.exclusive(a, b) for n, a in enumerate(nodes) for b in nodes[n + 1 :])
