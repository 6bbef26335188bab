"""Vertical datums by their several names, and the rule that levels above different ones are never mixed."""

from twin.flood.errors import InvalidInput

NAMES = {
    "EPSG:5737": ("EPSG:5737", "1985国家高程基准", "国家85高程", "Yellow Sea 1985"),
    "EPSG:5736": ("EPSG:5736", "1956黄海高程系", "Yellow Sea 1956"),
}
UNKNOWN = "unknown"


def canonical(name: str) -> str:
    """One name for each datum: its EPSG code where it is known here, else the name as it is."""
    for code, names in NAMES.items():
        if name.strip().casefold() in {each.casefold() for each in names}:
            return code
    return name.strip()


def offset_to(city: str, datum: str | None, offset: float | None, field: str) -> float:
    """What is added to levels above `datum` (None: the city's own) so that they stand above the city's datum, m.

    Raises InvalidInput where either datum is unknown, or another than the city's without an offset.
    """
    if canonical(city) == UNKNOWN:
        raise InvalidInput(
            f"{field}: the city's vertical datum is unknown; levels cannot be compared with its terrain",
            f"{field}：城市的高程基准未知，水位无法与地形比较",
        )
    if datum is None or canonical(datum) == canonical(city):
        return 0.0
    if canonical(datum) == UNKNOWN or offset is None:
        raise InvalidInput(
            f"{field}: levels above {datum}, terrain above {city}; give the offset between them in metres",
            f"{field}：水位基准为 {datum}，地形基准为 {city}；请给出两者之差（米）",
        )
    return offset
