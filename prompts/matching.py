"""Matched sets: questions arranged so that nothing but the picture tells their answers apart.

A set is k pictures with k different answers, and each of them is asked the very same question: the k answers as options, in one order.
So every option of every question is true once in its set, whatever the prior of the answers: no function of the question's text, its
options, their lengths or their order is right more often than once in k. Where an answer is so common that it finds no partners, the
rest of its pictures is not asked. Answers are matched by the caller inside one source, split and kind of image, so that neither the
style of a source nor a split gives them away.
"""

import hashlib
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

Answer = TypeVar("Answer", bound=Hashable)

REACH = 16
"""Pictures of one answer that are looked through for a partner before another answer is tried."""

RUN = 8
"""A combination of answers is used at once for this part of its rarest answer's pictures: combinations vary, and their number is small."""


@dataclass(frozen=True, slots=True)
class OptionSet:
    """The options of one question as ids, in the order shown; `key` chooses the wording, the same for all pictures of the set.

    `wrong` is an option that an earlier answer named in error, where the question tells of one.
    """

    options: tuple[str, ...]
    key: str
    wrong: str | None = None


def matched(
    members: Mapping[Answer, Sequence[int]],
    least: int,
    most: int,
    excludes: Callable[[Answer, Answer], bool],
    *,
    whole: bool = False,
) -> Iterator[tuple[tuple[Answer, ...], tuple[int, ...]]]:
    """Sets of `least` to `most` answers that exclude each other, each with one picture an answer; no picture stands in two.

    `members` are pictures by answer, in the order in which they are used (by hash: an order that knows nothing of other answers). The
    answers with most pictures left are combined first; `whole` uses a combination until one of its answers has none left, which makes
    fewer and larger families of equal questions.
    """
    used = dict.fromkeys(members, 0)
    while True:
        left = sorted(((len(members[a]) - used[a], a) for a in used if len(members[a]) > used[a]), key=_most_left)
        chosen, rest = _chosen(left, most, excludes)
        if len(chosen) < least:
            return
        fewest = chosen[-1][0]
        count = fewest if whole else max(1, fewest - rest, fewest // RUN)
        answers = tuple(answer for _, answer in chosen)
        for n in range(count):
            yield answers, tuple(members[a][used[a] + n] for a in answers)
        for a in answers:
            used[a] += count


def _most_left(item: tuple[int, Hashable]) -> tuple[int, str]:
    return -item[0], str(item[1])


def _chosen(
    left: Sequence[tuple[int, Answer]], most: int, excludes: Callable[[Answer, Answer], bool]
) -> tuple[list[tuple[int, Answer]], int]:
    """The first answers that exclude each other, and how many pictures the best of the others has."""
    chosen: list[tuple[int, Answer]] = []
    rest = 0
    for one in left:
        if len(chosen) < most and all(excludes(one[1], other) for _, other in chosen):
            chosen.append(one)
        else:
            rest = max(rest, one[0])
            if len(chosen) == most:
                break
    return chosen, rest


def matched_masks(asked: Sequence[int], barred: Sequence[int], order: Iterable[int], size: int) -> Iterator[tuple[int, ...]]:
    """Sets of `size` pictures for questions on concepts: picture p is asked about concept `asked[p]`, a bit number.

    `barred[p]` are bits of the concepts that may be true of p: no other picture of its set is asked about one of them.
    """
    waiting: dict[int, list[int]] = {}
    for place in order:
        waiting.setdefault(asked[place], []).append(place)
    for queue in waiting.values():
        queue.reverse()
    while True:
        queues = sorted((c for c in waiting if waiting[c]), key=lambda c: (-len(waiting[c]), c))
        if len(queues) < size:
            return
        first = waiting[queues[0]].pop()
        chosen = [first]
        for concept in queues[1:]:
            place = next((p for p in waiting[concept][: -REACH - 1 : -1] if _apart(p, chosen, asked, barred)), None)
            if place is not None:
                chosen.append(place)
            if len(chosen) == size:
                for p in chosen[1:]:
                    _take(waiting[asked[p]], p)
                yield tuple(chosen)
                break


def _take(queue: list[int], place: int) -> None:
    """Remove a place that stands near the end."""
    del queue[next(-n for n in range(1, REACH + 1) if queue[-n] == place)]


def _apart(place: int, chosen: Sequence[int], asked: Sequence[int], barred: Sequence[int]) -> bool:
    return not any(barred[place] >> asked[other] & 1 or barred[other] >> asked[place] & 1 for other in chosen)


def shuffled(options: Iterable[str], key: str) -> tuple[str, ...]:
    """Options in an order that depends on the key alone."""
    return tuple(sorted(options, key=lambda option: hashed(f"{key}/{option}")))


def hashed(text: str) -> int:
    """64 bits of a text's sha256."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
