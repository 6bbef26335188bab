"""The catalogue tells no more of a layer than the grant lets be seen."""

from cim_models.database import Database
from layers.access import PUBLIC, Principal
from layers.catalog import load_catalog


async def test_rows_that_are_hidden_do_not_show_in_the_extent(database: Database) -> None:
    """A role that sees some buildings learns where the city lies, not where the buildings end."""
    async with database.writing() as connection:
        await connection.execute(
            "insert into dataset (name, themes, title_zh, title_en, loaded_at, extent) values"
            " ('land', '{land}', '地', 'Land', now(), array[120.9, 28.0, 121.1, 28.2]),"
            " ('buildings', '{building}', '房', 'Buildings', now(), array[121.0, 28.1, 121.01, 28.11])"
        )
        await connection.execute(
            "insert into permission (role, layer, action, row_filter) values ('township', 'buildings', 'read', $1)",
            {"op": "=", "args": [{"property": "village_code"}, "330382001001"]},
        )
    async with database.reading() as connection:
        catalog = await load_catalog(connection, database.city)
    township = Principal("officer", "township")
    assert catalog.layer("buildings", PUBLIC).extent == (121.0, 28.1, 121.01, 28.11)
    assert catalog.layer("buildings", township).extent == (120.9, 28.0, 121.1, 28.2)
    assert [layer.extent for layer in catalog.layers(township)] == [(120.9, 28.0, 121.1, 28.2)]
