"""A scenario's inputs as JSON schemas, and inputs that come in checked against them."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic.json_schema import GenerateJsonSchema

from twin.scenarios import BadInputs, ScenarioError
from twin.scenarios.inputs import Inputs
from twin.scenarios.protocol import Scenario
from twin.scenarios.registry import faults

# Deeper is a model that holds itself, which a form cannot show.
MAX_DEPTH = 12


def input_schemas(scenario: Scenario) -> dict[str, dict[str, Any]]:
    """The JSON schema (2020-12) of each input by name, without references. Raises ScenarioError."""
    schema = scenario.inputs.model_json_schema(mode="validation", schema_generator=GenerateJsonSchema)
    definitions = schema.get("$defs", {})
    return {name: _resolved(each, definitions, 0) for name, each in schema.get("properties", {}).items()}


def required(scenario: Scenario) -> set[str]:
    """The inputs that have no default."""
    return {name for name, field in scenario.inputs.model_fields.items() if field.is_required()}


def read_inputs(scenario: Scenario, given: Mapping[str, Any]) -> Inputs:
    """Inputs as the scenario wants them. Raises BadInputs naming each field that is wrong."""
    try:
        return scenario.inputs.model_validate(dict(given))
    except ValidationError as error:
        raise BadInputs(faults(error)) from None


def _resolved(schema: Any, definitions: Mapping[str, Any], depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise ScenarioError("inputs: a model holds itself, which no form can show")
    if isinstance(schema, list):
        return [_resolved(each, definitions, depth) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        target = definitions[schema["$ref"].rpartition("/")[2]]
        schema = target | {key: value for key, value in schema.items() if key != "$ref"}
    return {
        key: value if key in ("default", "enum", "const", "examples") else _resolved(value, definitions, depth + 1)
        for key, value in schema.items()
    }
