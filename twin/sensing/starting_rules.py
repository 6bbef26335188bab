"""The rules that a city starts with."""

from importlib import resources
from typing import Any

import yaml

from cim_models.database import Connection
from layers.access import SYSTEM
from twin.sensing.rules import read_rule

INSERT = """
    insert into sensing.rule (name, title_zh, title_en, severity, hazard, applies, condition, updated_by)
    values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (name) do nothing
"""


def starting_rules() -> list[dict[str, Any]]:
    """The shipped rules, checked."""
    rules: list[dict[str, Any]] = yaml.safe_load(
        resources.files("twin.sensing").joinpath("rules.yaml").read_text(encoding="utf-8")
    )
    for number, rule in enumerate(rules):
        read_rule({"id": number, **rule})
    return rules


async def seed_rules(connection: Connection) -> None:
    """Add the rules that a city lacks; those it has stay as they are."""
    for rule in starting_rules():
        names = ("name", "title_zh", "title_en", "severity", "hazard", "applies", "condition")
        await connection.execute(INSERT, *(rule.get(name) for name in names), SYSTEM.name)
