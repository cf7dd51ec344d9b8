"""The settings of a deployment as one Dagster resource, each field defaulting to its environment variable."""

import os
from pathlib import Path

import dagster as dg

from pipelines.lake import Lake
from pipelines.teach.config import TeacherConfig, load_config
from prompts.mix import Mix, load_mix
from sources.licences import PROFILES, Profile

DEFAULT_SOURCES = "phantom"


def chosen_sources() -> list[str]:
    """Sources of this deployment's corpus: DERMOFORGE_SOURCES, comma-separated, in alphabetical order, each once."""
    names = os.environ.get("DERMOFORGE_SOURCES") or DEFAULT_SOURCES
    return sorted({name.strip() for name in names.split(",") if name.strip()})


def _setting(name: str, default: str) -> str:
    return os.environ.get(f"DERMOFORGE_{name}") or default


class Settings(dg.ConfigurableResource):
    """Where things are and who teaches. Every field can be changed for one run in the launchpad."""

    lake_url: str = _setting("LAKE", "lake")
    releases: str = _setting("RELEASES", "releases")
    reviews: str = _setting("REVIEWS", "reviews")
    mirror: str = _setting("MIRROR", "")
    cache: str = _setting("CACHE", "cache")
    embedder: str = _setting("EMBEDDER", "hf-hub:laion/CLIP-ViT-B-32-laion2B-s34B-b79K")
    teacher_file: str = _setting("TEACHER_FILE", "")
    teacher: str = _setting("TEACHER", "")
    teacher_model: str = _setting("TEACHER_MODEL", "")
    judge_file: str = _setting("JUDGE_FILE", "")
    mix: str = _setting("MIX", "")
    profile: str = _setting("PROFILE", "noncommercial")
    blocklists: str = _setting("BLOCKLISTS", "")
    cleared: str = _setting("CLEARED", "")
    publish_to: str = _setting("PUBLISH_TO", "")
    publish: str = _setting("PUBLISH", "")

    def lake(self) -> Lake:
        """The lake of this run."""
        return Lake(self.lake_url)

    def release_profile(self) -> Profile:
        """The licence profile of releases. Raises ValueError for a name that is none."""
        if self.profile not in PROFILES:
            raise ValueError(f"DERMOFORGE_PROFILE is {self.profile!r}: choose {', '.join(PROFILES)}")
        return self.profile

    def blocklist_files(self) -> list[str]:
        """Files that list the images of external benchmarks, in order."""
        return [name.strip() for name in self.blocklists.split(",") if name.strip()]

    def cleared_images(self) -> frozenset[str]:
        """Ids of images that a person has cleared for release: the lines of the file, without what follows a #. Raises OSError."""
        if not self.cleared:
            return frozenset()
        lines = Path(self.cleared).read_text(encoding="utf-8").splitlines()
        return frozenset(filter(None, (line.split("#")[0].strip() for line in lines)))

    def teacher_config(self) -> TeacherConfig:
        """Who teaches: the file, with engine and model replaced where they are given. Raises ValueError naming the field."""
        return load_config(self.teacher_file, self.teacher, self.teacher_model)

    def chosen_mix(self) -> Mix:
        """The mix of the corpus. Raises ValueError naming the field, and OSError."""
        return load_mix(self.mix)

    def really_publish(self) -> bool:
        """Whether a publish does more than look. Raises ValueError for a word that is neither yes nor no."""
        if self.publish not in ("", "no", "yes"):
            raise ValueError(f"DERMOFORGE_PUBLISH is {self.publish!r}: choose yes or no")
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
        self.release_profile()
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
