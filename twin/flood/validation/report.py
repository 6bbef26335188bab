"""What validation found, as a page for people: the ladder as tables, and two real places told honestly."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from twin.flood.validation.ladder import Ladder
from twin.flood.validation.real import Street
from twin.flood.validation.rows import MODES, NOT_JUDGED, Row

POINTS = {
    "44": "Beside a house where the flow narrows. TUFLOW on the same cells is as far off and to the same side: what "
    "the two share is the terrain, the houses and the inflow, not the scheme.",
    "43": "At the edge of the flow, in water of a few centimetres.",
    "31": "Between rows of houses. As blocks they let no water through, and TUFLOW, with the same blocks, is too high, "
    "too; houses that water passes would lower it.",
    "32": "In the street at the lower end, where the water is deepest of the five.",
}

MISSED = (
    "- **Levels in the valley of EA Test 5 within 0.09 m (root mean square)**: behind the front only, and by `full` "
    "only. With the front it is more: on 50 m cells it passes one sample late, and for that long the error is its own "
    "height.",
    "- **Arrivals in that valley within 150 s**: not at p5, the farthest point, by any mode, and by `fast` and "
    "`inertial` not everywhere before it.",
    "- **Local inertia**: MacDonald's channels within 15 mm, and any dam break. It is 2 to 3.5 cm off in the channels, "
    "and its law does not hold behind a dam.",
)


def page(ladder: Ladder) -> str:
    """The page, in Markdown."""
    return "\n\n".join([*_cases(ladder.rows), *_valley(ladder), *_street(ladder), *_cities(ladder), *_limits()]) + "\n"


def _cases(rows: Sequence[Row]) -> Iterator[str]:
    yield "# How far the flood engine may be trusted"
    yield (
        "Written by `twin flood validate --data FOLDER --write docs/flood-accuracy.md` on "
        f"{datetime.now(UTC):%Y-%m-%d}; the command ends with an error if a figure is not met. [flood.md](flood.md) "
        "says what the engine computes, and what its modes `full`, `fast` and `inertial` are."
    )
    judged = [row for row in rows if row.expected != NOT_JUDGED]
    met = sum(row.good for row in judged)
    yield f"**{met} of {len(judged)} figures that are judged are met**; what is told and not judged says so."
    yield "## Beside exact answers, and what must hold of any run"
    yield _by_mode([row for row in rows if row.mode and not _is_real(row)])
    yield (
        "Local inertia leaves out the advection of momentum: behind a broken dam it is wrong, which the pictures show, "
        "so its dam breaks are told and not judged. Its channels are held to 3.5 cm, as others hold the scheme "
        "(3 and 3.5 cm in the tests of Itzi). The finite volumes lose no volume by the way they are made; what is left "
        "is the rounding of single precision."
    )
    yield (
        "On slopes `full` meets Manning's flow, runoff, backwaters and the jumps of MacDonald's channels to a per "
        "cent, and so does `fast` but for runoff, whose rising water it smears, and for films over very rough ground "
        "where a cell falls by many times their depth. Local inertia is as good where water runs uniformly or friction "
        "holds its front back, and of no use behind a broken dam."
    )
    yield (
        "A jump across a slanting flow is exact along a wall that follows the grid. Along one in steps of cells fast "
        "water is thrown aside at each step, and stands some 5 % too deep: lay the grid along a chute's walls."
    )
    yield "![Dam breaks and a swinging basin](images/flood-dam-breaks.png)"
    yield "![Waters that meet and part](images/flood-fronts.png)"
    yield "![Steady flows](images/flood-steady.png)"
    yield "## Works and losses beside their formulas"
    lines = [f"| {r.case} | {r.figure} | {r.expected} | {_mark(r)} |" for r in rows if r.mode is None]
    yield "\n".join(["| case | figure | should be | found |", "| --- | --- | ---: | ---: |", *lines])


def _valley(ladder: Ladder) -> Iterator[str]:
    yield "## Beside another model: a plain, and a valley below a dam"
    yield (
        "Test 4 of the UK Environment Agency (Néelz & Pender 2013, SC120002): 20 m3/s come through a bank onto a level "
        "plain, on cells of 5 m, beside what LISFLOOD-FP's DG2 found on the same (Zenodo 10.5281/zenodo.4066824), at "
        "six points. First order smears the front, which therefore runs ahead; the other two stay within one sample of "
        "the reference."
    )
    yield _by_mode([row for row in ladder.rows if row.case.startswith("EA Test 4")])
    yield (
        "Test 5: 3,000 m3/s at the peak into a valley, on its official terrain "
        "read at 50 m as the benchmark asks, beside the same model on 10 m cells. "
        "It is a comparison of models, not with nature. `full` is judged; figures in brackets are told for what they "
        "are."
    )
    yield _by_mode([row for row in ladder.rows if row.case.startswith("EA Test 5")])
    yield (
        "The reference has a sample every 100 s at best, fewer later, and one at the end. Cells of 50 m hold the front "
        "back by one sample, and by some minutes at p5, which lies behind 7 km of flat ground: while a front of a "
        "metre passes one sample late, the difference is a metre, which is why levels are judged behind it, and the "
        "figure with the front stands beside."
    )
    yield "![Levels in the valley](images/flood-valley.png)"


def _street(ladder: Ladder) -> Iterator[str]:
    if not ladder.streets:
        return
    found = ladder.streets[0]
    yield "## Beside nature: Merewether, June 2007"
    yield (
        "A flash flood through a suburb of Newcastle, Australia: 19.7 m3/s between houses, which stand as blocks of "
        "3 m on cells of 1 m; peak stages at five places, in m AHD. Found is the mean of wet cells within 1.5 m, or "
        "where all are dry the level of the nearest water. TUFLOW's stages on 1 m cells came with the data."
    )
    modes = [f" {each.mode} |" for each in ladder.streets]
    head = "| point | ground | seen |" + "".join(modes) + " error of full | of TUFLOW | water, m away | its depth, m |"
    lines = [head, "| --- |" + " ---: |" * (6 + len(modes))]
    for n, each in enumerate(found.stages):
        levels = "".join(f" {other.stages[n].found:.2f} |" for other in ladder.streets)
        lines.append(
            f"| {each.name} | {each.ground:.2f} | {each.observed:.2f} |{levels} {each.found - each.observed:+.2f} | "
            f"{each.tuflow - each.observed:+.2f} | {each.away:.1f} | {each.depth:.2f} |"
        )
    yield "\n".join(lines)
    yield _by_mode([row for row in ladder.rows if row.case.startswith("Merewether")])
    yield "\n".join(f"- **{each.name}.** {_told(each.name, each.observed, each.ground)}" for each in found.stages)
    rest = [each for each in found.stages if each.observed >= each.ground]
    tuflow = sum(abs(each.tuflow - each.observed) for each in found.stages) / len(found.stages)
    yield (
        f"TUFLOW's mean error over the five is {tuflow:.3f} m; ours over those whose stage lies above the ground is "
        f"{Street.error(rest):.3f} m. Five points in one street cannot tell modes apart that differ by centimetres: "
        "what they tell is that a stage is known to a decimetre or two where terrain and houses were surveyed."
    )
    yield "![Water in the streets of Merewether](images/flood-merewether.png)"


def _told(name: str, observed: float, ground: float) -> str:
    if observed < ground:
        return (
            f"The stage that was seen lies {ground - observed:.2f} m **below the ground** that the survey gives for "
            f"the place ({ground:.2f} m): place, stage and terrain cannot all be right, and no model on this terrain "
            "can meet it. It is counted in the mean as it is."
        )
    return POINTS.get(name, "")


def _cities(ladder: Ladder) -> Iterator[str]:
    if not ladder.towns:
        return
    found = ladder.wards[0]
    share = 100 * float(found.known.mean())
    yield "## Real cities"
    yield (
        "**Lyon.** The Rhône and the Saône rise by 1,500 and 700 m3/s within an hour and stay so for five, over the "
        "terrain of central Lyon (10 m, read at 20 m) with 15,725 roofs as blocks. No gauge of that reach is open and "
        "the terrain has no river beds, only the water of the day when it was flown over, in whole metres: levels "
        "cannot be held to anything that was seen. Judged is what holds of any flood: the account closes, what comes "
        "in leaves again, and each river falls to where it leaves. Beside `full` stands how far the other modes agree "
        "with it."
    )
    yield _by_mode([row for row in ladder.rows if row.case.startswith("Lyon")])
    yield (
        "`fast` floods the same places, and so does `inertial` but for one cell in fifty; its water stands a decimetre "
        "higher, for without the advection of momentum fast water loses more at each step of the ground."
    )
    yield (
        "**Koto**, a ward of Tokyo that lies below high tide: the water around it rises within three hours to the "
        "surface of the largest conceivable flood of the Arakawa and stays for six. The data (MLIT Project PLATEAU) "
        "give each building the official depth of the planned flood and of the largest conceivable one, and no "
        f"terrain. The planned depth lies below an almost level surface, the largest conceivable one "
        f"{found.surface:.2f} m above it: so the planned depth of every other building gives the ground, on cells of "
        "50 m, and the largest conceivable depth of the rest is what the run is held to: "
        f"{len(found.official):,} buildings, a floor under water from 0.5 m on. What is tested is therefore whether "
        "water gets everywhere over real ground, to the right level, in the hours of a surge; **not the official "
        "model itself**, for the ground stems from it, and no walls, gates or pumps are in the data."
    )
    yield _by_mode([row for row in ladder.rows if row.case.startswith("Koto")])
    yield (
        f"{share:.0f} % of the buildings asked lie within the planned flood. There what differs is the ground between "
        "buildings: a cell of 50 m has one, neighbours differ by a decimetre or two. Outside it the ground is only "
        "known to be higher than the planned surface, and is taken to be as high: there the run is too deep by up to "
        f"{found.surface:.1f} m and floods what the official map leaves dry, which is all that CSI lacks. A deeper "
        "error than both would tell of the engine; there is none in any mode."
    )
    yield "![Lyon, and Koto beside its official depths](images/flood-cities.png)"


def _limits() -> Iterator[str]:
    yield "## Aims that are not met"
    yield "\n".join(MISSED)
    yield "## What none of this shows"
    yield (
        "- **Inputs.** Real floods differ from these by their inputs more than by the scheme: rain between gauges, "
        "blocked drains, terrain that is years old, walls that the survey missed. Use `members` to see what uncertain "
        "rain, sea and roughness do.\n"
        "- **What is not modelled**: wind, waves and overtopping by waves, what pipes do beyond what SWMM "
        "does, water in basements and tunnels, bridges' decks under pressure, moving beds, debris. No case here can "
        "speak for them.\n"
        "- **No surge, and no river in flood over days, beside what was seen**: no open record with its terrain was at "
        "hand; Koto is held to an official map, which is a model too. Walls, gates, pumps, culverts and breaches are "
        "held to their formulas, not to measured works.\n"
        "- **Speeds** are held to nothing but the levels, arrivals and discharges that follow from them."
    )


def _by_mode(rows: Sequence[Row]) -> str:
    """A table with a column a mode; what should be once, where all modes are held to the same."""
    lines = ["| case | figure | should be | full | fast | inertial |", "| --- | --- | ---: | ---: | ---: | ---: |"]
    for case, figure in dict.fromkeys((row.case, row.figure) for row in rows):
        found = {row.mode: row for row in rows if (row.case, row.figure) == (case, figure)}
        aims = list(dict.fromkeys(row.expected for row in found.values() if row.expected != NOT_JUDGED))
        cells = [
            _mark(found[mode], aim=found[mode].expected if len(aims) > 1 else "") if mode in found else ""
            for mode in MODES
        ]
        lines.append(f"| {case} | {figure} | {'' if len(aims) > 1 else ''.join(aims)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _mark(row: Row, aim: str = "") -> str:
    """What was found, said where it is not judged or not met."""
    if row.expected == NOT_JUDGED:
        return f"({row.found})"
    text = f"{row.found} ({aim})" if aim else row.found
    return text if row.good else f"**{text}, not met**"


def _is_real(row: Row) -> bool:
    return row.case.startswith(("EA Test 4", "EA Test 5", "Merewether", "Lyon", "Koto"))
