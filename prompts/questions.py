"""The human turns of the formats: several wordings each, chosen by content hash. Every first turn starts with `<image>`."""

import hashlib
from collections.abc import Sequence

DESCRIPTION = (
    "<image>\nDescribe the morphology of the skin finding in this image, without naming a disease.",
    "<image>\nWhat can be seen here? Give a morphological description only.",
    "<image>\nPlease write down the visible features of this lesion as a dermatologist would record them.",
    "<image>\nGive a short description of form, colour and surface. Leave the diagnosis open.",
    "<image>\nWhich morphological features does this image show?",
)

_LAYOUT = {
    "dermoscopic": "as JSON with the seven dermoscopic criteria between <morph> and </morph>",
    "clinical": "as JSON with the list of clinical concepts between <morph> and </morph>",
}

_MORPH = (
    "<image>\nFirst give the findings {layout}, then describe the image in one paragraph.",
    "<image>\nRecord the morphology {layout}; after a blank line, add a description in prose.",
    "<image>\nState the structured findings {layout}, followed by a paragraph that describes them.",
    "<image>\nStart with the morphology {layout}. Then put it into words.",
)
MORPH_DESCRIPTION = {kind: tuple(text.format(layout=layout) for text in _MORPH) for kind, layout in _LAYOUT.items()}

CHOICE = (
    "<image>\nWhich diagnosis fits this image best? Answer with the letter and the text of one option.",
    "<image>\nChoose the most likely diagnosis and answer with its letter and text.",
    "<image>\nOne of these diagnoses is right. Which one? Give letter and text.",
    "<image>\nFrom the options below, select the diagnosis that matches the image (letter and text).",
)

# {stated} takes the sentences about levels that leave no choice.
HIERARCHY_TOP = (
    "<image>\n{stated}Which of these classes does the finding belong to? Options:",
    "<image>\n{stated}Let us narrow it down step by step. To which class does this belong? Options:",
    "<image>\n{stated}First, the broad class. Choose one of:",
    "<image>\n{stated}Into which of these categories does the image fall? Options:",
)
HIERARCHY_LOWER = (
    "{stated}And within that, which one? Options:",
    "{stated}Going one level further down, choose among:",
    "{stated}More precisely, which of these? Options:",
    "{stated}Which of the following fits best at the next level? Options:",
)
SINGLE_CHILD = "At this level there is only {name}."

_TAGS = (
    "<reasoning> with your reasoning </reasoning>, then the findings {layout}, then <final_diagnosis> with one diagnosis "
    "</final_diagnosis>"
)
_REASONING = (
    "<image>\nReason from the visible features to a diagnosis. Write {tags}.",
    "<image>\nWhat is the most likely diagnosis, and why? Answer with {tags}.",
    "<image>\nWork through the findings and conclude. Layout: {tags}.",
    "<image>\nExplain step by step which diagnosis the image supports, as {tags}.",
)
REASONING = {
    kind: tuple(text.format(tags=_TAGS.format(layout=layout)) for text in _REASONING) for kind, layout in _LAYOUT.items()
}


def pick(variants: Sequence[str], key: str) -> str:
    """The variant that belongs to `key`: the same on every machine, near uniform over keys."""
    return variants[int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) % len(variants)]
