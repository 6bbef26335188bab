"""A run on disk: everything that changes while it runs, so that it can go on elsewhere or after a crash."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.flood.errors import InvalidInput

if TYPE_CHECKING:
    from twin.flood.simulation import Simulation


def save(simulation: "Simulation", path: Path) -> None:
    """Write the state to a .npz file, whole or not at all."""
    arrays: dict[str, Any] = dict(simulation.solver.saved())
    arrays |= {f"record_{name}": value for name, value in vars(simulation.records).items()}
    for number, sink in enumerate(simulation.sources.sinks):
        arrays[f"sink_{number}"] = sink.state
    for name, faces in (("across", simulation._edges.across), ("down", simulation._edges.down)):
        arrays |= {f"{name}_crest": faces.crest, f"{name}_strength": faces.strength}
    arrays["noted"] = np.array(simulation._noted)
    arrays["bed"] = simulation.domain.levels
    arrays["numbers"] = json.dumps(_numbers(simulation))
    beside = path.with_name(path.name + ".part")
    with beside.open("wb") as out:
        np.savez(out, **arrays)
    beside.replace(path)


def restore(simulation: "Simulation", path: Path) -> None:
    """Take the state of a file; raises InvalidInput if it is of another terrain or set-up."""
    with np.load(path, allow_pickle=False) as saved:
        numbers = json.loads(str(saved["numbers"]))
        if (
            any(name not in saved for name in simulation.solver.saved())
            or numbers["mode"] != simulation.mode
            or not np.array_equal(saved["bed"], simulation.domain.levels, equal_nan=True)
        ):
            raise InvalidInput(f"{path.name}: it was saved by a run of another terrain, mode, device or version")
        simulation.solver.restore(dict(saved))
        for name, value in vars(simulation.records).items():
            value[:] = saved[f"record_{name}"]
        for number, sink in enumerate(simulation.sources.sinks):
            sink.state[:] = saved[f"sink_{number}"]
        for name, faces in (("across", simulation._edges.across), ("down", simulation._edges.down)):
            faces.crest[:], faces.strength[:] = saved[f"{name}_crest"], saved[f"{name}_strength"]
        simulation._noted = saved["noted"].tolist()
    simulation.time, simulation.steps = numbers["time"], numbers["steps"]
    simulation.sources.resume(simulation.time)
    simulation._next_note, simulation._last_record = numbers["next_note"], numbers["last_record"]
    simulation._looked = numbers["looked"]
    simulation._step_range = numbers["step_range"]
    balance = simulation.balance
    balance.initial, balance.moved, balance.terms = (numbers[name] for name in ("initial", "moved", "terms"))
    for growing, width in zip(simulation._edges._breaches, numbers["breaches"], strict=True):
        growing.width = width
    simulation.sources.plumbing.restore(numbers["pumps"])


def _numbers(simulation: "Simulation") -> dict[str, Any]:
    balance = simulation.balance
    return {
        "mode": simulation.mode,
        "time": simulation.time,
        "steps": simulation.steps,
        "next_note": simulation._next_note,
        "last_record": simulation._last_record,
        "looked": simulation._looked,
        "step_range": [float(value) for value in simulation._step_range],
        "initial": balance.initial,
        "moved": balance.moved,
        "terms": balance.terms,
        "breaches": [growing.width for growing in simulation._edges._breaches],
        "pumps": simulation.sources.plumbing.saved(),
    }
