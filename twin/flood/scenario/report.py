"""The report of a run: a page to print in each language with maps, tables and assumptions, JSON and CSV beside it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from twin.flood.exposure.rules import Source, rules
from twin.flood.scenario.findings import Findings
from twin.flood.scenario.presets import PRESETS
from twin.flood.scenario.report_inputs import Reader, inputs_told
from twin.flood.scenario.report_maps import Sheet, maps_of, sheet_of
from twin.flood.scenario.report_tables import Language, printed
from twin.flood.scenario.seen import pictures_of
from twin.flood.scenario.tables import HERE, formulas, patterns, tides
from twin.scenarios.city import City

LANGUAGES: tuple[Language, ...] = ("zh", "en")


@dataclass(frozen=True, eq=False)
class _Told:
    """What both pages tell."""

    findings: Findings
    indicators: Mapping[str, Any]
    tables: Mapping[str, pa.Table]
    maps: list[dict[str, Any]]
    sheet: Sheet
    pictures: list[str]


def write_report(
    city: City, findings: Findings, indicators: Mapping[str, Any], tables: Mapping[str, pa.Table]
) -> dict[str, Path]:
    """Files of a report in the run's folder, by the name to serve them under."""
    told = _Told(findings, indicators, tables, maps_of(findings), sheet_of(findings), pictures_of(findings))
    files = {}
    for lang in LANGUAGES:
        path = city.folder / f"report-{lang}.html"
        path.write_text(_page(told, lang), encoding="utf-8")
        files[path.name] = path
    path = city.folder / "report.json"
    asked = {"inputs": findings.inputs.model_dump(mode="json"), "start": findings.start.isoformat()}
    path.write_text(json.dumps(asked | {"indicators": indicators}, ensure_ascii=False, indent=1), encoding="utf-8")
    files[path.name] = path
    for name, table in tables.items():
        path = city.folder / f"{name}.csv"
        pyarrow.csv.write_csv(table, path)
        files[path.name] = path
    return files


def _page(told: _Told, lang: Language) -> str:
    findings, indicators, words = told.findings, told.indicators, _words()
    word = {name: text[lang] for name, text in words["words"].items()}
    city, zone = findings.city, findings.start.tzinfo
    figures = [each for each in indicators.values() if isinstance(each, Mapping) and "title" in each]
    facts = {
        "known": indicators["known_error_m"]["value"],
        "volume": f"{indicators['volume_error']['value']:.1e}",
        "cell": f"{findings.ground.site.cell:g}",
        "drains": f"{findings.works.drained_mm_h:.0f}",
        "crs": findings.ground.site.crs,
        "datum": city.vertical_datum,
    }
    place = city.catalog.city
    page: str = _template().render(
        lang={"zh": "zh-CN", "en": "en"}[lang],
        word=word,
        page=word["page"].split("|"),
        city={"zh": place.title_zh, "en": place.title_en}[lang],
        preset=_preset(findings, lang),
        begin=f"{findings.start:%Y-%m-%d %H:%M}",
        end=f"{findings.moments[-1]:%Y-%m-%d %H:%M}",
        made=f"{datetime.now(UTC).astimezone(zone):%Y-%m-%d %H:%M}",
        run=city.run.id,
        seed=city.seed,
        warnings=[
            *([word["city_made_up"]] if _is_made_up(findings) else []),
            *(note[lang] for note in indicators["notes"]),
        ],
        numbers=[
            (each["title"][lang], _figure(each["value"]), _unit(each["unit"]), _spread(each, word["members"]))
            for each in figures
        ],
        sheet=told.sheet,
        name_at={"zh": 2, "en": 3}[lang],
        maps=[each | {"title": each["titles"][lang], "legend": each["legends"][lang]} for each in told.maps],
        tables=[
            printed(told.tables[name], name, words, zone=zone, lang=lang)
            for name in words["tables"]
            if name in told.tables and len(told.tables[name])
        ],
        pictures={words["tables"]["seen"][lang]: told.pictures} if any(told.pictures) else {},
        account=_account(indicators["account_m3"], words["account"], lang),
        trust=[
            each[lang].format(**facts)
            for each in words["trust"]
            if each.get("drains_as", findings.inputs.drains_as) == findings.inputs.drains_as
        ],
        inputs=inputs_told(findings.inputs, Reader(lang, zone, word)),
        sources=_sources(findings, lang, words["sources"]),
    )
    return page


def _preset(findings: Findings, lang: Language) -> str:
    """What the run is called: the preset with most inputs of which it has all."""
    inputs = findings.inputs.model_dump(mode="json", exclude_unset=True)
    found = [each for each in PRESETS.values() if each.inputs.items() <= inputs.items()]
    return str(getattr(max(found, key=lambda each: len(each.inputs)).title, lang)) if found else ""


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:,g}"


def _unit(ucum: str) -> str:
    return "" if ucum == "1" else ucum.replace("km2", "km²").replace("m3", "m³")


def _spread(indicator: Mapping[str, Any], words: str) -> str:
    """What eight of ten members stay between, if there are members."""
    spread = indicator.get("spread")
    return words.format(**spread) if spread else ""


def _account(volumes: Mapping[str, int], words: Mapping[str, Any], lang: Language) -> list[tuple[str, int]]:
    """What was there, what came and went, the most first, and what is there in the end."""
    terms = sorted((name for name in volumes if name not in ("initial", "stored")), key=lambda name: -volumes[name])
    named = ((words.get(name, {}).get(lang, name), volumes[name]) for name in ("initial", *terms, "stored"))
    return [(title, volume) for title, volume in named if volume]


def _sources(findings: Findings, lang: Language, words: Mapping[str, Any]) -> list[str]:
    """Title and source of each group of numbers that the run went by."""
    inputs = findings.inputs
    found: dict[str, Source] = {
        "ground": "Chow 1959, table 5-6; USDA TR-55 (1986), tables 2-2a to 2-2c",
        "hazard": "DEFRA/EA FD2321 (2006), d (v + 0.5)",
    }
    if inputs.rain == "storm":
        formula = formulas()[inputs.storm_formula]
        found["storm"] = f"{formula.source}, {formula.edition}"
    if inputs.rain == "day":
        found["pattern"] = patterns()[inputs.rain_pattern]["source"]
    if inputs.sea == "tide":
        found["tide"] = tides()[inputs.tide]["source"]
    return [
        f"{words.get(name, {}).get(lang, name)}: {_said(source, lang)}"
        for name, source in (found | rules().sources).items()
    ]


def _said(source: Source, lang: Language) -> str:
    return source if isinstance(source, str) else source[lang]


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
        loader=PackageLoader("twin.flood.scenario", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html")
