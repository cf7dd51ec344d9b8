"""What is found of copies, kind by kind: proposed, proved, and what else is called a copy; beside the rule "pHash within 2 bits".

`python -m benchmarks.copies [--quick]` takes photographs of `DERMOFORGE_MIRROR` (HAM10000 dermoscopy, PAD-UFES-20 close-ups) and phantoms,
makes one copy of each kind of some of them, puts all into one pool with the other photographs, and lets candidates and verification run over
the pool. The full run also judges every pair of HAM10000 and isic9 by what their publishers say, and writes
benchmarks/results/copies.json. RATIO lines give the worst recall of a kind (`recall_worst`, crop 20 % apart: `recall_crop20`).
"""

import argparse
import csv
import json
import os
import tempfile
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.transforms import TRANSFORMS
from quality import phash, votes
from quality.copies import Verdict, verdict
from quality.geometry import fit
from quality.hamming import near_pairs
from quality.keypoints import Features, features
from quality.raster import decode
from quality.thresholds import PHASH_RADIUS

REPOSITORY = Path(__file__).resolve().parent.parent
RESULTS = REPOSITORY / "benchmarks" / "results" / "copies.json"
MIRROR = Path(os.environ.get("DERMOFORGE_MIRROR", ""))
COPIED = {"quick": 12, "full": 100}
OTHERS = {"quick": 150, "full": 400}
"""Photographs of each set that are copied, and that only stand beside them."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few photographs, no judgement of whole sets")
    which = "quick" if parser.parse_args().quick else "full"
    report: dict[str, Any] = {"kinds": {}}
    for name in ("ham10000", "pad_ufes_20", "phantom"):
        pictures = list(photographs(name, COPIED[which] + OTHERS[which]))
        if pictures:
            report["kinds"][name] = kinds(pictures, min(COPIED[which], len(pictures)))
            table(name, report["kinds"][name])
    rows = [row for found in report["kinds"].values() for row in found["kinds"]]
    print(f"RATIO recall_worst {min(r['proved'] for r in rows if r['kind'] != 'crop 20 %'):.3f}")
    print(f"RATIO recall_crop20 {min(r['proved'] for r in rows if r['kind'] == 'crop 20 %'):.3f}")
    print(
        f"RATIO other_pairs_called_copies {sum(len(found['other pairs called copies']) for found in report['kinds'].values())}"
    )
    if which == "full":
        report["published truth"] = published()
        print(json.dumps(report["published truth"], indent=1))
        RESULTS.write_text(json.dumps(report, indent=1) + "\n")


def photographs(name: str, most: int) -> Iterator[np.ndarray]:
    """Rasters of a set, spread over it, always the same ones."""
    if name == "phantom":
        from sources import phantom

        drawn = [record.member for record in phantom.records() if record.member.endswith("-v0.jpg") and record.member[0] == "L"]
        yield from (decode(phantom.render(member)).rgb for member in drawn[:most])
        return
    archive = MIRROR / name / ("HAM10000_images_part_1.zip" if name == "ham10000" else "imgs_part_1.zip")
    if not archive.is_file():
        print(f"{name} is not in DERMOFORGE_MIRROR: left out")
        return
    with zipfile.ZipFile(archive) as members:
        names = sorted(member for member in members.namelist() if not member.endswith("/"))
        for n in np.random.default_rng(11).permutation(len(names))[:most]:
            yield decode(members.read(names[n]), names[n]).rgb


def kinds(pictures: list[np.ndarray], copied: int) -> dict[str, Any]:
    """Recall of every kind of copy, each in a pool of all pictures and its copies, and different pictures that are called copies."""
    found = [features(picture) for picture in pictures]
    hashes = [phash.phash8(picture) for picture in pictures]
    rows, wrong, lesions, rule, verified = [], set(), set(), set(), 0
    for name, change in TRANSFORMS.items():
        copies = [change(pictures[n], np.random.default_rng(n)) for n in range(copied)]
        pool = found + [features(copy) for copy in copies]
        codes = np.stack([*hashes, *(phash.phash8(copy) for copy in copies)])
        owner = [*range(len(pictures)), *range(copied)]
        asked = {pair: ways for pair, ways in candidates(pool, codes).items() if not rows or pair[1] >= len(pictures)}
        said = {pair: verdict(best_fit(pool, pair, ways)) for pair, ways in asked.items()}
        close = {(int(i), int(j)) for i, j, _ in zip(*near_pairs(codes[:, 0], None, 2), strict=True)}
        pairs = [(n, len(pictures) + n) for n in range(copied)]
        rows.append(
            {
                "kind": name,
                "copies": copied,
                "proposed": share(pair in said for pair in pairs),
                "proved": share(said.get(pair) == Verdict.COPY for pair in pairs),
                "one lesion": share(said.get(pair) == Verdict.LESION for pair in pairs),
                "phash within 2": share(pair in close for pair in pairs),
            }
        )
        verified += len(said)
        others = {(owner[i], owner[j]): said[i, j] for i, j in said if owner[i] != owner[j]}
        wrong |= {tuple(sorted(pair)) for pair, v in others.items() if v == Verdict.COPY}
        lesions |= {tuple(sorted(pair)) for pair, v in others.items() if v == Verdict.LESION}
        rule |= {tuple(sorted((owner[i], owner[j]))) for i, j in close if owner[i] != owner[j]}
    return {
        "pictures": len(pictures),
        "candidates": verified,
        "kinds": rows,
        "other pairs called copies": sorted(wrong),
        "other pairs called one lesion": sorted(lesions - wrong),
        "phash within 2: other pairs called copies": len(rule),
    }


def candidates(found: list[Features], hashes: np.ndarray) -> dict[tuple[int, int], set[int]]:
    """Pairs (i < j) with the orientations in which hashes or keypoints propose them, as the pipeline proposes them."""
    out: dict[tuple[int, int], set[int]] = defaultdict(set)
    for k in range(8):
        for i, j, _ in zip(*near_pairs(hashes[:, 0], hashes[:, k], PHASH_RADIUS), strict=True):
            if i < j:
                out[int(i), int(j)].add(k)
    base = votes.voters([f.plain for f in found])
    for k in (0, 1):
        probe = votes.voters([f.mirrored if k else f.plain for f in found])
        for i, j, _ in zip(*votes.proposed(base, probe, range(len(found))), strict=True):
            out[int(min(i, j)), int(max(i, j))].add(k)
    return out


def best_fit(found: list[Features], pair: tuple[int, int], ways: set[int]) -> Any:
    """The better fit of both chiralities in which the pair was proposed."""
    fits = [
        fit(found[pair[0]], found[pair[1]], k) for k in {min(w for w in ways if w.bit_count() & 1 == c) for c in parities(ways)}
    ]
    order = [Verdict.DIFFERENT, Verdict.LESION, Verdict.COPY]
    return max(fits, key=lambda f: (order.index(verdict(f)), f.inliers))


def parities(ways: set[int]) -> set[int]:
    """Chiralities among orientations."""
    return {k.bit_count() & 1 for k in ways}


def share(hits: Iterator[bool] | Any) -> float:
    """Share of true values."""
    values = list(hits)
    return round(sum(values) / max(1, len(values)), 4)


def table(name: str, found: dict[str, Any]) -> None:
    """Recall by kind."""
    print(f"{name}: {found['pictures']:,} pictures, {found['candidates']:,} candidates verified")
    print(f"  {'kind':20} {'proposed':>9} {'proved':>8} {'lesion':>8} {'phash<=2':>9}")
    for row in found["kinds"]:
        values = (row["proposed"], row["proved"], row["one lesion"], row["phash within 2"])
        print(f"  {row['kind']:20} {values[0]:9.3f} {values[1]:8.3f} {values[2]:8.3f} {values[3]:9.3f}")
    for key in ("other pairs called copies", "other pairs called one lesion", "phash within 2: other pairs called copies"):
        print(f"  {key}: {found[key]}")


def published() -> dict[str, Any]:
    """Edges over all of HAM10000, isic9 and PAD-UFES-20, against lesion ids, archive ids and published reviews; and the pHash rule."""
    from pipelines.deduplicate import deduplicate
    from pipelines.ingest import ingest
    from pipelines.keypoints import find_keypoints
    from pipelines.lake import Lake

    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(folder)
        for source in ("ham10000", "isic9", "pad_ufes_20"):
            ingest(lake, source, mirror=str(MIRROR))
            find_keypoints(lake, source)
        done = deduplicate(lake)
        columns = ["image_id", "source", "lesion_id", "archive_id", "diagnosis_raw", "sha256"]
        images = {row["image_id"]: row for row in lake.read("images", columns=columns).to_pylist()}
        edges = [e for e in lake.read("duplicate_pairs").to_pylist() if e["verdict"]]
        ham = lake.read("fingerprints", source="ham10000", columns=["image_id", "phash"]).to_pydict()
    return {
        "images": len(images),
        "candidates": done.candidates,
        **judged(images, edges),
        "phash within 2": reference(images, ham),
    }


def judged(images: dict[str, Any], edges: list[dict[str, Any]]) -> dict[str, Any]:
    """What verification says of pairs whose truth is published."""
    said = {(e["a"], e["b"]): e["verdict"] for e in edges}
    cross, apart = truth("ham10000_cross_id_same_lesion.csv"), truth("ham10000_lookalikes.csv")
    ham = {i for i in images if i.startswith("ham10000:")}
    other = [
        (a, b) for (a, b), v in said.items() if v != "different" and {a, b} <= ham and lesion(images, a) != lesion(images, b)
    ]
    byte_sets: dict[str, list[str]] = defaultdict(list)
    for i, row in images.items():
        byte_sets[row["sha256"]].append(i)
    twice = [ids for ids in byte_sets.values() if len(ids) > 1 and ids[0].startswith("isic9")]
    shared = {images[i]["archive_id"]: i for i in ham}
    both = [
        (shared[row["archive_id"]], i) for i, row in images.items() if row["source"] == "isic9" and row["archive_id"] in shared
    ]
    first = {ids[0] for ids in byte_sets.values()}
    proved = {images[i]["archive_id"] for h, i in both if said.get((h, i)) == "copy" or i not in first}
    return {
        "pairs of different HAM10000 lesions": len(ham) * (len(ham) - 1) // 2,
        "different HAM10000 lesions joined": [
            f"{a} {b}: {said[a, b]}{' (published: one lesion)' if pair(a, b) in cross else ''}" for a, b in sorted(other)
        ],
        "published look-alikes joined": [
            p for p in sorted(apart) if f"ham10000:{p[0]}" in ham and said_of(said, p) not in (None, "different")
        ],
        "archive ids in HAM10000 and isic9": len({images[i]["archive_id"] for _, i in both}),
        "of these proved copies": len(proved),
        "byte-identical isic9 sets": len(twice),
        "of these with contradicting labels": sum(len({images[i]["diagnosis_raw"] for i in ids}) > 1 for ids in twice),
        "verdicts": dict(Counter(f"{e['kind']}: {e['verdict']}" for e in edges).most_common()),
    }


def said_of(said: dict[tuple[str, str], str], pair: tuple[str, ...]) -> str | None:
    """The verdict on two HAM10000 ids."""
    return said.get((f"ham10000:{pair[0]}", f"ham10000:{pair[1]}"))


def reference(images: dict[str, Any], ham: dict[str, list[Any]]) -> dict[str, int]:
    """The rule "pHash within 2 bits is a duplicate" on HAM10000: what it finds of one lesion, and what it joins of different ones."""
    hashes = np.array([h[0] for h in ham["phash"]], np.int64).view(np.uint64)
    pairs = [(ham["image_id"][i], ham["image_id"][j]) for i, j, _ in zip(*near_pairs(hashes, None, 2), strict=True)]
    same = sum(lesion(images, a) == lesion(images, b) for a, b in pairs)
    return {"pairs of one lesion": same, "pairs of different lesions": len(pairs) - same}


def lesion(images: dict[str, Any], image_id: str) -> str:
    """The published lesion of an image."""
    return images[image_id]["lesion_id"]


def pair(a: str, b: str) -> tuple[str, ...]:
    """Archive ids of two images, sorted."""
    return tuple(sorted((a.split(":")[1], b.split(":")[1])))


def truth(name: str) -> set[tuple[str, ...]]:
    """Published pairs of archive ids; the review stands beside the mirror."""
    with (MIRROR.parent / "truth" / name).open() as lines:
        return {tuple(sorted((row["from_img"][:-4], row["to_img"][:-4]))) for row in csv.DictReader(lines)}


if __name__ == "__main__":
    main()
