"""The city model."""

import json
from dataclasses import asdict
from pathlib import Path

from alembic import context, op
from sqlalchemy import text

from cim_models.database import CitySpec

revision = "0001"
down_revision = None


def upgrade() -> None:
    spec: CitySpec = context.config.attributes["city"]
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8").replace("{srid}", str(spec.srid))
    connection = op.get_bind()
    connection.exec_driver_sql(sql)
    connection.execute(
        text(
            "insert into city (name, title_zh, title_en, srid, metric_srid, vertical_datum, time_zone, made_up, view)"
            " values (:name, :title_zh, :title_en, :srid, :metric_srid, :vertical_datum, :time_zone, :made_up,"
            " cast(:view as jsonb))"
        ),
        asdict(spec) | {"view": spec.view and json.dumps(spec.view)},
    )
    # Reading is open by default; a restricted layer needs a grant by name.
    connection.exec_driver_sql(
        "insert into permission (role, layer, action)"
        " select 'public', '*', 'read' union all"
        " select 'editor', '*', unnest(array['read', 'write', 'run']) union all"
        " select 'administrator', '*', unnest(array['read', 'write', 'run', 'administer'])"
    )


def downgrade() -> None:
    raise NotImplementedError("a city is not unmade by a migration; drop its database instead")
