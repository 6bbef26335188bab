"""What is usual at an hour of the week, and what a Datastream may declare."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import median_abs_deviation

from twin.sensing import BadEntity
from twin.sensing.conditions import Watch, truth
from twin.sensing.writing.declared import check_declared

SPIKE = Watch.model_validate({"when": {"type": "spike", "window": "P28D", "value": 6}}).when
FOUR_WEEKS = np.arange(28 * 24 * 4) * 900.0


def test_a_spike_is_far_from_what_is_usual_at_its_hour_of_the_week() -> None:
    """A rush hour is none, though it is far from the day's mean; the same value at night is one."""
    rng = np.random.default_rng(4)
    hour = FOUR_WEEKS // 3600 % 24
    flow = np.where(hour == 8, 900.0, 100.0) + rng.uniform(-10, 10, len(hour))
    night = int(np.flatnonzero(hour == 3)[-1])
    flow[night] = 900.0
    true = truth(SPIKE, FOUR_WEEKS, flow, {}, since=FOUR_WEEKS[-96 * 7])
    assert np.flatnonzero(true).tolist() == [night]


def test_its_limit_is_six_robust_standard_deviations_as_scipy_has_them() -> None:
    usual = np.array([1.0, 2.0, 2.5, 3.0, 4.0, 4.5, 6.0, 9.0])
    times = np.append(np.arange(8) * 60.0, 7 * 86_400.0)
    limit = np.median(usual) + 6 * 1.4826 * median_abs_deviation(usual)
    for value, expected in ((limit - 1e-6, False), (limit + 1e-6, True)):
        assert truth(SPIKE, times, np.append(usual, value), {}).tolist() == [False] * 8 + [expected]


def test_what_has_never_varied_is_told_by_the_least_deviation_only() -> None:
    """0.7 above eight equal values is 7 times 0.1."""
    times, values = np.append(np.arange(8) * 60.0, 7 * 86_400.0), np.array([2.0] * 8 + [2.7])
    for least, expected in ((0.0, False), (0.1, True), (0.12, False)):
        spike = Watch.model_validate({"when": {"type": "spike", "value": 6, "least": least}}).when
        assert bool(truth(spike, times, values, {})[-1]) is expected


@pytest.mark.parametrize(
    "given",
    [{"levels": {"warning": 2.9, "guaranteed": 4, "datum": "1985"}}, {"levels": None}, {"kind": "rain"},
     {"levels": {"warning": [{"value": 2.9, "to": "2024-04-15"}, {"value": 3.1, "from": "2024-04-15"}]}},
     {"kind": "camera", "camera": {"direction": 135, "snapshot": "https://example.org/now.jpg?id=1"}}],
)  # fmt: skip
def test_what_is_declared_well_is_taken(given: dict[str, Any]) -> None:
    check_declared(given)


@pytest.mark.parametrize(
    ("given", "where"),
    [({"levels": [2.9]}, "levels"), ({"levels": {"warning": "2.9"}}, "levels.warning"),
     ({"levels": {"warning": True}}, "levels.warning"), ({"levels": {"warning": float("nan")}}, "levels.warning"),
     ({"levels": {"warning": [{"value": 1, "from": "soon"}]}}, "levels.warning"), ({"levels": {"datum": 5}}, "datum"),
     ({"levels": {"blue": [{"value": 1, "from": "2024-02-01", "to": "2024-01-01"}]}}, "it ends before it begins"),
     ({"kind": "camera"}, "camera"), ({"camera": {"direction": 1}}, "snapshot"),
     ({"camera": {"hls": "javascript:alert(1)"}}, "camera"),
     ({"camera": {"hls": "https://a/b", "direction": 360}}, "camera")],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(given: dict[str, Any], where: str) -> None:
    with pytest.raises(BadEntity, match=where):
        check_declared(given)
