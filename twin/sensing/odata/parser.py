"""Reads expressions: or, and, not, comparisons, sums, products, in that order of binding (OGC 18-088, 9.3.3.5)."""

import math
import re
from datetime import UTC, datetime, time, timedelta, tzinfo

from twin.sensing import BadQuery
from twin.sensing.odata.functions import FUNCTIONS
from twin.sensing.odata.syntax import Call, Constant, Node, Path, Word, words_of

COMPARISONS = ("eq", "ne", "gt", "ge", "lt", "le")
SUMS, PRODUCTS = ("add", "sub"), ("mul", "div", "mod")
MAX_DEPTH = 40
WITHOUT_ZONE = re.compile(r"T\d\d:\d\d(?::\d\d(?:\.\d+)?)?\Z")
DURATION = re.compile(r"(-?)P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?\Z")


class Reader:
    """Takes words from the left, one after the other. zone: of times that name none."""

    def __init__(self, text: str, zone: tzinfo = UTC) -> None:
        self.text = text
        self._words = words_of(text)
        self._place = 0
        self._depth = 0
        self._zone = zone

    # --- words

    @property
    def word(self) -> Word:
        return self._words[self._place]

    def take(self) -> Word:
        word = self.word
        self._place += word.kind != "end"
        return word

    def takes(self, text: str) -> bool:
        """Take the next word if it is this mark or name."""
        if self.word.text == text and self.word.kind in ("mark", "name"):
            self._place += 1
            return True
        return False

    def want(self, text: str) -> None:
        if not self.takes(text):
            raise self.refused(f"{text!r} is wanted")

    def want_name(self, what: str) -> str:
        if self.word.kind != "name":
            raise self.refused(f"{what} is wanted")
        return self.take().text

    def want_end(self) -> None:
        if self.word.kind != "end":
            raise self.refused("nothing more is wanted")

    def refused(self, why: str) -> BadQuery:
        found = repr(self.word.text[:40]) if self.word.kind != "end" else "the end"
        return BadQuery(f"at {self.word.start + 1}: {why}, not {found}")

    # --- expressions

    def expression(self) -> Node:
        """Raises BadQuery."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise BadQuery(f"the expression is nested more than {MAX_DEPTH} deep")
        node = self._conjunction()
        while self.takes("or"):
            node = Call("or", (node, self._conjunction()))
        self._depth -= 1
        return node

    def _conjunction(self) -> Node:
        node = self._negation()
        while self.takes("and"):
            node = Call("and", (node, self._negation()))
        return node

    def _negation(self) -> Node:
        if self.takes("not"):
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise BadQuery(f"the expression is nested more than {MAX_DEPTH} deep")
            node = Call("not", (self._negation(),))
            self._depth -= 1
            return node
        return self._comparison()

    def _comparison(self) -> Node:
        node = self._sum()
        word = self.word.text if self.word.kind == "name" else ""
        if word in COMPARISONS:
            self.take()
            return Call(word, (node, self._sum()))
        if word == "in":
            self.take()
            self.want("(")
            values = [self._sum()]
            while self.takes(","):
                values.append(self._sum())
            self.want(")")
            return Call("in", (node, *values))
        return node

    def _sum(self) -> Node:
        node = self._product()
        while self.word.kind == "name" and self.word.text in SUMS:
            node = Call(self.take().text, (node, self._product()))
        return node

    def _product(self) -> Node:
        node = self._operand()
        while self.word.kind == "name" and self.word.text in PRODUCTS:
            node = Call(self.take().text, (node, self._operand()))
        return node

    def _operand(self) -> Node:
        word = self.word
        if self.takes("("):
            node = self.expression()
            self.want(")")
            return node
        if self.takes("-"):
            if self.word.kind == "number":
                constant = self._constant(self.take())
                assert isinstance(constant.value, int | float)
                return Constant("number", -constant.value)
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise BadQuery(f"the expression is nested more than {MAX_DEPTH} deep")
            node = Call("negative", (self._operand(),))
            self._depth -= 1
            return node
        if word.kind == "name":
            return self._named()
        if word.kind in ("mark", "end"):
            raise self.refused("a value, a property or a function is wanted")
        return self._constant(self.take())

    def _named(self) -> Node:
        word = self.take()
        if word.text in ("true", "false"):
            return Constant("bool", word.text == "true")
        if word.text == "null":
            return Constant("null", None)
        if self.takes("("):
            return self._call(word.text)
        steps = [word.text]
        while self.takes("/"):
            steps.append(self.take().text if self.word.kind == "number" else self.want_name("a property"))
        return Path(tuple(steps))

    def _call(self, name: str) -> Call:
        if name not in FUNCTIONS:
            raise BadQuery(f"no function {name[:40]!r}; there are {', '.join(sorted(FUNCTIONS))}")
        arguments: list[Node] = []
        if not self.takes(")"):
            arguments.append(self.expression())
            while self.takes(","):
                arguments.append(self.expression())
            self.want(")")
        numbers = FUNCTIONS[name]
        if len(arguments) not in numbers:
            wanted = " or ".join(str(number) for number in numbers)
            raise BadQuery(f"{name} takes {wanted} arguments, not {len(arguments)}")
        return Call(name, tuple(arguments))

    # --- constants

    def _constant(self, word: Word) -> Constant:
        text = word.text
        try:
            match word.kind:
                case "string":
                    return Constant("text", text[1:-1].replace("''", "'"))
                case "number":
                    return Constant("number", _number(text))
                case "moment":
                    return Constant("time", read_moment(text, self._zone))
                case "interval":
                    first, last = (read_moment(part, self._zone) for part in text.split("/"))
                    return Constant("interval", (first, last))
                case "date":
                    return Constant("date", datetime.fromisoformat(text))
                case "clock":
                    return Constant("clock", time.fromisoformat(text))
                case "duration":
                    return Constant("duration", read_duration(text[len("duration'") : -1]))
                case _:
                    return Constant("geometry", text[text.index("'") + 1 : -1].replace("''", "'"))
        except ValueError as error:
            raise BadQuery(f"at {word.start + 1}: {text[:60]!r}: {error}") from None


def parse(text: str, zone: tzinfo = UTC) -> Node:
    """The tree of a whole expression. Raises BadQuery."""
    reader = Reader(text, zone)
    node = reader.expression()
    reader.want_end()
    return node


def read_moment(text: str, zone: tzinfo) -> datetime:
    """An ISO 8601 moment; without an offset, in `zone`. Raises ValueError."""
    text = text.replace(",", ".")
    if len(text) > 6 and text[-6] == " ":
        text = f"{text[:-6]}+{text[-5:]}"
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=zone) if WITHOUT_ZONE.search(text) or moment.tzinfo is None else moment


def read_duration(text: str) -> timedelta:
    """An ISO 8601 duration of days and less. Raises ValueError."""
    found = DURATION.match(text)
    if found is None or text.endswith(("P", "T")):
        raise ValueError("a duration such as P1D or PT1H30M is wanted")
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups()[1:])
    try:
        length = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        raise ValueError("the duration is too long") from None
    return -length if found[1] else length


def _number(text: str) -> int | float:
    if text.isdigit() and len(text) < 19:
        return int(text)
    number = float(text)
    if math.isinf(number):
        raise ValueError("the number is too large")
    return number
