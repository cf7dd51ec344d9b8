"""Option sets that do not give the answer away: within a set, every member is the true one equally often.

Labels that can be true of one picture never share a set. They are parted into rings of mutually exclusive ones (the most frequent first),
each ring in the order of the ontology, so that neighbours are relatives; a set is a window of a ring. A set asks about as many images of
each member as its rarest member has. So neither the set nor the frequency of its members tells the answer.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from prompts.benchmark.items import Case, hashed

Members = Mapping[str, Sequence[Case]]
"""The cases that may be asked about, by the member of a set that is true of them."""


def rings(counts: Mapping[str, int], exclusive: Callable[[str, str], bool], order: Callable[[str], object]) -> list[list[str]]:
    """Labels parted into lists of mutually exclusive ones, each in `order`; a label goes to the first ring that takes it.

    The most frequent label chooses first. Rings of one label are left out: there is nothing to choose between.
    """
    made: list[list[str]] = []
    for label in sorted(counts, key=lambda label: (-counts[label], label)):
        home = next((ring for ring in made if all(exclusive(label, other) for other in ring)), None)
        if home is None:
            made.append([label])
        else:
            home.append(label)
    return [sorted(ring, key=order) for ring in made if len(ring) > 1]  # type: ignore[arg-type]


def windows(ring: Sequence[str], size: int) -> list[tuple[str, ...]]:
    """Sets of `size` neighbours on a ring, each starting a quarter of a set after the one before; the whole ring where it has no more."""
    if len(ring) <= size:
        return [tuple(ring)]
    return [tuple(ring[(start + n) % len(ring)] for n in range(size)) for start in range(0, len(ring), max(1, size // 4))]


def evenly(options: Sequence[str], members: Members, most: int) -> Iterator[tuple[str, Case]]:
    """(true member, case) pairs: of every member as many as the rarest has, at most `most`, chosen by content hash."""
    quota = min(most, *(len(members.get(option, ())) for option in options))
    for option in options:
        yield from ((option, case) for case in by_hash(members.get(option, ()), "/".join(options))[:quota])


def by_hash(cases: Sequence[Case], key: str) -> list[Case]:
    """Cases in an order that depends on their content and on `key`."""
    return sorted(cases, key=lambda case: (hashed(f"{key}/{case.sha256}"), case.image_id))


def capped(cases: Sequence[Case], class_of: Callable[[Case], str], most: int) -> list[Case]:
    """Cases of which no class has more than the upper median of the classes, nor more than `most`; chosen by content hash."""
    classes: dict[str, list[Case]] = {}
    for case in cases:
        classes.setdefault(class_of(case), []).append(case)
    sizes = sorted(map(len, classes.values()))
    most = min(most, sizes[len(sizes) // 2]) if sizes else most
    return [case for name in sorted(classes) for case in by_hash(classes[name], name)[:most]]


def richest(counts: Mapping[str, int]) -> tuple[str, ...]:
    """The values to offer: the most frequent ones, as many of them as give the most questions when each is asked equally often."""
    values = sorted((value for value, count in counts.items() if count), key=lambda value: (-counts[value], value))
    sizes = range(2, len(values) + 1)
    return tuple(values[: max(sizes, key=lambda n: (n * counts[values[n - 1]], n))]) if sizes else ()
