"""Rows on their way into a table come out of a spool as they went in, whatever their order, and none of them is held in memory."""

from itertools import chain

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.lake import ROW_GROUP, Lake
from pipelines.spool import Spool
from pipelines.tables import TABLES

SCHEMA = TABLES["fingerprints"].schema


def prints(ids: list[int]) -> pa.Table:
    rows = [{"image_id": f"a:{n:06d}", "source": "a", "algorithm": "x" * 200, "phash": [n] * 8, "dhash": n} for n in ids]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 999), unique=True, max_size=60), st.integers(1, 9), st.booleans())
def test_parts_ascend_and_hold_every_row_once(ids, size, in_order):
    ids = sorted(ids) if in_order else ids
    with Spool("fingerprints") as spool:
        for start in range(0, len(ids), size):
            spool.add(prints(ids[start : start + size]))
        parts = list(spool.parts())
    assert spool.rows == len(ids) == sum(part.num_rows for part in parts)
    ranges = [sorted(part.column("image_id").to_pylist()) for part in parts]
    assert list(chain(*ranges)) == [f"a:{n:06d}" for n in sorted(ids)]


@pytest.mark.parametrize("in_order", [True, False])
def test_a_spooled_table_is_the_one_that_comes_at_once(tmp_path, in_order):
    lake, other = Lake(str(tmp_path / "a")), Lake(str(tmp_path / "b"))
    batches = [prints(list(range(start, start + 256))) for start in range(0, 2 * ROW_GROUP, 256)]
    batches = batches if in_order else batches[::-1]
    for again in (True, False):
        with Spool("fingerprints") as spool:
            for batch in batches:
                spool.add(batch)
            assert lake.replace_streaming("fingerprints", spool.parts(), source="a", by="image_id") == again
    other.replace("fingerprints", pa.concat_tables(batches), source="a")
    assert lake.read("fingerprints").equals(other.read("fingerprints"))


def test_an_empty_one_makes_an_empty_table(tmp_path):
    lake = Lake(str(tmp_path))
    with Spool("fingerprints") as spool:
        assert lake.replace_streaming("fingerprints", spool.parts(), source="a", by="image_id")
    assert lake.version("fingerprints") == 0 and lake.read("fingerprints").num_rows == 0


def test_memory_does_not_grow_with_what_waits():
    before, most = pa.total_allocated_bytes(), 0
    with Spool("fingerprints") as spool:
        for start in range(0, 20 * ROW_GROUP, 1024):
            spool.add(prints(list(range(start, start + 1024))))
            most = max(most, pa.total_allocated_bytes() - before)
        whole = 20 * prints(list(range(ROW_GROUP))).nbytes
        for part in spool.parts():
            assert part.num_rows == ROW_GROUP
            most = max(most, pa.total_allocated_bytes() - before)
    assert most < whole / 4
