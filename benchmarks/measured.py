"""`python -m benchmarks.measured`: the figures that cards and reports quote, from the results of the benchmarks that plant faults.

`results/planted_first_sight.json` holds what `benchmarks.planted_texts` showed of the last author at the commit that it names, the last one
before any of the texts was looked at; it cannot be measured again.
"""

import json
from pathlib import Path
from statistics import mean
from typing import Any

from quality.checks import CHECKS
from quality.image_gates import GATES

RESULTS = Path(__file__).parent / "results"
TARGET = Path(__file__).parents[1] / "quality" / "measured.json"


def main() -> None:
    """Write `quality/measured.json`."""
    TARGET.write_text(summary(), encoding="utf-8")
    print(TARGET)


def summary() -> str:
    """The file as it should be."""
    texts, first, images = (
        json.loads((RESULTS / f"planted_{what}.json").read_text()) for what in ("texts", "first_sight", "images")
    )
    data = {
        "authors": len(texts["faults"]),
        "planted": max(row["planted"] for author in texts["faults"].values() for row in author.values()),
        "sound": sum(row["texts"] for row in texts["sound"].values()),
        "checks": {check: _check(texts, first, check) for check in CHECKS},
        "gates": {gate.code: _gate(images, gate.code) for gate in GATES},
        "pictures": images["sets"],
    }
    return json.dumps(data, indent=1) + "\n"


def _check(texts: dict[str, Any], first: dict[str, Any], check: str) -> dict[str, Any]:
    """What is found of the authors' faults and, at first sight, of the last author's; the worst share of false alarms."""
    alarms = [row["checks"].get(check, {"share": 0.0})["share"] for row in texts["sound"].values()]
    return {"known": _recall(texts, check), "unseen": _recall(first, check), "false_alarms": max(alarms)}


def _recall(texts: dict[str, Any], check: str) -> float | None:
    """Mean over the kinds of fault that the check is the first to answer for; another one that is meant for the kind counts as well."""
    shares = [row["recall"] for rows in texts["faults"].values() for row in rows.values() if row["checks"][0] == check]
    return round(mean(shares), 3) if shares else None


def _gate(images: dict[str, Any], gate: str) -> dict[str, Any]:
    """Mean over sets and kinds of fault; false alarms on phantoms, which truly have no hair or ink that was not drawn, and the worst set."""
    planted = [row["recall"] for row in images["faults"] if row["gate"] == gate]
    alarms = images["false alarms"]
    real = max(shares[gate] for name, shares in alarms.items() if name != "phantom")
    recall = round(mean(planted), 3) if planted else None
    if gate == "modality":
        recall = round(mean(images["modality"].values()), 3)
    return {"recall": recall, "phantoms": alarms["phantom"][gate], "real": real}


if __name__ == "__main__":
    main()
