"""Every container read member by member: what is whole is read, what is hostile is refused by name, and nothing else happens."""

import bz2
import gzip
import io
import lzma
import os
import random
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sources import archives
from sources.archives import Damage, Member, Place
from sources.record import REASONS
from sources.tables import MetadataError, parse

MEMBERS = {f"folder/{n:02d}.jpg": random.Random(n).randbytes(3_000 + n) for n in range(12)}
KINDS = ("zip", "tar", "tar.gz", "tar.bz2", "tar.xz", "parquet", "folder")
FUZZ = settings(
    max_examples=int(os.environ.get("DERMOFORGE_FUZZ_EXAMPLES", "60")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
"""`DERMOFORGE_FUZZ_EXAMPLES=20000 pytest tests/test_archives.py -k fuzz` is the long run (docs/sources.md)."""


def tar_bytes(members: dict[str, bytes], extra: list[tuple[tarfile.TarInfo, bytes]] = ()) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for info, data in extra:
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zip_bytes(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def parquet_bytes(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    images = pa.array([{"bytes": data, "path": name} for name, data in members.items()], kind)
    pq.write_table(pa.table({"image": images, "label": list(members)}), out, row_group_size=5)
    return out.getvalue()


PACKERS = {
    "zip": zip_bytes,
    "tar": tar_bytes,
    "tar.gz": lambda members: gzip.compress(tar_bytes(members)),
    "tar.bz2": lambda members: bz2.compress(tar_bytes(members)),
    "tar.xz": lambda members: lzma.compress(tar_bytes(members)),
    "parquet": parquet_bytes,
}


def stored(tmp_path: Path, kind: str, members: dict[str, bytes] = MEMBERS) -> str:
    path = tmp_path / f"set.{kind}"
    if kind != "folder":
        path.write_bytes(PACKERS[kind](members))
        return str(path)
    for name, data in members.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return str(path)


def places_of(members: list[Member]) -> dict[str, tuple[int, Place]]:
    return {member.name: (member.size, member.place) for member in members if member.place}


def read_all(location: str) -> tuple[dict[str, bytes], list[str]]:
    """Whole members by name, and the reasons of everything else."""
    members, rejects = archives.scan("s", "set", location)
    whole, reasons = {}, [reject.reason for reject in rejects]
    names = [member.name for member in members]
    found = list(archives.read_members(location, names))
    assert list(archives.read_members(location, names, places_of(members))) == found
    for name, data in found:
        if isinstance(data, Damage):
            reasons.append(data.reason)
        else:
            whole[name] = data
    return whole, reasons


@pytest.mark.parametrize("kind", KINDS)
def test_every_member_is_read_as_it_was_packed(tmp_path, kind):
    whole, reasons = read_all(stored(tmp_path, kind))
    assert not reasons
    assert list(whole.values()) == list(MEMBERS.values())
    assert kind == "parquet" or whole == MEMBERS


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_members_asked_for_are_given(tmp_path, kind):
    location = stored(tmp_path, kind)
    names = [member.name for member in archives.scan("s", "set", location)[0]][3:9:2]
    found = dict(archives.read_members(location, names))
    assert list(found.values()) == list(MEMBERS.values())[3:9:2]


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_an_archive_that_changed_since_it_was_listed_is_listed_again(tmp_path, kind):
    location = stored(tmp_path, kind)
    members, _ = archives.scan("s", "set", location)
    assert len(places_of(members)) == len(MEMBERS)
    stored(tmp_path, kind, dict(list(MEMBERS.items())[5:1:-1]))
    found = dict(archives.read_members(location, list(MEMBERS), places_of(members)))
    there = list(MEMBERS)[2:6]
    assert {name: found[name] for name in there} == {name: MEMBERS[name] for name in there}
    assert {data.reason for name, data in found.items() if name not in there} == {"member_damaged"}


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz"])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.99])
def test_an_archive_cut_short_gives_its_whole_members_and_says_so(tmp_path, kind, share):
    location = Path(stored(tmp_path, kind))
    location.write_bytes(location.read_bytes()[: int(location.stat().st_size * share)])
    whole, reasons = read_all(str(location))
    assert whole.items() <= MEMBERS.items()
    assert set(reasons) <= {"archive_damaged", "member_damaged"}
    assert reasons or len(whole) == len(MEMBERS)
    if kind in ("zip", "tar"):
        assert len(whole) >= int(len(MEMBERS) * share) - 1


def odd(name: str, kind: bytes = tarfile.REGTYPE, target: str = "", size: int = 0) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, target, size
    return info, b"\0" * size


HOSTILE = [
    odd("../up.jpg", size=5),
    odd("/etc/passwd", size=5),
    odd("a/../../up.jpg", size=5),
    odd("link.jpg", tarfile.SYMTYPE, "/etc/passwd"),
    odd("hard.jpg", tarfile.LNKTYPE, "/etc/passwd"),
    odd("device.jpg", tarfile.CHRTYPE),
    odd("pipe.jpg", tarfile.FIFOTYPE),
    odd("C:\\windows.jpg", size=5),
    odd("inner.zip", size=5),
    odd("folder/00.jpg", size=5),
]


@pytest.mark.parametrize("kind", ["tar", "tar.gz"])
def test_hostile_tar_members_are_refused_by_name(tmp_path, kind):
    data = tar_bytes(MEMBERS, HOSTILE)
    path = tmp_path / f"set.{kind}"
    path.write_bytes(gzip.compress(data) if kind == "tar.gz" else data)
    members, rejects = archives.scan("s", "set", str(path))
    assert {m.name for m in members} == set(MEMBERS)
    assert sorted(r.reason for r in rejects) == sorted(["member_unsafe"] * 8 + ["nested_archive", "duplicate_member"])
    assert dict(archives.read_members(str(path), ["folder/00.jpg"])) == {"folder/00.jpg": MEMBERS["folder/00.jpg"]}


def test_a_stream_that_unpacks_without_end_is_stopped(tmp_path):
    path = tmp_path / "set.tar.gz"
    header = tarfile.TarInfo("zeros.jpg")
    header.size = 8 << 30
    with gzip.open(path, "wb", compresslevel=9) as out:
        out.write(header.tobuf())
        for _ in range(600):
            out.write(b"\0" * (1 << 20))
    members, rejects = archives.scan("s", "set", str(path))
    assert not members
    assert {r.reason for r in rejects} == {"member_too_large", "archive_damaged"}


def test_a_tar_header_that_claims_more_than_there_is(tmp_path):
    info = tarfile.TarInfo("big.jpg")
    info.size = 1 << 40
    path = tmp_path / "set.tar"
    path.write_bytes(info.tobuf() + b"x" * 5000)
    members, rejects = archives.scan("s", "set", str(path))
    assert not members and "member_too_large" in {r.reason for r in rejects}


def test_links_in_a_folder_are_not_followed(tmp_path):
    location = Path(stored(tmp_path, "folder"))
    (location / "secret.jpg").symlink_to("/etc/passwd")
    (location / "nowhere.jpg").symlink_to(tmp_path / "nothing")
    (location / "deep").symlink_to("/etc")
    whole, reasons = read_all(str(location))
    assert whole == MEMBERS
    assert set(reasons) == {"member_unsafe"} and len(reasons) >= 2


def test_a_parquet_row_without_bytes_is_damage_of_that_row(tmp_path):
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    rows = pa.array(
        [{"bytes": b"one", "path": "a"}, {"bytes": None, "path": "b.jpg"}, None, {"bytes": b"four", "path": None}], kind
    )
    pq.write_table(pa.table({"image": rows}), tmp_path / "set.parquet")
    whole, reasons = read_all(str(tmp_path / "set.parquet"))
    assert list(whole.values()) == [b"one", b"four"] and reasons == ["member_damaged"] * 2


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "parquet"])
@FUZZ
@given(data=st.data())
def test_fuzzed_archives_end_in_members_or_reasons(tmp_path_factory, kind, data):
    good = bytearray(PACKERS[kind]({f"{n}.jpg": bytes([n]) * (40 + n) for n in range(4)}))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(good) - 1))
        good[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(good)))
    path = tmp_path_factory.mktemp("fuzz") / f"set.{kind}"
    path.write_bytes(bytes(good[:cut] if data.draw(st.booleans()) else good))
    whole, reasons = read_all(str(path))
    assert set(reasons) <= set(REASONS)
    assert sum(map(len, whole.values())) < 64 << 20


@pytest.mark.parametrize(
    ("at", "value"),
    [
        ("name", b"\x80\x80"),  # a name that is not the UTF-8 that it claims to be, in directory and local header
        ("nameless", b""),
    ],
)
def test_forged_zip_names_are_no_crash(tmp_path, at, value):
    info = zipfile.ZipInfo("é.jpg" if at == "name" else "")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(info, b"data")
        archive.writestr("good.jpg", b"good")
    good = out.getvalue().replace("é".encode(), value) if value else out.getvalue()
    for cut in (len(good), good.rfind(b"PK\x01\x02")):
        (tmp_path / "set.zip").write_bytes(good[:cut])
        whole, reasons = read_all(str(tmp_path / "set.zip"))
        assert set(reasons) <= {"archive_damaged", "member_damaged", "member_unsafe"} and reasons
        assert whole.get("good.jpg", b"good") == b"good"


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "parquet"])
@FUZZ
@given(junk=st.binary(max_size=4000))
def test_fuzzed_bytes_that_are_no_archive_at_all(tmp_path_factory, kind, junk):
    path = tmp_path_factory.mktemp("junk") / f"set.{kind}"
    path.write_bytes(junk)
    whole, reasons = read_all(str(path))
    assert set(reasons) <= set(REASONS)
    assert whole == {} or kind != "parquet"


@FUZZ
@given(junk=st.binary(max_size=2000), name=st.sampled_from(["t.csv", "t.xlsx", "t.tsv"]))
def test_fuzzed_tables_are_rows_or_an_error_that_names_the_file(junk, name):
    try:
        table = parse("s", name, junk)
    except MetadataError as error:
        assert name in str(error)
    else:
        assert all(set(row.values) == set(table.rows[0].values) for row in table.rows)


def test_a_bomb_costs_little_memory(tmp_path):
    """In a process of its own: a 2 GiB member in a 2 MiB gzip, and a zip of zeros, stay far under a GiB."""
    info = tarfile.TarInfo("zeros.jpg")
    info.size = 400 << 20
    with gzip.open(tmp_path / "bomb.tar.gz", "wb", compresslevel=9) as out:
        out.write(info.tobuf())
        for _ in range(400):
            out.write(b"\0" * (1 << 20))
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.jpg", b"\0" * (400 << 20))
    script = (
        "import re, sys\n"
        "from pathlib import Path\n"
        "from sources import archives\n"
        "for path in sys.argv[1:]:\n"
        "    members, rejects = archives.scan('s', 'set', path)\n"
        "    list(archives.read_members(path, [m.name for m in members]))\n"
        "    print([r.reason for r in rejects])\n"
        # Not ru_maxrss: after a vfork it begins at the peak of the process that started this one.
        "print(int(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1]) // 1024)\n"
    )
    paths = [str(tmp_path / "bomb.tar.gz"), str(tmp_path / "bomb.zip")]
    done = subprocess.run([sys.executable, "-c", script, *paths], capture_output=True, text=True, check=True)
    *reasons, peak = done.stdout.split("\n")[:-1]
    assert "archive_damaged" in reasons[0] and "member_too_large" in reasons[1]
    assert int(peak) < 1024
