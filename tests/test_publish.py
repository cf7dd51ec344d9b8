"""Publishing to a server that speaks the Hub's protocol: what is sent, what is not sent twice, and what a reader sees meanwhile."""

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import traceback
import urllib.request
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.publish import hub as publishing
from pipelines.publish import patience
from pipelines.publish.publish import publish
from pipelines.publish.tree import Entry, NotPublished, publishable, too_many
from tests.hub_server import READER, WRITER, Fault, Hub, serving

ROOT = Path(__file__).parents[1]
REPO, TARGET = "org/name", "hf://datasets/org/name"


@pytest.fixture(scope="session")
def server():
    with serving(Hub()) as hub:
        yield hub


@pytest.fixture
def hub(server, monkeypatch, tmp_path) -> Hub:
    """The server, empty, and the Hub's client pointed at it, in this process and in those that a test starts."""
    import datasets.config
    from huggingface_hub import constants

    server.repos, server.asked, server.faults, server.kill_at, server.victim = {}, [], [], None, None
    server.multipart_above = 1 << 40
    for name, value in {"HF_ENDPOINT": server.url, "HF_HUB_DISABLE_XET": "1", "HF_TOKEN": WRITER}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setattr(constants, "ENDPOINT", server.url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", server.url + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hf"))
    monkeypatch.setattr(datasets.config, "HF_ENDPOINT", server.url)
    for module in (patience, publishing):
        monkeypatch.setattr(module, "WAITS", (0,) * 5)
    return server


def content(hub: Hub, revision: str = "main", repo: str = REPO) -> dict[str, str]:
    """Sha256 of every file of a revision, by path, from the bytes that the server would hand out."""
    held = hub.repos[repo]
    tree = held.trees[held.resolve(revision)]
    return {path: hashlib.sha256(held.content(file)).hexdigest() for path, file in tree.items() if path != ".gitattributes"}


def expected(path: Path) -> dict[str, str]:
    return {entry.path: entry.sha256 for entry in publishable(path).entries}


def uploads(hub: Hub) -> list[str]:
    return [line for line in hub.asked if line.startswith("PUT")]


def writes(hub: Hub) -> list[str]:
    return [line for line in hub.asked if not line.startswith(("GET", "HEAD"))]


def test_a_dry_run_sends_nothing_and_counts_everything(hub, versions):
    done = publish(versions[0], TARGET)
    assert done.revision is None and not writes(hub) and not hub.repos
    facts = done.plan.facts()
    assert facts["new: files"] == len(expected(versions[0]))
    assert facts["new: bytes"] == sum(path.stat().st_size for path in versions[0].rglob("*") if path.is_file())
    assert "will be created private" in done.plan.state


def test_one_commit_private_tagged_and_nothing_the_second_time(hub, versions):
    done = publish(versions[0], TARGET, go=True)
    repo = hub.repos[REPO]
    assert repo.private and list(repo.titles.values()) == ["initial commit", versions[0].name]
    assert content(hub) == expected(versions[0])
    assert repo.tags == {versions[0].name: done.revision} and repo.head == done.revision
    hub.asked.clear()
    again = publish(versions[0], TARGET, go=True)
    assert again.revision == done.revision and not again.plan.changes
    assert {line.split("/")[-2] for line in writes(hub)} <= {"tag", "paths-info"} and len(repo.trees) == 2


def test_the_next_version_sends_what_is_new_deletes_what_is_gone_and_leaves_what_is_not_ours(hub, versions):
    publish(versions[0], TARGET, go=True)
    repo = hub.repos[REPO]
    repo.commit({**repo.trees[repo.head], "pictures/logo.svg": repo.store(b"<svg/>")}, "a person adds a picture")
    before, after = expected(versions[0]), expected(versions[1])
    done = publish(versions[1], TARGET, go=True)
    plan = done.plan
    assert {entry.path for entry in plan.send} == {path for path, sha in after.items() if before.get(path) != sha}
    assert set(plan.gone) == set(before) - set(after) and plan.gone
    assert {"data/description/test-phantom.parquet"} <= {entry.path for entry in (*plan.send, *plan.there)}
    assert plan.left == (".gitattributes", "pictures/logo.svg")
    assert content(hub) == {**after, "pictures/logo.svg": hashlib.sha256(b"<svg/>").hexdigest()}
    assert content(hub, versions[0].name) == before
    assert max(repo.sent.values()) == 1


def test_large_files_in_parts(hub, versions):
    hub.multipart_above = 500_000
    publish(versions[0], TARGET, go=True)
    assert content(hub) == expected(versions[0])
    assert any(line.endswith("/complete") for line in hub.asked)


def test_readers_stream_every_split_of_a_private_release(hub, versions):
    publish(versions[0], TARGET, go=True)
    manifest = json.loads((versions[0] / "manifest.json").read_text())
    script = (
        "import sys, json, datasets\n"
        "rows = {c: datasets.load_dataset('org/name', c.split('/')[0], split=c.split('/')[1], revision=sys.argv[1], streaming=True)"
        " for c in sys.argv[2:]}\n"
        "print(json.dumps({c: [len({r['id'] for r in d}), next(iter(d))['images'][0].size[0] > 0] for c, d in rows.items()}))"
    )
    command = [sys.executable, "-c", script, manifest["version"], *manifest["samples"]]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert json.loads(printed) == {cell: [count, True] for cell, count in manifest["samples"].items()}


def test_killed_at_ten_moments_the_old_revision_stays_and_the_rerun_sends_nothing_twice(hub, versions):
    publish(versions[0], TARGET, go=True)
    base = hub.repos[REPO]
    hub.repos[REPO], hub.asked = base.copy(), []
    publish(versions[1], TARGET, go=True)
    (commit,) = (n for n, line in enumerate(hub.asked, 1) if "/commit/" in line)
    whole = [expected(path) for path in versions]
    blobs = Counter(hub.repos[REPO].sent)
    draw = random.Random(20240607)
    moments = [(draw.randint(1, commit + 1), draw.random()) for _ in range(10)]
    for moment in [*moments, Fault("POST .*/commit/", kill=1.0)]:
        repo = hub.repos[REPO] = base.copy()
        hub.asked, hub.victim = [], None
        hub.faults, hub.kill_at = ([moment], None) if isinstance(moment, Fault) else ([], moment)
        command = [sys.executable, "-m", "pipelines.publish", "--to", TARGET, "--release", str(versions[1]), "--go"]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        hub.victim = process.pid
        _, errors = process.communicate(timeout=120)
        assert process.returncode == -9, f"{moment}: {errors}"
        hub.settle()
        assert content(hub) in whole and content(hub, versions[0].name) == whole[0]
        assert served(hub, "manifest.json") == (versions[content(hub) == whole[1]] / "manifest.json").read_bytes()
        hub.kill_at, arrived = None, Counter(repo.sent)
        publish(versions[1], TARGET, go=True)
        assert content(hub) == whole[1] and repo.tags[versions[1].name] == repo.head
        assert repo.sent == blobs, f"{moment}: sent twice, or not at all, after {arrived}"
        assert len(repo.trees) == len(base.trees) + 1


def served(hub: Hub, path: str) -> bytes:
    url = f"{hub.url}/datasets/{REPO}/resolve/main/{path}"
    return urllib.request.urlopen(urllib.request.Request(url, headers={"Authorization": f"Bearer {READER}"}), timeout=20).read()


@pytest.mark.parametrize(
    "fault",
    [
        Fault("PUT /lfs", status=429, headers={"Retry-After": "0"}),
        Fault("PUT /lfs", cut=0.5, times=3),
        Fault("POST .*/batch", status=500),
        Fault("POST .*/commit/", status=503, times=2),
        Fault("POST .*/commit/", lost=True),
        Fault("POST .*/commit/", cut=0.5),
        Fault("POST .*/tag/", lost=True),
        Fault("POST /api/repos/create", status=500, times=5),
        Fault("GET /api/whoami", status=429, headers={"RateLimit": '"api";r=0;t=0'}),
    ],
    ids=lambda fault: f"{fault.match} {fault.status or fault.cut or 'lost'}",
)
def test_what_passes_by_itself_is_waited_for(hub, versions, fault):
    hub.faults = [Fault(**vars(fault))]
    publish(versions[0], TARGET, go=True)
    repo = hub.repos[REPO]
    assert not hub.faults and content(hub) == expected(versions[0])
    assert len(repo.trees) == 2 and set(repo.sent.values()) == {1} and list(repo.tags) == [versions[0].name]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault("POST .*/preupload/", status=429, headers={"Retry-After": "7200"}), "asks to wait 7,200 s"),
        (Fault("POST .*/commit/", status=500, times=6), "failed with 500"),
        (Fault("POST .*/commit/", status=400, body='{"error": "no such LFS object"}'), "no such LFS object"),
        (Fault("POST .*/commit/", status=403), "needs the permission to write"),
        (Fault("GET /api/whoami", cut=0, times=6), "no connection to http://127.0.0.1"),
    ],
    ids=lambda value: getattr(value, "match", None) and f"{value.match} {value.status}",
)
def test_what_does_not_pass_is_told_and_the_reader_sees_the_old_revision(hub, versions, fault, said):
    publish(versions[0], TARGET, go=True)
    head = hub.repos[REPO].head
    hub.faults = [Fault(**vars(fault))]
    with pytest.raises(NotPublished, match=said):
        publish(versions[1], TARGET, go=True)
    assert hub.repos[REPO].head == head and content(hub) == expected(versions[0])
    hub.faults = []
    publish(versions[1], TARGET, go=True)
    assert content(hub) == expected(versions[1]) and set(hub.repos[REPO].sent.values()) == {1}


def test_somebody_elses_commit_is_never_overwritten(hub, versions):
    publish(versions[0], TARGET, go=True)
    repo = hub.repos[REPO]
    strange = {"notes.md": b"a person was here"}
    added = {path: repo.store(data) for path, data in strange.items()}
    hub.faults = [Fault("POST .*/commit/", then=lambda: repo.commit({**repo.trees[repo.head], **added}, "theirs"))]
    with pytest.raises(NotPublished, match="somebody else committed to org/name"):
        publish(versions[1], TARGET, go=True)
    assert repo.titles[repo.head] == "theirs"
    publish(versions[1], TARGET, go=True)
    assert content(hub).pop("notes.md") and set(repo.sent.values()) == {1}


@pytest.mark.parametrize(
    ("token", "said"),
    [("hf_wrong_secret", "does not know the token"), (READER, "may not do that"), ("", "no token: set HF_TOKEN")],
)
def test_a_wrong_token_is_told_and_never_shown(hub, versions, token, said):
    environment = {**os.environ, "HF_TOKEN": token}
    command = [sys.executable, "-m", "pipelines.publish", "--to", TARGET, "--release", str(versions[0]), "--go"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and said in done.stderr and "Traceback" not in done.stderr
    assert not token or token not in done.stdout + done.stderr
    assert not hub.repos


def test_a_token_that_the_server_echoes_is_not_repeated(hub, versions):
    hub.faults = [Fault("POST .*/commit/", status=400, body=json.dumps({"error": f"bad request of Bearer {WRITER}"}))]
    with pytest.raises(NotPublished, match="bad request of Bearer …") as raised:
        publish(versions[0], TARGET, go=True)
    assert WRITER not in "".join(traceback.format_exception(raised.value))


def test_a_repository_of_somebody_else_is_left_alone(hub, versions):
    publish(versions[0], TARGET, go=True)
    repo = hub.repos[REPO]
    repo.commit({"data/train.csv": repo.store(b"a,b")}, "another data set")
    with pytest.raises(NotPublished, match="no release of ours"):
        publish(versions[1], TARGET, go=True)


def test_a_public_repository_wants_to_be_called_public(hub, versions):
    publish(versions[0], TARGET, go=True, public=True)
    assert not hub.repos[REPO].private
    with pytest.raises(NotPublished, match="say PUBLIC=1"):
        publish(versions[1], TARGET, go=True)
    publish(versions[1], TARGET, go=True, public=True)


def test_a_tag_that_holds_something_else_is_told(hub, versions):
    publish(versions[0], TARGET, go=True)
    repo = hub.repos[REPO]
    repo.tags[versions[1].name] = repo.head
    with pytest.raises(NotPublished, match=f"the tag {versions[1].name}"):
        publish(versions[1], TARGET, go=True)


def test_reading_back_finds_what_the_server_got_wrong(hub, versions):
    def swap():
        repo = hub.repos[REPO]
        tree = repo.trees[repo.head]
        one, other = [path for path in tree if path.endswith(".tar")][:2]
        tree[one] = tree[other]

    hub.faults = [Fault("GET .*/tree/", then=swap)]
    with pytest.raises(NotPublished, match="is not what was sent: 1 files differ, the first webdataset"):
        publish(versions[0], TARGET, go=True)
    assert not hub.repos[REPO].tags
    publish(versions[0], TARGET, go=True)
    assert content(hub) == expected(versions[0]) and list(hub.repos[REPO].tags) == [versions[0].name]


def test_a_release_that_readers_cannot_stream_is_told(hub, versions):
    def swap():
        repo = hub.repos[REPO]
        tree = repo.trees[repo.head]
        rows = [path for path in tree if path.startswith("data/")]
        tree.update(zip(rows, [tree[path] for path in [*rows[1:], rows[0]]], strict=True))

    hub.faults = [Fault("POST .*/tag/", then=swap)]
    with pytest.raises(NotPublished, match=r" streams? back"):
        publish(versions[0], TARGET, go=True)


def test_a_target_that_is_no_dataset_is_refused(versions):
    with pytest.raises(NotPublished, match="hf://datasets/org/name"):
        publish(versions[0], "hf://org/name")


def rewritten(path: Path, home: Path, **columns) -> Path:
    """A copy of a release with other values in its first Parquet file, and a manifest that agrees."""
    shutil.copytree(path, home / path.name)
    copy = home / path.name
    file = sorted(copy.glob("data/*/*.parquet"))[0]
    table = pq.read_table(file)
    for name, value in columns.items():
        table = table.set_column(table.schema.get_field_index(name), name, pa.array([value] * table.num_rows, pa.string()))
    pq.write_table(table, file)
    return listed(copy)


def listed(copy: Path) -> Path:
    """The release with a manifest that agrees with its files."""
    manifest = json.loads((copy / "manifest.json").read_text())
    names = {str(path.relative_to(copy)) for path in copy.rglob("*") if path.is_file()} - {"manifest.json"}
    manifest["files"] += [{"path": name} for name in sorted(names - {entry["path"] for entry in manifest["files"]})]
    for entry in manifest["files"]:
        entry["bytes"] = (copy / entry["path"]).stat().st_size
        entry["sha256"] = hashlib.sha256((copy / entry["path"]).read_bytes()).hexdigest()
    (copy / "manifest.json").write_text(json.dumps(manifest))
    return copy


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"licence": "CC-BY-NC-ND-4.0"}, "is under CC-BY-NC-ND-4.0, which the profile"),
        ({"licence": None}, "is under None, which the profile"),
        ({"source": "ham10000"}, "phantoms are mixed with real images"),
        ({"split": "another"}, "stands in another and t"),
    ],
)
def test_what_must_not_leave_is_refused_before_anything_is_asked(hub, versions, tmp_path, columns, said):
    with pytest.raises(NotPublished, match=said):
        publish(rewritten(versions[0], tmp_path, **columns), TARGET, go=True)
    assert not hub.asked


def test_files_of_equal_content_are_sent_once(hub, versions, tmp_path):
    copy = tmp_path / versions[0].name
    shutil.copytree(versions[0], copy)
    for split in ("train", "validation", "test"):
        shutil.copy(copy / f"trainer/verl/{split}.parquet", copy / f"trainer/verl/{split}-again.parquet")
    publish(listed(copy), TARGET, go=True)
    assert content(hub) == expected(copy) and max(hub.repos[REPO].sent.values()) == 1


def test_without_xet_on_the_other_side_the_way_around_is_named(hub, versions):
    command = [sys.executable, "-m", "pipelines.publish", "--to", TARGET, "--release", str(versions[0]), "--go"]
    environment = {**os.environ, "HF_HUB_DISABLE_XET": "0"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "HF_HUB_DISABLE_XET=1" in done.stderr and "Traceback" not in done.stderr
    publish(versions[0], TARGET, go=True)


def test_a_damaged_or_unfinished_release_is_refused(hub, versions, tmp_path):
    copy = tmp_path / versions[0].name
    shutil.copytree(versions[0], copy)
    (copy / "README.md").write_text("edited")
    with pytest.raises(NotPublished, match=r"README.md is missing or changed"):
        publish(copy, TARGET, go=True)
    (copy / "manifest.json").unlink()
    with pytest.raises(NotPublished, match="not a whole release"):
        publish(copy, TARGET, go=True)
    assert not hub.asked


def test_the_limits_of_the_hub_are_told():
    entries = [Entry(Path(), f"trainer/{n // 9_999}/{n}.jpg", 1, "") for n in range(100_001)]
    assert too_many(entries) == ["100,001 files in all (at most 100,000)"]
    assert too_many(entries[:10]) == []
    assert too_many(Entry(Path(), f"a/{n}", 1, "") for n in range(10_001)) == ["10,001 files in a/ (at most 10,000)"]
