"""Files without a recipe: what is in the model's terms goes where it says, the rest becomes generic objects."""

import re
from collections.abc import Sequence
from pathlib import Path

from cim_models.themes import THEMES
from layers.formats import Source
from layers.formats.placing import addresses_of
from layers.recipe import Dataset, Part


def maps_itself(source: Source) -> bool:
    """Whether a source is in the model's terms: named after a theme, with the columns `uid` and `class`."""
    return source.name in THEMES and {"uid", "class"} <= set(source.schema.names)


def automatic(
    path: Path, sources: Sequence[Source], *, axis: str = "xy", layer: str | None = None
) -> list[tuple[Dataset, list[tuple[Part, Source]]]]:
    """Data sets for a file that comes without a recipe: one for all layers in the model's terms, and one for each
    other layer, which becomes generic objects with all their fields.

    layer: the one that was asked for by name; the data set is called by it, or the file's next layer would take its
    place as a newer edition.
    """
    stem = path.name.split(".")[0]
    if layer not in (None, stem):
        stem = f"{stem} {layer}"
    known = [source for source in sources if maps_itself(source)]
    groups = [(stem, known)] if known else []
    for source in sources:
        if not maps_itself(source):
            groups.append((stem if len(sources) == 1 else f"{stem} {source.name}", [source]))
    return [_dataset(title, path, members, axis) for title, members in groups]


def dataset_name(title: str) -> str:
    """A data set's name from any title: a-z, 0-9 and dashes; other letters by their code points."""
    spelled = "".join(char if char.isascii() else f"u{ord(char):x}" for char in title.lower())
    name = re.sub(r"[^a-z0-9]+", "-", spelled).strip("-")
    return (name if name[:1].isalpha() else f"data-{name}")[:63].rstrip("-")


def _dataset(title: str, path: Path, sources: Sequence[Source], axis: str) -> tuple[Dataset, list[tuple[Part, Source]]]:
    dataset = Dataset.model_validate(
        {
            "name": dataset_name(title),
            "title": {"zh": title, "en": title},
            "source": path.name,
            "parts": [
                {"file": path.name, "layer": source.name, "axis": axis, "address": addresses_of(source)}
                for source in sources
            ],
        }
    )
    return dataset, list(zip(dataset.parts, sources, strict=True))
