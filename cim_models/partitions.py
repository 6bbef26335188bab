"""How a theme table is split: the current belief with all hot indexes, and the past with few."""

from cim_models.theme import Theme
from cim_models.themes import THEMES


def partition_statements(theme: Theme, parent: str | None = None) -> list[str]:
    """DDL that splits `parent` (the theme's table by default) by `recorded_to` and indexes both parts.

    Uniqueness stands on the current part alone: one current row for a source id, plan and start of validity.
    """
    parent = parent or theme.table
    now, past = f"{parent}_current", f"{parent}_past"
    hot = [a.name for a in theme.attributes if a.indexed]
    return [
        f"create table {now} partition of {parent} for values in ('infinity')",
        f"create table {past} partition of {parent} default",
        f"create unique index {now}_uid on {now} (dataset_id, uid, plan_id, valid_from) nulls not distinct",
        f"create index {now}_object on {now} (object_id)",
        f"create index {now}_geom on {now} using gist (geom)",
        f"create index {now}_geom_web on {now} using gist (geom_web)",
        f"create index {now}_village on {now} (village_code)",
        f"create index {now}_name on {now} using gin (name gin_trgm_ops, name_en gin_trgm_ops)"
        " where name is not null or name_en is not null",
        # The validity ticker asks for moments that pass; equal values share one entry, so this stays small.
        f"create index {now}_valid_from on {now} (valid_from) where valid_from is not null",
        f"create index {now}_valid_to on {now} (valid_to) where valid_to is not null",
        f"create index {now}_plan on {now} (plan_id, object_id) where plan_id is not null",
        # What is drawn at low zooms: the largest first, and of equals an even choice.
        f"create index {now}_size on {now} (web_size(geom_web) desc, hashint8(object_id))",
        *(f"create index {now}_{column} on {now} ({column})" for column in hot),
        f"create index {past}_object on {past} (object_id)",
        # An object that comes back in a later edition keeps its object_id.
        f"create index {past}_uid on {past} (dataset_id, uid)",
        f"create index {past}_geom_web on {past} using gist (geom_web)",
    ]


def generic_partition(dataset_id: int) -> str:
    """The table of one generic data set, itself split by `recorded_to`."""
    return f"generic_object_{dataset_id}"


def generic_partition_statements(dataset_id: int) -> list[str]:
    """DDL that gives a generic data set its own partition, so that it has its own statistics and drops at once.

    It is made apart and then attached: `create table partition of` would lock out every reader of the others.
    """
    name = generic_partition(dataset_id)
    return [
        f"create table {name} (like generic_object including all) partition by list (recorded_to)",
        *partition_statements(THEMES["generic_object"], name),
        f"alter table generic_object attach partition {name} for values in ({dataset_id})",
    ]
