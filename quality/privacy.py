"""Personal data in free text, of a source or of a sample.

Found are e-mail and street addresses, phone numbers, dates, record numbers, and names with a title or a leading word. Names that stand
alone are not: no list of names fits, and diseases are named after people.
"""

import json
from collections.abc import Mapping
from functools import lru_cache

from quality.claims import personal

SHORTEST = 6
"""Letters and digits that any personal datum has at least; codes and short answers are not looked at."""


@lru_cache(maxsize=1 << 12)  # an answer comes back in the other formats of its image, which lie beside it
def in_text(text: str) -> tuple[str, ...]:
    """What in a text names a person or leads to one."""
    return tuple(personal(text)) if len(text) >= SHORTEST else ()


def in_notes(history: str | None, caption: str | None) -> tuple[str, ...]:
    """The same in what a source says about an image: `history`, a JSON object of texts, and the caption."""
    values: Mapping[str, str] = json.loads(history or "{}")
    return tuple(found for text in (*values.values(), caption or "") for found in in_text(str(text)))


def in_messages(messages: str) -> tuple[str, ...]:
    """The same in the turns of a sample, a JSON array."""
    return tuple(found for turn in json.loads(messages) for found in in_text(turn["content"]))
