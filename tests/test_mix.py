"""The mix: caps that stay when data are added, rare classes lifted, skin-tone scales never merged, settings that are checked."""

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.lake import Lake
from pipelines.mix import count
from pipelines.release import planned, release
from pipelines.render import render
from prompts.matching import hashed
from prompts.mix import Mix, Tone, load_mix, thresholds, weigh
from tests.outgoing_lake import Made, lake_of, numbered

RANKS = st.lists(st.integers(0, 10**6), unique=True, max_size=60)


@given(RANKS, RANKS, st.integers(1, 40))
def test_a_picture_that_is_added_displaces_one_at_most(ranks, more, cap):
    before = _kept(ranks, cap)
    for new in set(more) - set(ranks):
        after = _kept([*ranks, new], cap)
        assert len(before - after) <= 1 and after - before <= {new}
        ranks, before = [*ranks, new], after
    assert len(before) == min(cap, len(ranks))


def _kept(ranks: list[int], cap: int) -> set[int]:
    last = thresholds({"nevus": ranks}, cap).get("nevus", 10**9)
    return {rank for rank in ranks if rank <= last}


def test_no_cap_keeps_everything():
    assert thresholds({"nevus": [3, 1, 2]}, 0) == {}


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_of_a_format_takes_more_and_drops_none(a, b):
    low, high = (Mix(formats={"choice": share}) for share in sorted((a, b)))
    for n in range(50):
        assert high.takes("choice", f"{n}") or not low.takes("choice", f"{n}")
        assert low.takes("description", f"{n}")


def test_a_share_is_what_it_says():
    taken = sum(Mix(formats={"choice": 0.3}).takes("choice", str(n)) for n in range(4000))
    assert abs(taken / 4000 - 0.3) < 0.03


def test_rare_diagnoses_are_lifted_by_the_square_root_and_no_further_than_the_limit():
    nodes = Counter({"nevus": 6400, "melanoma": 1600, "angioma": 1})
    assert [weigh(Mix(), n, n, (), nodes, {}).weight for n in nodes] == [1.0, 2.0, 8.0]
    assert weigh(Mix(lift=0), "x", "angioma", (), nodes, {}).weight == 1.0
    assert "1,600" in weigh(Mix(), "melanoma", "melanoma", (), nodes, {}).why


def test_scales_of_skin_tone_are_weighed_apart_and_one_may_enter_the_weight():
    nodes = Counter({"nevus": 10})
    toned = {("fitzpatrick", "source"): Counter({"I": 90, "VI": 10}), ("monk", "crowd"): Counter({"6": 5})}
    said = (Tone("fitzpatrick", "source", "VI"), Tone("monk", "crowd", "6"))
    plain = weigh(Mix(), "nevus", "nevus", said, nodes, toned)
    assert plain.weight == 1.0 and dict(plain.tones) == {said[0]: 3.0, said[1]: 1.0}
    lifted = weigh(Mix(tones="fitzpatrick"), "nevus", "nevus", said, nodes, toned)
    assert lifted.weight == 3.0 and "fitzpatrick VI by source x3" in lifted.why
    assert weigh(Mix(tones="ddi-bins"), "nevus", "nevus", said, nodes, toned).weight == 1.0


def test_the_default_mix_and_one_of_a_file(tmp_path):
    assert load_mix("") == Mix()
    path = tmp_path / "mix.toml"
    path.write_text('cap = 100\nlift = 0.25\ntones = "monk"\n[formats]\nchoice_25 = 0.5\n')
    assert load_mix(str(path)) == Mix(cap=100, lift=0.25, tones="monk", formats={"choice_25": 0.5})
    assert load_mix(str(Path(__file__).parents[1] / "config" / "mix.toml"))


def test_the_manifest_of_a_release_says_the_mix_that_its_samples_were_rendered_with(tmp_path):
    mix = Mix(cap=7, lift=0, most=3, tones="drawn", formats={"context": 0.25, "choice": 0.5})
    lake = Lake(str(tmp_path / "lake"))
    render(lake, "ham10000", count(lake, mix))
    done = release(lake_of(tmp_path, numbered([Made(0), Made(0)])), ["ham10000"], tmp_path / "releases")
    assert done
    said = json.loads((done.path / "manifest.json").read_text())["mix"]["ham10000"]
    shares = [f"{name} = {share}" for name, share in said.pop("formats").items()]
    lines = [*(f"{key} = {json.dumps(value)}" for key, value in said.items()), "[formats]", *shares]
    (tmp_path / "mix.toml").write_text("\n".join(lines))
    assert load_mix(str(tmp_path / "mix.toml")) == mix


def test_another_mix_is_another_release(tmp_path):
    lake = lake_of(tmp_path, numbered([Made(0), Made(0)]))
    samples = lake.read("samples")
    versions = set()
    for cap in (5, 6, 6):
        render(lake, "ham10000", count(lake, Mix(cap=cap)))
        lake.replace("samples", samples, source="ham10000")
        versions.add(planned(lake, ["ham10000"], "noncommercial").version)
    assert len(versions) == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("cap = -1", "number of pictures"),
        ("cap = true", "number of pictures"),
        ("lift = 2", "lift lies between"),
        ("most = 0.5", "most lies between"),
        ('tones = "ita"', "fitzpatrick"),
        ("[formats]\nchioce = 1", "no format chioce"),
        ("[formats]\nchoice = 1.5", "the share of choice"),
        ("limit = 3", "no setting limit"),
        ("cap = ", "mix.toml"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path, text, told):
    path = tmp_path / "mix.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=told):
        load_mix(str(path))


def test_shares_go_by_hash_alone():
    assert hashed("a") == hashed("a") != hashed("b")
