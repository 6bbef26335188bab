"""Rain and sea level of a run, from what the planner chose: design storms, tides with surge, series, sensors."""

from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from twin.flood.datum import offset_to
from twin.flood.forcing import Rain
from twin.flood.scenario.errors import FloodRefused
from twin.flood.scenario.inputs import FloodInputs
from twin.flood.scenario.site import Site
from twin.flood.scenario.tables import formulas, pattern_storm, tides
from twin.flood.series import Series, constant
from twin.flood.storms import IntensityFormula
from twin.flood.tides import SPEEDS, tide, with_surge
from twin.scenarios.city import City
from twin.scenarios.shapes import in_metres

HOUR = 3600.0
# How long before the start a sensor's last value still counts as the present one.
LOOK_BACK = timedelta(hours=6)


def storm_formula(inputs: FloodInputs) -> IntensityFormula:
    """The intensity formula that was chosen."""
    return formulas()[inputs.storm_formula]


def hyetograph(city: City, inputs: FloodInputs, start: datetime) -> Series | None:
    """Rain over time, mm/h; None without rain. Raises FloodRefused and InvalidInput, naming the field."""
    match inputs.rain:
        case "none":
            return None
        case "constant":
            hours = min(inputs.rain_hours, inputs.duration_h)
            return Series([0.0, hours * HOUR], [inputs.rain_mm_h, 0.0], "steps", "rain")
        case "storm":
            return storm_formula(inputs).chicago(inputs.storm_min, inputs.return_period_years, inputs.storm_peak)
        case "day":
            return pattern_storm(inputs.rain_pattern, inputs.rain_depth_mm, inputs.rain_hours)
        case "series":
            times, values = np.array(inputs.rain_series).T
            return Series(times * HOUR, values, "steps", "rain_series")
        case "datastream":
            return _intensity(_measured(city, inputs, inputs.rain_datastream, start, "rain_datastream"))


def rain(city: City, inputs: FloodInputs, start: datetime, site: Site) -> list[Rain]:
    """The engine's rain, only where it is wanted."""
    series = hyetograph(city, inputs, start)
    if series is None:
        return []
    series = Series(series.times, np.asarray(series.values) * inputs.rain_factor, series.between, series.name)
    if inputs.rain_area is None:
        return [Rain(series)]
    share = site.covered([in_metres(inputs.rain_area, site.crs)]).astype(np.float64)
    if not share.any():
        raise FloodRefused("rain_area: it covers no cell of the area", "rain_area：降雨范围不在计算范围内")
    return [Rain(series, share)]


def sea_level(city: City, inputs: FloodInputs, start: datetime) -> Series:
    """Level of the sea over time, m above the city's datum. Raises InvalidInput where datums are mixed."""
    offset = offset_to(city.vertical_datum, inputs.sea_datum, inputs.sea_datum_offset_m, "sea_datum")
    match inputs.sea:
        case "still":
            level = constant(inputs.sea_level_m, "sea level")
        case "tide":
            level = _tide(city, inputs)
        case "series":
            times, values = np.array(inputs.sea_series).T
            level = Series(times * HOUR, values, name="sea_series")
        case "datastream":
            level = _measured(city, inputs, inputs.sea_datastream, start, "sea_datastream")
    if inputs.surge_m:
        level = with_surge(level, surge(inputs.surge_m, inputs.surge_peak_h, inputs.surge_hours))
    return Series(level.times, np.asarray(level.values) + offset + inputs.sea_shift_m, name="sea level")


def surge(height: float, peak_h: float, hours: float) -> Series:
    """A surge that rises and falls as half a sine squared over so many hours, m."""
    since = np.linspace(-0.5, 0.5, 61)
    return Series((peak_h + since * hours) * HOUR, height * np.cos(np.pi * since) ** 2, name="surge")


def _tide(city: City, inputs: FloodInputs) -> Series:
    place = tides()[inputs.tide]
    shift = offset_to(city.vertical_datum, place["datum"], None, "tide")
    # Every constituent is at its highest at the hour that was asked for.
    constituents = {
        name: (float(amplitude), SPEEDS[name] * inputs.high_water_h)
        for name, amplitude in place["constituents"].items()
    }
    return tide(constituents, place["mean_m"] + shift, inputs.duration_h * HOUR)


def _measured(city: City, inputs: FloodInputs, datastream: int | None, start: datetime, field: str) -> Series:
    """What a sensor measured, its last value held over the forecast horizon. Raises FloodRefused."""
    if datastream is None:
        raise FloodRefused(f"{field}: no datastream was named", f"{field}：未指定数据流")
    end = start + timedelta(hours=inputs.duration_h)
    times, values = city.series(datastream, start - LOOK_BACK, end)
    good = np.isfinite(values)
    since: npt.NDArray[np.float64] = times[good] - start.timestamp()
    values = values[good]
    if not len(since):
        raise FloodRefused(
            f"{field}: datastream {datastream} has no values from {start - LOOK_BACK:%Y-%m-%d %H:%M} to"
            f" {end:%Y-%m-%d %H:%M}; take another one, or a start at which it has",
            f"{field}：数据流 {datastream} 在 {start - LOOK_BACK:%Y-%m-%d %H:%M} 至 {end:%Y-%m-%d %H:%M} 间无数据；"
            "请换一个测站，或改开始时刻",
        )
    missing = inputs.duration_h - since[-1] / HOUR
    if missing > inputs.forecast_h + 1e-6:
        raise FloodRefused(
            f"forecast_h: the last value of datastream {datastream} stands {missing:.1f} h before the end of the run, "
            f"and may be held for {inputs.forecast_h:g} h only; shorten the run or lengthen the horizon",
            f"forecast_h：最后实测值距模拟结束 {missing:.1f} 小时，超过预见期 {inputs.forecast_h:g} 小时",
        )
    return Series(since, values, name=field)


def _intensity(amounts: Series) -> Series:
    """mm/h from a gauge's amounts, each of which fell since the one before; the last intensity goes on."""
    times, values = np.asarray(amounts.times), np.asarray(amounts.values)
    if len(times) < 2:
        raise FloodRefused(
            f"{amounts.name}: one amount alone tells no intensity; two are needed",
            f"{amounts.name}：只有一个雨量值，无法求雨强，至少需要两个",
        )
    rates = values[1:] / np.diff(times) * HOUR
    return Series(times, np.append(rates, rates[-1]), "steps", amounts.name)
