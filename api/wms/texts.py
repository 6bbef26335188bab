"""What the capabilities say in words: in the client's language, their keywords in both."""

from collections.abc import Iterable

from api.answers import said
from api.wms.call import Call
from cim_models.themes import GROUPS
from layers.catalog import Layer, Title

ABSTRACT = Title(
    "这座城市的数字孪生的地图。每个图层都有日间与夜间两种样式；TIME 可看过去任一时刻，PLAN 可看规划方案，"
    "CQL_FILTER 可按属性与位置筛选。专题组（theme:）把一个专题的图层合为一图。",
    "Maps of this city's digital twin. Each layer has a style by day and one by night; TIME shows any moment of the"
    " past, PLAN a plan's changes, CQL_FILTER what fulfils a condition. A theme (theme:) shows its layers as one map.",
)
MADE_UP = Title("数据为虚构。", "The data are made up.")
ALL = Title("整幅地图", "The whole map")
ALL_ABSTRACT = Title("打开地图时可见的全部图层。", "All layers that are visible when the map is opened.")
STYLES = {"day": Title("日间", "Day"), "night": Title("夜间", "Night")}
NOTHING = Title("此处没有对象。", "Nothing is here.")
SERVICE_WORDS = ("数字孪生", "digital twin", "城市信息模型", "CIM", "WMS")


def said_here(title: Title, call: Call) -> str:
    """A title in the client's language."""
    return said(title, call.spoken)


def abstract(call: Call) -> str:
    """What the service is."""
    told = said_here(ABSTRACT, call)
    return told + " " + said_here(MADE_UP, call) if call.catalog.city.made_up else told


def layer_abstract(layer: Layer, call: Call) -> str | None:
    """What a layer is; None where nothing is said of it."""
    parts = [said_here(layer.description, call)] if layer.description else []
    parts += [said_here(MADE_UP, call)] if layer.made_up else []
    return " ".join(part for part in parts if part) or None


def keywords(*titles: Title) -> list[str]:
    """Titles in both languages, and what the service is about."""
    return _once((*(word for title in titles for word in (title.zh, title.en)), *SERVICE_WORDS))


def layer_keywords(layer: Layer) -> list[str]:
    """What a layer may be looked for by."""
    return _once((layer.title.zh, layer.title.en, *GROUPS[layer.group], layer.id))


def _once(words: Iterable[str]) -> list[str]:
    return [word for word in dict.fromkeys(words) if word]
