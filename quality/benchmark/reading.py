"""Claims of written answers counted by words: the reader that needs no judge model."""

from collections.abc import Mapping, Sequence

from prompts.benchmark.items import Item
from quality.benchmark import answers
from quality.benchmark.claims import Counts, read_words


def by_words(items: Sequence[Item], said: Mapping[str, str | None]) -> dict[str, Counts | None]:
    """Counts of every written answer by item id; None where there is no prose."""
    written = {item.item_id: (item, answers.prose(said.get(item.item_id) or "")) for item in items if item.truth.get("claims")}
    return {
        key: read_words(item.truth["claims"], item.truth["morphology"], prose) if prose else None
        for key, (item, prose) in written.items()
    }
