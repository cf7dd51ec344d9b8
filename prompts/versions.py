"""Versions of what is asked: a digest of prompt and schema, which changes when either does. Feeds records, ledger and code versions."""

from collections.abc import Sequence
from functools import cache

from prompts import judging, schemas, stages
from prompts.benchmark import judging as claims_judge
from prompts.benchmark import wording
from prompts.ontology import load
from prompts.stages import Conditioning


@cache
def prompt_version(stage: str, kind: str, conditioning: Conditioning) -> str:
    """16 hex digits for the prompt and schema of a stage (`observe`, `reason`, `judge`, `normalise`, or the benchmark's `predict` and `grade`)."""
    if stage == "observe":
        return schemas.digest([stages.observe_prompt(kind), schemas.observation_schema(kind)])[:16]
    if stage == "reason":
        return schemas.digest([stages.reason_prompt(kind, "", conditioning, []), schemas.reasoning_schema()])[:16]
    if stage == "judge":
        return schemas.digest([judging.judge_prompt("", "", list(judging.AXES)), judging.judging_schema(list(judging.AXES))])[
            :16
        ]
    if stage == "predict":
        texts = [
            wording.DESCRIPTION,
            wording.MORPH_DESCRIPTION,
            wording.REASONING,
            wording.REASONING_MORPH,
            wording.choice("", []),
        ]
        return schemas.digest(texts)[:16]
    if stage == "grade":
        return schemas.digest([claims_judge.judge_prompt([], [], ""), claims_judge.judging_schema(1)])[:16]
    return schemas.digest([stages.normalise_prompt("", []), schemas.normalising_schema([])])[:16]


def prompt_versions(kinds: Sequence[str], conditioning: Conditioning = "confirmed") -> dict[str, str]:
    """Versions behind a trajectory, for the record and for Dagster's code versions."""
    observe = {f"observe {kind}": prompt_version("observe", kind, "blind") for kind in kinds}
    repair = schemas.digest(stages.repair_prompt("", []))[:16]
    return {**observe, "reason": prompt_version("reason", "", conditioning), "repair": repair, "ontology": load().digest[:16]}
