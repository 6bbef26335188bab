"""From source records to rows of the city model, batch by batch.

    for batch in mapped(source, part, ground):
        ...  # batch.rows has the columns of batch.theme; batch.rejects and batch.repairs tell of the rest

A row that cannot be taken in is a rejected row with its reason; a source that is not of this city (no CRS, swapped
axes, elsewhere) or a recipe that does not fit it is refused whole, by an exception.
"""

import uuid
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from layers.columns import COLUMN_TYPES
from layers.formats import GEOMETRY, Source, is_made
from layers.mapping import values
from layers.mapping.batch import MappedBatch, MappingError, Reject, Repair, Verdict
from layers.mapping.belts import CrsContradiction, system
from layers.mapping.digest import content_hashes
from layers.mapping.further import checked_objects, json_objects
from layers.mapping.ground import Ground, OutsideCity, Placement, SwappedAxes, TransformationUnavailable
from layers.mapping.rules import ATTRIBUTES, CLASS, Property, Rules, properties, rules, with_derived
from layers.mapping.shape import Shaped, exploded, shaped
from layers.recipe import HeightGuess, Part, UidRule, mappable

__all__ = [
    "CrsContradiction",
    "Ground",
    "MappedBatch",
    "MappingError",
    "OutsideCity",
    "Placement",
    "Property",
    "Reject",
    "Repair",
    "SwappedAxes",
    "TransformationUnavailable",
    "mapped",
    "placement",
    "properties",
]

ROWS = 10_000


def placement(source: Source, part: Part, ground: Ground) -> tuple[Placement, tuple[str, ...]]:
    """How a source is placed in the city, by what it states or by its own numbers, and what the report should say.

    Raises CrsUnknown, CrsContradiction, TransformationUnavailable, SwappedAxes and OutsideCity.
    """
    crs, said = system(source, part, ground)
    found = Placement(source.name, crs, ground, north_first=part.axis == "yx")
    return found, (*said, *found.notes)


def mapped(
    source: Source, part: Part, ground: Ground, *, place: Placement | None = None, rows: int = ROWS
) -> Iterator[MappedBatch]:
    """The rows of a source as the recipe's part says, placed on the city's ground.

    place: how, where that was found before. rows: of the source in one batch. Raises RecipeError where part and source
    do not fit, CrsUnknown, CrsContradiction, TransformationUnavailable, SwappedAxes
    and OutsideCity where the source cannot be placed, FormatError where the file breaks off.
    """
    fitting = rules(source, part)
    mapper = _Mapper(fitting, part, place or placement(source, part, ground)[0])
    seen = 0
    for batch in source.read(rows):
        numbers = np.arange(seen + 1, seen + batch.num_rows + 1)
        seen += batch.num_rows
        kept = _where(batch, part)
        if kept.any():
            yield mapper.map(batch.filter(pa.array(kept)), numbers[kept])


def _where(batch: pa.RecordBatch, part: Part) -> NDArray[np.bool_]:
    kept = np.ones(batch.num_rows, dtype=bool)
    for name, wanted in part.where.items():
        texts = values.as_text(batch.column(name))
        kept &= pc.is_in(texts, pa.array(wanted)).to_numpy(zero_copy_only=False)
    return kept


class _Mapper:
    """Maps the batches of one source."""

    def __init__(self, fitting: Rules, part: Part, placement: Placement) -> None:
        self.rules = fitting
        self.theme = fitting.theme
        self.part = part
        self.placement = placement
        self.attributes = mappable(self.theme)
        # All that decides what becomes of a record beside its own content.
        self.placed = f"{placement.way} {part.solid}"

    def map(self, batch: pa.RecordBatch, numbers: NDArray[np.int64]) -> MappedBatch:
        verdict = Verdict(numbers)
        wkb = batch.column(GEOMETRY)
        batch = values.clean(batch, verdict)
        found = shaped(wkb, self.theme.geometry, self.placement, verdict, self.part)
        batch = with_derived(batch, found.z_range.T, self.rules.columns)
        columns = self._columns(batch, verdict)
        uids = self._uids(batch, verdict)
        rejects = verdict.rejects(uids.to_pylist())
        hashes = content_hashes(wkb, list(columns.values()), self.placed)
        table = {"row": numbers, "uid": uids, "content_hash": hashes, **columns, **self._solids(wkb, found)}
        return MappedBatch(
            theme=self.theme,
            rows=self._standing(table, found, verdict),
            read=batch.num_rows,
            repairs=tuple(
                Repair(int(numbers[index]), uids[index].as_py(), what, change)
                for index, (what, change) in sorted(found.repairs.items())
                if index not in verdict.reasons
            ),
            rejects=rejects,
        )

    def _columns(self, batch: pa.RecordBatch, verdict: Verdict) -> dict[str, pa.Array]:
        classes = values.column(batch, CLASS, self.rules.class_, verdict)
        self._reject_classless(batch, classes, verdict)
        columns = {"class": classes}
        for name, attribute in self.attributes.items():
            rule = self.rules.columns.get(name)
            kind = COLUMN_TYPES[attribute.type]
            columns[name] = values.column(batch, attribute, rule, verdict) if rule else pa.nulls(batch.num_rows, kind)
        if self.theme.table == "building":
            columns |= guessed_heights(columns, self.part.missing_height)
        columns[ATTRIBUTES] = self._further(batch, verdict)
        return columns

    def _reject_classless(self, batch: pa.RecordBatch, classes: pa.Array, verdict: Verdict) -> None:
        field = self.rules.class_.field
        for index in np.flatnonzero(classes.is_null().to_numpy(zero_copy_only=False)).tolist():
            value = batch.column(field)[index].as_py()
            verdict.reject_row(index, f"no class for {field} {value!r}; add it to the recipe's map or give a default")

    def _further(self, batch: pa.RecordBatch, verdict: Verdict) -> pa.Array:
        kept = [(each.name, each.type, batch.column(each.field)) for each in self.rules.properties]
        objects = json_objects(kept, batch.num_rows, verdict)
        if not self.rules.written:
            return objects
        written = checked_objects(batch.column(ATTRIBUTES), ATTRIBUTES, verdict)
        return _merged(written, objects) if kept else written

    def _uids(self, batch: pa.RecordBatch, verdict: Verdict) -> pa.Array:
        rule = self.rules.uid
        if rule.fields is None:
            return _hashed(batch, rule)
        texts = [values.as_text(batch.column(field)) for field in rule.fields]
        joined = pc.binary_join_element_wise(*texts, "/")
        verdict.reject(joined.is_null().to_numpy(zero_copy_only=False), f"no uid: {' or '.join(rule.fields)} is empty")
        return joined

    def _solids(self, wkb: pa.Array, found: Shaped) -> dict[str, pa.Array]:
        if not found.surfaces.any():
            return {}
        rows = len(wkb)
        there = pa.array(found.surfaces)
        lod = self.part.solid or "2"
        return {
            "solid": pc.if_else(there, wkb, pa.scalar(None, wkb.type)),
            "solid_srid": pc.if_else(there, self.placement.srid, pa.nulls(rows, pa.int32())),
            "solid_lod": pc.if_else(there, lod, pa.nulls(rows, pa.string())),
        }

    def _standing(self, table: dict[str, pa.Array], found: Shaped, verdict: Verdict) -> pa.RecordBatch:
        kept = np.flatnonzero(verdict.standing)
        batch = pa.RecordBatch.from_pydict(table).take(pa.array(kept))
        shapes = found.shapes[kept]
        if self.theme.geometry in ("Point", "LineString"):
            shapes, origins, uids = exploded(shapes, batch.column("uid").to_pylist())
            batch = batch.take(pa.array(origins)).set_column(1, "uid", pa.array(uids, pa.string()))
        return batch.append_column("geom", pa.array(shapely.to_wkb(shapes, output_dimension=2), pa.binary()))


def guessed_heights(columns: dict[str, pa.Array], guess: HeightGuess) -> dict[str, pa.Array]:
    """height and height_source of buildings with the missing ones filled, each by what it was taken from."""
    measured, storeys = columns["height"], columns["storeys"]
    by_storeys = pc.if_else(pc.greater(storeys, 0), pc.multiply(storeys.cast(pa.float64()), guess.per_storey), None)
    default = pa.scalar(guess.default, pa.float64())
    nothing = pa.scalar(None, pa.string())
    source = pc.if_else(
        measured.is_valid(),
        pc.coalesce(columns["height_source"], pa.scalar("measured")),
        pc.if_else(by_storeys.is_valid(), "storeys", nothing if guess.default is None else pa.scalar("default")),
    )
    return {"height": pc.coalesce(measured, by_storeys, default), "height_source": source}


def _merged(written: pa.Array, objects: pa.Array) -> pa.Array:
    """Two JSON objects a row as one: "{a}" and "{b}" are "{a,b}", unless one is empty."""
    empty = pc.or_(pc.equal(written, "{}"), pc.equal(objects, "{}"))
    both = pc.binary_join_element_wise(
        pc.utf8_slice_codeunits(written, 0, -1), pc.utf8_slice_codeunits(objects, 1), ","
    )
    either = pc.if_else(pc.equal(written, "{}"), objects, written)
    return pc.if_else(empty, either, both)


def _hashed(batch: pa.RecordBatch, rule: UidRule) -> pa.Array:
    every = {field.name for field in batch.schema if not is_made(field)}
    names = sorted(every, key=lambda name: (name != GEOMETRY, name)) if rule.hash == "all" else list(rule.hash or ())
    shape = batch.column(GEOMETRY) if GEOMETRY in names else pa.nulls(batch.num_rows, pa.binary())
    others = [values.as_text(batch.column(name)) for name in names if name != GEOMETRY]
    digests = content_hashes(shape, others, "uid")
    return pa.array([str(uuid.UUID(bytes=digest)) for digest in digests.to_pylist()], pa.string())
