"""Objects as HTML pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import Request, Response

from api.answers import Language, language, said
from api.collections import codes_of
from api.links import Link
from api.pages import city_title, page, page_links
from api.schemas import VALIDITY_TITLES
from layers.catalog import Catalog, Code, Layer, Title
from layers.counts import Count
from layers.formats.write import FORMATS


@dataclass(frozen=True)
class Column:
    """A property as people read it: its title with the unit, its codes in words."""

    name: str
    title: str
    codes: dict[str, Code]
    spoken: Language

    def shown(self, value: Any) -> str:
        if value is None:
            return ""
        if isinstance(value, float):
            return f"{value:.12g}"
        code = self.codes.get(str(value))
        return said(code.title, self.spoken) if code else str(value)


def items_page(
    request: Request, catalog: Catalog, layer: Layer, features: Sequence[bytes], *, matched: Count, links: list[Link]
) -> Response:
    """A page of objects as a table."""
    spoken = language(request)
    found = [orjson.loads(feature) for feature in features]
    # A column in which nothing stands on this page only pushes the others aside.
    columns = [
        c for c in _columns(layer, catalog, spoken) if any(f["properties"].get(c.name) is not None for f in found)
    ]
    return page(
        request,
        "items.html",
        links=[{**each, "name": _format_name(each)} for each in links],
        city_title=said(city_title(catalog), spoken),
        layer_id=layer.id,
        layer_title=said(layer.title, spoken),
        columns=columns,
        features=found,
        matched=f"{'' if matched.exact else '≈ '}{matched.number:,}",
    )


def item_page(request: Request, catalog: Catalog, layer: Layer, text: bytes, *, links: list[Link]) -> Response:
    """One object as a table of what is known of it."""
    spoken = language(request)
    feature = orjson.loads(text)
    told = feature["properties"]
    rows = [(c.title, c.shown(told[c.name])) for c in _columns(layer, catalog, spoken) if told.get(c.name) is not None]
    rows += [(name, str(value)) for name, value in (told.get("attributes") or {}).items()]
    return page(
        request,
        "item.html",
        links=page_links(links),
        city_title=said(city_title(catalog), spoken),
        layer_id=layer.id,
        layer_title=said(layer.title, spoken),
        feature=feature,
        name=told.get("name") or told.get("name_en"),
        rows=rows,
    )


def _format_name(each: Link) -> str:
    """What a file format is called, from the title of the link to it."""
    return next((form.title for form in FORMATS.values() if str(each["title"]).endswith(form.title)), "")


def _columns(layer: Layer, catalog: Catalog, spoken: Language) -> list[Column]:
    found = []
    for attribute in layer.properties:
        title = said(Title(attribute.zh, attribute.en), spoken)
        unit = f" ({attribute.unit})" if attribute.unit else ""
        found.append(Column(attribute.name, title + unit, codes_of(attribute, layer, catalog), spoken))
    return found + [Column(name, said(title, spoken), {}, spoken) for name, title in VALIDITY_TITLES.items()]
