"""The contract between a reader and everything after it: one `ImageRecord` an image, one `Reject` an input that fell out.

Readers yield these and nothing else. What a set does not say stays `None` or empty: a reader never guesses.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Modality(StrEnum):
    """How the picture was taken; decides which morphology schema applies."""

    DERMOSCOPIC = "dermoscopic"
    CLINICAL_CLOSE_UP = "clinical close-up"
    CLINICAL_OVERVIEW = "clinical overview"
    SMARTPHONE = "smartphone"
    PATHOLOGY = "pathology"
    TBP = "total body photography"


class DiagnosisBasis(StrEnum):
    """What the source's diagnosis rests on, strongest first."""

    HISTOPATHOLOGY = "histopathology"
    CONFOCAL = "confocal microscopy"
    FOLLOW_UP = "follow-up"
    CONSENSUS = "consensus"
    EXPERT = "expert"
    ATLAS = "atlas"
    SELF_REPORT = "self-report"
    DRAWN = "drawn"
    UNKNOWN = "unknown"


class ToneSystem(StrEnum):
    """Skin-tone scales. They are never converted into one another."""

    FITZPATRICK = "fitzpatrick"
    MONK = "monk"
    DDI_BINS = "ddi-bins"
    DRAWN = "drawn"


@dataclass(frozen=True, slots=True)
class SkinTone:
    """A skin-tone statement as the source gives it: `value` on `system`, and who said so (`basis`)."""

    value: str
    system: ToneSystem
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRecord:
    """One image as its source describes it. `archive` + `member` say where its bytes are.

    `native_id` is unique inside the source and stable across its releases; `archive_id` is the id that the picture has in
    a shared archive (an ISIC id), which other sets may carry too. `expert_concepts` holds only what a person annotated (or,
    for phantoms, what was drawn): seven-point criteria by key (`{"pigment_network": "typical", ...}`), or
    `{"skincon": [concept, ...]}`. `history` is free clinical context, never visual. `differential` holds the weights of several
    labels where the source gives more than one; `diagnosis_raw` is then None unless one is named as the diagnosis. `lineage` is
    the id of the photograph that this one was made from, where the set ships augmented copies.
    """

    source: str
    native_id: str
    archive: str
    member: str
    modality: Modality
    licence_id: str
    attribution: str
    diagnosis_raw: str | None = None
    diagnosis_basis: DiagnosisBasis = DiagnosisBasis.UNKNOWN
    patient_id: str | None = None
    lesion_id: str | None = None
    archive_id: str | None = None
    series: str | None = None
    body_site_raw: str | None = None
    body_site: str | None = None
    age_years: float | None = None
    age_is_floor: bool = False
    sex: str | None = None
    skin_tones: tuple[SkinTone, ...] = ()
    differential: Mapping[str, float] = field(default_factory=dict)
    lineage: str | None = None
    expert_concepts: Mapping[str, str | list[str]] = field(default_factory=dict)
    expert_caption: str | None = None
    history: Mapping[str, str] = field(default_factory=dict)

    @property
    def image_id(self) -> str:
        """`<source>:<native id>`, the key of every table."""
        return f"{self.source}:{self.native_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """What an annotation-only set says about an image of another set, named by `target` and `native_id` there.

    `doubtful` marks an image that the annotators themselves asked not to use.
    """

    source: str
    target: str
    native_id: str
    licence_id: str
    attribution: str
    expert_concepts: Mapping[str, str | list[str]] = field(default_factory=dict)
    expert_caption: str | None = None
    doubtful: bool = False

    @property
    def image_id(self) -> str:
        """The image that is spoken about."""
        return f"{self.target}:{self.native_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """One row of `quarantine`: an input that did not become an image (`dropped`) or only after mending (`repaired`).

    `reason` is a code of `REASONS`; `detail` names the file and the row or field, for a person.
    """

    source: str
    native_id: str
    reason: str
    detail: str
    archive: str = ""
    member: str = ""
    repaired: bool = False


REASONS = {
    "empty_file": "the file has no bytes",
    "not_an_image": "no decoder recognises the bytes",
    "truncated": "the image data ends early or is damaged",
    "bomb": "the header claims more pixels than the limit",
    "too_small": "the shorter side is under the limit",
    "blank": "every pixel has the same value",
    "extension_mismatch": "the file's extension is not its format (kept under its true format)",
    "cmyk": "a CMYK image (kept, converted to RGB)",
    "sixteen_bit": "more than 8 bits a channel (kept, scaled to 8)",
    "exif_rotated": "stored rotated (kept, turned upright)",
    "alpha": "partly transparent (kept, laid on white)",
    "animated": "several frames (kept, the first one)",
    "archive_damaged": "the archive cannot be read to its end",
    "member_unsafe": "an archive member with an absolute path, `..`, a link or a device",
    "member_damaged": "an archive member that fails its checksum",
    "member_too_large": "an archive member over the size or the compression-ratio limit",
    "nested_archive": "an archive inside the archive, not opened",
    "duplicate_member": "two archive members with one id",
    "duplicate_row": "two metadata rows with one id",
    "row_without_image": "a metadata row whose image is nowhere in the archives",
    "image_without_row": "an image that no metadata row names",
    "row_malformed": "a metadata row with too many or too few fields, or no id",
    "encoding": "a metadata file that is not UTF-8 (kept, read as Windows-1252)",
    "link_dead": "the published address of an image does not give one (it was tried as often as is polite)",
    "excluded_by_source": "the set itself marks the image as not to be used",
    "not_a_photograph": "a file of the set that is no photograph of skin (mask, sheet, superpixels), known by its name",
    "field_unparsed": "a metadata value that cannot be understood (the image is kept, the field is empty)",
}

NOT_AN_IMAGE = frozenset(
    [
        "duplicate_row",
        "duplicate_member",
        "member_unsafe",
        "nested_archive",
        "archive_damaged",
        "not_a_photograph",
        "encoding",
        "row_malformed",
    ]
)
"""Reasons that do not stand for one of the images that a set counts in its published number."""
