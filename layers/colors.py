"""Colours as styles write them: #rgb, #rrggbb, #rrggbbaa."""

import re
from typing import Any

COLOR = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})")


def parse_color(text: str) -> tuple[float, float, float, float]:
    """Red, green, blue and opacity, 0 to 1, of #rgb, #rrggbb or #rrggbbaa."""
    digits = text[1:] if len(text) > 4 else "".join(c * 2 for c in text[1:])
    red, green, blue, alpha = (int(digits[i : i + 2] or "ff", 16) / 255 for i in (0, 2, 4, 6))
    return red, green, blue, alpha


def format_color(color: tuple[float, float, float, float]) -> str:
    """#rrggbb, or #rrggbbaa where it is not opaque."""
    digits = "".join(f"{round(channel * 255):02x}" for channel in color)
    return "#" + (digits[:6] if digits.endswith("ff") else digits)


def is_color(value: Any) -> bool:
    return isinstance(value, str) and COLOR.fullmatch(value) is not None
