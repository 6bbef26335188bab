"""What cannot be computed is refused before the run starts, by the name of its field."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from twin.flood import (
    Breach,
    Culvert,
    Domain,
    Inflow,
    IntensityFormula,
    InvalidInput,
    Pump,
    RainFrames,
    Rim,
    Seepage,
    Series,
    Simulation,
    Sluice,
    Wall,
    Weir,
    constant,
    patterned,
    tide,
)
from twin.flood.datum import offset_to

HERE, THERE = [(2, 2)], [(2, 5)]
LINE = [(30.0, 5.0), (30.0, -70.0)]


def flat(**asked: object) -> Simulation:
    return Simulation(Domain(np.zeros((6, 7)), 10.0), **asked)  # type: ignore[arg-type]


def with_one(value: float) -> np.ndarray:
    bed = np.full((7, 7), 5.0)
    bed[3, 2] = value
    return bed


def formula(**other: float) -> IntensityFormula:
    return IntensityFormula(**({"a": 10, "c": 1, "b": 0, "n": 0.6} | other), source="made up", edition="1")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Domain(with_one(3000), 10.0), r"bed: 3000 m in row 3, column 2 at \(25, -35\) stands 2995 m above"),
        (lambda: Domain(with_one(-200), 10.0), "bed: -200 m in row 3, column 2 .* 205 m below all ground"),
        (lambda: Domain(with_one(-9999), 10.0), "bed: -9999 m in row 3, column 2 is no level"),
        (lambda: Domain([["a"]], 10.0), "bed: numbers are needed"),
        (lambda: Domain(np.zeros((3, 3)), "ten"), "cell: numbers"),  # type: ignore[arg-type]
        (lambda: Domain(np.zeros((3, 3)), 1.0, west=np.nan), "west: nan"),
        (lambda: Domain(np.zeros((3, 3)), 1.0, manning=np.ones((2, 2))), r"manning: its shape \(2, 2\)"),
        (lambda: flat(precision="half"), "precision: 'half' is none of single, double"),
        (lambda: flat(device="tpu"), "device: 'tpu'"),
        (lambda: flat(threads=0), "threads: 0"),
        (lambda: flat(series_step=0), "series_step: 0 s is not above 0"),
        (lambda: flat(longest_step=-1), "longest_step: -1"),
        (lambda: flat(record_step=np.nan), "record_step: nan"),
        (lambda: flat(wet_m=-1), "wet_m: -1"),
        (lambda: flat(initial=1.0, initial_level=2.0), "initial: depths and initial_level"),
        (lambda: flat(initial_level=1e5), "initial_level: water 100000 m deep"),
        (lambda: flat(gauges={"a": (np.nan, 0)}), "gauge a: nan"),
        (lambda: flat().run(np.inf), "until: inf"),
        (lambda: flat().run(-5), "until: -5"),
        (lambda: flat().run(5, frames=[0, 50]), "frames: 50 is no number from 0 to 5 s"),
        (lambda: Wall(LINE, 1.0, strength=-1, name="dike"), "dike: strength: -1"),
        (lambda: flat(walls=[Wall(LINE, [1, 2, 3], name="dike")]), "dike: crest: one level, or one for each of its 2"),
        (lambda: Breach("dike", (30, -30), 0, 0, material="rock"), "breach: material: 'rock'"),  # type: ignore[arg-type]
        (lambda: Breach("dike", (30, -30), 0, np.nan), "breach: bottom: nan"),
        (
            lambda: flat(walls=[Wall(LINE, 1.0, name="dike")], breaches=[Breach("dike", (9e4, -30), 0, 0)]),
            "breach: .* 89970 m away from wall 'dike'",
        ),
        (lambda: Sluice(HERE, THERE, -5.0, 0.0, constant(1.0), name="gate"), "gate: width: -5"),
        (lambda: Sluice(HERE, THERE, 5.0, 0.0, 1.0), "sluice: opening: a Series is needed, not 1.0"),  # type: ignore[arg-type]
        (lambda: Sluice([], THERE, 5.0, 0.0, constant(1.0)), "sluice: inlet"),
        (lambda: Sluice(HERE, [], 5.0, 0.0, constant(1.0)), "sluice: outlet: it has no cells"),
        (lambda: Sluice(HERE, HERE, 5.0, 0.0, constant(1.0)), "sluice: outlet: a cell of its inlet"),
        (lambda: Weir(HERE, THERE, 5.0, np.nan), "weir: crest: nan"),
        (lambda: Culvert(HERE, THERE, 0.0, 0.0, 10, 0, 0), "culvert: width: 0 m is not above 0"),
        (lambda: Culvert(HERE, THERE, 1.0, 2.0, 10, 0, 0), "culvert: a pipe is as wide"),
        (lambda: Culvert(HERE, THERE, 1.0, 1.0, -10, 0, 0), "culvert: length: -10"),
        (lambda: Pump(HERE, THERE, [], [], start=1, stop=0), "pump: its curve"),
        (lambda: Pump(HERE, THERE, [0, np.nan], [1, 1], start=1, stop=0), "pump: its curve"),
        (lambda: Pump(HERE, THERE, [0, 1], [1, 1], start=np.nan, stop=0), "pump: start: nan"),
        (lambda: Pump(HERE, THERE, [0, 1], [1, 1], 1, 0, working=constant(3.0)), "pump: working: 3 to 3"),
        (lambda: Inflow(1.0, HERE, "river"), "river: a Series is needed"),  # type: ignore[arg-type]
        (lambda: Rim("up", "open"), "rim: side: 'up' is none of west, east, north, south"),  # type: ignore[arg-type]
        (lambda: Rim("east", "wall", constant(1.0)), "rim: kind: 'wall'"),  # type: ignore[arg-type]
        (lambda: Rim("east", "level", constant(1e5), name="sea"), "sea: 100000 to 100000"),
        (lambda: Rim("east", "level", constant(1.0), depth=1.0), "rim: depth: only a discharge comes with one"),
        (lambda: Rim("east", "discharge", constant(1.0), depth=0.0), "rim: depth: 0 m is not above 0"),
        (lambda: RainFrames([0, 1], np.full((2, 2, 2), np.nan)), "rain frames: nan in frame 0, row 0, column 0 of 8"),
        (lambda: RainFrames([0, np.nan], np.zeros((2, 2, 2))), "rain frames: "),
        (lambda: RainFrames([], np.zeros((0, 2, 2))), "rain frames: give"),
        (lambda: Series(["a"], [1]), "series: times: numbers"),
        (lambda: Series([0, 1], [1, 2], "cubic"), "series: between: 'cubic'"),  # type: ignore[arg-type]
        (lambda: flat(losses=[Seepage(np.ones((2, 2)))]), r"Seepage: rate: its shape \(2, 2\)"),
        (lambda: formula(a=-1), "storm formula: a: -1"),
        (lambda: formula(n=1.2), "storm formula: n 1.2"),
        (lambda: patterned(-100, [1], 5), "storm: depth: -100"),
        (lambda: patterned(100, [1], 0), "storm: step: 0 min"),
        (lambda: tide({"M2": (150, 0)}, 0, 100), "tide: amplitude of M2: 150 is no number from 0 to 10 m"),
        (lambda: tide({"M2": (1, 0)}, 0, 100, step=0), "tide: step: 0 s"),
    ],
)
def test_it_is_said_with_the_fields_name(make: Callable[[], object], says: str) -> None:
    with pytest.raises(InvalidInput, match=f"^{says}"):
        make()


def test_cliffs_and_blocks_are_no_spikes() -> None:
    """A cliff, a tower of four cells, a mountain on cells of a kilometre, and a wall in a channel of one row."""
    tower = with_one(5.0)
    tower[2:4, 2:4] = 400
    cliff = np.where(np.arange(7) < 3, 0.0, 500.0)[None, :] + np.zeros((7, 1))
    for bed, cell in ((tower, 10.0), (cliff, 10.0), (with_one(2000.0), 1000.0), (with_one(300.0)[3:4], 10.0)):
        Domain(bed, cell)


def test_one_datum_may_go_by_several_names() -> None:
    """EPSG:5737 is the 1985 datum; two unknown ones are not the same."""
    for datum in ("EPSG:5737", "1985国家高程基准", "Yellow Sea 1985"):
        sea = Rim("east", "level", constant(1.0), datum=datum)
        Simulation(Domain(np.zeros((3, 3)), 10.0, vertical_datum="EPSG:5737"), rims=[sea])
    with pytest.raises(InvalidInput, match="rim: levels above unknown"):
        Simulation(
            Domain(np.zeros((3, 3)), 10.0, vertical_datum="unknown"),
            rims=[Rim("east", "level", constant(1.0), datum="unknown")],
        )


def test_the_state_of_another_run_is_refused(tmp_path: Path) -> None:
    """No file, no state, other gauges, other losses, another precision: each said, none a traceback."""
    path = tmp_path / "state.npz"
    first = flat(gauges={"a": (15, -15)})
    first.run(1.0)
    first.save(path)
    flat(gauges={"b": (15, -15)}).restore(path)
    for other in (flat(), flat(gauges={"a": (15, -15)}, losses=[Seepage(1.0)]), flat(precision="double")):
        with pytest.raises(InvalidInput, match=r"^state\.npz: it was saved by a run of another"):
            other.restore(path)
    path.write_bytes(b"no state")
    for name in ("state.npz", "missing.npz"):
        with pytest.raises(InvalidInput, match="does not hold the state"):
            flat().restore(tmp_path / name)


def test_what_a_planner_may_meet_is_said_in_chinese_too() -> None:
    """A spike in the terrain, and levels above another datum."""
    with pytest.raises(InvalidInput) as told:
        Domain(with_one(3000), 10.0)
    assert "比四周高出 2995 米" in str(told.value.zh)
    with pytest.raises(InvalidInput) as told:
        offset_to("EPSG:5737", "EPSG:5736", None, "sea_datum")
    assert str(told.value.zh).startswith("sea_datum：")
