"""GetLegendGraphic (OGC 05-078r4, 12; 02-070, 12): what the colours and lines of a layer mean."""

from collections.abc import Collection

from fastapi import Response

from api.ows.fault import INVALID, Fault
from api.presence import while_waited_for
from api.wms.call import Call
from api.wms.content import refuse_sld, take_style
from api.wms.frame import take_side
from api.wms.maps import picture_answer
from api.wms.names import THEME
from api.wms.pictures import WRITTEN
from layers.catalog import Layer, LayerNotFound
from tiles.map.legend import FORMATS, LegendFormat

OTHERS: dict[str, LegendFormat] = {
    "image/svg+xml": "image/svg+xml",
    "image/svg": "image/svg+xml",
    "application/json": "application/json",
}
LARGEST_SCALE = 1e10


async def get_legend_graphic(call: Call) -> Response:
    """Raises Fault and what the map service raises."""
    refuse_sld(call)
    layer, style = _layer(call), take_style(call.kvp.get("STYLE"), "STYLE")
    kind = _format(call.kvp.required("FORMAT"))
    drawing = call.served.maps.legend(
        layer,
        call.catalog,
        style,
        kind,
        scale=_scale(call.kvp.get("SCALE")),
        rule=call.kvp.get("RULE"),
        width=_side(call, "WIDTH"),
        height=_side(call, "HEIGHT"),
        in_use=await values_in_use(layer, call),
    )
    return picture_answer(call, await while_waited_for(call.request, drawing), kind)


async def values_in_use(layer: Layer, call: Call) -> Collection[str] | None:
    """The values that the legend lists; None for all that the style knows."""
    grant = call.catalog.grant(layer, call.principal)
    # Statistics are of the whole table: they would tell of objects that the grant leaves out.
    return await call.served.in_use(layer) if grant is not None and grant.row_filter is None else None


def _layer(call: Call) -> Layer:
    """The one layer that the legend is of. Raises Fault."""
    name = call.kvp.first("LAYER", "LAYERS") or call.kvp.required("LAYER")
    if name.startswith(THEME):
        detail = f"LAYER={name[:80]!r}: a legend is of one layer; ask for those of the theme, one by one"
        raise Fault("LayerNotDefined", detail, "LAYER")
    try:
        return call.catalog.layer(name, call.principal)
    except LayerNotFound:
        detail = f"no layer {name[:80]!r}; GetCapabilities lists those there are"
        raise Fault("LayerNotDefined", detail, "LAYER") from None


def _format(text: str) -> LegendFormat:
    plain = text.lower().replace(" ", "")
    found = OTHERS.get(plain) or WRITTEN.get(plain)
    if found is None:
        raise Fault("InvalidFormat", f"FORMAT={text[:60]!r}: legends come as {', '.join(FORMATS)}", "FORMAT")
    return found


def _scale(text: str | None) -> float | None:
    """The denominator of a scale. Raises Fault."""
    if text is None:
        return None
    try:
        scale = float(text)
    except ValueError:
        scale = float("nan")
    if not 0 < scale <= LARGEST_SCALE:
        raise Fault(INVALID, f"SCALE={text[:40]!r}: the denominator of a scale is wanted, such as 10000", "SCALE")
    return scale


def _side(call: Call, name: str) -> int | None:
    return None if call.kvp.get(name) is None else take_side(call, name)
