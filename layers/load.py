"""Bringing data into a city: files are mapped, checked, staged and merged, whole or not at all.

    for deliveries in recipe_deliveries(recipe, folder):
        reports = load(url, deliveries, who="twin", home=home)

Loading the same again changes nothing. A newer edition of a data set supersedes the older one as of its date, what it
lacks ends that day, and the past stays as it was; docs/time.md tells which rows come of it.
"""

import hashlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg

from cim_models import __version__
from cim_models.database import City, read_city
from layers import LayerError, registration
from layers.addressed import finder, located
from layers.admission import Arrival, admit
from layers.ahead import ahead
from layers.automatic import automatic
from layers.boxes import Bbox, union
from layers.control import Control, read_controls
from layers.formats import Columns, FormatError, Source, notes_of, open_sources, parts_of
from layers.formats.placing import addresses_of
from layers.formats.raster import RasterSource
from layers.mapping import Ground, mapped, placement
from layers.mapping.ground import REACH_KM
from layers.mapping.rules import rules
from layers.recipe import Dataset, Part, Recipe
from layers.report import Report
from layers.staging import Staging

# Called with the data set's name, rows read so far, and rows in all where the files say so.
Progress = Callable[[str, int, int | None], None]

# A load sorts and joins everything it brings; what the server allows for building an index suits that too.
SESSION = """
    select set_config('work_mem', current_setting('maintenance_work_mem'), false);
    set temp_buffers = '64MB'; set jit = off; set statement_timeout = 0; set idle_in_transaction_session_timeout = 0
"""
EXTENT_SQL = """
    select min(extent[1]), min(extent[2]), max(extent[3]), max(extent[4]) from dataset where extent is not null
"""
CHUNK = 1 << 20


@dataclass(frozen=True)
class Said:
    """What somebody says of a file, instead of what it says itself: as the keys of a recipe's part."""

    crs: str | None = None
    layer: str | None = None
    encoding: str | None = None
    columns: Columns | None = None
    axis: str = "xy"


NOTHING = Said()


class NamedTwice(LayerError):
    """Data sets that come together under one name."""


@dataclass(frozen=True)
class Delivery:
    """A data set as it comes: each of its parts with a source that feeds it, and the files these are read from.

    The fingerprint of the files decides whether they were loaded before; a source without files, such as a generator,
    is always read, and so are addresses, of which the city may know more by now. title: what the report calls them.
    """

    dataset: Dataset
    parts: Sequence[tuple[Part, Source]]
    files: tuple[Path, ...] = ()
    title: str = ""

    @property
    def has_addresses(self) -> bool:
        """Whether places must be looked up."""
        return any(part.address for part, _ in self.parts)


def file_deliveries(path: Path, said: Said = NOTHING) -> list[Delivery]:
    """The data sets in a file that comes without a recipe. Raises FormatError."""
    sources = open_sources(path, crs=said.crs, layer=said.layer, encoding=said.encoding, columns=said.columns)
    found = automatic(path, sources, axis=said.axis, layer=said.layer)
    return [Delivery(dataset, parts, tuple(parts_of(path)), path.name) for dataset, parts in found]


def recipe_deliveries(recipe: Recipe, folder: Path) -> Iterator[list[Delivery]]:
    """The data sets of a recipe, those that share a file together, so that each file is loaded whole or not at all.

    folder: where the recipe's files lie. Raises FormatError.
    """
    groups: list[list[Dataset]] = []
    for dataset in recipe.datasets:
        files = {part.file for part in dataset.parts}
        sharing = [group for group in groups if files & {p.file for member in group for p in member.parts}]
        groups = [group for group in groups if group not in sharing]
        groups.append([*(member for group in sharing for member in group), dataset])
    for group in groups:
        yield [_delivery(dataset, folder) for dataset in group]


def _delivery(dataset: Dataset, folder: Path) -> Delivery:
    named = tuple(dict.fromkeys(part.file for part in dataset.parts))
    sources = dataset.sources(folder)
    files = tuple(dict.fromkeys(file for name in named for file in parts_of(folder / name)))
    return Delivery(dataset, sources, files, ", ".join(Path(name).name for name in named))


def load(
    url: str,
    deliveries: Sequence[Delivery],
    *,
    who: str,
    home: Path,
    anywhere: bool = False,
    progress: Progress | None = None,
) -> list[Report]:
    """Bring data sets into the city at `url`, all of them or none, and tell what became of their rows.

    who: stands in the change feed. home: the city's data directory, for rasters. anywhere: take in what lies far from
    the city too. Memory does not grow with the files.

    Raises RecipeError where a recipe does not fit its source, FormatError where a file breaks off, MappingError where a
    source is not of this city, NamedTwice, OlderEdition, and ReadersInTheWay; the city is then as it was before.
    """
    names = [delivery.dataset.name for delivery in deliveries]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise NamedTwice(f"two data sets are called {', '.join(twice)}; load them one by one, each under its own name")
    city = read_city(url)
    with (
        _looked_up(url, deliveries) as whole,
        psycopg.connect(url, application_name="citytwin load") as connection,
        ExitStack() as undo,
    ):
        connection.execute(SESSION)
        connection.commit()
        registration.lock_datasets(connection, names)
        loader = _Loader(connection, city, math.inf if anywhere else REACH_KM, read_controls(home), progress)
        arrivals = [loader.arrival(number, delivery) for number, delivery in enumerate(whole)]
        waiting = [arrival for arrival in arrivals if not arrival.report.same_file]
        for delivery in whole:
            _write_rasters(delivery, home, undo)
        if waiting:
            admit(connection, waiting, city, who)
        undo.pop_all()
    return [arrival.report for arrival in arrivals]


@contextmanager
def _looked_up(url: str, deliveries: Sequence[Delivery]) -> Iterator[Sequence[Delivery]]:
    """The deliveries, with a place in the city at `url` for each address; rows without one go into a CSV beside them.

    Raises FormatError for a source in which no addresses can be looked up.
    """
    if not any(delivery.has_addresses for delivery in deliveries):
        yield deliveries
        return
    for part, source in (each for delivery in deliveries for each in delivery.parts):
        if part.address and not addresses_of(source):
            raise FormatError(f"{source.name}: addresses are looked up for a table in CSV or XLSX; leave address out")
    with finder(url) as found:
        yield [
            replace(
                delivery,
                parts=[(part, located(source, found, delivery.files[0].parent)) for part, source in delivery.parts],
            )
            for delivery in deliveries
        ]


class _Loader:
    """Looks at deliveries and stages those that are new."""

    def __init__(
        self,
        connection: psycopg.Connection,
        city: City,
        reach_km: float,
        controls: tuple[Control, ...],
        progress: Progress | None,
    ) -> None:
        self._connection = connection
        self._city = city
        self._reach_km = reach_km
        self._controls = controls
        self._progress = progress
        row = connection.execute(EXTENT_SQL).fetchone()
        connection.commit()
        self._extents = [row] if row and row[0] is not None else _view(city)

    def arrival(self, number: int, delivery: Delivery) -> Arrival:
        """What waits to be admitted; empty, with a report that says so, if the same was loaded before."""
        started = time.monotonic()
        dataset = delivery.dataset
        known = registration.find(self._connection, dataset.name)
        day = registration.edition_date(known, dataset)
        sha256, fingerprint = _fingerprint(delivery)
        report = Report(dataset.name, (delivery.title,) if delivery.title else (), dataset.edition, day)
        arrival = Arrival(dataset, known, day, report, sha256, fingerprint, started)
        if known is not None and known.fingerprint == fingerprint and delivery.files and not delivery.has_addresses:
            report.same_file, report.unchanged = True, known.present
        else:
            self._stage(number, delivery, arrival)
        report.seconds = time.monotonic() - started
        return arrival

    def _stage(self, number: int, delivery: Delivery, arrival: Arrival) -> None:
        counts = [source.count for _, source in delivery.parts]
        total = None if None in counts else sum(count for count in counts if count is not None)
        names = [source.name for _, source in delivery.parts]
        stagings: dict[str, Staging] = {}
        ground = self._ground()
        for index, (part, source) in enumerate(delivery.parts):
            fitting = rules(source, part)
            theme = fitting.theme
            if theme.table not in stagings:
                stagings[theme.table] = Staging(self._connection, theme, number)
            if theme.table == "generic_object":
                arrival.properties += fitting.properties
            place, said = placement(source, part, ground)
            for batch in ahead(mapped(source, part, ground, place=place)):
                stagings[theme.table].add(batch, index)
                arrival.report.read += batch.read
                arrival.report.note_rejects(names[index], batch.rejects)
                arrival.report.note_repairs(names[index], batch.repairs)
                if self._progress:
                    self._progress(delivery.dataset.name, arrival.report.read, total)
            arrival.report.note(names[index], (*notes_of(source), *said))
        for staging in stagings.values():
            count, first = staging.drop_duplicates()
            arrival.report.note_duplicates(count, [(names[index], reject) for index, reject in first])
            if staging.extent is not None:
                arrival.extents.append(staging.extent)
        arrival.crs = ", ".join(sorted({source.crs for _, source in delivery.parts if source.crs})) or None
        arrival.stagings = list(stagings.values())
        self._extents += arrival.extents

    def _ground(self) -> Ground:
        return Ground(self._city.srid, self._city.metric_srid, union(self._extents), self._reach_km, self._controls)


def _view(city: City) -> list[Bbox]:
    """An empty city lies where its view begins."""
    if not city.view or "center" not in city.view:
        return []
    lon, lat = city.view["center"]
    return [(lon, lat, lon, lat)]


def _fingerprint(delivery: Delivery) -> tuple[str, str]:
    """The files' SHA-256, and a digest of all that decides what becomes of them: CRS, recipe and this program too."""
    digests = []
    for path in delivery.files:
        with path.open("rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    content = digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
    systems = [source.crs for _, source in delivery.parts]
    whole = f"{content} {systems} {__version__} {delivery.dataset.model_dump_json(by_alias=True)}"
    return content, hashlib.sha256(whole.encode()).hexdigest()


def _write_rasters(delivery: Delivery, home: Path, undo: ExitStack) -> None:
    """Put the cells of terrain and imagery into the city's directory, and take them out again if the load fails."""
    for _, source in delivery.parts:
        if isinstance(source, RasterSource) and not (home / source.path).exists():
            undo.callback(source.write_cog(home).unlink, missing_ok=True)
