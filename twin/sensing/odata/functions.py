"""The functions that a query may call, with how many arguments (OGC 18-088, tables 23 and 24)."""

SPATIAL = (
    "st_equals",
    "st_disjoint",
    "st_touches",
    "st_within",
    "st_overlaps",
    "st_crosses",
    "st_intersects",
    "st_contains",
)
PARTS_OF_TIME = ("year", "month", "day", "hour", "minute", "second", "fractionalseconds")
# Allen's relations between two times.
TEMPORAL = ("before", "after", "meets", "during", "overlaps", "starts", "finishes")
TEXT = ("tolower", "toupper", "trim", "length")
TWO_TEXTS = ("substringof", "endswith", "startswith", "indexof", "concat", "contains")
ROUNDING = ("round", "floor", "ceiling")

FUNCTIONS: dict[str, tuple[int, ...]] = {
    **dict.fromkeys((*TWO_TEXTS, *TEMPORAL, *SPATIAL, "geo.distance", "geo.intersects"), (2,)),
    **dict.fromkeys((*TEXT, *PARTS_OF_TIME, *ROUNDING, "date", "time", "totaloffsetminutes", "geo.length"), (1,)),
    **dict.fromkeys(("now", "mindatetime", "maxdatetime"), (0,)),
    "substring": (2, 3),
    "st_relate": (3,),
}
