"""What an edge of `duplicate_pairs` allows: three policies over one table, from the strictest to the loosest.

A copy may be deleted; what shows one lesion, patient or lineage stays in one group; and anything that might be the same keeps a
training image away from a benchmark. An unverified candidate never joins a group: chains of them run through a whole corpus.
"""

from collections.abc import Mapping
from typing import Any

from quality.copies import Verdict
from quality.thresholds import BENCHMARK_RADIUS

EXACT = ("bytes", "pixels")
KEYS = ("patient", "lesion", "lineage", "archive id")
"""Kinds of edges that need no verification: equal content, and identifiers that say themselves what belongs together."""

CANDIDATES = ("perceptual", "keypoints", "semantic")
"""Kinds of edges that mean nothing until they are verified."""

Edge = Mapping[str, Any]


def deletes(edge: Edge) -> bool:
    """Whether the two are one photograph: all but one of such a set leave the training corpus."""
    return edge["verdict"] == Verdict.COPY


def groups(edge: Edge) -> bool:
    """Whether the two may not stand in different splits."""
    return edge["kind"] in KEYS or edge["verdict"] in (Verdict.COPY, Verdict.LESION)


def decontaminates(edge: Edge) -> bool:
    """Whether one of the two in a benchmark keeps the other out of training."""
    if groups(edge) or edge["kind"] == "semantic":
        return True
    return edge["kind"] == "perceptual" and edge["distance"] <= BENCHMARK_RADIUS
