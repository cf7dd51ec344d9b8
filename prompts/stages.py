"""The prompts of the teacher, versioned by their content: what is seen, what it means, and which name of the ontology that is.

The observe prompt is a function of the kind of image alone, so it cannot carry a label, metadata or a file name.
"""

import json
from collections.abc import Sequence
from typing import Literal

from prompts.schemas import DERM7PT, DERM7PT_KEY, NOT_ASSESSABLE, OTHERS_KEY, SKINCON, SKINCON_KEY, TEXT_KEY

Conditioning = Literal["blind", "candidates", "confirmed"]

_OBSERVE = """You are describing one image of skin for a medical image archive. Report only what can be seen in it.

Answer with a single JSON object that has exactly these three keys:
"{key}": {vocabulary}
"{others}": a list of short phrases for visible findings that the vocabulary above has no word for, such as colours, symmetry, \
outline, arrangement or artefacts; an empty list if there are none.
"{text}": one paragraph of 40 to 140 words of plain English prose that says the same as the two fields above and nothing more.

Rules:
- Do not name or suggest any disease, and do not say whether the finding is harmful.
- Do not mention anything a picture cannot show: complaints, duration, age, sex, touch, tissue, treatment.
- Where the image does not let you decide, say so instead of guessing."""

_VOCABULARY = {
    "dermoscopic": (
        DERM7PT_KEY,
        'an object with these seven keys and one value for each, "{unknown}" where the image does not show it:\n{values}',
    ),
    "clinical": (
        SKINCON_KEY,
        "the list of those terms, spelled as here, that are visible; an empty list if none is:\n{values}",
    ),
}

_REASON = """You see the image again, together with findings that were recorded from it earlier:

{observation}

{task}

Answer with a single JSON object that has exactly these four keys:
"supporting": the recorded findings that speak for your conclusion, each copied word for word; write a criterion as \
"pigment network: typical", any other finding as it stands.
"against": the recorded findings that speak against it, copied in the same way; an empty list if there are none.
"reasoning": 60 to 170 words of plain English prose. Weigh the findings on both sides, say what could not be seen, and end with the \
conclusion by name.
"final_diagnosis": the name of the condition, and nothing else.

Rules:
- Use no finding that is not recorded above.
- Write as someone who reasons from the picture: do not speak of labels, lists, records of the patient or these instructions.
- Do not mention complaints, duration, age, sex, touch, tissue or treatment."""

_TASK: dict[Conditioning, str] = {
    "blind": "Reason from these findings to the most likely condition.",
    "candidates": "Reason from these findings to the condition that fits best among: {labels}.",
    "confirmed": "Explain how far these findings fit {labels}, and conclude with it.",
}


_NORMALISE = """A dermatologist concluded: {label}

Which of these names means the same condition?
{names}

Answer with a single JSON object that has exactly one key, "diagnosis": one of the names above, spelled as it stands there, or \
"{none}" when none of them means the same."""

_REPAIR = """{prompt}

An earlier answer to this was sent back:
{faults}

Look at the image again and write a new answer that follows all of the rules. Do not mention the earlier answer."""

NONE_OF_THESE = "none of these"


def observe_prompt(kind: str) -> str:
    """The blind question about one image; `kind` is `dermoscopic` or `clinical`."""
    key, about = _VOCABULARY[kind]
    if kind == "dermoscopic":
        values = "\n".join(f"  {name}: {', '.join(options)}" for name, options in DERM7PT.items())
    else:
        values = "  " + ", ".join(SKINCON)
    vocabulary = about.format(unknown=NOT_ASSESSABLE, values=values)
    return _OBSERVE.format(key=key, vocabulary=vocabulary, others=OTHERS_KEY, text=TEXT_KEY)


def reason_prompt(kind: str, observation: str, conditioning: Conditioning, labels: Sequence[str]) -> str:
    """The second question. `observation` is the accepted observation as JSON; `labels` are shown as `conditioning` says.

    `kind` does not change the wording: the observation says which vocabulary it uses.
    """
    task = _TASK[conditioning].format(labels=", ".join(labels))
    return _REASON.format(observation=_indented(observation), task=task)


def repair_prompt(prompt: str, faults: Sequence[str]) -> str:
    """A question asked again, with what was wrong with the answer that came. `faults` are sentences."""
    return _REPAIR.format(prompt=prompt, faults="\n".join(f"- {fault}" for fault in faults))


def normalise_prompt(label: str, names: Sequence[str]) -> str:
    """The optional third question, without an image: a name of the ontology for a diagnosis that is not in it."""
    listed = "\n".join(f"- {name}" for name in names)
    return _NORMALISE.format(label=" ".join(label.split()), names=listed, none=NONE_OF_THESE)


def _indented(observation: str) -> str:
    return json.dumps(json.loads(observation or "{}"), indent=1, ensure_ascii=False, sort_keys=True)
