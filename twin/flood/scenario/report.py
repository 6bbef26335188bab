"""The report of a run: a page to print in each language with maps, tables and assumptions, JSON and CSV beside it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.csv
import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from layers.ramps import ramp_named
from twin.flood.exposure.rules import rules
from twin.flood.raster import read_grid
from twin.flood.scenario.findings import Findings
from twin.flood.scenario.picture import map_png
from twin.flood.scenario.tables import HERE, formulas, patterns, tides
from twin.scenarios.city import City

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")
MOST_ROWS = 40
# Grids that a report shows, and the ramps they are drawn in.
MAPS = {"max_depth": "maximum_depth", "hazard": "hazard", "arrival": "arrival"}


def write_report(
    city: City, findings: Findings, indicators: Mapping[str, Any], tables: Mapping[str, pa.Table]
) -> dict[str, Path]:
    """Files of a report in the run's folder, by the name to serve them under."""
    maps = [_map(findings, role, ramp) for role, ramp in MAPS.items()]
    files = {}
    for lang in LANGUAGES:
        path = city.folder / f"report-{lang}.html"
        path.write_text(_page(findings, indicators, tables, maps, lang=lang), encoding="utf-8")
        files[path.name] = path
    path = city.folder / "report.json"
    told = {"inputs": findings.inputs.model_dump(mode="json"), "start": findings.start.isoformat()}
    path.write_text(json.dumps(told | {"indicators": indicators}, ensure_ascii=False, indent=1), encoding="utf-8")
    files[path.name] = path
    for name, table in tables.items():
        path = city.folder / f"{name}.csv"
        pyarrow.csv.write_csv(table, path)
        files[path.name] = path
    return files


def _page(
    findings: Findings,
    indicators: Mapping[str, Any],
    tables: Mapping[str, pa.Table],
    maps: list[dict[str, Any]],
    *,
    lang: Language,
) -> str:
    words = _words()
    word = {name: text[lang] for name, text in words["words"].items()}
    told = [each for each in indicators.values() if isinstance(each, Mapping) and "title" in each]
    facts = {
        "known": indicators["known_error_m"]["value"],
        "volume": f"{indicators['volume_error']['value']:.1e}",
        "cell": f"{findings.ground.site.cell:g}",
        "drains": f"{findings.works.drained_mm_h:g}",
    }
    page: str = _template().render(
        lang={"zh": "zh-CN", "en": "en"}[lang],
        word=word,
        city=findings.city.name,
        begin=f"{findings.start:%Y-%m-%d %H:%M}",
        end=f"{findings.moments[-1]:%Y-%m-%d %H:%M}",
        made=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        warnings=[
            *([word["city_made_up"]] if _is_made_up(findings) else []),
            *(note[lang] for note in indicators["notes"]),
        ],
        numbers=[
            (each["title"][lang], _figure(each["value"]), _unit(each["unit"]), _spread(each, word["members"]))
            for each in told
        ],
        maps=[each | {"title": each["titles"][lang], "legend": each["legends"][lang]} for each in maps],
        tables=[
            {"title": title[lang]} | _rows(tables[name], name, findings.start.tzinfo, lang)
            for name, title in words["tables"].items()
            if name in tables and len(tables[name])
        ],
        account=list(indicators["account_m3"].items()),
        trust=[
            each[lang].format(**facts)
            for each in words["trust"]
            if each.get("drains_as", findings.inputs.drains_as) == findings.inputs.drains_as
        ],
        inputs=_inputs(findings, lang),
        sources=_sources(findings),
    )
    return page


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:,g}"


def _unit(ucum: str) -> str:
    return "" if ucum == "1" else ucum.replace("km2", "km²").replace("m3", "m³")


def _spread(indicator: Mapping[str, Any], words: str) -> str:
    """What eight of ten members stay between, if there are members."""
    spread = indicator.get("spread")
    return words.format(**spread) if spread else ""


def _rows(table: pa.Table, name: str, zone: tzinfo | None, lang: Language) -> dict[str, Any]:
    """What a page has room for: titles of columns, and rows without codes, at the city's own time."""
    rows = table.to_pylist()
    if name == "people_to_move":
        rows = _worst_moment(rows)
    if name == "roads_by_hour":
        rows = _by_vehicle(rows)
    words, law = _words(), rules().table
    values = words["values"] | law["vehicles"]["titles"] | law["damage"]["titles"]
    columns = [each for each in rows[0] if each not in words["codes"]]
    shown = [[_cell(row[column], zone, values, lang) for column in columns] for row in rows[:MOST_ROWS]]
    titles = [(words["columns"] | values).get(each, {}).get(lang, each) for each in columns]
    numeric = [is_number for _, is_number in shown[0]]
    return {"names": list(zip(titles, numeric, strict=True)), "rows": shown, "more": max(0, len(rows) - MOST_ROWS)}


def _cell(value: Any, zone: tzinfo | None, words: Mapping[str, Mapping[str, str]], lang: Language) -> tuple[str, bool]:
    """A value as text, and whether it is a number."""
    if isinstance(value, datetime):
        return f"{value.astimezone(zone):%m-%d %H:%M}", False
    if isinstance(value, int | float):
        return f"{value:,.2f}".removesuffix(".00") if abs(value) < 1000 else f"{value:,.0f}", True
    return (words[value][lang] if value in words else value or ""), False


def _by_vehicle(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Closed roads with a row a moment, km by vehicle."""
    moments: dict[datetime, dict[str, Any]] = {}
    for row in rows:
        moments.setdefault(row["time"], {"time": row["time"]})[row["vehicle"]] = row["closed_km"]
    return list(moments.values())


def _worst_moment(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of the moment when most people have to move, the largest first."""
    people: dict[datetime, int] = {}
    for row in rows:
        people[row["time"]] = people.get(row["time"], 0) + row["people"]
    worst = max(people, key=lambda at: people[at])
    return sorted((row for row in rows if row["time"] == worst), key=lambda row: -row["people"])


def _map(findings: Findings, role: str, ramp: str) -> dict[str, Any]:
    grid = read_grid(findings.city.folder / f"{role}.tif")
    found = ramp_named(ramp)
    shown = [(stop, label) for stop, label in zip(found.stops, found.labels, strict=True) if stop.opacity > 0]
    return {
        "titles": {"zh": found.title.zh, "en": found.title.en},
        "unit": found.unit,
        "png": map_png(grid, findings.ground.natural, findings.ground.site.cell, ramp),
        "legends": {lang: [(stop.color, getattr(label, lang)) for stop, label in shown] for lang in LANGUAGES},
    }


def _inputs(findings: Findings, lang: Language) -> list[tuple[str, str, str]]:
    """Inputs that are not as they come, with their words and units."""
    rows = []
    for name, info in type(findings.inputs).model_fields.items():
        value = getattr(findings.inputs, name)
        extra = info.json_schema_extra
        usual = info.get_default(call_default_factory=True)
        if not isinstance(extra, dict) or (not info.is_required() and value == usual):
            continue
        title, unit = extra["x-title"], extra.get("x-unit", "")
        told = json.dumps(findings.inputs.model_dump(mode="json")[name], ensure_ascii=False)
        assert isinstance(title, dict)
        rows.append((str(title[lang]), told[:400].strip('"'), _unit(str(unit))))
    return rows


def _sources(findings: Findings) -> list[str]:
    inputs = findings.inputs
    found = [
        "Manning's n: Chow 1959, table 5-6; curve numbers: USDA TR-55 (1986), tables 2-2a to 2-2c",
        "hazard: DEFRA/EA FD2321 (2006), d (v + 0.5)",
    ]
    if inputs.rain == "storm":
        formula = formulas()[inputs.storm_formula]
        found.append(f"storm: {formula.source}, {formula.edition}")
    if inputs.rain == "day":
        found.append(f"pattern: {patterns()[inputs.rain_pattern]['source']}")
    if inputs.sea == "tide":
        found.append(f"tide: {tides()[inputs.tide]['source']}")
    return found + [f"{name}: {source}" for name, source in rules().sources.items()]


def _is_made_up(findings: Findings) -> bool:
    inputs = findings.inputs
    storm = inputs.rain == "storm" and formulas()[inputs.storm_formula].made_up
    return storm or (inputs.sea == "tide" and tides()[inputs.tide]["made_up"])


@cache
def _words() -> Any:
    return yaml.safe_load((HERE / "report_words.yaml").read_text(encoding="utf-8"))


@cache
def _template() -> Any:
    environment = Environment(
        loader=PackageLoader("twin.flood.scenario", "."), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("report.html")
