"""Publishing to a dataset repository of the Hugging Face Hub: every blob first, then one commit; what was read back whole is tagged.

Until the commit the repository shows what it showed before; the commit names the revision it was made for, so that nobody's work is
overwritten. Blobs that were sent whole stay with the Hub: a second run sends the rest.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipelines.publish.patience import WAITS, explained, explaining, may_pass, patiently, pause
from pipelines.publish.tree import Entry, NotPublished, Plan, Release, manifest_paths, too_many

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, HfApi, RepoFile

log = logging.getLogger("dermoforge.publish")

BATCH_FILES = 100
"""Files of one round of uploads: what a killed run can lose is at most what is in flight of one round."""

BATCH_BYTES = 2 << 30
"""Bytes of one round of uploads, about eight shards."""

CONFLICT = (409, 412)
"""What the Hub answers to a commit whose parent is no longer the head."""

HUB_OWN = frozenset({".gitattributes", ".gitignore", "README.md"})
"""Files that a repository may hold before its first release."""

SAMPLE_ROWS = 3
"""Rows that are streamed back after publishing."""


def plan(release: Release, repo: str, *, public: bool) -> Plan:
    """What publishing would do to the dataset `repo` (`org/name`). Sends nothing. Raises NotPublished."""
    from huggingface_hub import HfApi

    if over := too_many(release.entries):
        raise NotPublished("the Hub does not take so many files: " + "; ".join(over))
    api = HfApi()
    head, state = _state(api, repo, public=public)
    held = tree(api, repo, head) if head else {}
    ours = manifest_paths(_read(repo, head, "manifest.json")) if head and "manifest.json" in held else set()
    if not ours and set(held) - HUB_OWN:
        raise NotPublished(f"{repo} holds {len(held)} files and no release of ours; publish to a repository of its own")
    paths = {entry.path for entry in release.entries}
    there = tuple(entry for entry in release.entries if entry.path in held and same(entry, held[entry.path]))
    kept = {entry.path for entry in there}
    return Plan(
        release=release,
        target=f"hf://datasets/{repo}",
        state=state,
        revision=head,
        send=tuple(entry for entry in release.entries if entry.path not in kept),
        there=there,
        gone={path: held[path].size for path in sorted(set(held) & ours - paths)},
        left=tuple(sorted(set(held) - ours - paths)),
    )


def send(planned: Plan, repo: str, *, public: bool) -> str:
    """Do what was planned; returns the commit that holds the release, tagged and read back. Raises NotPublished."""
    from huggingface_hub import HfApi

    api = HfApi()
    revision = planned.revision or _create(api, repo, public=public)
    if planned.changes:
        operations = _uploaded(api, repo, planned.send)
        revision = _commit(api, repo, planned, operations, revision)
    _read_back(api, repo, planned.release, revision)
    _tag(api, repo, planned.release, revision)
    _streams(repo, planned.release)
    return revision


def tree(api: "HfApi", repo: str, revision: str) -> dict[str, "RepoFile"]:
    """Files of a revision by path."""
    from huggingface_hub import RepoFile

    with explaining(repo):
        items = api.list_repo_tree(repo, recursive=True, revision=revision, repo_type="dataset")
        return {item.path: item for item in items if isinstance(item, RepoFile)}


def same(entry: Entry, file: "RepoFile") -> bool:
    """Whether the Hub holds exactly this content: by sha256 where it is a large file, by git's sha1 otherwise."""
    if file.size != entry.n_bytes:
        return False
    return file.lfs.sha256 == entry.sha256 if file.lfs else file.blob_id == entry.git_sha1()


def _read_back(api: "HfApi", repo: str, release: Release, revision: str) -> None:
    """Compare every file's size and checksum at the revision. Raises NotPublished."""
    if wrong := _differing(release, tree(api, repo, revision)):
        raise NotPublished(f"{repo}@{revision} is not what was sent: {len(wrong)} files differ, the first {wrong[0]}")


def _state(api: "HfApi", repo: str, *, public: bool) -> tuple[str | None, str]:
    """The head of the repository (None before it exists) and what it is in words."""
    from huggingface_hub import get_token

    user = patiently(repo, api.whoami)["name"] if get_token() else None
    as_whom = f"seen as {user}" if user else "seen without a token"
    info = patiently(repo, lambda: _info(api, repo))
    if info is None:
        return None, f"does not exist yet, {as_whom}; it will be created {'public' if public else 'private'}"
    if not info.private and not public:
        raise NotPublished(f"{repo} is a public repository: say PUBLIC=1 if everybody is to see the release")
    return info.sha, f"{'private' if info.private else 'public'}, {as_whom}, at {info.sha[:12]}"


def _info(api: "HfApi", repo: str, revision: str | None = None) -> Any:
    """The repository at a revision; None where there is none, or none that the token may see."""
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        return api.dataset_info(repo, revision=revision)
    except RepositoryNotFoundError:
        return None


def _create(api: "HfApi", repo: str, *, public: bool) -> str:
    """Create the repository; its first revision."""
    patiently(repo, lambda: api.create_repo(repo, repo_type="dataset", private=not public, exist_ok=True))
    info = patiently(repo, lambda: _info(api, repo))
    if info is None:
        raise NotPublished(f"{repo} exists, but this token may not see it")
    return info.sha


def _read(repo: str, revision: str | None, path: str) -> bytes:
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils import build_hf_headers, hf_raise_for_status, http_backoff

    with explaining(repo):
        url = hf_hub_url(repo, path, repo_type="dataset", revision=revision)
        response = http_backoff("GET", url, headers=build_hf_headers())
        hf_raise_for_status(response)
        return response.content


def _uploaded(api: "HfApi", repo: str, entries: Sequence[Entry]) -> "list[CommitOperationAdd]":
    """Additions for the commit, with the content of every large file sent; equal content is sent once."""
    from huggingface_hub import CommitOperationAdd

    additions = {entry.path: CommitOperationAdd(entry.path, str(entry.file)) for entry in entries}
    alone = {entry.sha256: entry for entry in reversed(entries)}
    total, done = sum(entry.n_bytes for entry in alone.values()), 0
    for batch in _rounds(sorted(alone.values(), key=lambda entry: entry.path)):
        operations = [additions[entry.path] for entry in batch]
        with explaining(repo):
            api.preupload_lfs_files(repo, operations, repo_type="dataset", free_memory=False)
        for entry, operation in zip(batch, operations, strict=True):
            if operation.upload_info.is_hashed and operation.upload_info.sha256.hex() != entry.sha256:
                raise NotPublished(f"{entry.file} changed while it was published; nothing was committed")
        done += sum(entry.n_bytes for entry in batch)
        log.info("the Hub has %s of %s MB", f"{done / 1e6:,.1f}", f"{total / 1e6:,.1f}")
    return list(additions.values())


def _rounds(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    batch: list[Entry] = []
    for entry in entries:
        batch.append(entry)
        if len(batch) == BATCH_FILES or sum(held.n_bytes for held in batch) >= BATCH_BYTES:
            yield batch
            batch = []
    if batch:
        yield batch


def _commit(api: "HfApi", repo: str, planned: Plan, additions: "Sequence[CommitOperationAdd]", parent: str) -> str:
    """One commit on top of `parent`, or none. Whether a commit with a lost answer landed is read from the head."""
    from huggingface_hub import CommitOperationDelete

    operations = [*additions, *(CommitOperationDelete(path, is_folder=False) for path in planned.gone)]
    facts, version = planned.facts(), planned.release.version
    said = f"{facts['new: files']} files new or changed, {facts['deleted: files']} deleted"
    for wait in (*WAITS, None):
        try:
            made = api.create_commit(
                repo, operations, commit_message=version, commit_description=said, parent_commit=parent, repo_type="dataset"
            )
        except Exception as error:
            if not _worth_a_look(error):
                raise explained(error, repo) from None
            if landed := _landed(api, repo, planned.release, parent):
                return landed
            if wait is None or not may_pass(error):
                raise explained(error, repo) from None
            pause(error, wait)
        else:
            return made.oid
    raise AssertionError("the last try returns or raises")


def _worth_a_look(error: BaseException) -> bool:
    return may_pass(error) or getattr(getattr(error, "response", None), "status_code", 0) in CONFLICT


def _landed(api: "HfApi", repo: str, release: Release, parent: str) -> str | None:
    """The head, if it is this release; None while it is still `parent`. Raises NotPublished when somebody else committed."""
    info = patiently(repo, lambda: _info(api, repo))
    if info is None or info.sha == parent:
        return None
    if not _differing(release, tree(api, repo, info.sha)):
        return info.sha
    raise NotPublished(
        f"somebody else committed to {repo}: it stood at {parent[:12]} and is now at {info.sha[:12]}. Nothing was overwritten. Look at "
        "what changed, then run the same command again: it starts from there, and what was uploaded is not sent again"
    )


def _differing(release: Release, held: "Mapping[str, RepoFile]") -> list[str]:
    return [entry.path for entry in release.entries if entry.path not in held or not same(entry, held[entry.path])]


def _tag(api: "HfApi", repo: str, release: Release, revision: str) -> None:
    """Tag the revision with the version. A tag that is there already has to hold the same files."""
    tag = release.version
    patiently(repo, lambda: api.create_tag(repo, tag=tag, revision=revision, repo_type="dataset", exist_ok=True))
    tagged = patiently(repo, lambda: _info(api, repo, tag)).sha
    if tagged != revision and (wrong := _differing(release, tree(api, repo, tagged))):
        raise NotPublished(
            f"the tag {tag} of {repo} stands at {tagged[:12]}, which holds another {wrong[0]}; nobody but you may move it"
        )


def _streams(repo: str, release: Release) -> None:
    """Stream the first rows of the smallest split by the tag, as a reader would, and compare them with the file on disk."""
    import pyarrow.parquet as pq
    from datasets import load_dataset

    cells = release.manifest["samples"]
    name, split = min(cells, key=lambda cell: (cells[cell], cell)).split("/")
    first = min(entry.path for entry in release.entries if entry.path.startswith(f"data/{name}/{split}-"))
    file = next(entry.file for entry in release.entries if entry.path == first)
    wanted = next(pq.ParquetFile(file).iter_batches(SAMPLE_ROWS)).to_pylist()
    place = f"{repo}@{release.version}: {name}/{split}"
    try:
        rows = load_dataset(repo, name=name, split=split, revision=release.version, streaming=True).decode(False)
        got = list(rows.take(len(wanted)))
    except Exception as error:
        raise NotPublished(f"{place} does not stream back: {explained(error, repo)}") from None
    if got != wanted:
        raise NotPublished(f"{place} streams back as other rows than {first} holds")
