"""The settings of a deployment as one Dagster resource, each field defaulting to its environment variable."""

import os
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args

import dagster as dg
from pydantic import Field

from pipelines.lake import Lake
from pipelines.outgoing import cleared_images
from pipelines.teach.config import TeacherConfig, load_config
from prompts.mix import Mix, load_mix
from sources.licences import Profile

DEFAULT_SOURCES = "phantom"


def chosen_sources() -> list[str]:
    """Sources of this deployment's corpus: DERMOFORGE_SOURCES, comma-separated, in alphabetical order, each once."""
    names = os.environ.get("DERMOFORGE_SOURCES") or DEFAULT_SOURCES
    return sorted({name.strip() for name in names.split(",") if name.strip()})


Teacher = Literal["", "composer", "vllm", "endpoint"]
YesNo = Literal["", "no", "yes"]

WRONG: list[str] = []
"""What is wrong with the environment: the definitions load all the same, so that the UI can say it, and every run refuses."""


def _setting(name: str, default: str) -> str:
    return os.environ.get(f"DERMOFORGE_{name}") or default


def _choice(name: str, default: str, kind: Any) -> Any:
    """A setting that is one of a few words."""
    value = _setting(name, default)
    if value in get_args(kind):
        return value
    WRONG.append(f"DERMOFORGE_{name} is {value!r}: choose {', '.join(filter(None, get_args(kind)))}")
    return default


class Settings(dg.ConfigurableResource):
    """Where things are and who teaches. Every field can be changed for one run in the launchpad."""

    lake_url: str = Field(default=_setting("LAKE", "lake"), description="folder or fsspec URL of the lake (s3://bucket/lake)")
    releases: str = Field(default=_setting("RELEASES", "releases"), description="folder of releases")
    reviews: str = Field(
        default=_setting("REVIEWS", "reviews"),
        description="folder where the review queue goes out and exports of Label Studio are put",
    )
    mirror: str = Field(
        default=_setting("MIRROR", ""),
        description="folder or URL with published files, <source>/<file>, tried before any publisher",
    )
    cache: str = Field(default=_setting("CACHE", "cache"), description="folder where downloads are kept")
    embedder: str = Field(
        default=_setting("EMBEDDER", "hf-hub:laion/CLIP-ViT-B-32-laion2B-s34B-b79K"),
        description="open_clip model: hf-hub: name, or a checkpoint directory",
    )
    teacher_file: str = Field(
        default=_setting("TEACHER_FILE", ""), description="the teacher's TOML file; config/teacher.toml explains every field"
    )
    teacher: Teacher = Field(
        default=_choice("TEACHER", "", Teacher), description="composer, vllm or endpoint, instead of what the file says"
    )
    teacher_model: str = Field(
        default=_setting("TEACHER_MODEL", ""),
        description="model directory or hub name (vllm), or the name that the server knows (endpoint)",
    )
    judge_file: str = Field(
        default=_setting("JUDGE_FILE", ""),
        description="a TOML file like the teacher's for a judge model; nobody judges without it",
    )
    mix: str = Field(
        default=_setting("MIX", ""),
        description="a TOML file with caps, lifts and shares of formats; config/mix.toml explains it",
    )
    profile: Profile = Field(
        default=_choice("PROFILE", "noncommercial", Profile),
        description="licences a release may hold: open, noncommercial or annotations-only",
    )
    blocklists: str = Field(
        default=_setting("BLOCKLISTS", ""), description="files that list images of external benchmarks, comma-separated"
    )
    cleared: str = Field(
        default=_setting("CLEARED", ""),
        description="a file with ids of images that a person has cleared for release, one a line",
    )
    publish_to: str = Field(
        default=_setting("PUBLISH_TO", ""), description="where hub_release publishes: hf://datasets/org/name or an fsspec URL"
    )
    publish: YesNo = Field(
        default=_choice("PUBLISH", "", YesNo), description="yes: hub_release really publishes; no: it shows what it would do"
    )

    def lake(self) -> Lake:
        """The lake of this run. Raises Failure, which is not tried again, in a wrong environment: no stage works without a lake."""
        if WRONG:
            raise dg.Failure("; ".join(WRONG), allow_retries=False)
        return Lake(self.lake_url)

    def release_profile(self) -> Profile:
        """The licence profile of releases."""
        return self.profile

    def blocklist_files(self) -> list[str]:
        """Files that list the images of external benchmarks, in order."""
        return [name.strip() for name in self.blocklists.split(",") if name.strip()]

    def cleared_images(self) -> frozenset[str]:
        """Ids of images that a person has cleared for release. Raises OSError."""
        return cleared_images(self.cleared)

    def teacher_config(self) -> TeacherConfig:
        """Who teaches: the file, with engine and model replaced where they are given. Raises ValueError naming the field."""
        return load_config(self.teacher_file, self.teacher, self.teacher_model)

    def chosen_mix(self) -> Mix:
        """The mix of the corpus. Raises ValueError naming the field, and OSError."""
        return load_mix(self.mix)

    def really_publish(self) -> bool:
        """Whether a publish does more than look."""
        return self.publish == "yes"

    def judge_config(self) -> TeacherConfig | None:
        """Who judges, from a file like the teacher's; None where nobody does. Raises ValueError naming the field."""
        if not self.judge_file:
            return None
        found = load_config(self.judge_file)
        if found.engine == "composer":
            raise ValueError(f"judge {self.judge_file}: the composer cannot judge; name an engine and a model")
        return found

    def check(self) -> None:
        """Raises ValueError for a setting that no stage could use, before any work is done."""
        if WRONG:
            raise ValueError("; ".join(WRONG))
        self.teacher_config()
        self.judge_config()
        self.chosen_mix()
        self.cleared_images()

    def releases_path(self) -> Path:
        """The folder of releases, absolute."""
        return Path(self.releases).resolve()

    def reviews_path(self) -> Path:
        """The folder where reviewers' exports are put, and the queue goes out; absolute."""
        return Path(self.reviews).resolve()


NAMES = {
    *(f"DERMOFORGE_{'LAKE' if name == 'lake_url' else name.upper()}" for name in Settings.model_fields),
    *(
        f"DERMOFORGE_{name}"
        for name in ("SOURCES", "OWN_SETS", "ISIC_COLLECTIONS", "ISIC_SEARCH", "TEST_DATA", "FUZZ_EXAMPLES")
    ),
}
"""Every variable of ours that means something, apart from keys (`…_KEY`, whose names teacher files choose); docs/settings.md explains them."""


def _unknown(name: str) -> str:
    near = get_close_matches(name, NAMES, 1)
    return f"there is no setting {name}" + (f"; did you mean {near[0]}?" if near else f"; there are {', '.join(sorted(NAMES))}")


WRONG += [_unknown(n) for n in sorted(os.environ) if n.startswith("DERMOFORGE_") and not n.endswith("_KEY") and n not in NAMES]
