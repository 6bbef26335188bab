"""Events as a layer: a view that tells them in the shape of city objects."""

from pathlib import Path

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    connection = op.get_bind()
    srid = connection.exec_driver_sql("select srid from city").scalar_one()
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8").replace("{srid}", str(srid))
    connection.exec_driver_sql(sql)


def downgrade() -> None:
    raise NotImplementedError("a city is not unmade by a migration; drop its database instead")
