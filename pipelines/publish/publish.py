"""Publish a finished release to the Hugging Face Hub or to any fsspec URL: `make publish TO=hf://datasets/org/name GO=1`."""

import re
from dataclasses import dataclass
from pathlib import Path

from pipelines.publish import hub, store
from pipelines.publish.patience import use_patient_client
from pipelines.publish.tree import NotPublished, Plan, publishable

HUB = re.compile(r"hf://datasets/([A-Za-z0-9][\w.-]*/[\w.-]+)/?")


@dataclass(frozen=True, slots=True)
class Published:
    """What was planned, and the revision that holds it now (None for a dry run)."""

    plan: Plan
    revision: str | None


def publish(path: Path, target: str, *, go: bool = False, public: bool = False) -> Published:
    """Publish the release in `path` to `target` if `go`, otherwise only look. Raises NotPublished saying why.

    A target is `hf://datasets/<org>/<name>` (created private unless `public`) or an fsspec URL such as `s3://bucket/folder`.
    """
    release = publishable(path)
    if not target.startswith("hf:"):
        planned = store.plan(release, target)
        return Published(planned, store.send(planned, target) if go else None)
    found = HUB.fullmatch(target)
    if not found:
        raise NotPublished(f"{target}: a target on the Hub is written hf://datasets/org/name")
    use_patient_client()
    if go:
        _want_token()
    planned = hub.plan(release, found[1], public=public)
    return Published(planned, hub.send(planned, found[1], public=public) if go else None)


def _want_token() -> None:
    from huggingface_hub import get_token

    if not get_token():
        raise NotPublished("no token: set HF_TOKEN to one that may write there, or run `hf auth login`")


def chosen(path: str, releases: Path) -> Path:
    """The folder of the release: `path`, or the only one in the folder of releases. Raises NotPublished listing what is there."""
    if path:
        return Path(path)
    found = sorted(file.parent for file in releases.glob("[!.]*/manifest.json"))
    if len(found) != 1:
        names = "\n".join(f"  RELEASE={name}" for name in found)
        raise NotPublished(
            f"{len(found)} releases in {releases}; say which:\n{names}" if found else f"no release in {releases}"
        )
    return found[0]
