"""Sound trajectories in the words of six authors, who saw neither the checks nor any outcome of theirs, as a large model writes.

Nothing is composed: each of the texts in `sound_third.json` to `sound_eighth.json` was written as a whole, beside the
observation that it is true of; no author had read another's. Of a row, `seen` holds the seven-point criteria that are not absent or the
SkinCon concepts, `colours` and `form` what the pixels are to show; a row without colours stands for an image that was not measured.
"""

import json
from pathlib import Path
from typing import Any

from benchmarks.scribe import TINTS, Trajectory
from prompts import ontology as ontologies
from prompts.schemas import COLOURS, DERM7PT_KEY, MEASURED, OTHERS_KEY, SKINCON_KEY, TEXT_KEY, findings
from quality.claims import Known
from sources.vocabulary import DERM7PT

AUTHORS: tuple[str, ...] = ("third", "fourth", "fifth", "sixth", "seventh", "eighth")
PLAIN, FAINT = 0.25, 0.05
"""Shares of the pixels: of a colour that the text is about, and of one that a finding brings along."""


def trajectories(author: str) -> list[Trajectory]:
    """All of one of `AUTHORS`, dermoscopic ones first, always the same.

    Raises ValueError for another author, and for a diagnosis that the ontology does not know.
    """
    if author not in AUTHORS:
        raise ValueError(f"no sound texts of author {author!r}, only of {', '.join(AUTHORS)}")
    rows = json.loads(Path(__file__).with_name(f"sound_{author}.json").read_text())
    return [_trajectory(row) for row in rows]


def _trajectory(row: dict[str, Any]) -> Trajectory:
    node = ontologies.load().resolve(row["final"])
    if node is None:
        raise ValueError(f"unknown diagnosis {row['final']!r}")
    observation = _observation(row)
    reasoning = {
        "supporting": row["supporting"],
        "against": row["against"],
        "reasoning": row["argued"],
        "final_diagnosis": row["final"],
    }
    return Trajectory(row["kind"], observation, reasoning, _known(row, observation), node)


def _observation(row: dict[str, Any]) -> dict[str, Any]:
    if row["kind"] == "dermoscopic":
        morphology: dict[str, Any] = {DERM7PT_KEY: dict.fromkeys(DERM7PT, "absent") | row["seen"]}
    else:
        morphology = {SKINCON_KEY: row["seen"]}
    return morphology | {OTHERS_KEY: row["others"], TEXT_KEY: row["told"]}


def _known(row: dict[str, Any], observation: dict[str, Any]) -> Known:
    region, raw = row["site"] or (None, None)
    if not row["colours"]:
        return Known((), {}, region, raw)
    number = MEASURED["number of colours"][min(len(row["colours"]), 3) - 1]
    measured = [*(f"colour: {colour}" for colour in row["colours"]), f"number of colours: {number}", *row["form"]]
    brought = {colour for finding in findings(observation) for colour in TINTS.get(finding, ())}
    traces = {colour: PLAIN if colour in row["colours"] else FAINT if colour in brought else 0.0 for colour in COLOURS}
    return Known(tuple(measured), traces, region, raw)
