"""The tables of the lake: column names, types, keys and what a row means. Nothing else defines a column.

Delta has no unsigned integers and no half floats: 64-bit hashes are stored as the int64 with the same bits, float16 vectors as
little-endian bytes.
"""

from dataclasses import dataclass

import pyarrow as pa

TEXT, INT, REAL, FLAG, BYTES = pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.binary()
NAMED = pa.list_(pa.struct([("raw", TEXT), ("weight", REAL), ("node", TEXT), ("how", TEXT)]))
"""Several weighted labels of one image, each with its ontology node."""
TEXTS, INTS, REALS = pa.list_(pa.string()), pa.list_(pa.int64()), pa.list_(pa.float64())
TONES = pa.list_(pa.struct([("value", TEXT), ("system", TEXT), ("basis", TEXT)]))
"""Skin-tone statements of one image, each on its own scale and by its own judge."""


@dataclass(frozen=True, slots=True)
class TableSpec:
    """One table: `key` columns identify a row; a `partitioned` table is cut by `source` and overwritten a source at a time."""

    about: str
    key: tuple[str, ...]
    columns: tuple[tuple[str, pa.DataType], ...]
    partitioned: bool = True

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema, every column nullable (Delta readers differ on required columns)."""
        return pa.schema([pa.field(name, kind) for name, kind in self.columns])


def _columns(**kinds: pa.DataType) -> tuple[tuple[str, pa.DataType], ...]:
    return tuple(kinds.items())


TABLES: dict[str, TableSpec] = {
    "sources": TableSpec(
        "one row a source that was read to its end: what was fetched and what came of it",
        ("source",),
        _columns(
            source=TEXT,
            version=TEXT,
            input_digest=TEXT,
            files=TEXT,
            images=INT,
            dropped=INT,
            repaired=INT,
            annotations=INT,
            published=INT,
            known_missing=INT,
            set_aside=INT,
            drift=TEXTS,
        ),
    ),
    "images": TableSpec(
        "one row an image that decodes, as its source describes it; bytes are in a pack",
        ("image_id",),
        _columns(
            image_id=TEXT,
            source=TEXT,
            source_version=TEXT,
            native_id=TEXT,
            archive=TEXT,
            member=TEXT,
            patient_id=TEXT,
            lesion_id=TEXT,
            archive_id=TEXT,
            series=TEXT,
            modality=TEXT,
            width=INT,
            height=INT,
            format=TEXT,
            n_bytes=INT,
            sha256=TEXT,
            pixel_hash=TEXT,
            pack=TEXT,
            pack_row=INT,
            licence_id=TEXT,
            attribution=TEXT,
            body_site_raw=TEXT,
            body_site=TEXT,
            age_years=REAL,
            age_is_floor=FLAG,
            sex=TEXT,
            skin_tones=TONES,
            diagnosis_raw=TEXT,
            diagnosis_basis=TEXT,
            differential=TEXT,
            lineage=TEXT,
            expert_concepts=TEXT,
            expert_caption=TEXT,
            history=TEXT,
        ),
    ),
    "quarantine": TableSpec(
        "one row an input that did not become an image, or only after mending (repaired), with a reason code",
        ("source", "native_id", "reason", "detail"),
        _columns(source=TEXT, native_id=TEXT, reason=TEXT, detail=TEXT, archive=TEXT, member=TEXT, repaired=FLAG),
    ),
    "annotations": TableSpec(
        "one row an image that an annotation-only set speaks about, whether or not that image is in the lake",
        ("source", "image_id"),
        _columns(
            source=TEXT,
            image_id=TEXT,
            expert_concepts=TEXT,
            expert_caption=TEXT,
            doubtful=FLAG,
            licence_id=TEXT,
            attribution=TEXT,
        ),
    ),
    "fingerprints": TableSpec(
        "perceptual hashes (int64 bits; eight orientations), from the decode that ingest does",
        ("image_id",),
        _columns(image_id=TEXT, source=TEXT, algorithm=TEXT, phash=INTS, dhash=INT),
    ),
    "keypoints": TableSpec(
        "what copies are found and proved by: keypoints of a picture and of its mirror image, and a small luminance",
        ("image_id",),
        _columns(
            image_id=TEXT,
            source=TEXT,
            input_digest=TEXT,
            places=BYTES,
            descriptors=BYTES,
            mirrored_places=BYTES,
            mirrored_descriptors=BYTES,
            grey=BYTES,
        ),
    ),
    "evidence": TableSpec(
        "what a classical segmentation measures in an image, and the statements that follow from it",
        ("image_id",),
        _columns(
            image_id=TEXT,
            source=TEXT,
            input_digest=TEXT,
            measured=FLAG,
            why_not=TEXT,
            findings=TEXTS,
            traces=REALS,
            evidence=TEXT,
        ),
    ),
    "embeddings": TableSpec(
        "L2-normalised image vectors (float16 bytes); a null vector with its reason where none could be computed",
        ("image_id",),
        _columns(image_id=TEXT, source=TEXT, input_digest=TEXT, model=TEXT, weights=TEXT, dim=INT, vector=BYTES, why_not=TEXT),
    ),
    "diagnoses": TableSpec(
        "the ontology node of an image's raw label, never more precise than the label; several weighted labels stay several",
        ("image_id",),
        _columns(
            image_id=TEXT,
            source=TEXT,
            diagnosis_raw=TEXT,
            node=TEXT,
            path=TEXTS,
            granularity=TEXT,
            malignancy=TEXT,
            how=TEXT,
            differential=NAMED,
        ),
    ),
    "duplicate_pairs": TableSpec(
        "typed edges between images, a < b: exact copies, candidates with their verdict, shared patients, lesions, lineages, archive ids",
        ("a", "b", "kind"),
        _columns(
            a=TEXT,
            b=TEXT,
            kind=TEXT,
            verdict=TEXT,
            distance=REAL,
            orientation=INT,
            registered=INT,
            banded=FLAG,
            inliers=INT,
            common=REAL,
            tone=REAL,
            whole=REAL,
        ),
        partitioned=False,
    ),
    "compared": TableSpec(
        "one row an image whose candidates were sought and verified, with the digest of what was compared",
        ("image_id",),
        _columns(image_id=TEXT, input_digest=TEXT),
        partitioned=False,
    ),
    "groups": TableSpec(
        "one row an image: the group that may not cross a split, its copy set, and the split",
        ("image_id",),
        _columns(
            image_id=TEXT,
            source=TEXT,
            group_id=TEXT,
            copy_id=TEXT,
            copy_rank=INT,
            status=TEXT,
            label_conflict=FLAG,
            split=TEXT,
            benchmark=TEXT,
        ),
        partitioned=False,
    ),
    "completions": TableSpec(
        "the ledger: one row a teacher's answer, append-only, never asked for twice",
        ("request_key",),
        _columns(
            request_key=TEXT,
            stage=TEXT,
            conditioning=TEXT,
            image_id=TEXT,
            image_sha256=TEXT,
            picture=TEXT,
            teacher=TEXT,
            revision=TEXT,
            prompt_version=TEXT,
            prompt_digest=TEXT,
            schema_digest=TEXT,
            sampling=TEXT,
            seed=INT,
            sample=INT,
            attempt=INT,
            answer=TEXT,
            failure=TEXT,
            finish_reason=TEXT,
            prompt_tokens=INT,
            image_tokens=INT,
            answer_tokens=INT,
            engine_seconds=REAL,
            gpus=INT,
        ),
        partitioned=False,
    ),
    "trajectories": TableSpec(
        "observation, reasoning and diagnosis of an image with every check's verdict",
        ("image_id", "teacher", "conditioning", "sample"),
        _columns(
            image_id=TEXT,
            source=TEXT,
            teacher=TEXT,
            revision=TEXT,
            conditioning=TEXT,
            control=FLAG,
            sample=INT,
            prompts=TEXT,
            kind=TEXT,
            node=TEXT,
            observation=TEXT,
            reasoning=TEXT,
            final_node=TEXT,
            normalised_from=TEXT,
            verdicts=TEXT,
            history=TEXT,
            status=TEXT,
            verified_by=INT,
            observe_key=TEXT,
            reason_key=TEXT,
        ),
    ),
    "rejects": TableSpec(
        "every rejected trajectory, one row a reason",
        ("image_id", "teacher", "conditioning", "sample", "stage", "check"),
        _columns(
            image_id=TEXT,
            source=TEXT,
            teacher=TEXT,
            conditioning=TEXT,
            sample=INT,
            stage=TEXT,
            check=TEXT,
            detail=TEXT,
            answer=TEXT,
        ),
    ),
    "trajectory_verdicts": TableSpec(
        "how often each check was made on a teacher's answers, and how often it failed",
        ("source", "teacher", "conditioning", "stage", "check"),
        _columns(source=TEXT, teacher=TEXT, conditioning=TEXT, stage=TEXT, check=TEXT, made=INT, failed=INT),
    ),
    "samples": TableSpec(
        "rendered training rows: one a format and image",
        ("sample_id",),
        _columns(
            sample_id=TEXT,
            source=TEXT,
            image_id=TEXT,
            format=TEXT,
            split=TEXT,
            messages=TEXT,
            ground_truth=TEXT,
            node=TEXT,
            teacher=TEXT,
            revision=TEXT,
            conditioning=TEXT,
            verified_by=INT,
            licence_id=TEXT,
            attribution=TEXT,
        ),
    ),
    "agreement": TableSpec(
        "a teacher's agreement with the experts who annotated the same images, a field and measure, beside the baselines",
        ("source", "teacher", "revision", "field", "measure"),
        _columns(
            source=TEXT,
            teacher=TEXT,
            revision=TEXT,
            circular=FLAG,
            field=TEXT,
            measure=TEXT,
            answers=INT,
            assessed=REAL,
            score=REAL,
            absent=REAL,
            majority=REAL,
            prior=REAL,
        ),
    ),
    "review_queue": TableSpec(
        "one row a trajectory that people are asked to look at, with every reason why it was chosen",
        ("item",),
        _columns(
            item=TEXT,
            image_id=TEXT,
            source=TEXT,
            teacher=TEXT,
            conditioning=TEXT,
            sample=INT,
            kind=TEXT,
            stratum=TEXT,
            why=TEXTS,
        ),
        partitioned=False,
    ),
    "reviews": TableSpec(
        "one row a person's verdict on a trajectory: the latest one, skipped ones included",
        ("image_id", "teacher", "conditioning", "sample", "reviewer"),
        _columns(
            image_id=TEXT,
            source=TEXT,
            teacher=TEXT,
            conditioning=TEXT,
            sample=INT,
            reviewer=TEXT,
            item=TEXT,
            verdict=TEXT,
            observation=TEXT,
            reasoning=TEXT,
            corrections=TEXT,
            diagnosis=TEXT,
            identifies_person=FLAG,
            comment=TEXT,
            stated_at=TEXT,
            annotation=TEXT,
        ),
        partitioned=False,
    ),
}
