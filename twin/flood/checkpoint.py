"""A run on disk: everything that changes while it runs, so that it can go on elsewhere or after a crash."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from twin.flood.errors import InvalidInput

if TYPE_CHECKING:
    from twin.flood.simulation import Simulation


def save(simulation: "Simulation", path: Path) -> None:
    """Write the state to a .npz file, whole or not at all."""
    arrays = dict(simulation.solver.saved()) | _arrays(simulation)
    arrays["noted"] = np.array(simulation._noted).reshape(len(simulation._noted), _columns(simulation))
    arrays["bed"] = simulation.domain.levels
    arrays["numbers"] = json.dumps(_numbers(simulation))
    beside = path.with_name(path.name + ".part")
    with beside.open("wb") as out:
        np.savez(out, **arrays)
    beside.replace(path)


def restore(simulation: "Simulation", path: Path) -> None:
    """Take the state of a file; raises InvalidInput if it is none, or of another terrain or set-up."""
    try:
        with np.load(path, allow_pickle=False) as file:
            saved = dict(file)
        numbers = json.loads(str(saved["numbers"]))
    except (OSError, ValueError, TypeError, KeyError, EOFError, BadZipFile) as error:
        raise InvalidInput(f"{path.name}: it does not hold the state of a flood run") from error
    _refuse_another(simulation, saved, numbers, path.name)
    simulation.solver.restore(saved)
    for name, values in _arrays(simulation).items():
        values[:] = saved[name]
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


def _refuse_another(simulation: "Simulation", saved: dict[str, Any], numbers: dict[str, Any], name: str) -> None:
    """Raises InvalidInput for the state of a run of other inputs."""
    ours, own = dict(simulation.solver.saved()) | _arrays(simulation), _numbers(simulation)
    same = (
        np.array_equal(saved.get("bed", ()), simulation.domain.levels, equal_nan=True)
        and numbers.get("mode") == simulation.mode
        and all(each in saved and np.shape(saved[each]) == np.shape(values) for each, values in ours.items())
        and saved["water_depth"].dtype == simulation.depth.dtype
        and sum(each.startswith("sink_") for each in saved) == len(simulation.sources.sinks)
        and saved["noted"].shape[1:] == (_columns(simulation),)
        and own.keys() <= numbers.keys()
        and all(len(numbers[each]) == len(own[each]) for each in ("breaches", "pumps"))
    )
    if not same:
        raise InvalidInput(f"{name}: it was saved by a run of another terrain, mode, device, version or other inputs")


def _arrays(simulation: "Simulation") -> dict[str, npt.NDArray[Any]]:
    """What changes beside the water, by name; what is written into it is the run's own."""
    found: dict[str, npt.NDArray[Any]] = {f"record_{name}": value for name, value in vars(simulation.records).items()}
    found |= {f"sink_{number}": sink.state for number, sink in enumerate(simulation.sources.sinks)}
    for name, faces in (("across", simulation._edges.across), ("down", simulation._edges.down)):
        found |= {f"{name}_crest": faces.crest, f"{name}_strength": faces.strength}
    return found


def _columns(simulation: "Simulation") -> int:
    """Of the series: the time, the depths at gauges, the discharges of sections."""
    return 1 + len(simulation.gauges) + len(simulation.sections)


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
