"""The Hamming join finds exactly the pairs that brute force and a DuckDB query find, whatever the hashes look like."""

import zipfile

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quality.hamming import near_pairs
from quality.phash import phash8
from quality.raster import decode

N = 5_000


def brute(base: np.ndarray, probe: np.ndarray | None, radius: int) -> np.ndarray:
    """(n, 3) rows i, j, distance, sorted."""
    other = base if probe is None else probe
    rows = []
    for start in range(0, len(base), 500):
        apart = np.bitwise_count(base[start : start + 500, None] ^ other[None])
        i, j = np.nonzero(apart <= radius)
        kept = (j > i + start) if probe is None else np.ones(len(i), bool)
        rows.append(np.stack([i + start, j, apart[i, j]], axis=1)[kept])
    return np.concatenate(rows).astype(np.int64)


def joined(base: np.ndarray, probe: np.ndarray | None, radius: int) -> np.ndarray:
    return np.stack(near_pairs(base, probe, radius), axis=1)


def hashes(kind: str, seed: int, count: int = N) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 2**64, count, dtype=np.uint64)
    if kind == "clustered":  # families of near-copies, on bits of which half are almost constant
        values &= np.uint64(0x00FF0F3355AA0F0F)
        values = values[rng.integers(0, count // 10, count)]
        for _ in range(5):
            values ^= (np.uint64(1) << rng.integers(0, 64, count, dtype=np.uint64)) * rng.integers(0, 2, count, dtype=np.uint64)
    if kind == "nearly equal":
        values = np.uint64(7) << rng.integers(0, 50, count, dtype=np.uint64)
    return values


@settings(max_examples=25, deadline=None)
@given(
    kind=st.sampled_from(["random", "clustered", "nearly equal"]),
    seed=st.integers(0, 2**32),
    radius=st.integers(0, 10),
    across=st.booleans(),
)
def test_the_join_is_brute_force(kind, seed, radius, across):
    count = 600 if kind == "nearly equal" else N
    base, probe = hashes(kind, seed, count), hashes(kind, seed + 1, count // 3) if across else None
    assert np.array_equal(joined(base, probe, radius), brute(base, probe, radius))


values = st.one_of(
    st.integers(0, 2**64 - 1),
    st.integers(0, 63).map(lambda bit: 1 << bit),
    st.tuples(st.integers(0, 63), st.integers(0, 63)).map(lambda bits: (1 << bits[0]) ^ (1 << bits[1])),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(values, max_size=40), st.one_of(st.none(), st.lists(values, max_size=40)), st.integers(0, 63))
def test_few_hashes_and_any_radius(base, probe, radius):
    left = np.array(base, dtype=np.uint64)
    right = None if probe is None else np.array(probe, dtype=np.uint64)
    found = [tuple(row) for row in joined(left, right, radius).tolist()]
    other = base if probe is None else probe
    wanted = [
        (i, j, (a ^ b).bit_count())
        for i, a in enumerate(base)
        for j, b in enumerate(other)
        if (a ^ b).bit_count() <= radius and (probe is not None or i < j)
    ]
    assert found == wanted


@pytest.fixture(scope="module")
def real_hashes(real_data) -> np.ndarray:
    """(5000, 8) uint64: the hashes of HAM10000 photographs in eight orientations."""
    found = []
    for part in (1, 2):
        with zipfile.ZipFile(real_data / "mirror" / "ham10000" / f"HAM10000_images_part_{part}.zip") as photographs:
            names = sorted(photographs.namelist())[: N // 2]
            found += [phash8(decode(photographs.read(name)).rgb) for name in names]
    return np.stack(found)


@pytest.mark.parametrize("k", range(8))
def test_real_hashes_in_every_orientation_and_radius(real_hashes, k):
    base, probe = real_hashes[:, 0], real_hashes[:, k]
    everything = brute(base, probe, 10)
    for radius in range(11):
        assert np.array_equal(joined(base, probe, radius), everything[everything[:, 2] <= radius])
    assert np.array_equal(joined(base, None, 10), brute(base, None, 10))


def test_a_database_says_the_same(real_hashes):
    left = pa.table({"n": np.arange(N), "h": real_hashes[:, 0]})  # noqa: F841 - the query reads both by name
    probe = pa.table({"n": np.arange(N), "h": real_hashes[:, 5]})  # noqa: F841
    apart = "bit_count(xor(l.h, p.h))"
    query = f'select l.n, p.n, {apart} from "left" l, probe p where {apart} <= 8 order by 1, 2'
    assert [tuple(row) for row in joined(real_hashes[:, 0], real_hashes[:, 5], 8).tolist()] == duckdb.sql(query).fetchall()


def test_equal_hashes_are_all_paired_in_order():
    i, j, distance = near_pairs(np.full(1500, 7, dtype=np.uint64), None, 2)
    left, right = np.triu_indices(1500, 1)
    assert np.array_equal(i, left)
    assert np.array_equal(j, right)
    assert not distance.any()


def test_a_radius_that_no_hash_has_is_refused():
    with pytest.raises(ValueError, match="0 to 63, not 64"):
        near_pairs(np.zeros(2, np.uint64), None, 64)
