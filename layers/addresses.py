"""Addresses taken apart: Chinese from province to room, English and French as number and street."""

import re
import unicodedata
from dataclasses import dataclass, fields

LONGEST = 200
NUMERALS = {letter: value for value, letter in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
TENS = {"十": 10, "百": 100}
NUMBER = r"(?:[0-9]+|[零〇一二两三四五六七八九十百]+)"
HAN = re.compile(r"[㐀-鿿]")
# 县前街 is no county, 新村路 no village, 柳市镇 no city: what goes on so is part of a longer name.
NO_STREET = r"(?![前后中东西南北民府城场政委心]?(?:路|街(?!道)|巷|弄|大道)|镇|乡|街道)"
NO_VILLAGE = r"(?![前后中东西南北头口]?(?:路|街(?!道)|巷|弄|大道)|村|社区)"
PARTS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("province", re.compile(r"\A(?:中国)?([^\d省市县区]{2,8}?(?:省|自治区))")),
    ("city", re.compile(rf"\A([^\d市县区]{{2,8}}?(?:自治州|地区|盟|市){NO_STREET})")),
    ("county", re.compile(rf"\A([^\d县区镇村路街]{{1,8}}?(?:自治县|县|(?<![小社园])区|市|旗){NO_STREET})")),
    ("township", re.compile(rf"\A([^\d镇乡村路号]{{1,8}}?(?:街道|(?:镇|乡|苏木){NO_VILLAGE}))")),
    ("village", re.compile(rf"\A([^\d路号幢栋]{{1,10}}?(?:社区|居委会|居民区|村委会|行政村|村|嘎查){NO_VILLAGE})")),
    (
        "road",
        re.compile(
            r"\A([^号幢栋]{1,14}?(?:大道|大街|公路|马路|国道|省道|胡同|路|街(?!道)|巷|弄)(?:[东西南北中][段路])?)"
        ),
    ),
    ("number", re.compile(rf"\A({NUMBER}(?:[-之]{NUMBER})?(?:弄{NUMBER})?)(?:号(?!楼|院?\w*楼)|\Z)")),
    (
        "place",
        re.compile(
            r"\A([^\d零〇一二两三四五六七八九十百][^幢栋室]{1,19}?)(?=[0-9A-Za-z]{1,4}(?:幢|栋|座|号楼|#|单元)|\Z)"
        ),
    ),
    ("building", re.compile(rf"\A((?:{NUMBER}|[A-Za-z]))(?:幢|栋|座|号楼|#楼?)")),
    ("unit", re.compile(rf"\A((?:{NUMBER}|[A-Za-z]))单元")),
    ("room", re.compile(r"\A[\s,]*(?:[0-9]{1,2}(?:楼|层))?([0-9]{1,5}[A-Za-z]?)(?:室|房|\Z)")),
)
STREETS = {
    "street": ("st", "str", "street"), "road": ("rd", "road"), "avenue": ("ave", "av", "avenue"),
    "lane": ("ln", "lane"), "boulevard": ("blvd", "bd", "boulevard"), "drive": ("dr", "drive"),
    "square": ("sq", "square"), "place": ("pl", "place"), "court": ("ct", "court"), "rue": ("rue",),
    "quai": ("quai",), "chemin": ("ch", "chemin"), "impasse": ("impasse",), "cours": ("cours",),
    "way": ("way",), "terrace": ("terrace",), "highway": ("hwy", "highway"),
}  # fmt: skip
SPELT = {short: whole for whole, every in STREETS.items() for short in every}
ROOM = re.compile(
    r"\b(?:room|rm|apt|apartment|flat|unit|suite)\.?\s*#?\s*([0-9]{1,5}[a-z]?)\b|#\s*([0-9]{1,5}[a-z]?)\b"
)
HOUSE = r"([0-9]{1,5}(?:\s?(?:bis|ter))?[a-z]?(?:-[0-9]{1,5})?)"
NUMBER_FIRST = re.compile(rf"\A\s*(?:no\.?\s*)?{HOUSE}\s*,?\s+(.+)\Z")
NUMBER_LAST = re.compile(rf"\A\s*([^0-9].*?)\s+(?:no\.?\s*)?{HOUSE}\s*\Z")


@dataclass(frozen=True)
class Address:
    """The parts of an address, None where it has none; numbers in digits, names as they are written.

    place: what has a name instead of, or beside, a road: an estate, a square, a hall.
    """

    province: str | None = None
    city: str | None = None
    county: str | None = None
    township: str | None = None
    village: str | None = None
    road: str | None = None
    number: str | None = None
    place: str | None = None
    building: str | None = None
    unit: str | None = None
    room: str | None = None

    @property
    def house(self) -> str | None:
        """What equal houses have in common: road/number, place/building, or village/number; None without a number."""
        street = self.road or self.place or self.village
        number = self.number or self.building
        return f"{_alike(street)}/{number.lower()}" if street and number else None

    @property
    def key(self) -> str | None:
        """The house, and what is within it."""
        if (house := self.house) is None:
            return None
        within = (self.building if self.number else None, self.unit, self.room)
        return "/".join([house, *(part.lower() for part in within if part)])

    @property
    def is_within(self) -> bool:
        """Whether it says more than the house."""
        return self.key != self.house

    def parts(self) -> dict[str, str]:
        """Those parts that it has, the largest first."""
        return {each.name: value for each in fields(self) if (value := getattr(self, each.name)) is not None}


def parse_address(text: str) -> Address:
    """Take an address apart; what cannot be told is left out, so that any text gives an address."""
    plain = unicodedata.normalize("NFKC", text[:LONGEST]).strip()
    return _chinese(plain) if HAN.search(plain) else _english(plain.lower())


def _chinese(text: str) -> Address:
    rest = re.sub(r"[\s,;、。]+", "", text)
    found: dict[str, str] = {}
    for name, pattern in PARTS:
        if match := pattern.match(rest):
            found[name] = match[1]
            rest = rest[match.end() :]
    for name in ("number", "building", "unit"):
        if name in found:
            found[name] = re.sub(r"[零〇一二两三四五六七八九十百]+", _digits, found[name]).replace("之", "-")
    return Address(**found)


def _digits(match: re.Match[str]) -> str:
    """十二 is 12, 一百零五 is 105, 二〇三 is 203."""
    letters = match[0]
    if not any(letter in TENS for letter in letters):
        return "".join(str(NUMERALS[letter]) for letter in letters)
    total = digit = 0
    for letter in letters:
        if letter in TENS:
            total += (digit or 1) * TENS[letter]
            digit = 0
        else:
            digit = NUMERALS[letter]
    return str(total + digit)


def _english(text: str) -> Address:
    room = ROOM.search(text)
    if room:
        text = f"{text[: room.start()]} {text[room.end() :]}"
    pieces = [piece.strip(" .") for piece in text.split(",") if piece.strip(" .")]
    # "12, Main Street" has its number in a piece of its own.
    if len(pieces) > 1 and re.fullmatch(HOUSE, pieces[0]):
        pieces[:2] = [f"{pieces[0]} {pieces[1]}"]
    number = street = None
    for index, piece in enumerate(pieces):
        if match := NUMBER_FIRST.match(piece):
            number, street = match[1], match[2]
        elif match := NUMBER_LAST.match(piece):
            street, number = match[1], match[2]
        elif not street and any(word in SPELT for word in _words(piece)):
            street = piece
        if number:
            pieces = pieces[index + 1 :]
            break
    return Address(
        city=pieces[0] if number and pieces else None,
        road=street,
        number=number,
        room=(room[1] or room[2]) if room else None,
    )


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text)


def _alike(name: str) -> str:
    """A street's name by which others are compared: without blanks, accents and case, its kind spelt out."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name).casefold() if not unicodedata.combining(c))
    return " ".join(SPELT.get(word, word) for word in _words(plain))
