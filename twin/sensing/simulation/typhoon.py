"""A made-up typhoon over the city: its track so far and what two agencies would expect, for a day that is played."""

from datetime import UTC, datetime, timedelta

from pyproj import Geod

from twin.sensing.signals import NewSignal
from twin.sensing.simulation.signals import Day
from twin.sensing.typhoons import Force, Forecast, Position, Typhoon

WGS84 = Geod(ellps="WGS84")
HOUR = timedelta(hours=1)
# It comes from the south-east, as they do on this coast, and weakens over land.
COURSE_DEG, SPEED_KM_H = 315.0, 22.0
BEFORE_H, AHEAD_H, FORECAST_EVERY_H = 30, 24, 3
STRONGEST_MS, CALM_HPA, DECAY_H = 45.0, 1008.0, 9.0
# Each agency errs in course by so many degrees.
AGENCIES = {"CMA": 2.0, "JMA": -7.0}
# Hours from landfall: type, hazard, level, title.
ISSUED = (
    (-13.0, "warning", "typhoon", "yellow", "台风黄色预警信号"),
    (-12.0, "response", "typhoon", "III", "防台风Ⅲ级应急响应"),
    (-7.0, "warning", "typhoon", "orange", "台风橙色预警信号"),
    (-6.0, "response", "typhoon", "II", "防台风Ⅱ级应急响应"),
    (-5.0, "warning", "rainstorm", "orange", "暴雨橙色预警信号"),
    (-3.0, "warning", "typhoon", "red", "台风红色预警信号"),
    (-2.5, "response", "typhoon", "I", "防台风Ⅰ级应急响应"),
    (-2.0, "warning", "rainstorm", "red", "暴雨红色预警信号"),
)
LIFTED_H = 14.0
# Lower bounds of the grades of GB/T 19201-2006, m/s.
GRADES = ((51.0, "SuperTY"), (41.5, "STY"), (32.7, "TY"), (24.5, "STS"), (17.2, "TS"), (0.0, "TD"))


def typhoon_by(day: Day, place: tuple[float, float], moment: datetime) -> Typhoon:
    """What would be known of it at a moment (UTC). day: with a landfall, at which it stands over `place`."""
    assert day.landfall is not None
    landfall = datetime.fromtimestamp(day.midnight, UTC) + day.landfall * HOUR
    first = landfall - BEFORE_H * HOUR
    hours = max(0, int((moment - first) / HOUR))
    track = [_position(place, landfall, first + step * HOUR, 0.0) for step in range(hours + 1)]
    issued = first + hours // FORECAST_EVERY_H * FORECAST_EVERY_H * HOUR
    forecasts = [
        Forecast(agency=agency, issued_at=issued, points=_forecast(place, landfall, issued, error))
        for agency, error in AGENCIES.items()
    ]
    return Typhoon(
        id=f"SIM{landfall:%m%d}",
        name_zh="演练",
        name_en="EXERCISE",
        simulated=True,
        source="twin sensors simulate --typhoon: none of it is real",
        points=tuple(track),
        forecasts=tuple(forecasts),
    )


def signals_by(day: Day, since: datetime, until: datetime) -> list[NewSignal]:
    """What would be issued after `since` and until `until` (UTC): an exercise, by its issuer's name too."""
    assert day.landfall is not None
    landfall = datetime.fromtimestamp(day.midnight, UTC) + day.landfall * HOUR
    found = []
    for hours, type_, hazard, level, title in ISSUED:
        at = landfall + hours * HOUR
        if since < at <= until:
            end = landfall + LIFTED_H * HOUR
            told = {"title": f"演练: {title}", "issuer": "演练 Exercise", "issued_at": at, "expires_at": end}
            found.append(NewSignal.model_validate({"type": type_, "hazard": hazard, "level": level, **told}))
    return found


def _forecast(place: tuple[float, float], landfall: datetime, issued: datetime, error: float) -> tuple[Position, ...]:
    steps = range(FORECAST_EVERY_H, AHEAD_H + 1, FORECAST_EVERY_H)
    return tuple(_position(place, landfall, issued + step * HOUR, error * step / AHEAD_H) for step in steps)


def _position(place: tuple[float, float], landfall: datetime, at: datetime, error: float) -> Position:
    """error: degrees by which the place is turned around the city, as a course that is a little wrong leads there."""
    after = (at - landfall) / HOUR
    lon, lat, _ = WGS84.fwd(*place, COURSE_DEG + error, after * SPEED_KM_H * 1000)
    strength = 2.0 ** (-max(0.0, after) / DECAY_H)
    wind = round(STRONGEST_MS * strength, 1)
    radii: dict[Force, float] = (
        {"r7": 260.0, "r10": 110.0, "r12": 50.0} if wind > 32.7 else {"r7": 200.0} if wind > 17.2 else {}
    )
    return Position(
        at=at,
        lon=round(lon, 3),
        lat=round(lat, 3),
        wind_ms=wind,
        pressure_hpa=round(CALM_HPA - 58 * strength),
        grade=next(grade for lowest, grade in GRADES if wind >= lowest),
        # Stronger on the right of its way.
        radii={force: (reach * 1.1, reach, reach * 0.8, reach * 0.9) for force, reach in radii.items()},
    )
