"""Catalogue, licences, fields, readers on the real sets, and fetching from a real server that misbehaves."""

import hashlib
import http.server
import threading
from collections import Counter
from dataclasses import replace
from importlib import import_module
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.ingest import read_records
from sources import archives, fetch, fields
from sources.catalogue import SOURCES, Source, SourceFile, UnknownSource, source
from sources.licences import LICENCES, may_release, openness
from sources.record import REASONS

REAL = {"ham10000": 7028, "isic9": 1663, "pad_ufes_20": 257}


@pytest.mark.parametrize(("name", "count"), REAL.items())
def test_real_sets_are_read_to_the_last_file_and_row(real_data, name, count):
    entry = source(name)
    located = fetch.locate(entry, mirror=str(real_data / "mirror"), cache="unused")
    records, rejects = read_records(entry, located)
    assert len(records) == count
    members = [
        m
        for f in located
        if f.name.endswith(".zip") and "segmentation" not in f.name
        for m in archives.scan(name, f.name, f.location)[0]
    ]
    named = {(r.archive, r.member) for r, _ in records} | {(r.archive, r.member) for r in rejects}
    assert {(m.archive, m.name) for m in members} == named
    assert len({r.image_id for r, _ in records}) == count


def test_what_the_sets_say_is_carried(real_data):
    records = {}
    for name in REAL:
        entry = source(name)
        found, _ = read_records(entry, fetch.locate(entry, mirror=str(real_data / "mirror"), cache="unused"))
        records[name] = [record for record, _ in found]
    ham, pad, isic9 = (records[name] for name in ("ham10000", "pad_ufes_20", "isic9"))
    assert Counter(r.diagnosis_raw for r in ham)["nv"] == 4777
    assert all(r.lesion_id and r.archive_id for r in ham)
    assert len({r.archive_id for r in ham} & {r.archive_id for r in isic9}) == 670
    assert {r.skin_tone.value for r in pad if r.skin_tone} <= {"I", "II", "III", "IV", "V", "VI"}
    assert all(r.patient_id and r.lesion_id for r in pad)
    assert any("itch" in r.history for r in pad)
    assert {r.series for r in isic9} == {"Train", "Test"}


@pytest.mark.parametrize("entry", SOURCES.values(), ids=list(SOURCES))
def test_every_entry_is_complete(entry):
    assert entry.licence_id in LICENCES
    assert entry.title and entry.citation and entry.attribution and entry.url.startswith("https://")
    assert import_module(entry.reader).VERSION
    assert entry.access == "built-in" or any(file.role == "images" for file in entry.files)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(UnknownSource, match=r"did you mean ham10000.*pad_ufes_20"):
        source("HAM10000".lower() + "x")


@pytest.mark.parametrize(
    ("licence", "open_", "noncommercial"),
    [
        ("CC0-1.0", True, True),
        ("CC-BY-4.0", True, True),
        ("CC-BY-NC-4.0", False, True),
        ("CC-BY-NC-SA-3.0", False, True),
        ("LicenseRef-ISIC-Mixed", False, False),
        ("LicenseRef-Research-Only", False, False),
        ("", False, False),
        (None, False, False),
    ],
)
def test_what_each_licence_permits(licence, open_, noncommercial):
    assert (may_release(licence, "open"), may_release(licence, "noncommercial")) == (open_, noncommercial)


@given(st.text())
def test_an_unknown_licence_permits_nothing(name):
    if name not in LICENCES:
        assert not may_release(name, "noncommercial")
        assert openness(name) == 0


def test_an_unknown_profile_is_refused():
    with pytest.raises(ValueError, match="choose open or noncommercial"):
        may_release("CC0-1.0", "everything")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "years", "floor", "ok"),
    [
        ("45.0", 45, False, True),
        ("85+", 85, True, True),
        (">= 85", 85, True, True),
        ("NaN", None, False, True),
        ("N/A", None, False, True),
        ("45,5", 45.5, False, True),
        ("-1", None, False, False),
        ("400", None, False, False),
        ("forty", None, False, False),
    ],
)
def test_ages(text, years, floor, ok):
    assert fields.age(text) == fields.Age(years, floor, ok)


@given(st.text(max_size=30))
def test_no_text_breaks_the_fields(text):
    age = fields.age(text)
    assert age.years is None or 0 <= age.years <= fields.OLDEST
    assert fields.sex(text) in (None, "female", "male", "other")
    fields.body_site(text)


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("lower extremity", "lower_limb"),
        ("FACE", "head_neck"),
        ("acral", None),
        ("unknown", None),
        ("anterior torso", "trunk_front"),
        ("back of hand", None),
    ],
)
def test_body_sites(text, region):
    assert fields.body_site(text) == region


def test_rejects_use_known_reasons_only(real_data):
    for name in REAL:
        entry = source(name)
        _, rejects = read_records(entry, fetch.locate(entry, mirror=str(real_data / "mirror"), cache="unused"))
        assert {r.reason for r in rejects} <= set(REASONS)


DATA = bytes(range(256)) * 40_000


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves DATA with ranges; cuts the first `cuts` answers in the middle."""

    cuts = 0
    asked: ClassVar[list[str | None]] = []

    def do_HEAD(self):
        self._head(len(DATA), 200)

    def _head(self, length, status):
        self.send_response(status)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def do_GET(self):
        wanted = self.headers.get("Range")
        type(self).asked.append(wanted)
        start, stop = 0, len(DATA)
        if wanted:
            first, last = wanted.removeprefix("bytes=").split("-")
            start, stop = int(first), int(last) + 1 if last else len(DATA)
        body = DATA[start:stop]
        self._head(len(body), 206 if wanted else 200)
        if type(self).cuts > 0:
            type(self).cuts -= 1
            self.wfile.write(body[: len(body) // 2])
            self.connection.close()
            return
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(fetch, "FIRST_WAIT_SECONDS", 0.01)
    Handler.cuts, Handler.asked = 0, []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}/set.zip"
        httpd.shutdown()


def entry(url: str | None, sha256: str | None = None) -> Source:
    return replace(source("isic9"), files=(SourceFile(name="set.zip", role="images", url=url, sha256=sha256),))


def test_a_file_is_fetched_checked_and_kept(server, tmp_path):
    good = hashlib.sha256(DATA).hexdigest()
    (found,) = fetch.locate(entry(server, good), mirror=None, cache=str(tmp_path))
    assert (found.size, found.sha256) == (len(DATA), good)
    asked = len(Handler.asked)
    fetch.locate(entry(server, good), mirror=None, cache=str(tmp_path))
    assert len(Handler.asked) == asked


def test_a_cut_connection_is_tried_again_and_goes_on_where_it_stood(server, tmp_path):
    folder = tmp_path / "isic9"
    folder.mkdir()
    (folder / "set.zip.partial").write_bytes(DATA[: 1 << 20])
    Handler.cuts = 2
    (found,) = fetch.locate(entry(server, hashlib.sha256(DATA).hexdigest()), mirror=None, cache=str(tmp_path))
    assert found.size == len(DATA)
    assert all(wanted and not wanted.startswith("bytes=0-") for wanted in Handler.asked)


def test_a_wrong_checksum_is_an_error_that_names_the_file_and_keeps_nothing(server, tmp_path):
    with pytest.raises(fetch.ChecksumMismatch, match=r"isic9/set\.zip.*expected sha256 0000"):
        fetch.locate(entry(server, "0" * 64), mirror=None, cache=str(tmp_path))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_dead_server_is_given_up_after_bounded_tries(tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "FIRST_WAIT_SECONDS", 0.01)
    with pytest.raises(fetch.SourceUnavailable, match="failed 5 times"):
        fetch.locate(entry("http://127.0.0.1:9/set.zip"), mirror=None, cache=str(tmp_path))


def test_the_mirror_comes_before_everything(server, tmp_path):
    (tmp_path / "mirror" / "isic9").mkdir(parents=True)
    (tmp_path / "mirror" / "isic9" / "set.zip").write_bytes(b"local")
    (found,) = fetch.locate(entry(server), mirror=str(tmp_path / "mirror"), cache=str(tmp_path / "cache"))
    assert found.size == 5 and not Handler.asked


def test_without_an_address_the_instructions_say_what_to_do(tmp_path):
    with pytest.raises(fetch.SourceUnavailable, match=r"set\.zip.*isic-archive.*DERMOFORGE_MIRROR"):
        fetch.locate(entry(None), mirror=None, cache=str(tmp_path))
