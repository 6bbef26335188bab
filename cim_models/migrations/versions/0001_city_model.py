"""The city model."""

from pathlib import Path

from alembic import context, op

from cim_models.database import CitySpec

revision = "0001"
down_revision = None


def upgrade() -> None:
    spec: CitySpec = context.config.attributes["city"]
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8").replace("{srid}", str(spec.srid))
    # The driver's own cursor: SQLAlchemy would take the colons of casts for parameters.
    with op.get_bind().connection.cursor() as cursor:
        cursor.execute(sql)
        cursor.execute(
            "insert into city (name, title_zh, title_en, srid, metric_srid, vertical_datum, time_zone, made_up)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s)",
            (
                spec.name,
                spec.title_zh,
                spec.title_en,
                spec.srid,
                spec.metric_srid,
                spec.vertical_datum,
                spec.time_zone,
                spec.made_up,
            ),
        )
        # Reading is open by default; a restricted layer needs a grant by name.
        cursor.execute(
            "insert into permission (role, layer, action)"
            " select 'public', '*', 'read' union all"
            " select 'editor', '*', unnest(array['read', 'write', 'run']) union all"
            " select 'administrator', '*', unnest(array['read', 'write', 'run', 'administer'])"
        )


def downgrade() -> None:
    raise NotImplementedError("a city is not unmade by a migration; drop its database instead")
