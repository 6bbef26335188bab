"""Foreign messages: a file that says which topics carry which readings, and how their payloads are read.

- topic: water/+/level          # an MQTT filter
  stream: "gauge-{1}"           # properties.key of the Datastream; {1} is the topic's level, from 0
  result: reading.value         # a path into the JSON; numbers are places in lists
  time: reading.at              # left out: the time it arrives
  time_format: epoch_ms         # iso (the default), epoch or epoch_ms
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from twin.sensing import BadEntity, SensingError
from twin.sensing.batch import Reading
from twin.sensing.observations import read_result, read_time

FILE = "mqtt.yaml"
PART = re.compile(r"\{([\w.]+)\}")


class BadMapping(SensingError):
    """A mapping file that cannot be meant."""


class Rule(BaseModel):
    """One line of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    topic: str
    stream: str
    result: str
    time: str | None = None
    time_format: Literal["iso", "epoch", "epoch_ms"] = "iso"


@dataclass(frozen=True)
class Mapped:
    """A foreign message as it is understood; key: of the datastream that it is of."""

    key: str
    time: datetime
    result: Any

    def reading(self, datastream: int) -> Reading:
        number, text, packed = read_result(self.result)
        return Reading(datastream, self.time, number, text, packed)


def read_mapping(path: Path) -> tuple[Rule, ...]:
    """The rules of a file, none where there is no file. Raises BadMapping."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ()
    try:
        return tuple(TypeAdapter(list[Rule]).validate_python(yaml.safe_load(text) or []))
    except (yaml.YAMLError, ValidationError) as error:
        raise BadMapping(f"{path}: {error}") from None


def rule_for(topic: str, rules: Sequence[Rule]) -> Rule | None:
    """The first rule whose filter the topic fits."""
    return next((rule for rule in rules if fits(topic, rule.topic)), None)


def fits(topic: str, wanted: str) -> bool:
    """Whether a topic fits an MQTT filter (MQTT 5.0, 4.7)."""
    levels, parts = topic.split("/"), wanted.split("/")
    for place, part in enumerate(parts):
        if part == "#":
            return True
        if place >= len(levels) or part not in ("+", levels[place]):
            return False
    return len(levels) == len(parts)


def mapped(rule: Rule, topic: str, payload: Any, zone: tzinfo) -> Mapped:
    """What a foreign message says. Raises BadEntity."""
    levels = topic.split("/")

    def part(found: re.Match[str]) -> str:
        name = found[1]
        if name.isdigit() and int(name) < len(levels):
            return levels[int(name)]
        return str(_at(payload, name))

    time = datetime.now(UTC)
    if rule.time is not None:
        given = _at(payload, rule.time)
        time = read_time(given, rule.time, zone) if rule.time_format == "iso" else _since_1970(given, rule)
    return Mapped(PART.sub(part, rule.stream), time, _at(payload, rule.result))


def _since_1970(value: Any, rule: Rule) -> datetime:
    try:
        return datetime.fromtimestamp(float(value) / (1000 if rule.time_format == "epoch_ms" else 1), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        raise BadEntity(f"{rule.time}: {str(value)[:40]!r} is no time since 1970") from None


def _at(payload: Any, path: str) -> Any:
    value = payload
    for step in path.split(".") if path else ():
        try:
            value = value[int(step)] if isinstance(value, list) else value[step]
        except (KeyError, IndexError, ValueError, TypeError):
            raise BadEntity(f"the payload has no {path!r}") from None
    return value
