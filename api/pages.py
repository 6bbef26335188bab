"""HTML pages of the API, in Chinese and English."""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response

from api.answers import Language, html_answer, language
from api.exchange import exchange
from api.links import Link
from layers.catalog import Catalog, Title

TEXTS: dict[str, dict[Language, str]] = {
    "home": {"zh": "首页", "en": "Home"},
    "layers": {"zh": "图层", "en": "Layers"},
    "open_map": {"zh": "打开地图", "en": "Open the map"},
    "api": {"zh": "接口说明", "en": "API description"},
    "conformance": {"zh": "符合的标准", "en": "Conformance"},
    "objects": {"zh": "对象", "en": "Objects"},
    "about": {"zh": "约", "en": "about"},
    "made_up": {"zh": "虚构数据", "en": "Made up"},
    "made_up_city": {
        "zh": "这是一座虚构的城市，数据均为生成。",
        "en": "This city is made up; all its data are generated.",
    },
    "property": {"zh": "属性", "en": "Property"},
    "title": {"zh": "名称", "en": "Title"},
    "type": {"zh": "类型", "en": "Type"},
    "unit": {"zh": "单位", "en": "Unit"},
    "value": {"zh": "值", "en": "Value"},
    "extent": {"zh": "范围", "en": "Extent"},
    "licence": {"zh": "许可", "en": "Licence"},
    "attribution": {"zh": "来源", "en": "Source"},
    "download": {"zh": "下载全部", "en": "Download all of it"},
    "next": {"zh": "下一页", "en": "Next page"},
    "first": {"zh": "第一页", "en": "First page"},
    "on_page": {"zh": "本页", "en": "On this page:"},
    "altogether": {"zh": "共", "en": "altogether:"},
    "all_layers": {"zh": "全部图层", "en": "All layers"},
    "geometry": {"zh": "几何", "en": "Geometry"},
    "nothing": {"zh": "这里还没有对象。", "en": "There are no objects here yet."},
    "search": {"zh": "搜索", "en": "Search"},
    "search_hint": {"zh": "名称、地址、拼音、代码、编号或坐标", "en": "A name, address, code, id or coordinates"},
    "nothing_found": {"zh": "没有找到。", "en": "Nothing found."},
    "method": {"zh": "方法", "en": "Method"},
    "address": {"zh": "地址", "en": "Address"},
    "meaning": {"zh": "说明", "en": "Meaning"},
    "machine": {"zh": "机器可读", "en": "For programs"},
    "needs_token": {"zh": "需要令牌", "en": "needs a token"},
    "other_language": {"zh": "页面语言取自浏览器设置", "en": "The language follows your browser"},
}


@cache
def environment() -> Environment:
    """The templates of all pages; what they are given is escaped."""
    return Environment(
        loader=PackageLoader("api"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def page(request: Request, template: str, **context: Any) -> Response:
    """A page in the language of its reader."""
    spoken = language(request)
    words = {name: text[spoken] for name, text in TEXTS.items()}
    met = exchange(request)
    html = (
        environment()
        .get_template(template)
        .render(t=words, lang=spoken, base=met.base, root=met.root, city=met.city, **context)
    )
    return html_answer(html, spoken=spoken)


def city_title(catalog: Catalog) -> Title:
    """The city's name, as it stands over every page."""
    return Title(catalog.city.title_zh, catalog.city.title_en)


def page_links(links: list[Link]) -> list[Link]:
    """The links of a document as its page carries them: the document is the page's alternate."""
    turned = {"self": "alternate", "alternate": "self"}
    return [{**each, "rel": turned.get(each["rel"], each["rel"])} for each in links]
