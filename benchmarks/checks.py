"""What the checks cost: `python -m benchmarks.checks [--quick]`.

Trajectories a second through every deterministic check on text, in two processes, on what the composer wrote about phantoms and on what
the scribe writes; beside it the same texts through nothing but `json.loads` and a word split, the least that any check must do.
"""

import argparse
import json
import multiprocessing
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import scribe
from prompts.ontology import load
from quality import checks
from quality.near_texts import near_pairs

RESULTS = Path(__file__).parent / "results" / "checks.json"
PROCESSES = 2

Answers = tuple[str, str, str, dict[str, Any], Any, str]


def main() -> None:
    """Measure, print the table and the ratios."""
    parser = argparse.ArgumentParser(description="What the checks on text cost.")
    parser.add_argument("--quick", action="store_true", help="500 trajectories instead of 5,000")
    quick = parser.parse_args().quick
    count = 500 if quick else 5_000
    given = [answers(f"speed/{n}") for n in range(count)]
    rows = [measure(name, run, given) for name, run in (("decode and split", least), ("every check on text", every))]
    rows.append(alike(given))
    print(f"{'what':28}{'trajectories':>14}{'a second':>12}")
    for row in rows:
        print(f"{row['what']:28}{row['count']:14,}{row['a second']:12,.0f}")
    ratios = {"trajectories_per_second": rows[1]["a second"], "share_of_the_least": rows[1]["a second"] / rows[0]["a second"]}
    for key, value in ratios.items():
        print(f"RATIO {key} {value:.3f}")
    if not quick:
        RESULTS.write_text(json.dumps({"rows": rows, "ratios": ratios}, indent=1) + "\n")


def answers(seed: str) -> Answers:
    """Kind, both raw answers, the observation, what is known, and the diagnosis."""
    one = scribe.sound(seed)
    return one.kind, json.dumps(one.observation), json.dumps(one.reasoning), one.observation, one.known, one.node


def measure(name: str, run: Callable[[Sequence[Answers]], int], given: Sequence[Answers]) -> dict[str, Any]:
    """Trajectories a second in two processes that are warm."""
    parts = [given[n::PROCESSES] for n in range(PROCESSES)]
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        pool.map(run, [part[:50] for part in parts])
        start = time.perf_counter()
        pool.map(run, parts, chunksize=1)
        seconds = time.perf_counter() - start
    return {"what": name, "count": len(given), "a second": round(len(given) / seconds, 1)}


def least(given: Sequence[Answers]) -> int:
    """Decode and split, nothing else."""
    return sum(len(json.loads(raw)) + len(raw.split()) for _, seen, thought, *_ in given for raw in (seen, thought))


def every(given: Sequence[Answers]) -> int:
    """Every check; returns how many verdicts failed."""
    tree, failed = load(), 0
    for kind, seen, thought, observation, known, node in given:
        failed += sum(not v.passed for v in checks.check_observation(seen, kind, tree, known)[1])
        failed += sum(not v.passed for v in checks.check_reasoning(thought, observation, kind, node, tree, known)[1])
    return failed


def alike(given: Sequence[Answers]) -> dict[str, Any]:
    """Near-identical descriptions, found in one process."""
    texts = [observation["detailed_description"] for _, _, _, observation, *_ in given]
    near_pairs(texts[:50])
    start = time.perf_counter()
    near_pairs(texts)
    return {
        "what": "near-identical texts",
        "count": len(given),
        "a second": round(len(given) / (time.perf_counter() - start), 1),
    }


if __name__ == "__main__":
    main()
