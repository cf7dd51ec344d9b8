"""The lake: atomic replacement, packs that are pure functions of their content, and a digest that sees values alone."""

import multiprocessing
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow.fs import PyFileSystem

from pipelines.lake import ROW_GROUP, Lake, OldLake, digest_rows
from pipelines.tables import TABLES


def rejects(source: str, count: int, detail: str = "d") -> pa.Table:
    rows = [
        {
            "source": source,
            "native_id": f"{n:05d}",
            "reason": "blank",
            "detail": detail,
            "archive": "",
            "member": "",
            "repaired": False,
        }
        for n in range(count)
    ]
    return pa.Table.from_pylist(rows, schema=TABLES["quarantine"].schema)


def test_a_table_nobody_wrote_reads_as_empty(tmp_path):
    lake = Lake(str(tmp_path))
    assert lake.read("images").num_rows == 0
    assert lake.version("images") is None


def test_replacing_one_source_leaves_the_others(tmp_path):
    lake = Lake(str(tmp_path))
    lake.replace("quarantine", rejects("a", 3), source="a")
    lake.replace("quarantine", rejects("b", 2), source="b")
    lake.replace("quarantine", rejects("a", 1), source="a")
    assert lake.read("quarantine", source="a").num_rows == 1
    assert lake.read("quarantine", source="b").num_rows == 2


def test_a_source_can_be_emptied(tmp_path):
    lake = Lake(str(tmp_path))
    lake.replace("quarantine", rejects("a", 3), source="a")
    lake.replace("quarantine", rejects("b", 3), source="b")
    assert lake.replace("quarantine", rejects("a", 0), source="a")
    assert lake.read("quarantine").num_rows == 3


def test_writers_that_make_a_table_at_the_same_moment_all_keep_their_rows(tmp_path):
    for attempt in range(10):
        lake, start = Lake(str(tmp_path / str(attempt))), threading.Barrier(6)

        def add(writer: int, lake: Lake = lake, start: threading.Barrier = start) -> None:
            start.wait()
            lake.append("quarantine", rejects("a", 1, detail=str(writer)))

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(add, range(6)))
        assert sorted(lake.read("quarantine").column("detail").to_pylist()) == list("012345")


def test_writing_the_same_rows_again_makes_no_version(tmp_path):
    lake = Lake(str(tmp_path))
    assert lake.replace("quarantine", rejects("a", 3), source="a")
    version = lake.version("quarantine")
    assert not lake.replace("quarantine", rejects("a", 3).take(pa.array([2, 0, 1])), source="a")
    assert lake.version("quarantine") == version


def _write_for_ever(url: str) -> None:
    lake, n = Lake(url), 0
    while True:
        n += 1
        lake.replace("quarantine", rejects("a", 2000, detail=str(n)), source="a")


def parts(table: pa.Table, size: int) -> list[pa.Table]:
    return [table.slice(start, size) for start in range(0, table.num_rows, size)]


def test_a_partition_that_streams_in_is_the_same_as_one_that_comes_at_once(tmp_path):
    lake, whole = Lake(str(tmp_path)), rejects("a", 50)
    lake.replace("quarantine", rejects("b", 2), source="b")
    assert lake.replace_streaming("quarantine", parts(whole, 7), source="a", by="native_id")
    assert lake.read("quarantine", source="a").equals(whole)
    assert lake.read("quarantine", source="b").num_rows == 2
    version = lake.version("quarantine")
    assert not lake.replace_streaming("quarantine", parts(whole, 20), source="a", by="native_id")
    assert lake.version("quarantine") == version
    assert sum(batch.num_rows for batch in lake.scan("quarantine", ["native_id"])) == 52


def test_rows_that_come_in_batches_are_held_a_row_group_at_a_time(tmp_path):
    lake, whole = Lake(str(tmp_path)), rejects("a", 12 * ROW_GROUP, detail="d" * 500)
    lake.replace("quarantine", whole, source="a")
    lake.replace("quarantine", rejects("b", 5), source="b")
    before, seen, held = pa.total_allocated_bytes(), [], []
    for batch in lake.batches("quarantine", source="a"):
        seen += [row["native_id"] for row in batch.to_pylist()]
        held.append(pa.total_allocated_bytes() - before)
    assert seen == whole.column("native_id").to_pylist()
    assert max(held) < whole.nbytes / 3


@pytest.mark.parametrize("change", ["a row less", "a row more", "another value", "none"])
def test_a_stream_that_differs_replaces_the_partition(tmp_path, change):
    lake, before = Lake(str(tmp_path)), rejects("a", 30)
    lake.replace("quarantine", before, source="a")
    other = pa.concat_tables([rejects("a", 29), rejects("a", 30, "other").slice(29)])
    after = {
        "a row less": before.slice(0, 29),
        "a row more": rejects("a", 31),
        "another value": other,
        "none": before.slice(0, 0),
    }
    assert lake.replace_streaming("quarantine", parts(after[change], 8), source="a", by="native_id")
    assert lake.read("quarantine", source="a").equals(after[change])


def test_a_reader_never_sees_half_a_partition_while_the_writer_is_killed(tmp_path):
    lake = Lake(str(tmp_path))
    lake.replace("quarantine", rejects("a", 2000, detail="0"), source="a")
    for _ in range(3):
        writer = multiprocessing.get_context("spawn").Process(target=_write_for_ever, args=(str(tmp_path),))
        writer.start()
        before = lake.version("quarantine") or 0
        while (lake.version("quarantine") or 0) < before + 3:
            details = set(lake.read("quarantine", source="a").column("detail").to_pylist())
            assert len(details) == 1
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        rows = lake.read("quarantine", source="a")
        assert rows.num_rows == 2000
        assert len(set(rows.column("detail").to_pylist())) == 1


def test_a_lake_of_another_version_says_so(tmp_path):
    from deltalake import write_deltalake

    lake = Lake(str(tmp_path / "lake"))
    write_deltalake(lake.table_url("quarantine"), pa.table({"source": ["s"], "colour": ["blue"]}))
    with pytest.raises(OldLake, match=r"table quarantine was written by another version \(columns .*colour.*DERMOFORGE_LAKE"):
        lake.read("quarantine")


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(blobs=st.lists(st.binary(max_size=64), min_size=1, max_size=40), picks=st.data())
def test_a_pack_gives_back_its_bytes_and_is_named_by_them(tmp_path, blobs, picks):
    lake = Lake(str(tmp_path))
    images = [(f"s:{n}", blob) for n, blob in enumerate(blobs)]
    pack = lake.write_pack("s", images)
    assert lake.write_pack("s", images) == pack
    rows = picks.draw(st.lists(st.integers(0, len(blobs) - 1)))
    assert dict(lake.read_pack(pack, rows)) == {row: blobs[row] for row in rows}


def test_reading_a_pack_crosses_row_groups(tmp_path):
    lake = Lake(str(tmp_path))
    pack = lake.write_pack("s", [(f"s:{n}", str(n).encode()) for n in range(700)])
    assert list(lake.read_pack(pack, [699, 0, 256, 255])) == [(0, b"0"), (255, b"255"), (256, b"256"), (699, b"699")]


def test_packs_that_no_image_refers_to_are_collected(tmp_path):
    lake = Lake(str(tmp_path))
    orphan = lake.write_pack("s", [("s:1", b"x")])
    assert lake.collect_packs() == [orphan]
    assert lake.collect_packs() == []


def test_the_digest_sees_values_and_not_layout():
    rows = rejects("a", 50)
    chunked = pa.concat_tables([rows.slice(0, 7), rows.slice(7)])
    assert digest_rows(rows) == digest_rows(chunked)
    assert digest_rows(rows) != digest_rows(rejects("a", 50, detail="e"))


def test_a_table_is_read_by_arrow_itself_so_that_no_thread_of_it_needs_python_when_a_process_ends(tmp_path, bucket):
    for url in (str(tmp_path / "a lake"), f"{bucket}/a lake"):
        lake = Lake(url)
        lake.replace("quarantine", rejects("a", 2), source="a")
        assert not isinstance(lake.dataset("quarantine").filesystem.base_fs, PyFileSystem)
        assert lake.read("quarantine", source="a").num_rows == 2


def test_an_unknown_table_is_refused(tmp_path):
    with pytest.raises(KeyError, match="nonsense"):
        Lake(str(tmp_path)).table_url("nonsense")
