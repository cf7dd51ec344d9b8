"""A driver to be killed: `python tests/teach_driver.py LAKE MODEL CALLS` asks both stages about the first 200 images of a lake.

The real engine, with one addition: every question that reaches it leaves a line in CALLS, so that they can be counted whoever dies.
"""

import logging
import os
import sys

from pipelines.lake import Lake
from pipelines.teach import vllm_actor
from pipelines.teach.config import TeacherConfig
from pipelines.teach.engines import open_engine
from pipelines.teach.requests import Request
from pipelines.teach.stages import observe_request, reason_request
from pipelines.teach.subjects import Subject
from pipelines.teach.teach import ask_missing

IMAGES = 200
IN_FLIGHT = 16
"""Four batches of four."""
SEEN = {"morphological_features_others": ["colour: pink"], "detailed_description": "Pink."}


def config(model: str) -> TeacherConfig:
    """Short answers without chance: what is asked again must come out the same."""
    options = {"max_num_seqs": IN_FLIGHT // 4, "max_model_len": 4096}
    sampling = {"temperature": 0.0, "max_tokens": 64}
    return TeacherConfig.model_validate({"engine": "vllm", "model": model, "vllm": options, "sampling": sampling})


def questions(lake: Lake) -> list[Request]:
    """Both stages; the second about an observation that is given, as a model of noise writes none that passes."""
    rows = lake.read("images", columns=["image_id", "sha256"]).to_pylist()[:IMAGES]
    people = [Subject(row["image_id"], row["sha256"], "clinical", "melanoma", {}, ()) for row in rows]
    return [ask for s in people for ask in (observe_request(s), reason_request(s, SEEN))]


def counting(path: str) -> type[vllm_actor.VllmActor]:
    """The actor, with a count of what reaches it."""

    class VllmActor(vllm_actor.VllmActor):
        async def _one(self, question, picture):
            line = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(line, f"{question[1]['seed']}\n".encode())
            os.close(line)
            return await super()._one(question, picture)

    return VllmActor


def main(lake_url: str, model: str, calls: str) -> None:
    """Ask what is missing; the last line says how many answers were there and how many were asked for."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    vllm_actor.VllmActor = counting(calls)  # type: ignore[misc]
    lake = Lake(lake_url)
    engine = open_engine(lake, config(model))
    done = ask_missing(lake, questions(lake), engine, "chaos")
    print(done.cached, done.asked, done.failed, engine.status().restarts)


if __name__ == "__main__":
    main(*sys.argv[1:])
