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

CRITERION = (
    "<image>\nWhat does this image show for the criterion {criterion}? Answer with the letter and the text of one option.",
    "<image>\nOne criterion of the seven-point checklist is asked for: {criterion}. Which value fits? Give letter and text.",
    "<image>\nAssess this criterion alone: {criterion}. Choose an option (letter and text).",
    "<image>\nCriterion: {criterion}. Which option is right for this image? Answer with its letter and text.",
)

CONCEPT = (
    "<image>\nWhich of these findings is visible in the image? Answer with the letter and the text of one option.",
    "<image>\nOnly one of these clinical concepts is present here. Which one? Give letter and text.",
    "<image>\nSelect the term that applies to what the image shows (letter and text).",
    "<image>\nOne of the following can be seen in this photograph. Choose it by letter and text.",
)

# {stated} takes the sentences about levels that are not asked.
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
STATED = "It is known to be: {name}."
CORRECTION = (
    'An earlier answer, "{wrong}", was wrong. Which one is it?',
    'Someone chose "{wrong}", which is not correct. Correct it.',
    'It was first called "{wrong}"; that is a mistake. Choose again.',
)

DIFFERENTIAL = (
    "<image>\nGive a ranked differential diagnosis with the findings for and against each entry.",
    "<image>\nWhich diagnoses should be considered, in which order, and why?",
    "<image>\nList the four most likely diagnoses. For each, state what supports it and what does not.",
    "<image>\nWrite a differential diagnosis: the best first, with the visible findings on both sides.",
)
RANKED = "{rank}. {name}. For: {supporting}. Against: {against}."
NOTHING = "nothing recorded"
RANKED_BY = (
    "Ranked by the number of findings for each diagnosis less those against it, then by those for it; among equals the closest relatives of"
    " the first stand first."
)

# {case} takes what is known about the person.
CONTEXT = (
    "<image>\n{case} What is the most likely diagnosis, and which visible findings support it?",
    "<image>\nHere is what is known: {case} Which diagnosis does the image support?",
    "<image>\n{case} Interpret the image and name the diagnosis.",
    "<image>\nA case for you. {case} What do you see, and what does it amount to?",
)
CONTEXT_ANSWER = "{reasoning}\n\nDiagnosis: {name}."

ADEQUACY = (
    "<image>\nIs this image adequate for a description of the skin finding? What is missing?",
    "<image>\nBefore anything is read from it: is the quality of this picture sufficient?",
    "<image>\nAssess whether this image can be used, and say what limits it.",
    "<image>\nWould you accept this picture for teledermatology, or ask for another one? Why?",
)
ADEQUATE = "The image is adequate: no fault of the picture was found."
LIMITED = "The image is of limited use."
FAULTS = "Limits: {listed}."
MISSING = "Not assessable here: {listed}."
PRESENT = "Also in the picture: {listed}."


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
