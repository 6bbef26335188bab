"""Texts made alike, so that what means the same is found: width, case, accents, blanks; Chinese by grams and pinyin."""

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise

# No name is longer; what is, is found by its beginning.
LONGEST = 120
# Readings that one name gets, 乐 being le and yue.
MOST_READINGS = 8
HAN = re.compile(r"[㐀-鿿豈-﫿\U00020000-\U000323af]")
BETWEEN = re.compile(r"[\W_]+")


def fold(text: str) -> str:
    """A text by which others are compared: full and half width, case, accents and punctuation do not count.

    Words are parted by one blank, Chinese is not parted at all.
    """
    plain = unicodedata.normalize("NFKD", text[:LONGEST]).casefold()
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    words = BETWEEN.sub(" ", unicodedata.normalize("NFC", plain)).strip()
    return words.replace(" ", "") if HAN.search(words) else words


def grams(folded: str) -> list[str] | None:
    """The one and two neighbouring letters of a Chinese text, each once; None of any other."""
    if not HAN.search(folded):
        return None
    found = dict.fromkeys(HAN.findall(folded))
    found.update(dict.fromkeys(one + two for one, two in pairwise(folded)))
    return list(found)


def wanted_grams(folded: str) -> list[str]:
    """The grams that a text must have to hold `folded`: pairs, or the one letter that it is."""
    return [one + two for one, two in pairwise(folded)] or [folded]


@lru_cache(maxsize=100_000)
def latin(folded: str) -> str:
    """Words in Latin letters by which a folded text is found, a blank before each: its own, pinyin, initials.

    " leqingshi yueqingshi lqs yqs" for 乐清市.
    """
    if not HAN.search(folded):
        return f" {folded}"
    readings = _readings(folded)
    words = ["".join(reading) for reading in readings]
    initials = ["".join(syllable if syllable.isdigit() else syllable[0] for syllable in r) for r in readings]
    return " " + " ".join(dict.fromkeys((*words, *initials)))


def _readings(folded: str) -> list[list[str]]:
    """The likeliest reading, and those that differ from it in one letter."""
    each = [_syllables(letter) for letter in folded]
    likely = [syllables[0] for syllables in each]
    for at in range(len(folded) - 1):
        if max(len(each[at]), len(each[at + 1])) > 1 and (known := _phrase(folded[at : at + 2])):
            likely[at : at + 2] = known
    found = [likely]
    for at, syllables in enumerate(each):
        found += [[*likely[:at], other, *likely[at + 1 :]] for other in syllables if other != likely[at]]
    return found[:MOST_READINGS]


@lru_cache(maxsize=50_000)
def _syllables(letter: str) -> tuple[str, ...]:
    """How a letter is read, the likeliest first; itself where it is no Chinese."""
    if not HAN.match(letter):
        return (letter,)
    # Only who writes the index reads aloud; who searches does without its dictionaries.
    from pypinyin import Style, pinyin

    return tuple(_plain(each) for each in pinyin(letter, style=Style.NORMAL, heteronym=True)[0])


@lru_cache(maxsize=50_000)
def _phrase(two: str) -> list[str] | None:
    """How two letters are read where the dictionary has them as one word."""
    from pypinyin import Style, pinyin
    from pypinyin.constants import PHRASES_DICT

    return [_plain(each[0]) for each in pinyin(two, style=Style.NORMAL)] if two in PHRASES_DICT else None


def _plain(syllable: str) -> str:
    return fold(syllable) or syllable
