"""Near-identical texts are found, honest neighbours are not, and neither order nor number of texts matters."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from quality.near_texts import near_pairs, sameness, shingles

VOCABULARY = [
    f"{a}{b}" for a in ["b", "c", "d", "f", "g", "h", "k", "l", "m", "n"] for b in ["an", "el", "or", "us", "ip", "et"]
]


def prose(seed: int, length: int) -> str:
    return " ".join(np.random.default_rng(seed).choice(VOCABULARY, length))


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 60)), max_size=25), st.floats(0.5, 1.0))
@settings(max_examples=60, deadline=None)
def test_every_pair_found_is_as_near_as_it_must_be_and_equal_texts_are_all_found(which, least):
    texts = [prose(seed, length) for seed, length in which]
    found = near_pairs(texts, least)
    for a, b in found:
        one, other = set(shingles(texts[a]).tolist()), set(shingles(texts[b]).tolist())
        assert a < b and (texts[a] == texts[b] or len(one & other) / len(one | other) >= least)
    together = {place for pair in found for place in pair}
    assert all(place in together for place, text in enumerate(texts) if texts.count(text) > 1)


def test_a_text_with_other_case_and_stops_is_the_same_and_one_with_another_finding_is_not():
    text = prose(7, 130)
    changed = text.split()
    changed[60] = "otherwise"
    texts = [text, text.upper().replace(" ", ", ") + ".", " ".join(changed), prose(8, 130)]
    assert near_pairs(texts) == [(0, 1)]


def test_near_copies_are_found_among_thousands():
    texts = [prose(n, 120) for n in range(3000)]
    texts += [text + " indeed" for text in texts[:200]]
    assert near_pairs(texts) == [(n, 3000 + n) for n in range(200)]


def test_a_template_is_told_from_prose():
    template = [f"The lesion is brown. {prose(n, 3)}" for n in range(100)]
    free = [prose(n, 60) for n in range(100)]
    assert sameness(template).opening == 1.0 and sameness(free).opening < 0.1
    assert sameness([free[0]] * 10).near == 1.0 and sameness(free).near == 0.0
    assert sameness([]).texts == 0
