"""What is concluded from the metrics of a picture: a table of gates, each with a code, a metric, a threshold and what follows.

`exclude`: the picture cannot teach what a dermatologist would say (nothing to see, not one picture, not skin): neither taught nor released.
`review`: it may show who a person is, or no skin at all, which pixels alone do not tell: taught, but released only once a person has
cleared it. `flag`: kept and noted, as hairs, rulers and
ink go along with diagnoses and have to be balanced rather than lost. Thresholds and their sources are in `quality.thresholds`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from quality import thresholds as t

Action = Literal["exclude", "review", "flag"]
Limit = tuple[str, Literal["<", ">="], float]
"""A metric, the side on which it is at fault, and the threshold."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate fires when every one of its `limits` is passed; the first is the one that a verdict quotes. A metric of None passes none.

    `of_skin` gates are not asked of pictures that their source calls pathology.
    """

    code: str
    action: Action
    about: str
    limits: tuple[Limit, ...]
    of_skin: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """A gate that fired: its code and action, the metric it quotes, what was measured, and the threshold."""

    code: str
    action: Action
    metric: str
    measured: float
    threshold: float


GATES: tuple[Gate, ...] = (
    Gate("blank", "exclude", "nothing but one shade and noise", (("contrast", "<", t.BLANK_CONTRAST),), of_skin=False),
    Gate("too_dark", "exclude", "even the lightest parts are dark", (("light_high", "<", t.DARK_LIGHT),)),
    Gate("too_bright", "exclude", "a large part is burnt out", (("clipped_share", ">=", t.CLIPPED_SHARE),)),
    Gate("no_colour", "exclude", "a grey picture: colours are what is described", (("colourfulness", "<", t.GREY_COLOUR),)),
    Gate("no_skin", "review", "hardly a pixel has a hue that skin has in any light", (("skin_share", "<", t.SKIN_SHARE),)),
    Gate(
        "clearly_off_topic",
        "review",
        "laid out as hardly a picture of skin is",
        (("off_topic_score", ">=", t.OFF_TOPIC_CLEAR),),
    ),
    Gate(
        "histology",
        "review",
        "a stained section in a set of skin",
        (("violet_share", ">=", t.VIOLET_SHARE), ("texture", ">=", t.STAIN_TEXTURE)),
    ),
    Gate(
        "not_a_photograph",
        "exclude",
        "a drawing, a chart, a page: flat areas with hard edges",
        (("flat_share", ">=", t.DRAWN_FLAT), ("palette_share", ">=", t.DRAWN_PALETTE)),
    ),
    Gate("collage", "exclude", "several pictures in one", (("seam", ">=", t.SEAM),)),
    Gate("face", "review", "a face", (("face_score", ">=", t.FACE_SCORE),)),
    Gate("text", "review", "printed characters: a name, a date, a mark of origin", (("text_characters", ">=", t.CHARACTERS),)),
    Gate("off_topic", "flag", "laid out as photographs of other things are", (("off_topic_score", ">=", t.OFF_TOPIC),)),
    Gate("blurred", "flag", "out of focus, shaken, or enlarged from a thumbnail", (("sharpness", "<", t.SHARPNESS),)),
    Gate("low_resolution", "flag", "a small file", (("shorter_side", "<", t.SHORTER_SIDE),)),
    Gate(
        "small_lesion", "flag", "too few pixels across the lesion to see structures", (("lesion_pixels", "<", t.LESION_PIXELS),)
    ),
    Gate("compressed", "flag", "a JPEG file of low quality", (("jpeg_quality", "<", t.JPEG_QUALITY),), of_skin=False),
    Gate("blocky", "flag", "the marks of strong JPEG compression", (("blockiness", ">=", t.BLOCKINESS),), of_skin=False),
    Gate("dark_corners", "flag", "a dermoscope's round window", (("dark_corners", ">=", t.DARK_CORNERS),)),
    Gate("frame", "flag", "a frame or bars of one shade", (("margin", ">=", t.FRAME_SHARE),)),
    Gate("hair", "flag", "hairs across the picture", (("hair_length", ">=", t.HAIR_LENGTH),)),
    Gate("ruler", "flag", "a row of ticks", (("ruler_ticks", ">=", t.RULER_TICKS),)),
    Gate("ink", "flag", "strokes of a pen", (("ink_share", ">=", t.INK_STROKES),)),
    Gate(
        "modality",
        "flag",
        "looks like the other modality than its source says",
        (("modality_against", ">=", t.MODALITY_CLEAR),),
    ),
)
"""In the order in which they are told: what excludes, what a person has to see, what is noted."""

ACTIONS = {gate.code: gate.action for gate in GATES}


def judge(measured: Mapping[str, Any], modality: str) -> tuple[Verdict, ...]:
    """The gates that fire on a picture's numbers (columns of `image_quality`), given the modality that its source states."""
    values = {**measured, "modality_against": _against(measured.get("modality_score"), modality)}
    return tuple(
        _verdict(gate, values) for gate in GATES if _applies(gate, modality) and all(_passed(values, x) for x in gate.limits)
    )


def excludes(verdicts: Sequence[Verdict]) -> bool:
    """Whether the picture is neither taught nor released."""
    return any(verdict.action == "exclude" for verdict in verdicts)


def _applies(gate: Gate, modality: str) -> bool:
    return not gate.of_skin or modality != "pathology"


def _against(score: float | None, modality: str) -> float | None:
    """How strongly the picture speaks against the stated modality; None where it cannot."""
    if score is None or modality == "pathology":
        return None
    return -score if modality == "dermoscopic" else score


def _passed(values: Mapping[str, Any], limit: Limit) -> bool:
    metric, side, threshold = limit
    value = values.get(metric)
    return value is not None and (value < threshold if side == "<" else value >= threshold)


def _verdict(gate: Gate, values: Mapping[str, Any]) -> Verdict:
    metric, _, threshold = gate.limits[0]
    return Verdict(gate.code, gate.action, metric, round(float(values[metric]), 4), threshold)
