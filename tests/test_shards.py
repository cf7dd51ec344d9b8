"""Where rows lie: bytes that hang on rows alone, and how little moves when rows come and go."""

import hashlib
import json

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import release as releasing
from pipelines.release import release
from pipelines.shard import (
    ANSWER,
    MOST_GROUP_BYTES,
    MOST_ROWS,
    PICTURE,
    SHARD_IMAGE_BYTES,
    UNLIKE,
    prefixes,
    row_groups,
)
from tests.outgoing_lake import Made, lake_of, numbered

SOURCES = ("ham10000", "pad_ufes_20")
keys = st.sets(st.integers(0, 2**96 - 1).map(lambda n: f"{n:024x}"), min_size=1, max_size=400)


def made(count: int) -> list[Made]:
    splits = ("train", "train", "validation", "test")
    return numbered(
        [Made(0, source=SOURCES[n % 2], split=splits[n % 4], kind=("JPEG", "PNG")[n % 3 == 0]) for n in range(count)]
    )


def test_bytes_hang_on_neither_workers_nor_the_order_of_inputs(tmp_path, monkeypatch):
    images = made(60)
    by_ray = release(lake_of(tmp_path / "a", images), SOURCES, tmp_path / "a" / "releases")
    monkeypatch.setattr(releasing, "map_in_order", lambda function, batches: map(function, reversed(list(batches))))
    alone = release(lake_of(tmp_path / "b", images[::-1]), SOURCES[::-1], tmp_path / "b" / "releases")
    assert by_ray and alone and by_ray.manifest == alone.manifest
    told = {entry["path"]: entry["sha256"] for entry in alone.manifest["files"]}
    assert told == {name: hashlib.sha256((by_ray.path / name).read_bytes()).hexdigest() for name in told}


def test_a_source_that_goes_takes_its_files_along_and_changes_no_other(tmp_path):
    both = release(lake_of(tmp_path / "a", made(40)), SOURCES, tmp_path / "a" / "releases")
    one = release(
        lake_of(tmp_path / "b", [i for i in made(40) if i.source == "ham10000"]), SOURCES, tmp_path / "b" / "releases"
    )
    assert both and one

    def shards(done):
        return {e["path"]: e["sha256"] for e in done.manifest["files"] if e["path"].endswith((".parquet", ".tar", ".jpg"))}

    before, after = shards(both), shards(one)
    assert after.items() < before.items()
    assert {name.split("-")[1].split(".")[0] for name in before.keys() - after.keys() if "-" in name} == {"pad_ufes_20"}


def grouped(some, size=10_000) -> list[tuple[str, ...]]:
    names = sorted(some)
    table = pa.table({"image_key": names, "n_bytes": [size] * len(names)})
    return [tuple(names[start:stop]) for start, stop in row_groups(table)]


@settings(deadline=None)
@given(keys, st.sampled_from([10_000, 3_000_000]))
def test_row_groups_hold_every_row_once_and_keep_their_bounds(some, size):
    groups = grouped(some, size)
    assert [key for group in groups for key in group] == sorted(some)
    assert all(0 < len(group) <= MOST_ROWS and len(group) * size <= MOST_GROUP_BYTES for group in groups)


@settings(deadline=None)
@given(keys, st.integers(0, 2**96 - 1).map(lambda n: f"{n:024x}"))
def test_a_new_row_changes_the_groups_up_to_the_next_cut_and_no_other(some, new):
    before, after = set(grouped(some - {new})), grouped(some | {new})
    changed = [n for n, group in enumerate(after) if group not in before]
    assert not changed or changed == list(range(changed[0], changed[-1] + 1))
    ends = [group for n, group in enumerate(after) if n in changed]
    span = [key for group in ends for key in group]
    assert not span or (span[0] <= max(new, span[0]) and all(int(key[-4:], 16) % 64 for key in span[1:] if key > new))


@settings(deadline=None)
@given(
    st.dictionaries(st.integers(0, 2**96 - 1).map(lambda n: f"{n:024x}"), st.integers(1, SHARD_IMAGE_BYTES // 3), max_size=60)
)
def test_buckets_hold_every_image_once_and_no_bucket_is_too_large(sizes):
    held: dict[str, int] = {}
    for key, prefix in prefixes(sizes).items():
        assert f"{int(key, 16):096b}".startswith(prefix)
        held[prefix] = held.get(prefix, 0) + sizes[key]
    assert prefixes(sizes).keys() == sizes.keys()
    assert all(total <= SHARD_IMAGE_BYTES for total in held.values())
    assert not any(a != b and b.startswith(a) for a in held for b in held)


def test_pictures_are_stored_as_they_are_texts_compressed_and_what_repeats_is_in_a_dictionary(tmp_path):
    done = release(lake_of(tmp_path, made(8)), SOURCES, tmp_path / "releases")
    assert done
    group = pq.ParquetFile(next(done.path.glob("data/choice/train-*.parquet"))).metadata.row_group(0)
    leaves = {group.column(n).path_in_schema: group.column(n) for n in range(group.num_columns)}
    picture = leaves.pop(PICTURE)
    assert picture.compression == "UNCOMPRESSED" and not picture.is_stats_set and not picture.has_dictionary_page
    compressed = {name for name, leaf in leaves.items() if leaf.compression == "ZSTD"}
    assert compressed == {ANSWER, *UNLIKE}
    assert {name for name, leaf in leaves.items() if leaf.has_dictionary_page} == leaves.keys() - compressed - {"generated"}
    assert {name for name, leaf in leaves.items() if not leaf.is_stats_set} == {ANSWER}
    assert json.loads((done.path / "manifest.json").read_text())["layout"] == releasing.LAYOUT
