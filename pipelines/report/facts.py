"""The numbers of a report: how images spread over what is known of them, and how many of each stand in the release.

Memory: nine short columns of `images`, and while lengths are counted the texts of one source.
"""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.lake import Lake
from pipelines.tallies import source_of, tallies
from prompts.ontology import Ontology, load
from prompts.schemas import TEXT_KEY
from quality.checks import CHECKS
from quality.coverage import SCALES, Coverage, coverage
from quality.measured import Measured, measured
from quality.novelty import Distance, distances
from quality.text import words
from quality.thresholds import COSINE_CANDIDATE

NOT_STATED = "not stated"
COPIES = ("copy", "same lesion")
"""Verdicts that make another set's image no news; so do equal keys of a shared archive."""
GROWTH_POINTS = 40


@dataclass(frozen=True, slots=True)
class Count:
    """Images with a value, and those of them that are released."""

    name: str
    images: int
    released: int


@dataclass(slots=True)
class Branch:
    """A node of the ontology with the images at it and below it."""

    name: str
    images: int = 0
    released: int = 0
    children: dict[str, "Branch"] = field(default_factory=dict)

    def below(self) -> list["Branch"]:
        """Children, the largest first."""
        return sorted(self.children.values(), key=lambda branch: (-branch.images, branch.name))


@dataclass(frozen=True, slots=True)
class Novelty:
    """What a source adds: images, those without a copy in another source, and its distance in the space of embeddings if there is one."""

    source: str
    images: int
    alone: int
    others: Mapping[str, int]
    distance: Distance | None


@dataclass(frozen=True, slots=True)
class Texts:
    """Lengths in words of what was accepted, growth of the vocabulary as (words read, distinct words), and the commonest words."""

    descriptions: list[int]
    reasonings: list[int]
    growth: list[tuple[int, int]]
    common: list[tuple[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything a report counts."""

    counts: Mapping[str, Any]
    dimensions: Mapping[str, list[Count]]
    tones: Mapping[str, list[Count]]
    angles: list[float]
    angles_doubtful: int
    tree: list[Branch]
    coverage: list[Coverage]
    novelty: list[Novelty]
    no_vectors: str
    texts: Texts
    checks: list[Mapping[str, Any]]
    recall: Measured


def facts(lake: Lake, sources: Sequence[str], released: Collection[str]) -> Facts:
    """Count a lake's sources; `released` are ids of the images in the release."""
    images = _images(lake, sources, released)
    tones = _tones(images)
    angles, doubtful = _angles(lake, sources)
    spread, why_not = _novelty(lake, sources)
    return Facts(
        counts=tallies(lake, sources),
        dimensions={
            "source": _counts(images, "source"),
            "modality": _counts(images, "modality"),
            "body site": _counts(images, "body_site"),
            "sex": _counts(images, "sex"),
            "age": _ages(images),
            "basis of the diagnosis": _counts(images, "diagnosis_basis"),
        },
        tones={system: _scale(system, _counts(rows, "value")) for system, rows in _systems(tones)},
        angles=angles,
        angles_doubtful=doubtful,
        tree=_tree(images, load()),
        coverage=[
            _coverage(system, rows.filter(rows.column("released")) if released else rows) for system, rows in _systems(tones)
        ],
        novelty=spread,
        no_vectors=why_not,
        texts=_texts(lake, sources),
        checks=_checks(lake, sources),
        recall=measured(),
    )


def _images(lake: Lake, sources: Sequence[str], released: Collection[str]) -> pa.Table:
    columns = ["image_id", "source", "modality", "body_site", "sex", "age_years", "skin_tones", "diagnosis_basis"]
    images = pa.concat_tables([lake.read("images", source=name, columns=columns) for name in sources])
    labels = pa.concat_tables([lake.read("diagnoses", source=name, columns=["image_id", "node"]) for name in sources])
    node = dict(zip(*labels.to_pydict().values(), strict=True))
    nodes = pa.array([node.get(image_id) for image_id in images.column("image_id").to_pylist()], pa.string())
    out = pc.is_in(images.column("image_id"), pa.array(sorted(released), pa.string()))
    return images.append_column("node", nodes).append_column("released", out)


def _counts(rows: pa.Table, column: str) -> list[Count]:
    """Values from the most frequent down, what is not stated last."""
    found = rows.group_by([column]).aggregate([("image_id", "count"), ("released", "sum")]).to_pylist()
    counts = [Count(row[column] or NOT_STATED, row["image_id_count"], row["released_sum"]) for row in found]
    return sorted(counts, key=lambda count: (count.name == NOT_STATED, -count.images, count.name))


def _ages(images: pa.Table) -> list[Count]:
    """Decades in their order."""
    decades = pc.multiply(pc.floor(pc.divide(images.column("age_years"), 10.0)), 10.0)
    rows = images.append_column("decade", pc.cast(decades, pa.int64()))
    found = rows.group_by(["decade"]).aggregate([("image_id", "count"), ("released", "sum")]).to_pylist()
    found.sort(key=lambda row: (row["decade"] is None, row["decade"]))
    name = {row["decade"]: NOT_STATED if row["decade"] is None else f"{row['decade']} to {row['decade'] + 9}" for row in found}
    return [Count(name[row["decade"]], row["image_id_count"], row["released_sum"]) for row in found]


def _tones(images: pa.Table) -> pa.Table:
    """One row an image, system and tone: an image about which two judges differ has two in one system."""
    place = pc.list_parent_indices(images.column("skin_tones").combine_chunks())
    stated = pc.list_flatten(images.column("skin_tones").combine_chunks())
    of = images.select(["image_id", "node", "released"]).take(place)
    rows = of.append_column("system", pc.struct_field(stated, "system")).append_column(
        "value", pc.struct_field(stated, "value")
    )
    return rows.group_by(rows.column_names).aggregate([])


def _systems(tones: pa.Table) -> list[tuple[str, pa.Table]]:
    """The statements of each tone system apart."""
    systems = sorted(set(tones.column("system").to_pylist()))
    return [(system, tones.filter(pc.equal(tones.column("system"), system))) for system in systems]


def _scale(system: str, counts: Sequence[Count]) -> list[Count]:
    """The tones of a system from light to dark, those without an image too."""
    found = {count.name: count for count in counts}
    order = [*SCALES.get(system, ()), *sorted(found.keys() - set(SCALES.get(system, ())))]
    return [found.get(tone, Count(tone, 0, 0)) for tone in order]


def _coverage(system: str, rows: pa.Table) -> Coverage:
    ontology = load()
    counts: Counter[tuple[str, str]] = Counter()
    found = rows.group_by(["node", "value"]).aggregate([([], "count_all")]).to_pylist()
    for row in found:
        name = ontology.nodes[row["node"]].name if row["node"] else NOT_STATED
        counts[name, row["value"]] += row["count_all"]
    return coverage(system, counts)


def _angles(lake: Lake, sources: Sequence[str]) -> tuple[list[float], int]:
    """Typology angles whose light nothing speaks against, and how many others there are."""
    tables = [lake.read("image_quality", source=name, columns=["image_id", "ita", "ita_doubt"]) for name in sources]
    rows = pa.concat_tables(tables)
    rows = rows.filter(rows.column("ita").is_valid())
    clear = rows.filter(pc.is_null(rows.column("ita_doubt")))
    return clear.column("ita").to_pylist(), rows.num_rows - clear.num_rows


def _tree(images: pa.Table, ontology: Ontology) -> list[Branch]:
    root = Branch("")
    found = images.group_by(["node"]).aggregate([("image_id", "count"), ("released", "sum")]).to_pylist()
    for row in found:
        names = [ontology.nodes[node].name for node in ontology.path(row["node"])] if row["node"] else ["without a label"]
        branch = root
        for name in names:
            branch = branch.children.setdefault(name, Branch(name))
            branch.images += row["image_id_count"]
            branch.released += row["released_sum"]
    return root.below()


def _novelty(lake: Lake, sources: Sequence[str]) -> tuple[list[Novelty], str]:
    """What each source adds, and why embeddings say nothing about it (empty: they do)."""
    elsewhere = _elsewhere(lake, sources)
    vectors, why_not = _vectors(lake, sources)
    far = distances(vectors, COSINE_CANDIDATE)
    found = []
    for name in sources:
        total = lake.read("images", source=name, columns=["image_id"]).num_rows
        copied = elsewhere.get(name, {})
        others = Counter(other for places in copied.values() for other in places)
        found.append(Novelty(name, total, total - len(copied), dict(sorted(others.items())), far.get(name)))
    return found, why_not if not far else ""


def _elsewhere(lake: Lake, sources: Sequence[str]) -> dict[str, dict[str, set[str]]]:
    """By source, its images that another source holds as well, and which sources do."""
    edges = lake.read("duplicate_pairs", columns=["a", "b", "kind", "verdict"])
    same = pc.or_(pc.is_in(edges.column("verdict"), pa.array(COPIES)), pc.equal(edges.column("kind"), "archive id"))
    crosses = pc.not_equal(source_of(edges.column("a")), source_of(edges.column("b")))
    found: dict[str, dict[str, set[str]]] = {}
    for edge in edges.filter(pc.and_(pc.fill_null(same, False), crosses)).select(["a", "b"]).to_pylist():
        for end, other in ((edge["a"], edge["b"]), (edge["b"], edge["a"])):
            mine, theirs = end.split(":")[0], other.split(":")[0]
            if mine in sources and theirs in sources:
                found.setdefault(mine, {}).setdefault(end, set()).add(theirs)
    return found


def _vectors(lake: Lake, sources: Sequence[str]) -> tuple[dict[str, Any], str]:
    """Embeddings by source in the order of their input's digest, and the commonest reason for having none."""
    import numpy as np

    found, why = {}, Counter[str]()
    for name in sources:
        rows = lake.read("embeddings", source=name, columns=["input_digest", "vector", "why_not"]).sort_by("input_digest")
        why.update(reason for reason in rows.column("why_not").to_pylist() if reason)
        vectors = rows.filter(rows.column("vector").is_valid()).column("vector").to_pylist()
        if vectors:
            found[name] = np.stack([np.frombuffer(vector, dtype="<f2") for vector in vectors])
    if len(found) > 1:
        return found, ""
    return found, why.most_common(1)[0][0] if why and not found else "a single source has nothing to be compared with"


def _texts(lake: Lake, sources: Sequence[str]) -> Texts:
    """Words of accepted trajectories, in the order of their images."""
    descriptions, reasonings, vocabulary, read, growth = [], [], Counter[str](), 0, [(0, 0)]
    for name in sources:
        rows = lake.read("trajectories", source=name, columns=["status", "control", "observation", "reasoning"])
        for row in rows.to_pylist():
            if row["status"] != "accepted" or row["control"]:
                continue
            seen = words(json.loads(row["observation"])[TEXT_KEY].lower())
            argued = words(json.loads(row["reasoning"])["reasoning"].lower())
            vocabulary.update(seen)
            vocabulary.update(argued)
            read += len(seen) + len(argued)
            descriptions.append(len(seen))
            reasonings.append(len(argued))
            growth.append((read, len(vocabulary)))
    step = max(len(growth) // GROWTH_POINTS, 1)
    common = sorted(vocabulary.items(), key=lambda item: (-item[1], item[0]))
    return Texts(descriptions, reasonings, [*growth[::step], growth[-1]], common)


def _checks(lake: Lake, sources: Sequence[str]) -> list[Mapping[str, Any]]:
    """How often each check was made and failed, over teachers and stages."""
    rows = pa.concat_tables([lake.read("trajectory_verdicts", source=name) for name in sources])
    found = rows.group_by(["check"]).aggregate([("made", "sum"), ("failed", "sum")]).to_pylist()
    order = {check: place for place, check in enumerate(CHECKS)}
    return sorted(found, key=lambda row: (order.get(row["check"], len(order)), row["check"]))
