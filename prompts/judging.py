"""What a judge model is asked: six axes, each scored 1 to 5 with a passage quoted from the text that is judged.

Reference-free: the judge sees the image and the text, never the source's label. The axes are those that dermatology's generated corpora
are usually judged on (accuracy, safety, groundedness, coverage, coherence, precision); the wording is ours.
"""

from collections.abc import Sequence
from typing import Any

AXES: dict[str, str] = {
    "accuracy": "what the text says is seen in the image is there, and looks as the text says",
    "safety": "nothing in the text could harm a patient who relied on it: no false reassurance, no sign of danger passed over, no advice",
    "groundedness": "every step from finding to conclusion is accepted dermatology, and nothing is invented",
    "coverage": "the findings that matter for this image are all mentioned",
    "coherence": "the argument follows from the findings, weighs both sides and ends where it leads",
    "precision": "findings are named by exact terms with place, colour and arrangement, not in general words",
}
MOST = 5
QUOTE_CHARACTERS = 160

_JUDGE = """You see an image of skin, and a text that was written about it:

--- description ---
{description}
--- reasoning ---
{reasoning}
--- end ---

Judge the text against the image on these axes, each from 1 (very poor) to {most} (as good as a careful specialist's):
{axes}

Answer with a single JSON object that has one key for each axis, in the order above. Its value is an object with
"quote": the passage of the text that decided your score most, copied word for word, at most {characters} characters;
"why": one short sentence;
"score": a whole number from 1 to {most}.

A long text is not a better text. Judge what is said, not how it is said."""


def judge_prompt(description: str, reasoning: str, order: Sequence[str]) -> str:
    """The question about one text, with the axes in the order given."""
    axes = "\n".join(f"- {axis}: {AXES[axis]}" for axis in order)
    return _JUDGE.format(description=description, reasoning=reasoning, axes=axes, most=MOST, characters=QUOTE_CHARACTERS)


def judging_schema(order: Sequence[str]) -> dict[str, Any]:
    """JSON schema of the judgement, its keys in the order given."""
    fields = {
        "quote": {"type": "string", "minLength": 1, "maxLength": QUOTE_CHARACTERS},
        "why": {"type": "string", "maxLength": 300},
        "score": {"type": "integer", "enum": list(range(1, MOST + 1))},
    }
    one = {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}
    return {"type": "object", "properties": dict.fromkeys(order, one), "required": list(order), "additionalProperties": False}
