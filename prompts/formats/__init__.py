"""The sample formats and the reinforcement-learning prompt, as pure renderings of one canonical record.

Layouts follow the companion trainer's contracts. Wording is chosen by content hash, options by matched sets (`prompts.asking`), so a
record renders the same everywhere. What needs a finding that is not recorded is left out; nothing is filled in.
"""

from collections.abc import Callable

from prompts.formats.adequacy import adequacy
from prompts.formats.choices import choice, choice_25, concept, criterion
from prompts.formats.context import context
from prompts.formats.differential import differential
from prompts.formats.prose import description, morph_description, reasoning
from prompts.formats.record import LETTERS, Asked, Context, Record, Turn
from prompts.formats.rewards import GRPO_TASKS, ground_truth
from prompts.formats.walk import hierarchy
from prompts.ontology import Ontology

__all__ = ["FORMATS", "GRPO_TASKS", "LETTERS", "WITH_OPTIONS", "Asked", "Context", "Record", "Turn", "ground_truth"]

FORMATS: dict[str, Callable[[Record, Ontology], list[Turn]]] = {
    "description": description,
    "morph_description": morph_description,
    "choice": choice,
    "choice_25": choice_25,
    "hierarchy": hierarchy,
    "criterion": criterion,
    "concept": concept,
    "reasoning": reasoning,
    "differential": differential,
    "context": context,
    "adequacy": adequacy,
}

WITH_OPTIONS = ("choice", "choice_25", "criterion", "concept", "hierarchy")
"""Formats whose every answer is one of the options of its question."""
