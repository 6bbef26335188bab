"""The layers that every city starts with, and the one that a generic data set gets."""

from importlib import resources

import psycopg
import yaml

from cim_models.themes import THEMES

# Room between positions, so that a layer can be put between two others.
STEP = 10
INSERT = """
    insert into layer (id, theme, dataset_id, title_zh, title_en, "group", position, visible, min_zoom)
    values (%(id)s, %(theme)s, %(dataset_id)s, %(title_zh)s, %(title_en)s, %(group)s, %(position)s, %(visible)s,
            %(min_zoom)s)
    on conflict (id) do nothing
"""


def seed_layers(url: str) -> None:
    """Add the layers that a city lacks; those it has stay as they are."""
    seeds = yaml.safe_load(resources.files("layers").joinpath("seeds.yaml").read_text(encoding="utf-8"))
    with psycopg.connect(url) as connection:
        for position, seed in enumerate(seeds, start=1):
            theme = THEMES[seed["theme"]]
            connection.execute(
                INSERT,
                {
                    "id": theme.layer,
                    "theme": theme.table,
                    "dataset_id": None,
                    "title_zh": theme.zh,
                    "title_en": theme.en,
                    "group": theme.group,
                    "position": position * STEP,
                    "visible": seed["visible"],
                    "min_zoom": seed.get("min_zoom", 0),
                },
            )


def add_dataset_layer(
    connection: psycopg.Connection, layer_id: str, dataset_id: int, title_zh: str, title_en: str
) -> None:
    """A layer of its own for a generic data set, between the administrative areas and the pipes."""
    theme = THEMES["generic_object"]
    connection.execute(
        INSERT,
        {
            "id": layer_id,
            "theme": theme.table,
            "dataset_id": dataset_id,
            "title_zh": title_zh,
            "title_en": title_en,
            "group": theme.group,
            "position": 5 * STEP + STEP // 2,
            "visible": True,
            "min_zoom": 0,
        },
    )
