"""Leakage: does anything that must stay together stand on both sides of a split? Judged from the ids and hashes themselves.

It does not trust `group_id`: patients, lesions, archive ids, bytes, pixels, copies and same-lesion
verdicts are each looked at again.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from quality.policies import groups as groups_together

EXCLUDED = "excluded"
"""Split of an image that left the corpus; it is on no side."""


def leaks(
    images: Iterable[Mapping[str, Any]], groups: Iterable[Mapping[str, Any]], pairs: Iterable[Mapping[str, Any]]
) -> list[str]:
    """One sentence a leak, sorted; empty when no key crosses a split.

    `images` rows carry image_id, source, patient_id, lesion_id, lineage, archive_id, sha256, pixel_hash; `groups` image_id, group_id,
    split; `pairs` are edges of `duplicate_pairs`. An image without a split is a fault too.
    """
    split_of = {row["image_id"]: row["split"] for row in groups}
    group_of = {row["image_id"]: row["group_id"] for row in groups}
    sides: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    found = []
    for image in images:
        image_id = image["image_id"]
        if image_id not in split_of:
            found.append(f"{image_id} has no split")
            continue
        for key in _keys(image, group_of[image_id]):
            if split_of[image_id] != EXCLUDED:
                sides[key].setdefault(split_of[image_id], image_id)
    found += [f"{what} {value} is in {_where(places)}" for (what, value), places in sides.items() if len(places) > 1]
    for pair in pairs:
        places = {split_of.get(end, EXCLUDED): end for end in (pair["a"], pair["b"])}
        places.pop(EXCLUDED, None)
        if groups_together(pair) and len(places) > 1:
            found.append(f"{pair['verdict'] or 'one ' + pair['kind']}: {_where(places)}")
    return sorted(found)


def _keys(image: Mapping[str, Any], group_id: str) -> list[tuple[str, str]]:
    source = image["source"]
    keys = [("group", group_id), ("bytes", image["sha256"]), ("pixels", image["pixel_hash"])]
    own = {"patient": image["patient_id"], "lesion": image["lesion_id"], "lineage": image["lineage"]}
    keys += [(kind, f"{source}:{value}") for kind, value in own.items() if value is not None]
    if image["archive_id"] is not None:
        keys.append(("archive id", image["archive_id"]))
    return keys


def _where(places: Mapping[str, str]) -> str:
    return " and ".join(f"{split} ({image_id})" for split, image_id in sorted(places.items()))
