"""What was planted in the phantoms against what the pipeline found: the measured recall and precision of its checks."""

from collections import Counter
from dataclasses import dataclass

from pipelines.lake import Lake
from quality.policies import deletes


@dataclass(frozen=True, slots=True)
class CopiesFound:
    """`by_kind`: `found of planted` for each kind of copy. `false`: verified pairs that are no planted copy."""

    by_kind: dict[str, str]
    false: tuple[tuple[str, str], ...]


def copies_found(lake: Lake) -> CopiesFound:
    """Compare verified pairs among phantoms with the planted copies. Empty when the lake holds no phantoms."""
    if not lake.read("sources", source="phantom").num_rows:
        return CopiesFound({}, ())
    from pipelines.split import components
    from sources import phantom

    truth = phantom.truth()
    edges = lake.read("duplicate_pairs").to_pylist()
    pairs = [row for row in edges if deletes(row) and row["a"].startswith("phantom:")]
    ids = sorted({i for c in truth.copies for i in (c.original, c.copy)} | {i for p in pairs for i in (p["a"], p["b"])})
    planted_set = components(ids, [(c.original, c.copy) for c in truth.copies] + list(truth.label_conflicts))
    found_set = components(ids, [(p["a"], p["b"]) for p in pairs])
    planted = Counter(c.kind for c in truth.copies)
    found = Counter(c.kind for c in truth.copies if found_set[c.original] == found_set[c.copy])
    false = tuple((p["a"], p["b"]) for p in pairs if planted_set[p["a"]] != planted_set[p["b"]])
    return CopiesFound({kind: f"{found[kind]} of {planted[kind]}" for kind in sorted(planted)}, false)
