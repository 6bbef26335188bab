"""What each kind of sensor would tell: tide, rain, wind, levels, pumps, traffic, each following from the others."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
HOUR = 3600.0
# Periods of the four largest tides, h, and amplitudes of a coast with a large range, m (Doodson 1921: M2, S2, K1, O1).
TIDES = ((12.4206, 1.9), (12.0, 0.7), (23.9345, 0.3), (25.8193, 0.2))
# Response of a small river: a Nash cascade of this many reservoirs, h each (Nash 1957).
RESERVOIRS, DELAY_H = 3, 1.2


@dataclass(frozen=True)
class Day:
    """landfall: hour of the day at which a typhoon comes nearest; None is an ordinary day. midnight: s since 1970."""

    midnight: float
    landfall: float | None = None

    def hours(self, times: Floats) -> Floats:
        """Hours since midnight."""
        return (times - self.midnight) / HOUR

    def storm(self, times: Floats, width_h: float, shift_h: float = 0.0) -> Floats:
        """From 0 to 1: how near the typhoon is, `width_h` around its landfall and `shift_h` after it."""
        if self.landfall is None:
            return np.zeros_like(times)
        return np.asarray(np.exp(-0.5 * ((self.hours(times) - self.landfall - shift_h) / width_h) ** 2))


@dataclass(frozen=True)
class Sensor:
    """What a sensor's signal depends on besides the time. number: from 0 to 1, its own throw of the dice."""

    kind: str
    number: float


def signal(sensor: Sensor, times: Floats, day: Day) -> Floats:
    """The values that a sensor tells at these moments (seconds since 1970), in the unit of its kind."""
    noise = np.random.default_rng([int(sensor.number * 2**31), int(times[0])]).standard_normal(len(times))
    return np.round(SIGNALS.get(sensor.kind, _constant)(sensor, times, day, noise), 3)


def tide(times: Floats, day: Day) -> Floats:
    """Sea level above the datum, m: astronomical tide and surge."""
    hours = times / HOUR
    astronomical = sum((a * np.cos(2 * np.pi * hours / period) for period, a in TIDES), np.zeros_like(times))
    return np.asarray(0.3 + astronomical + 2.2 * day.storm(times, 3.0))


def intensity(sensor: Sensor, times: Floats, day: Day) -> Floats:
    """Rain, mm/h: bands that turn around the storm, and now and then a shower on any day."""
    bands = 1 + 0.6 * np.sin(2 * np.pi * (day.hours(times) / 2.3 + sensor.number))
    shower = np.clip(np.sin(2 * np.pi * (times / HOUR / 31 + sensor.number)) - 0.97, 0, None) * 120
    return np.asarray(38 * day.storm(times, 3.5, -1.0) * bands * (0.7 + 0.6 * sensor.number) + shower)


def runoff(sensor: Sensor, times: Floats, day: Day) -> Floats:
    """What the river makes of the rain before: the rain of the last day, delayed by a Nash cascade, mm/h."""
    lags = np.arange(0.25, 24, 0.5)
    unit = (lags / DELAY_H) ** (RESERVOIRS - 1) * np.exp(-lags / DELAY_H)
    unit /= unit.sum()
    return np.asarray(sum(w * intensity(sensor, times - lag * HOUR, day) for lag, w in zip(lags, unit, strict=True)))


def _rain(sensor: Sensor, times: Floats, day: Day, _: Floats) -> Floats:
    # A tipping bucket counts tenths of a millimetre over the time between two readings, five minutes here.
    return np.round(intensity(sensor, times, day) / 12, 1)


def _tide(_: Sensor, times: Floats, day: Day, noise: Floats) -> Floats:
    return tide(times, day) + 0.01 * noise


def _level(sensor: Sensor, times: Floats, day: Day, noise: Floats) -> Floats:
    backed_up = np.clip(tide(times - 0.5 * HOUR, day) - 2.0, 0, None) * 0.3
    return 1.4 + 0.5 * sensor.number + 0.055 * runoff(sensor, times, day) + backed_up + 0.005 * noise


def _pump(sensor: Sensor, times: Floats, day: Day, _: Floats) -> Floats:
    wanted = np.clip((runoff(sensor, times, day) - 4) / 12, 0, 1)
    return np.round(wanted * 4) / 4 * (6 + 6 * sensor.number)


def _sluice(_: Sensor, times: Floats, day: Day, __: Floats) -> Floats:
    return np.where(tide(times, day) < 1.2, 2.5, 0.0)


def _wind(sensor: Sensor, times: Floats, day: Day, noise: Floats) -> Floats:
    return np.clip(
        3 + 2 * sensor.number + 32 * day.storm(times, 4.0) + (1 + 4 * day.storm(times, 4.0)) * noise, 0, None
    )


def _flow(sensor: Sensor, times: Floats, day: Day, _: Floats) -> Floats:
    return 0.02 + 0.03 * intensity(sensor, times - 0.3 * HOUR, day)


def _air(sensor: Sensor, times: Floats, day: Day, noise: Floats) -> Floats:
    daily = 28 + 10 * np.cos(2 * np.pi * (day.hours(times) - 8) / 12)
    return np.clip(daily * (1 - 0.7 * day.storm(times, 5.0)) + 6 * sensor.number + 2 * noise, 1, None)


def _traffic(sensor: Sensor, times: Floats, day: Day, noise: Floats) -> Floats:
    hour = day.hours(times) % 24
    rush = np.exp(-0.5 * ((hour - 7.8) / 1.1) ** 2) + 0.9 * np.exp(-0.5 * ((hour - 17.6) / 1.4) ** 2)
    daily = 60 + 340 * np.exp(-0.5 * ((hour - 13) / 5) ** 2) + 700 * rush
    kept_home = 1 - 0.85 * day.storm(times, 4.0)
    return np.clip(np.round(daily * (0.6 + 0.8 * sensor.number) * kept_home + 12 * noise), 0, None)


def _parking(sensor: Sensor, times: Floats, day: Day, noise: Floats) -> Floats:
    hour = day.hours(times) % 24
    full = np.clip(np.exp(-0.5 * ((hour - 12.5) / 4) ** 2) - 0.6 * day.storm(times, 4.0), 0, 1)
    places = 80 + 220 * sensor.number
    return np.clip(np.round(places * (1 - 0.9 * full) + 3 * noise), 0, None)


def _constant(sensor: Sensor, times: Floats, _: Day, noise: Floats) -> Floats:
    return np.full_like(times, 10 * sensor.number) + 0.1 * noise


SIGNALS: dict[str, Callable[[Sensor, Floats, Day, Floats], Floats]] = {
    "rain": _rain,
    "tide": _tide,
    "water_level": _level,
    "pump": _pump,
    "sluice": _sluice,
    "wind": _wind,
    "flow": _flow,
    "air_quality": _air,
    "traffic": _traffic,
    "parking": _parking,
}
