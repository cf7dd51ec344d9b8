"""The lake from outside: SQL over every table, and the same stages on an S3 emulator."""

import subprocess
import sys

import pyarrow as pa

from pipelines.lake import Lake
from pipelines.sql import connect
from pipelines.tables import TABLES


def test_every_table_is_a_view(corpus):
    connection = connect(corpus.lake)
    for table in TABLES:
        ((count,),) = connection.sql(f"select count(*) from {table}").fetchall()
        assert count == corpus.lake.read(table).num_rows
    rows = connection.sql("select g.split, count(*) from images i join groups g using (image_id) group by 1").fetchall()
    assert sum(count for _, count in rows) == corpus.lake.read("images").num_rows


def test_the_shell_runs_a_statement_and_reports_a_wrong_one(corpus):
    command = [sys.executable, "-m", "pipelines.sql", "--lake", corpus.lake.url]
    good = subprocess.run([*command, "select count(*) as n from images"], capture_output=True, text=True, check=True)
    assert str(corpus.lake.read("images").num_rows) in good.stdout
    bad = subprocess.run([*command, "select nonsense from images"], capture_output=True, text=True, check=False)
    assert bad.returncode == 1 and "nonsense" in bad.stderr
    piped = subprocess.run(command, input="select 1 as one;\nselect 2 as two", capture_output=True, text=True, check=True)
    assert "one" in piped.stdout and "two" in piped.stdout


def quarantine_rows(source: str, count: int) -> pa.Table:
    rows = [{"source": source, "native_id": str(n), "reason": "blank", "detail": "d"} for n in range(count)]
    return pa.Table.from_pylist(rows, schema=TABLES["quarantine"].schema)


def test_the_lake_works_in_an_object_store(bucket):
    remote = Lake(bucket)
    pack = remote.write_pack("s", [("s:1", b"one"), ("s:2", b"two")])
    assert dict(remote.read_pack(pack, [1])) == {1: b"two"}
    assert remote.replace("quarantine", quarantine_rows("a", 3), source="a")
    assert not remote.replace("quarantine", quarantine_rows("a", 3), source="a")
    assert remote.replace("quarantine", quarantine_rows("b", 2), source="b")
    assert remote.read("quarantine").num_rows == 5
    assert remote.collect_packs() == [pack]
