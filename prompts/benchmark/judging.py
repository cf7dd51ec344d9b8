"""What a claims judge is asked: which claims of a reference a text supports, half supports or contradicts, and how many it adds."""

from collections.abc import Sequence
from typing import Any

VERDICTS = ("supported", "partial", "contradicted", "missing")
MOST_EXTRA = 20

_JUDGE = """Findings that were recorded of an image of skin:

{claims}

Looked for and not seen: {absent}.

A text that was written about the same image:

--- text ---
{text}
--- end ---

For each recorded finding, in the order above, say whether the text
"supported": states it;
"partial": states a part of it, or something less exact that includes it;
"contradicted": states that it is not there, or states another value;
"missing": does not speak about it.
Then count the "extra" findings: those that the text states as present although they are among what was not seen.

Answer with a single JSON object with the keys "verdicts" (a list of {count} words) and "extra" (a whole number)."""


def judge_prompt(claims: Sequence[str], absent: Sequence[str], text: str) -> str:
    """The question about one text; `absent` are the fields that were looked for in vain."""
    listed = "\n".join(f"{number}. {claim}" for number, claim in enumerate(claims, 1))
    return _JUDGE.format(claims=listed, absent=", ".join(absent) or "nothing was ruled out", text=text, count=len(claims))


def judging_schema(count: int) -> dict[str, Any]:
    """JSON schema of the answer: a verdict a claim, and a number."""
    verdicts = {"type": "array", "items": {"type": "string", "enum": list(VERDICTS)}, "minItems": count, "maxItems": count}
    extra = {"type": "integer", "minimum": 0, "maximum": MOST_EXTRA}
    fields = {"verdicts": verdicts, "extra": extra}
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}
