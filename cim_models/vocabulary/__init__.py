"""Code lists as data files: what the values of columns mean, in both languages, and where they come from."""

import json
from importlib import resources
from typing import Any

import yaml
from sqlalchemy import Connection, text

OWN = "CityTwin"
LIST_SQL = text(
    "insert into code_list (id, title_zh, title_en, source) values (:id, :title_zh, :title_en, :source)"
    " on conflict (id) do update set title_zh = excluded.title_zh, title_en = excluded.title_en,"
    " source = excluded.source"
)
CODE_SQL = text(
    "insert into code (list, scheme, code, parent, title_zh, title_en, color, position)"
    " select * from jsonb_to_recordset(cast(:rows as jsonb)) as t(list text, scheme text, code text, parent text,"
    " title_zh text, title_en text, color text, position integer)"
    " on conflict (list, scheme, code) do update set parent = excluded.parent, title_zh = excluded.title_zh,"
    " title_en = excluded.title_en, color = excluded.color, position = excluded.position"
)


def write_vocabulary(connection: Connection) -> None:
    """Put the shipped code lists into the database; codes that a city added of its own stay."""
    codes = []
    for name, entry in (_read("classes.yaml") | _read("land_use.yaml")).items():
        zh, en = entry["title"]
        source = entry.get("source", OWN)
        connection.execute(LIST_SQL, {"id": name, "title_zh": zh, "title_en": en, "source": source})
        codes += _codes(name, entry)
    connection.execute(CODE_SQL, {"rows": json.dumps(codes)})


def _read(file: str) -> dict[str, Any]:
    source = resources.files(__name__).joinpath(file).read_bytes()
    loaded: dict[str, Any] = yaml.load(source, Loader=yaml.CSafeLoader)
    return loaded


def _codes(name: str, entry: dict[str, Any]) -> list[dict[str, Any]]:
    schemes = entry.get("schemes") or [{"scheme": "", "codes": entry["codes"]}]
    rows: list[dict[str, Any]] = []
    for scheme in schemes:
        colors: dict[str, str] = {}
        for code, zh, en, *rest in scheme["codes"]:
            parent, color = rest or ("", "")
            colors[code] = color or colors.get(parent, "")
            rows.append(
                {
                    "list": name,
                    "scheme": scheme["scheme"],
                    "code": code,
                    "parent": parent or None,
                    "title_zh": zh,
                    "title_en": en,
                    "color": colors[code] or None,
                    "position": len(rows),
                }
            )
    return rows
