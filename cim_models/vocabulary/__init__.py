"""Code lists as data files: what the values of columns mean, in both languages, and where they come from."""

import json
from dataclasses import dataclass
from functools import cache
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


@cache
def land_use_schemes() -> tuple[str, ...]:
    """The names of the schemes whose land use codes are known."""
    return tuple(scheme["scheme"] for scheme in _read("land_use.yaml")["land_use"]["schemes"])


@dataclass(frozen=True)
class Counterpart:
    """What a land use code is called in another scheme. exact: it is that and no other; else a person must choose."""

    codes: tuple[str, ...]
    exact: bool


def counterpart(scheme: str, code: str, other: str) -> Counterpart:
    """What a code of `scheme` may be in scheme `other`; nothing where nobody has said."""
    forward, backward = _walk(scheme, other), _walk(other, scheme)
    found = tuple(forward.get(code, ()))
    return Counterpart(found, exact=len(found) == 1 and backward.get(found[0]) == [code])


@cache
def _walk(scheme: str, other: str) -> dict[str, list[str]]:
    """Each code of a scheme with those of another, by whichever direction is written down."""
    walks = _read("land_use_crosswalk.yaml")
    if (written := walks.get(f"{scheme} > {other}")) is not None:
        return {code: list(codes) for code, codes in written.items()}
    turned: dict[str, list[str]] = {}
    for code, codes in walks.get(f"{other} > {scheme}", {}).items():
        for each in codes:
            turned.setdefault(each, []).append(code)
    return turned


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
