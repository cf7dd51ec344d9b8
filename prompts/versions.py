"""Versions of what is asked: a digest of prompt and schema, which changes when either does. Feeds records, ledger and code versions."""

from collections.abc import Sequence
from functools import cache

from prompts import judging, schemas, stages
from prompts.ontology import load
from prompts.stages import Conditioning


@cache
def prompt_version(stage: str, kind: str, conditioning: Conditioning) -> str:
    """16 hex digits for the prompt and schema of a stage (`observe`, `reason`, `judge` or `normalise`)."""
    if stage == "observe":
        return schemas.digest([stages.observe_prompt(kind), schemas.observation_schema(kind)])[:16]
    if stage == "reason":
        return schemas.digest([stages.reason_prompt(kind, "", conditioning, []), schemas.reasoning_schema()])[:16]
    if stage == "judge":
        return schemas.digest([judging.judge_prompt("", "", list(judging.AXES)), judging.judging_schema(list(judging.AXES))])[
            :16
        ]
    return schemas.digest([stages.normalise_prompt("", []), schemas.normalising_schema([])])[:16]


def prompt_versions(kinds: Sequence[str], conditioning: Conditioning = "confirmed") -> dict[str, str]:
    """Versions behind a trajectory, for the record and for Dagster's code versions."""
    observe = {f"observe {kind}": prompt_version("observe", kind, "blind") for kind in kinds}
    repair = schemas.digest(stages.repair_prompt("", []))[:16]
    return {**observe, "reason": prompt_version("reason", "", conditioning), "repair": repair, "ontology": load().digest[:16]}
