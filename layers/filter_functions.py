"""What a filter may compute beyond the operators of CQL2 (OGC 21-065r2, 7.11): named, typed, and told by /functions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ARRAY, Boolean, DateTime, Float, Integer, String, and_, cast, func, literal_column

from layers.filter_terms import Condition, Sql

Kind = Literal["text", "number", "boolean", "time", "geometry", "array"]
# The box around a buffer is only there for the index; what it lets through is measured.
MARGIN = "1.01"
# Beyond it a buffer leaves the projection in which PostGIS makes it; no city is as wide.
WIDEST_M = "1000000.0"


@dataclass(frozen=True)
class Function:
    """A function. arguments: title and kind of each; build: its SQL from theirs. Measures are ellipsoidal."""

    name: str
    returns: Kind
    arguments: tuple[tuple[str, Kind], ...]
    zh: str
    en: str
    build: Callable[..., Sql]


def near(one: Sql, other: Sql, metres: Sql) -> Condition:
    reach = func.least(metres * literal_column(MARGIN, Float), literal_column(WIDEST_M, Float))
    around = func.ST_Envelope(func.geometry(func.ST_Buffer(func.geography(other), reach)))
    measured = func.ST_DWithin(func.geography(one), func.geography(other), metres, type_=Boolean())
    return and_(one.op("&&", is_comparison=True)(around), measured)


FUNCTIONS = {
    function.name: function
    for function in (
        Function(
            "area",
            "number",
            (("geometry", "geometry"),),
            "椭球面积，平方米",
            "Ellipsoidal area in square metres",
            lambda shape: func.ST_Area(func.geography(shape), type_=Float()),
        ),
        Function(
            "length",
            "number",
            (("geometry", "geometry"),),
            "线的椭球长度，米",
            "Ellipsoidal length of a line in metres",
            lambda shape: func.ST_Length(func.geography(shape), type_=Float()),
        ),
        Function(
            "perimeter",
            "number",
            (("geometry", "geometry"),),
            "面的椭球周长，米",
            "Ellipsoidal perimeter of a polygon in metres",
            lambda shape: func.ST_Perimeter(func.geography(shape), type_=Float()),
        ),
        Function(
            "distance",
            "number",
            (("geometry", "geometry"), ("other", "geometry")),
            "椭球面最短距离，米",
            "Least distance on the ellipsoid in metres",
            lambda one, other: func.ST_Distance(func.geography(one), func.geography(other), type_=Float()),
        ),
        Function(
            "near",
            "boolean",
            (("geometry", "geometry"), ("other", "geometry"), ("metres", "number")),
            "两个几何相距不超过若干米",
            "Whether two geometries are at most so many metres apart; uses the spatial index",
            near,
        ),
        Function(
            "lower", "text", (("text", "text"),), "小写", "In lower case", lambda text: func.lower(text, type_=String())
        ),
        Function(
            "upper", "text", (("text", "text"),), "大写", "In upper case", lambda text: func.upper(text, type_=String())
        ),
        Function(
            "char_length",
            "number",
            (("text", "text"),),
            "字符数",
            "Number of characters",
            lambda text: func.char_length(text, type_=Integer()),
        ),
        Function(
            "concat",
            "text",
            (("text", "text"), ("text", "text")),
            "连接两段文字",
            "Two texts, one after the other",
            lambda one, other: func.concat(one, other, type_=String()),
        ),
        Function(
            "split",
            "array",
            (("text", "text"), ("separator", "text")),
            "按分隔符拆成数组",
            "The parts between separators, as an array",
            lambda text, separator: cast(func.string_to_array(text, separator), ARRAY(String)),
        ),
        Function(
            "abs", "number", (("number", "number"),), "绝对值", "Amount", lambda value: func.abs(value, type_=Float())
        ),
        Function(
            "floor",
            "number",
            (("number", "number"),),
            "向下取整",
            "Largest whole number that is not greater",
            lambda value: func.floor(value, type_=Float()),
        ),
        Function(
            "ceil",
            "number",
            (("number", "number"),),
            "向上取整",
            "Smallest whole number that is not less",
            lambda value: func.ceil(value, type_=Float()),
        ),
        Function("now", "time", (), "现在", "This moment", lambda: func.now(type_=DateTime(timezone=True))),
    )
}
