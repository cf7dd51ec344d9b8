"""What was planted in the phantoms against what the pipeline found: the measured recall and precision of its checks."""

from collections import Counter
from dataclasses import dataclass

from pipelines.lake import Lake
from quality.policies import deletes


@dataclass(frozen=True, slots=True)
class CopiesFound:
    """`by_kind`: `found of planted` for each kind of copy. `false`: verified pairs of different lesions.

    `views`: how many second views of a lesion (the same drawing at another zoom and in another light) count as copies of the first.
    """

    by_kind: dict[str, str]
    false: tuple[tuple[str, str], ...]
    views: str = "0 of 0"


def copies_found(lake: Lake) -> CopiesFound:
    """Compare verified pairs among phantoms with the planted copies. Empty when the lake holds no phantoms."""
    if not lake.read("sources", source="phantom").num_rows:
        return CopiesFound({}, ())
    from pipelines.split import components
    from sources import phantom

    truth = phantom.truth()
    edges = lake.read("duplicate_pairs").to_pylist()
    pairs = [(e["a"], e["b"]) for e in edges if deletes(e) and e["a"].startswith("phantom:")]
    ids = sorted({i for c in truth.copies for i in (c.original, c.copy)} | {i for pair in pairs for i in pair})
    found_set = components(ids, pairs)
    planted = Counter(c.kind for c in truth.copies)
    found = Counter(c.kind for c in truth.copies if found_set[c.original] == found_set[c.copy])
    false = tuple((a, b) for a, b in pairs if _drawing(a) != _drawing(b))
    views = {_drawing(a) for a, b in pairs if _drawing(a) == _drawing(b) and _view(a) != _view(b)}
    twice = {_drawing(i) for i in lake.read("images", source="phantom").column("image_id").to_pylist() if _view(i) == "v1"}
    by_kind = {kind: f"{found[kind]} of {planted[kind]}" for kind in sorted(planted)}
    return CopiesFound(by_kind, false, f"{len(views)} of {len(twice)}")


def _drawing(image_id: str) -> str:
    return image_id.split("-")[0]


def _view(image_id: str) -> str:
    return image_id.split("-")[1]
