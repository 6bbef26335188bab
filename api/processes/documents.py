"""What processes say of themselves (18-062r2, processSummary.yaml and process.yaml)."""

from typing import Any

from api.answers import Language
from api.links import HTML, JSON, Link, link
from api.processes.schemas import in_ogc_dialect
from twin.scenarios.describe import input_schemas, required
from twin.scenarios.inputs import Words
from twin.scenarios.protocol import Scenario
from twin.scenarios.registry import missing

CONF = "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf"
CONFORMANCE = tuple(
    f"{CONF}/{part}"
    for part in ("core", "ogc-process-description", "json", "html", "oas30", "job-list", "callback", "dismiss")
)
EXECUTE = "http://www.opengis.net/def/rel/ogc/1.0/execute"
PROCESSES = "http://www.opengis.net/def/rel/ogc/1.0/processes"
JOBS = "http://www.opengis.net/def/rel/ogc/1.0/job-list"
OUTPUT = "result"


def service_links(base: str) -> list[Link]:
    """Links of the landing page."""
    return [
        link(PROCESSES, f"{base}/processes", JSON, "Scenarios that can be run"),
        link(JOBS, f"{base}/jobs", JSON, "Runs of scenarios"),
    ]


def spoken(words: Words, language: Language) -> str:
    """Words in one language."""
    return words.zh if language == "zh" else words.en


def summary(scenario: Scenario, base: str, language: Language) -> dict[str, Any]:
    """A process in the list of them."""
    address = f"{base}/processes/{scenario.name}"
    return {
        "id": scenario.name,
        "version": scenario.version,
        "title": spoken(scenario.title, language),
        "description": spoken(scenario.description, language),
        "jobControlOptions": ["sync-execute", "async-execute", "dismiss"],
        "outputTransmission": ["value"],
        "links": [
            link("self", f"{address}?f=json", JSON, "This process"),
            link("alternate", f"{address}?f=html", HTML, "This process as a page"),
            link(EXECUTE, f"{address}/execution", JSON, "Run it"),
        ],
    }


def description(scenario: Scenario, base: str, language: Language) -> dict[str, Any]:
    """A process with its inputs; beyond the standard, `twin` has words in both languages, presets, and what is to be
    installed before it can run here, if anything.

    An input's own `twin` has its whole schema (2020-12), with the words and units that the standard's has no room for.
    """
    needed, lacking = required(scenario), missing(scenario)
    return summary(scenario, base, language) | {
        "inputs": {
            name: {
                "title": schema.get("x-title", {}).get(language, schema.get("title", name)),
                "description": schema.get("x-help", {}).get(language, schema.get("description", "")),
                "minOccurs": int(name in needed),
                "maxOccurs": 1,
                "schema": in_ogc_dialect(schema),
                "twin": {"schema": schema},
            }
            for name, schema in input_schemas(scenario).items()
        },
        "outputs": {
            OUTPUT: {
                "title": "结果" if language == "zh" else "Result",
                "description": "Indicators, and addresses of layers, tables and files",
                "schema": {
                    "type": "object",
                    "properties": {
                        "indicators": {"type": "object"},
                        **{part: {"type": "array"} for part in ("layers", "tables", "files")},
                    },
                },
            }
        },
        "twin": {
            "title": scenario.title._asdict(),
            "description": scenario.description._asdict(),
            "missing": None if lacking is None else lacking._asdict(),
            "presets": {
                name: {"title": preset.title._asdict(), "inputs": dict(preset.inputs)}
                for name, preset in scenario.presets.items()
            },
        },
    }
