"""Fetching from a real local server that cuts, throttles, drips, redirects and lies; nothing partial is ever visible as complete."""

import gc
import hashlib
import importlib.util
import os
import random
import signal
import sys
from dataclasses import replace
from pathlib import Path

import fsspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sources import archives, download, fetch, upstream
from sources.catalogue import source
from sources.digests import FolderDigest
from sources.entry import Source, SourceFile
from sources.files import Link

_spec = importlib.util.spec_from_file_location("server", Path(__file__).with_name("server.py"))
assert _spec and _spec.loader
server = sys.modules["server"] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(server)

DATA = random.Random(1).randbytes(3_000_000)
GOOD = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(download, "FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(download, "LONGEST_WAIT_SECONDS", 0.02)
    monkeypatch.setattr(download, "TIMEOUT_SECONDS", 5.0)
    download.client.cache_clear()


@pytest.fixture
def site(quick):
    site = server.Site(files={"/set.zip": DATA})
    with server.serving(site) as address:
        site.address = address
        yield site


def entry(url: str | None, sha256: str | None = None) -> Source:
    return replace(source("isic9"), files=(SourceFile(name="set.zip", role="images", url=url, sha256=sha256),))


def files_below(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_file_is_fetched_checked_and_kept(site, tmp_path):
    (found,) = fetch.locate(entry(f"{site.address}/set.zip", GOOD), mirror=None, cache=str(tmp_path))
    assert (found.size, found.sha256) == (len(DATA), GOOD)
    asked = len(site.asked)
    fetch.locate(entry(f"{site.address}/set.zip", GOOD), mirror=None, cache=str(tmp_path))
    assert len(site.asked) == asked
    assert files_below(tmp_path) == ["set.zip"]


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(cuts=st.lists(st.integers(0, len(DATA)), max_size=4))
def test_wherever_it_is_cut_it_goes_on_there_and_ends_the_same(site, tmp_path_factory, cuts):
    site.asked.clear()
    site.faults.extend(f"cut:{n}" for n in cuts)
    target = tmp_path_factory.mktemp("cut") / "set.zip"
    download.download(f"{site.address}/set.zip", str(target), label="set", sha256=GOOD, bar=False)
    site.faults.clear()
    assert hashlib.sha256(target.read_bytes()).hexdigest() == GOOD
    assert files_below(target.parent) == ["set.zip"]
    resumed = [int(wanted.removeprefix("bytes=").rstrip("-")) for _, wanted in site.asked if wanted]
    assert resumed == sorted(resumed)


def test_a_partial_file_of_an_earlier_process_is_gone_on_with(site, tmp_path):
    site.faults.extend(["cut:1000000", *["status:404"]])
    with pytest.raises(download.Gone):
        download.download(f"{site.address}/set.zip", str(tmp_path / "set.zip"), label="set", bar=False)
    assert "set.zip" not in files_below(tmp_path)
    site.asked.clear()
    download.download(f"{site.address}/set.zip", str(tmp_path / "set.zip"), label="set", sha256=GOOD, bar=False)
    assert site.asked == [("/set.zip", "bytes=1000000-")]


def test_a_file_that_changed_meanwhile_is_never_glued_to_the_old_part(site, tmp_path):
    site.faults.extend(["cut:1000000", "status:404"])
    with pytest.raises(download.Gone):
        download.download(f"{site.address}/set.zip", str(tmp_path / "set.zip"), label="set", bar=False)
    other = random.Random(2).randbytes(len(DATA))
    site.files["/set.zip"], site.etag = other, '"2"'
    download.download(f"{site.address}/set.zip", str(tmp_path / "set.zip"), label="set", bar=False)
    assert (tmp_path / "set.zip").read_bytes() == other


def test_a_server_without_ranges_is_read_from_the_start(site, tmp_path):
    site.ranges = False
    site.faults.extend(["cut:1000000", "cut:2000000"])
    download.download(f"{site.address}/set.zip", str(tmp_path / "set.zip"), label="set", sha256=GOOD, bar=False)
    assert (tmp_path / "set.zip").stat().st_size == len(DATA)


def test_too_many_requests_waits_as_long_as_it_is_told(site, tmp_path, monkeypatch):
    pauses = []
    monkeypatch.setattr(download.time, "sleep", pauses.append)
    site.faults.extend(["status:429:7", "status:503", "status:429:3"])
    download.download(f"{site.address}/set.zip", str(tmp_path / "set.zip"), label="set", sha256=GOOD, bar=False)
    assert pauses[0] == 7 and pauses[2] == 3


def test_a_server_that_asks_for_more_than_the_budget_is_given_up(site, tmp_path):
    site.faults.append("status:429:86400")
    with pytest.raises(download.GivenUp, match=r"status 429 \(a wait of 86400 s is more than is left of the budget\)"):
        download.download(f"{site.address}/set.zip", str(tmp_path / "set.zip"), label="set", bar=False)


def test_a_missing_file_is_not_asked_for_twice(site, tmp_path):
    with pytest.raises(fetch.SourceUnavailable, match=r"status 404 from .*other\.zip.*Get them from"):
        fetch.locate(entry(f"{site.address}/other.zip"), mirror=None, cache=str(tmp_path))
    assert len(site.asked) == 1


def test_a_slow_drip_is_dropped_and_asked_for_anew(site, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "WINDOW_SECONDS", 0.2)
    site.faults.append("drip")
    download.download(f"{site.address}/set.zip", str(tmp_path / "set.zip"), label="set", sha256=GOOD, bar=False)
    assert len(site.asked) == 2 and site.asked[1][1]


def test_a_redirect_to_another_host_is_followed(site, tmp_path):
    front = server.Site(redirect={"/go": f"{site.address}/set.zip"})
    with server.serving(front) as address:
        site.faults.append("cut:500000")
        download.download(f"{address}/go", str(tmp_path / "set.zip"), label="set", sha256=GOOD, bar=False)
    assert hashlib.sha256((tmp_path / "set.zip").read_bytes()).hexdigest() == GOOD


def test_a_wrong_checksum_is_an_error_that_names_the_file_and_keeps_nothing(site, tmp_path):
    with pytest.raises(download.ChecksumMismatch, match=r"isic9/set\.zip.*expected sha256 0000"):
        fetch.locate(entry(f"{site.address}/set.zip", "0" * 64), mirror=None, cache=str(tmp_path))
    assert not files_below(tmp_path)


def test_a_dead_server_is_given_up_after_bounded_tries(quick, tmp_path):
    with pytest.raises(fetch.SourceUnavailable, match="6 tries"):
        fetch.locate(entry("http://127.0.0.1:9/set.zip"), mirror=None, cache=str(tmp_path))


def test_the_mirror_comes_before_everything(site, tmp_path):
    (tmp_path / "mirror" / "isic9").mkdir(parents=True)
    (tmp_path / "mirror" / "isic9" / "set.zip").write_bytes(b"local")
    found = fetch.locate(entry(f"{site.address}/set.zip"), mirror=str(tmp_path / "mirror"), cache=str(tmp_path / "cache"))
    assert found[0].size == 5 and not site.asked


def test_an_archive_may_stand_unpacked(tmp_path):
    folder = tmp_path / "isic9" / "set" / "Train" / "nevus"
    folder.mkdir(parents=True)
    (folder / "a.jpg").write_bytes(b"x")
    (found,) = fetch.locate(entry(None), mirror=str(tmp_path), cache="unused")
    assert found.location.endswith("/set") and found.size == 1
    before = found.sha256
    (folder / "a.jpg").write_bytes(b"y")
    assert fetch.locate(entry(None), mirror=str(tmp_path), cache="unused")[0].sha256 != before


def test_without_an_address_the_instructions_say_what_to_do_and_what_is_forbidden(tmp_path):
    with pytest.raises(fetch.SourceUnavailable, match=r"set\.zip.*isic-archive.*DERMOFORGE_MIRROR"):
        fetch.locate(entry(None), mirror=None, cache=str(tmp_path))
    with pytest.raises(fetch.SourceUnavailable, match=r"after signing an agreement.*permits nothing without an agreement"):
        fetch.locate(source("ddi"), mirror=None, cache=str(tmp_path))


def linked() -> Source:
    return replace(source("fitzpatrick17k"), files=())


def test_dead_links_become_rejects_and_are_not_asked_again(site, tmp_path):
    site.files |= {f"/{n}.jpg": b"picture %d" % n for n in range(40)}
    links = [Link(f"{n}.jpg", f"{site.address}/{n}.jpg") for n in range(50)]
    got = fetch.collect(linked(), links, mirror=None, cache=str(tmp_path))
    assert sorted(r.native_id for r in got.dead) == sorted(str(n) for n in range(40, 50))
    assert all(r.reason == "link_dead" and "status 404" in r.detail for r in got.dead)
    assert len(list(Path(got.folder.location).iterdir())) == 40
    asked = len(site.asked)
    again = fetch.collect(linked(), links, mirror=None, cache=str(tmp_path))
    assert len(site.asked) == asked
    assert (again.folder.sha256, again.dead) == (got.folder.sha256, got.dead)


def test_a_host_that_is_down_is_left_alone_and_another_is_not(site, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "LINKS_AT_ONCE", 1)
    asked = []
    real = fetch.fetch_link
    site.files |= {f"/{n}.jpg": b"picture" for n in range(20)}
    links = [Link(f"d{n}.jpg", f"http://127.0.0.1:9/{n}.jpg") for n in range(20)]
    links += [Link(f"{n}.jpg", f"{site.address}/{n}.jpg") for n in range(20)]

    def counted(link: Link, target: str) -> None:
        asked.append(link.url)
        real(link, target)

    got = fetch.collect(linked(), links, mirror=None, cache=str(tmp_path), fetch_one=counted)
    assert sum("127.0.0.1:9/" in url for url in asked) == fetch.SILENT_AFTER
    assert len(got.dead) == 20 and sum("not asked" in r.detail for r in got.dead) == 17
    assert len(list(Path(got.folder.location).iterdir())) == 20
    assert not (tmp_path / "fitzpatrick17k" / "dead.json").exists()  # down today is not gone for good


def test_what_does_not_come_at_the_first_try_is_waited_for(site, tmp_path):
    site.files |= {f"/{n}.jpg": b"picture %d" % n * 1000 for n in range(30)}
    site.faults.extend([*[""] * 5, "cut:100", "status:429:0", "status:503", "cut:7"])
    links = [Link(f"{n}.jpg", f"{site.address}/{n}.jpg") for n in range(30)]
    got = fetch.collect(linked(), links, mirror=None, cache=str(tmp_path))
    assert {f"/{path.name}": path.read_bytes() for path in Path(got.folder.location).iterdir()} == {
        f"/{n}.jpg": site.files[f"/{n}.jpg"] for n in range(30)
    }
    assert not got.dead and site.most_at_once <= download.PER_HOST


def test_an_address_is_asked_for_letter_by_letter_also_after_a_redirect(site, tmp_path):
    signed = "/a.jpg?sig=x%2By%2F%3D~z"
    site.files[signed], site.redirect["/go.jpg"] = b"picture", signed
    links = [Link("a.jpg", site.address + signed), Link("b.jpg", f"{site.address}/go.jpg")]
    got = fetch.collect(linked(), links, mirror=None, cache=str(tmp_path))
    assert not got.dead and {path for path, _ in site.asked} == {signed, "/go.jpg"}


def test_the_digest_of_a_folder_does_not_depend_on_who_read_its_files(tmp_path):
    files = {"b.jpg": b"second", "deep/a.jpg": b"first", "c.jpg": b"third"}
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    whole, told = FolderDigest(str(tmp_path)), FolderDigest(str(tmp_path))
    told.known.update({name: hashlib.sha256(data).hexdigest() for name, data in files.items() if name != "c.jpg"})
    assert whole.result() == told.result() and whole.size() == 16
    (tmp_path / "c.jpg").write_bytes(b"other")
    again = FolderDigest(str(tmp_path))
    again.known.update(told.known)
    assert again.result() not in ("", told.result())


def test_an_id_that_is_a_path_is_refused_and_of_two_addresses_the_first_is_used(site, tmp_path):
    site.files |= {"/a.jpg": b"first", "/b.jpg": b"second"}
    names = ("../../escape.jpg", "/etc/escape.jpg", "..", "a\\b.jpg", "x\0.jpg")
    links = [Link("a.jpg", f"{site.address}/a.jpg"), Link("a.jpg", f"{site.address}/b.jpg")]
    got = fetch.collect(
        linked(), [*links, *(Link(n, f"{site.address}/a.jpg") for n in names)], mirror=None, cache=str(tmp_path)
    )
    assert sorted(r.native_id for r in got.dead) == sorted(names) and {r.reason for r in got.dead} == {"member_unsafe"}
    assert {path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == {
        "fitzpatrick17k/images/a.jpg": b"first"
    }


def test_a_download_in_progress_is_no_image(site, tmp_path):
    site.files["/0.jpg"] = b"picture"
    images = tmp_path / "fitzpatrick17k" / "images"
    images.mkdir(parents=True)
    for name in ("1.jpg.139.partial", "2.jpg.partial", "2.jpg.partial.json"):
        (images / name).write_bytes(b"half")
    got = fetch.collect(linked(), [Link("0.jpg", f"{site.address}/0.jpg")], mirror=None, cache=str(tmp_path))
    members, rejects = archives.scan("s", "images", got.folder.location)
    assert [member.name for member in members] == ["0.jpg"] and not rejects and got.folder.size == 7


def test_what_changed_at_the_publisher_is_seen_without_fetching(site, tmp_path):
    mine = entry(f"{site.address}/set.zip")
    assert upstream.changes(mine, str(tmp_path)) == []
    fetch.locate(mine, mirror=None, cache=str(tmp_path))
    asked = len(site.asked)
    assert upstream.changes(mine, str(tmp_path)) == []
    site.files["/set.zip"] = DATA + b"more"
    assert upstream.changes(mine, str(tmp_path)) == ["isic9/set.zip: 3,000,000 bytes here, 3,000,004 published"]
    del site.files["/set.zip"]
    assert "status 404" in upstream.changes(mine, str(tmp_path))[0]
    assert len(site.asked) == asked + 3


def test_no_host_gets_more_connections_than_is_polite(site, tmp_path):
    site.files |= {f"/{n}.jpg": b"x" * 1000 for n in range(40)}
    site.faults.extend(["slow"] * 40)
    links = [Link(f"{n}.jpg", f"{site.address}/{n}.jpg") for n in range(40)]
    fetch.collect(linked(), links, mirror=None, cache=str(tmp_path))
    assert 1 < site.most_at_once <= download.PER_HOST


def test_a_signal_ends_it_in_one_line_and_the_next_run_goes_on(site, tmp_path, monkeypatch, caplog):
    before, told = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143)), []
    links = [Link(f"{n}.jpg", f"{site.address}/{n}.jpg") for n in range(400)]

    def answer(path: str) -> tuple[int, bytes]:
        if path == "/40.jpg" and not told:
            told.append(path)
            os.kill(os.getpid(), signal.SIGTERM)
        return 200, b"x" * 100_000

    monkeypatch.setattr(site, "answer", answer)
    try:
        with pytest.raises(SystemExit):
            fetch.collect(linked(), links, mirror=None, cache=str(tmp_path))
    finally:
        signal.signal(signal.SIGTERM, before)
    gc.collect()  # a task whose exception nobody asked for tells when it is collected
    assert [record.name for record in caplog.records] == ["dermoforge.fetch"] and "next run goes on" in caplog.text
    there = files_below(tmp_path)
    assert 0 < len(there) < 400 and all(name.endswith(".jpg") for name in there)
    assert not fetch.collect(linked(), links, mirror=None, cache=str(tmp_path)).dead
    assert len(files_below(tmp_path)) == 400


def test_a_store_of_objects_is_read_like_a_server(bucket, tmp_path, quick):
    fs, path = fsspec.url_to_fs(bucket)
    fs.pipe_file(f"{path}/sets/set.zip", DATA)
    partial = tmp_path / "set.zip.partial"
    download.download(f"{bucket}/sets/set.zip", str(tmp_path / "set.zip"), label="set", sha256=GOOD, bar=False)
    assert (tmp_path / "set.zip").stat().st_size == len(DATA) and not partial.exists()
    found = fetch.locate(
        replace(entry(None), files=(SourceFile(name="set.zip", role="images"),), name="sets"),
        mirror=bucket,
        cache=str(tmp_path / "c"),
    )
    assert found[0].sha256 == GOOD
    with pytest.raises(download.Gone):
        download.download(f"{bucket}/sets/none.zip", str(tmp_path / "none.zip"), label="none", bar=False)
