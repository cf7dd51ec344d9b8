"""The phantom source: drawn lesions whose morphology, patient and diagnosis are known, with planted copies and faults.

It is the default corpus (nothing to fetch) and the oracle that measures the checks. A member's name says what to draw; the same
name and plan give the same bytes. What is decided, drawn and photographed is in `sources.phantom_lesion`, `_skin`, `_draw` and `_camera`.
"""

import hashlib
import io
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from sources.phantom_camera import photograph
from sources.phantom_draw import draw
from sources.phantom_lesion import CLINICAL, DERMOSCOPIC, SITES, Lesion, lesion_of
from sources.phantom_skin import skin_of
from sources.record import DiagnosisBasis, ImageRecord, Modality, SkinTone, ToneSystem

VERSION = "2"
LICENCE, ATTRIBUTION = "CC0-1.0", "DermoForge phantoms, drawn by a program; no person is depicted"

COPY_KINDS = (
    "exact bytes",
    "re-encoded",
    "recompressed",
    "resized",
    "cropped",
    "rotated",
    "flipped",
    "colour-shifted",
)
FAULTS = {
    "truncated": "truncated",
    "empty": "empty_file",
    "text": "not_an_image",
    "mismatch": "extension_mismatch",
    "cmyk": "cmyk",
    "sixteen": "sixteen_bit",
    "rotated": "exif_rotated",
    "bomb": "bomb",
    "blank": "blank",
    "tiny": "too_small",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much to draw: distinct `lesions`, and the `seed` that everything comes from."""

    lesions: int = 240
    seed: int = 20


@dataclass(frozen=True, slots=True)
class PlantedCopy:
    """An image id and the id of a copy of it, made in the way `kind` says."""

    original: str
    copy: str
    kind: str


@dataclass(frozen=True, slots=True)
class Truth:
    """What was planted: copies, faults (image id to reason code), pairs with contradicting labels, and each lesion as drawn."""

    copies: tuple[PlantedCopy, ...]
    faults: Mapping[str, str]
    label_conflicts: tuple[tuple[str, str], ...]
    lesions: Mapping[str, Lesion] = field(repr=False)


def records(plan: Plan = Plan()) -> Iterator[ImageRecord]:
    """One record a member, in the order of lesions; planted copies and faults last."""
    originals = []
    for n in range(plan.lesions):
        views = 2 if _rng(plan, "views", n).random() < 0.25 else 1
        originals += [_record(plan, n, f"L{n:04d}-v{view}.jpg") for view in range(views)]
    yield from originals
    yield from _copies(plan, originals)
    for number, kind in enumerate(FAULTS):
        yield _record(plan, plan.lesions + number, f"F{plan.lesions + number:04d}-{kind}.jpg")


def _record(plan: Plan, n: int, member: str) -> ImageRecord:
    lesion, patient = _lesion(plan, n), _patient(plan, n)
    person = _rng(plan, "patient", patient)
    return ImageRecord(
        source="phantom",
        native_id=member.rsplit(".", 1)[0],
        archive="phantom",
        member=member,
        modality=Modality.DERMOSCOPIC if lesion.dermoscopic else Modality.CLINICAL_CLOSE_UP,
        licence_id=LICENCE,
        attribution=ATTRIBUTION,
        diagnosis_raw=lesion.diagnosis,
        diagnosis_basis=DiagnosisBasis.DRAWN,
        patient_id=f"P{patient:04d}",
        lesion_id=f"L{n:04d}",
        body_site_raw=str(_rng(plan, "site", n).choice(SITES)),
        age_years=float(person.integers(18, 90)),
        sex=str(person.choice(["female", "male"])),
        skin_tones=(SkinTone(str(lesion.skin.tone + 1), ToneSystem.DRAWN, "drawn"),),
        expert_concepts=lesion.concepts,
    )


def _patient(plan: Plan, n: int) -> int:
    """The number of the person who has a lesion."""
    return int(_rng(plan, "person", n).integers(0, max(plan.lesions * 5 // 8, 1)))


def _lesion(plan: Plan, n: int) -> Lesion:
    """A lesion, on the skin of the person who has it."""
    return lesion_of(_rng(plan, "lesion", n), skin_of(_rng(plan, "skin", _patient(plan, n))))


def _copies(plan: Plan, originals: list[ImageRecord]) -> Iterator[ImageRecord]:
    """Planted copies: every kind in turn; half of them under another patient and lesion, as when two archives hold one picture."""
    count = plan.lesions // 5
    chosen = _rng(plan, "copies").permutation(len(originals))[: count + count // 6]
    for number, place in enumerate(chosen.tolist()):
        original = originals[place]
        stranger = f"X{number:04d}"
        # The round shifts the parity: otherwise a kind would always, or never, be a stranger's.
        ids = {"patient_id": stranger, "lesion_id": stranger} if (number + number // len(COPY_KINDS)) % 2 else {}
        kind = COPY_KINDS[number % len(COPY_KINDS)] if number < count else "conflict"
        slug = kind.replace(" ", "_")
        suffix = ".png" if kind == "re-encoded" else ".jpg"
        member = f"{original.native_id}-{slug}{suffix}"
        copy = replace(original, native_id=member.rsplit(".", 1)[0], member=member, **ids)
        if kind == "conflict":
            copy = replace(copy, diagnosis_raw=_another(original.diagnosis_raw))
        yield copy


def _another(diagnosis: str | None) -> str:
    """A diagnosis that contradicts the given one: the next in its list, two on."""
    names = DERMOSCOPIC if diagnosis in DERMOSCOPIC else CLINICAL
    return names[(names.index(str(diagnosis)) + 2) % len(names)]


@lru_cache(maxsize=2)
def truth(plan: Plan = Plan()) -> Truth:
    """The planted truth of a plan."""
    copies, conflicts, faults, lesions = [], [], {}, {}
    for record in records(plan):
        parts = record.native_id.split("-")
        lesions[record.image_id] = _lesion(plan, int(parts[0][1:]))
        if parts[0].startswith("F"):
            faults[record.image_id] = FAULTS[parts[1]]
        elif len(parts) > 2:
            kind = record.native_id.split("-", 2)[2].replace("_", " ")
            original = f"phantom:{parts[0]}-{parts[1]}"
            if kind == "conflict":
                conflicts.append((original, record.image_id))
            else:
                copies.append(PlantedCopy(original, record.image_id, kind))
    return Truth(tuple(copies), faults, tuple(conflicts), lesions)


def render(member: str, plan: Plan = Plan()) -> bytes:
    """The bytes of a member. Raises ValueError for a name that no plan makes."""
    stem = member.rsplit(".", 1)[0]
    head, what, *rest = stem.split("-", 2)
    number, fault = int(head[1:]), head.startswith("F")
    view = 0 if fault else int(what.removeprefix("v"))
    scene = draw(_lesion(plan, number), _rng(plan, "draw", number))
    rgb = photograph(scene, _rng(plan, "view", number, view), again=view > 0)
    if fault:
        return _fault(what, rgb)
    return _copy(rgb, rest[0].replace("_", " ")) if rest else _jpeg(rgb)


def _copy(rgb: np.ndarray, kind: str) -> bytes:
    import cv2

    h, w = rgb.shape[:2]
    if kind in ("exact bytes", "conflict"):
        return _jpeg(rgb)
    seen = _decoded(_jpeg(rgb))
    if kind == "re-encoded":
        return _png(seen)
    if kind == "recompressed":
        return _jpeg(seen, 60)
    if kind == "resized":
        return _jpeg(cv2.resize(seen, (w // 2, h // 2), interpolation=cv2.INTER_AREA))
    if kind == "cropped":
        return _jpeg(seen[h // 40 : h - h // 40, w // 40 : w - w // 40])
    if kind == "rotated":
        return _jpeg(np.rot90(seen))
    if kind == "flipped":
        return _jpeg(seen[:, ::-1])
    if kind == "colour-shifted":
        return _jpeg(np.clip(seen * np.array([1.08, 0.97, 0.9]) + 4, 0, 255).astype(np.uint8))
    raise ValueError(f"no copy is made by {kind!r}")


def _fault(kind: str, rgb: np.ndarray) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    if kind == "truncated":
        return _jpeg(rgb)[:4000]
    if kind == "empty":
        return b""
    if kind == "text":
        return b"<html><body>404 Not Found</body></html>\n"
    if kind == "mismatch":
        return _png(rgb)
    if kind == "cmyk":
        Image.fromarray(rgb).convert("CMYK").save(out, "JPEG", quality=90)
    elif kind == "sixteen":
        Image.fromarray(rgb.mean(axis=2).astype(np.uint16) * 257).save(out, "PNG")
    elif kind == "rotated":
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.fromarray(np.ascontiguousarray(np.rot90(rgb))).save(out, "JPEG", quality=90, exif=exif)
    elif kind == "bomb":
        return _png_header(30_000, 30_000)
    elif kind == "blank":
        return _jpeg(np.full_like(rgb, 200))
    elif kind == "tiny":
        return _jpeg(rgb[:16, :16])
    else:
        raise ValueError(f"no fault is called {kind!r}")
    return out.getvalue()


def _png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds one compressed row."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(width * 3 + 1))) + chunk(b"IEND", b"")
    )


def _jpeg(rgb: np.ndarray, quality: int = 92) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(rgb)).save(out, "JPEG", quality=quality)
    return out.getvalue()


def _png(rgb: np.ndarray) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(rgb)).save(out, "PNG")
    return out.getvalue()


def _decoded(data: bytes) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def _rng(plan: Plan, *what: str | int) -> np.random.Generator:
    """A generator seeded from the plan and from what it is for."""
    key = "/".join(map(str, (VERSION, plan.seed, *what)))
    return np.random.Generator(np.random.PCG64(int.from_bytes(hashlib.sha256(key.encode()).digest()[:8])))
