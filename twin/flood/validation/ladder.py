"""All cases, run one after the other, and the real places beside them."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

from twin.flood.validation import analytic, benchmarks, fronts, laws, slopes
from twin.flood.validation.cities import Town, Ward, town, ward
from twin.flood.validation.real import Street, Valley, curves, street, valley
from twin.flood.validation.rows import MODES, Curves, Row

CASES: tuple[Callable[[], Iterable[Row | Curves]], ...] = (
    analytic.at_rest,
    analytic.gentle_rain,
    analytic.dam_breaks,
    analytic.swinging_basins,
    analytic.shock,
    analytic.order,
    fronts.riemann_problems,
    fronts.slanting_jump,
    fronts.draining,
    slopes.channels,
    slopes.uniform,
    slopes.rims,
    slopes.backwater,
    slopes.runoff,
    slopes.wave,
    benchmarks.pond,
    laws.volumes,
    laws.symmetries,
    laws.structures,
    laws.walls,
    laws.losses,
    laws.worked_examples,
)
# How long the real places run: as the benchmark asks; to steady states; and to see that they run.
PLAIN_HOURS, VALLEY_HOURS, STREET_SECONDS, TOWN_HOURS, WARD_HOURS = 5.0, 30.0, 900.0, 6.0, 9.0
QUICK_HOURS, QUICK_SECONDS = 0.5, 2.0


@dataclass
class Ladder:
    """All that was found. valleys, streets, towns, wards: one a mode."""

    rows: list[Row] = field(default_factory=list)
    curves: list[Curves] = field(default_factory=list)
    valleys: Sequence[Valley] = ()
    streets: Sequence[Street] = ()
    towns: Sequence[Town] = ()
    wards: Sequence[Ward] = ()


def climb(data: Path, told: Callable[[Row], None], *, quick: bool) -> Ladder:
    """Every case, told as it is done. data: the folder with flood/, lyon/ and tokyo_koto/.

    quick: valley and street only begin, unjudged, and the plain and the cities are left out.
    """
    ladder = Ladder()

    def note(found: Iterable[Row | Curves]) -> None:
        for each in found:
            if isinstance(each, Curves):
                ladder.curves.append(each)
            else:
                ladder.rows.append(each)
                told(each)

    hours, seconds = (QUICK_HOURS, QUICK_SECONDS) if quick else (VALLEY_HOURS, STREET_SECONDS)
    modes = MODES[:1] if quick else MODES
    # They take longer than all others together, and run beside them.
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        streets = [pool.submit(street, data / "flood" / "merewether", seconds, mode) for mode in modes]
        valleys = [pool.submit(valley, data / "flood" / "ea5", hours, mode) for mode in modes]
        plains = [] if quick else [pool.submit(benchmarks.plain, PLAIN_HOURS, mode) for mode in modes]
        towns = [] if quick else [pool.submit(town, data / "lyon", TOWN_HOURS, mode) for mode in modes]
        wards = [] if quick else [pool.submit(ward, data / "tokyo_koto", WARD_HOURS, mode) for mode in modes]
        for case in CASES:
            note(case())
        note(analytic.channels(data / "flood" / "macdonald"))
        ladder.streets, ladder.valleys = [each.result() for each in streets], [each.result() for each in valleys]
        ladder.towns, ladder.wards = [each.result() for each in towns], [each.result() for each in wards]
    note(curves(ladder.valleys))
    if not quick:
        note(row for each in plains for row in each.result())
        note(row for each in ladder.valleys for row in each.rows())
        note(row for each in ladder.streets for row in each.rows())
        note(row for each in ladder.towns for row in each.rows(ladder.towns[0]))
        note(row for each in ladder.wards for row in each.rows())
    return ladder
