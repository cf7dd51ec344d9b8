"""The teacher's configuration: one TOML file for a laptop, one GPU, eight GPUs or a cluster. `config/teacher.toml` explains every field.

Unknown fields and bad values are refused with the field's name. What can change an answer enters the ledger's keys; what cannot (replicas,
limits, prices, URLs) does not.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from prompts.stages import Conditioning

ENGINES = ("composer", "vllm", "endpoint")

NUMERIC = ("dtype", "quantization", "kv_cache_dtype", "hf_overrides", "mm_processor_kwargs")
"""Options of the vLLM engine that can change an answer."""


class BadConfig(ValueError):
    """A configuration that cannot be used; the message names the file, the field and what is allowed."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Sampling(_Part):
    """How answers are drawn. Every field is part of the ledger's keys."""

    temperature: float = Field(0.2, ge=0, le=2)
    top_p: float = Field(0.95, gt=0, le=1)
    top_k: int | None = Field(None, ge=1)
    repetition_penalty: float | None = Field(None, gt=0)
    max_tokens: int = Field(1024, ge=16)


class Vllm(_Part):
    """vLLM inside Ray actors."""

    tensor_parallel: int = Field(1, ge=1, description="GPUs a replica spans")
    replicas: int = Field(0, ge=0, description="engines side by side; 0: as many as the cluster's GPUs hold, one without a GPU")
    max_model_len: int = Field(8192, ge=512)
    max_num_seqs: int = Field(32, ge=1, description="requests an engine runs at once; three times as many wait in its queue")
    restarts: int = Field(
        3, ge=0, description="deaths in a row of each replica, with no answer between, that are mended by a new process"
    )
    start_seconds: float = Field(1800, gt=0, description="longest start of an engine")
    answer_seconds: float = Field(900, gt=0, description="longest silence of an engine that has work")
    engine: Mapping[str, Any] = Field(
        default_factory=dict, description="further arguments of vLLM's engine, as vLLM names them"
    )


class Endpoint(_Part):
    """Any server that speaks OpenAI's chat completions."""

    urls: tuple[str, ...] = Field((), description="base URLs up to and with /v1; all serve the same model")
    revision: str = Field("unstated", description="of the served weights: part of the ledger's keys")
    key_variable: str = Field(
        "DERMOFORGE_TEACHER_KEY", description="environment variable that holds the API key, if one is needed"
    )
    concurrency: int = Field(64, ge=1, description="most requests in flight at one URL; fewer while it throttles")
    tries: int = Field(4, ge=1, description="of one request that the server or the network failed")
    timeout_seconds: float = Field(300, gt=0, description="longest wait for one answer")
    patience_seconds: float = Field(300, gt=0, description="longest time without any answer before the run stops")
    processor: str = Field(
        "", description="directory of the model's processor, to check the number of image tokens of every call"
    )


class TeacherConfig(_Part):
    """Who teaches, and what is asked."""

    engine: Literal["composer", "vllm", "endpoint"] = "composer"
    model: str = Field("", description="vllm: a directory or hub name on this machine; endpoint: the name the server knows")
    conditioning: Conditioning = Field(
        "confirmed", description="what the reason stage is told: nothing, candidates or the diagnosis"
    )
    candidates: int = Field(5, ge=2, le=25, description="names shown when conditioning is candidates, the source's among them")
    control_share: float = Field(0.0, ge=0, le=1, description="share of images that are also asked answer-blind, as a control")
    samples: int = Field(1, ge=1, le=64, description="independent answers an image")
    attempts: int = Field(2, ge=1, le=16, description="seeds a question may use until an answer passes its checks")
    normalise: bool = Field(False, description="ask the teacher to name an unknown diagnosis in the ontology's words")
    max_pixels: int = Field(1_003_520, ge=3136, description="larger pictures are shrunk before the model sees them")
    price_per_gpu_hour: float = Field(0.0, ge=0, description="adds the cost to the progress lines")
    sampling: Sampling = Sampling()  # type: ignore[call-arg]
    vllm: Vllm = Vllm()  # type: ignore[call-arg]
    endpoint: Endpoint = Endpoint()  # type: ignore[call-arg]

    @model_validator(mode="after")
    def _usable(self) -> "TeacherConfig":
        if self.engine != "composer" and not self.model:
            raise ValueError(f"engine {self.engine} needs a model: set it in the file or as DERMOFORGE_TEACHER_MODEL")
        if self.engine == "endpoint" and not self.endpoint.urls:
            raise ValueError("engine endpoint needs at least one URL in endpoint.urls")
        if self.engine == "composer" and (self.conditioning != "confirmed" or self.samples > 1 or self.control_share):
            raise ValueError(
                "the composer writes one answer from the confirmed diagnosis: no other conditioning, samples or control"
            )
        return self

    @property
    def seeds(self) -> int:
        """Seeds that a question may use: the composer says the same with each."""
        return 1 if self.engine == "composer" else self.attempts

    def decides(self) -> dict[str, Any]:
        """What of the configuration can change an answer, for the ledger's keys."""
        sampling = {key: value for key, value in self.sampling.model_dump().items() if value is not None}
        numeric = {key: value for key, value in self.vllm.engine.items() if key in NUMERIC and self.engine == "vllm"}
        return {**sampling, "max_pixels": self.max_pixels, **numeric}


def load_config(file: str = "", engine: str = "", model: str = "") -> TeacherConfig:
    """The configuration of a TOML file, with engine and model replaced where they are given. Raises BadConfig."""
    try:
        found = tomllib.loads(Path(file).read_text(encoding="utf-8")) if file else {}
    except (OSError, ValueError) as error:
        raise BadConfig(f"teacher configuration {file}: {error}") from error
    given = {"engine": engine, "model": model}
    try:
        return TeacherConfig.model_validate(found | {key: value for key, value in given.items() if value})
    except ValidationError as error:
        faults = "; ".join(_fault(entry) for entry in error.errors())
        raise BadConfig(f"teacher configuration{f' {file}' if file else ''}: {faults}") from error


def _fault(entry: Mapping[str, Any]) -> str:
    field = ".".join(str(step) for step in entry["loc"])
    told = entry["msg"].removeprefix("Value error, ")
    return f"{field}: {told} (found {entry['input']!r})" if field else told
