"""The questions of the benchmark: one wording a task, so that scores compare; vocabularies are told, because not every model was trained on ours."""

from collections.abc import Sequence

from prompts.schemas import DERM7PT_KEY, SKINCON, SKINCON_KEY
from sources.vocabulary import DERM7PT

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXY"

DESCRIPTION = (
    "Describe the morphology of the skin finding in this image in one paragraph: which structures are there, in what form, and which are "
    "not. Do not name a disease."
)

_SEVEN = "\n".join(f"{name}: {', '.join(values)}" for name, values in DERM7PT.items())
_LAYOUT = {
    "dermoscopic": (
        f'<morph>{{"{DERM7PT_KEY}": {{"criterion": "value", ...}}}}</morph>, with one value for each of these seven criteria:\n{_SEVEN}\n'
    ),
    "clinical": (
        f'<morph>{{"{SKINCON_KEY}": ["concept", ...]}}</morph>, with those of these concepts that are visible, or an empty list:\n'
        f"{', '.join(SKINCON)}\n"
    ),
}
MORPH_DESCRIPTION = {
    kind: f"Record the morphology of the skin finding in this image as {layout}"
    "After a blank line, describe it in one paragraph without naming a disease."
    for kind, layout in _LAYOUT.items()
}

_REASON = "Which skin condition does this image show? Answer with <reasoning>the findings that you see and what they speak for</reasoning>"
_FINAL = "<final_diagnosis>the name of one condition</final_diagnosis>."
REASONING = f"{_REASON} and then {_FINAL}"
REASONING_MORPH = {kind: f"{_REASON}, then {layout}and at the end {_FINAL}" for kind, layout in _LAYOUT.items()}

DERM7PT_CHOICE = "Which of these describes the {criterion} in this dermoscopic image?"
SKINCON_CHOICE = "Exactly one of these findings can be seen in this image. Which one?"
DIAGNOSIS = "Which of these diagnoses does this image show?"
TOP = "To which of these classes does the finding in this image belong?"
BELOW = "The finding in this image belongs to: {path}. Which of these is it, more precisely?"
_ANSWER = "Answer with the letter and the text of one option."


def choice(stem: str, options: Sequence[str]) -> str:
    """A stem with its lettered options, a line each."""
    lines = (f"{letter}) {option}" for letter, option in zip(LETTERS, options, strict=False))
    return "\n".join([stem, *lines, _ANSWER])
