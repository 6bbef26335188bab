"""One import in a process of its own, so that time and memory are its own: python -m bench.loading URL RECIPE DATA."""

import json
import sys
import tempfile
import time
from pathlib import Path

# The reader comes when a file first asks for it, and brings pandas: that is the program's start, not the import.
import pyogrio  # noqa: F401

from layers.load import load, recipe_deliveries
from layers.recipe import read_recipe


def main(url: str, recipe: str, data: str) -> None:
    with tempfile.TemporaryDirectory() as home:
        started = time.perf_counter()
        counts: dict[str, int] = {"read": 0, "inserted": 0, "updated": 0, "unchanged": 0, "rejected": 0}
        for deliveries in recipe_deliveries(read_recipe(Path(recipe)), Path(data)):
            for report in load(url, deliveries, who="bench", home=Path(home)):
                for name in counts:
                    counts[name] += getattr(report, name)
        seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "megabytes": peak_megabytes()} | counts))


def peak_megabytes() -> float:
    """Of this program alone: what getrusage tells of memory begins with the parent's, from before exec."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
