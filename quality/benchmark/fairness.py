"""Groups of skin tones in which accuracies are compared, each scale by itself: scales are never converted into one another."""

from collections.abc import Sequence

from prompts.benchmark.items import Item
from sources.record import ToneSystem

_FITZPATRICK = {"I": "I-II", "II": "I-II", "III": "III-IV", "IV": "III-IV", "V": "V-VI", "VI": "V-VI"}
_SIX = {"1": "1-2", "2": "1-2", "3": "3-4", "4": "3-4", "5": "5-6", "6": "5-6"}
_MONK = {str(tone): "1-3" if tone < 4 else "4-6" if tone < 7 else "7-10" for tone in range(1, 11)}

GROUPS: dict[str, dict[str, str]] = {
    ToneSystem.FITZPATRICK: _FITZPATRICK,
    ToneSystem.DRAWN: _SIX,
    ToneSystem.MONK: _MONK,
    ToneSystem.DDI_BINS: {},
}
"""The group of each value of a scale: neighbours in pairs, as DDI's bins are; a value that is not listed is its own group."""


def tone_groups(items: Sequence[Item]) -> list[str]:
    """The group of each item, with the scale before it."""
    return [f"{item.tone_system} {_group(item.tone_system, item.tone_value)}" for item in items]


def _group(system: str | None, value: str | None) -> str:
    return GROUPS.get(system or "", {}).get(value or "", value or "unstated")
