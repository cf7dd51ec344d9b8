"""Label swaps: text, observation or diagnosis exchanged between sound trajectories, and which stage of the checks notices.

A swap changes what is said of an image without changing how it is said, so only checks that hold one against the other can see it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count

from benchmarks import plants, scribe
from benchmarks.plants import related
from benchmarks.scribe import Trajectory, dice
from prompts import ontology as ontologies
from prompts.schemas import TEXT_KEY, findings

Swap = Callable[[Trajectory, Trajectory], Trajectory | None]
Failures = Callable[[Trajectory], tuple[set[str], set[str]]]


@dataclass(frozen=True, slots=True)
class Caught:
    """Of `swaps`, the shares that the checks of the observation, of the reasoning, and of either noticed; and by which check."""

    swaps: int
    observation: float
    reasoning: float
    either: float
    checks: dict[str, float]


def _nothing(one: Trajectory, other: Trajectory) -> Trajectory:
    """What is raised without a swap: the others are to be read against it."""
    return one


def _text(one: Trajectory, other: Trajectory) -> Trajectory:
    return one.telling(other.observation[TEXT_KEY])


def _observation(one: Trajectory, other: Trajectory) -> Trajectory:
    return replace(one, observation=other.observation)


def _everything(one: Trajectory, other: Trajectory) -> Trajectory:
    return replace(other, known=one.known, node=one.node)


def _diagnosis(relation: str, told: bool) -> Swap:
    """The final diagnosis exchanged, and the conclusion of the text if `told`."""

    def swap(one: Trajectory, other: Trajectory) -> Trajectory | None:
        rng = dice(f"{relation}/{other.reasoned}")
        node = related(rng, one.node, relation)
        if node is None:
            return None
        label = ontologies.load().nodes[node].name
        if told:
            return plants.concluding(one, label, rng)
        return replace(one, reasoning=one.reasoning | {"final_diagnosis": label})

    return swap


SWAPS: dict[str, Swap] = {
    "nothing": _nothing,
    "description": _text,
    "observation, reasoning kept": _observation,
    "observation and reasoning": _everything,
    **{f"diagnosis, {relation}": _diagnosis(relation, told=True) for relation in ("sibling", "cousin", "unrelated")},
    **{f"label alone, {relation}": _diagnosis(relation, told=False) for relation in ("sibling", "cousin", "unrelated")},
}


def caught(name: str, number: int, failures: Failures) -> Caught:
    """How many of the first `number` swaps of a name are noticed; `failures` gives the failed checks of both stages."""
    found = [failures(swapped) for _, swapped in zip(range(number), _swapped(SWAPS[name]), strict=False)]
    failed = [observed | reasoned for observed, reasoned in found]
    checks = sorted({check for some in failed for check in some})
    share = {check: round(sum(check in some for some in failed) / len(failed), 4) for check in checks}
    observation, reasoning, either = (
        round(sum(map(bool, some)) / len(failed), 4) for some in ([o for o, _ in found], [r for _, r in found], failed)
    )
    return Caught(len(failed), observation, reasoning, either, share)


def _swapped(swap: Swap) -> Iterator[Trajectory]:
    """Swaps between images of one kind whose findings differ, in the order of seeds."""
    for seed in count():
        one, other = scribe.sound(f"swap/{seed}/a"), scribe.sound(f"swap/{seed}/b")
        if one.kind == other.kind and set(findings(one.observation)) != set(findings(other.observation)):
            changed = swap(one, other)
            if changed:
                yield changed
