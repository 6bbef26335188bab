"""XML documents, built element by element so that no value can become markup."""

import re
from xml.etree.ElementTree import Element, SubElement, tostring

# What XML 1.0, 2.2 has no place for, however it is written.
FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

__all__ = ["Element", "child", "document", "link"]


def child(parent: Element, tag: str, text: str | None = None, **attributes: object) -> Element:
    """A new last child. Attributes of None are left out; a name's underscore stands for its colon (xlink_href)."""
    given = {name.replace("_", ":"): plain(str(value)) for name, value in attributes.items() if value is not None}
    made = SubElement(parent, tag, given)
    if text is not None:
        made.text = plain(text)
    return made


def link(parent: Element, address: str) -> Element:
    """An OnlineResource. It names its namespace itself: the DTD of WMS 1.1.1 allows that nowhere else."""
    namespace = "http://www.w3.org/1999/xlink"
    return child(parent, "OnlineResource", xmlns_xlink=namespace, xlink_type="simple", xlink_href=address)


def plain(text: str) -> str:
    """A text without the characters that XML cannot hold."""
    return FORBIDDEN.sub("\ufffd", text)


def document(root: Element, doctype: str | None = None) -> bytes:
    """The document in UTF-8."""
    head = '<?xml version="1.0" encoding="UTF-8"?>\n' + (f"<!DOCTYPE {doctype}>\n" if doctype else "")
    body: bytes = tostring(root, "utf-8", xml_declaration=False)
    return head.encode() + body
