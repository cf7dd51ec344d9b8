"""Who reads a report, and what they may see. Fails closed: an image that nothing lets out is neither shown, quoted nor named."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.annotations import annotated
from pipelines.lake import Lake
from pipelines.shard import image_key
from quality.privacy import in_notes
from sources.licences import Profile, carries_images, may_release

PRIVATE = frozenset({"personal_data", "reviewer"})
"""Reasons of a reject that may quote a person: what fell out for one of them is not quoted outside."""


@dataclass(frozen=True, slots=True)
class Audience:
    """`shown`: ids of images that may be shown; None: all of them, for local eyes."""

    shown: frozenset[str] | None

    @property
    def local(self) -> bool:
        """Whether the report stays with those who hold the data."""
        return self.shown is None

    def sees(self, image_id: str) -> bool:
        """Whether this image may be shown and quoted."""
        return self.shown is None or image_id in self.shown

    def name(self, image_id: str) -> str:
        """What the image is called: outside, its public id, so that no file name of a source gets out."""
        return image_id if self.local else image_key(image_id)


LOCAL = Audience(None)


def public(lake: Lake, sources: Sequence[str], profile: Profile) -> Audience:
    """Readers of a release: images whose licences (their annotations' too) the profile allows, which no gate holds back, and whose notes name nobody.

    Stricter than a release: what a person has cleared is released, and not shown here. Phantoms are shown only where nothing else is.
    Memory: the ids of one source.
    """
    chosen = [name for name in sorted(sources) if name != "phantom"] or ["phantom"]
    if not carries_images(profile):
        return Audience(frozenset())
    return Audience(frozenset(image for name in chosen for image in _shown(lake, name, profile)))


def _shown(lake: Lake, source: str, profile: Profile) -> set[str]:
    gated = lake.read("image_quality", source=source, columns=["image_id", "excluded", "review"]).to_pylist()
    passed = {row["image_id"] for row in gated if row["excluded"] is False and row["review"] is False}
    rejects = lake.read("rejects", source=source, columns=["image_id", "check"]).to_pylist()
    passed -= {row["image_id"] for row in rejects if row["check"] in PRIVATE}
    columns = ["image_id", "licence_id", "attribution", "history", "expert_caption", "expert_concepts"]
    images = annotated(lake, lake.read("images", source=source, columns=columns).to_pylist())
    return {
        row["image_id"]
        for row in images
        if row["image_id"] in passed
        and may_release(row["licence_id"], profile)
        and not in_notes(row["history"], row["expert_caption"])
    }
