"""What the city's objects are called and where: the one index that searching and geocoding look into."""

from geoalchemy2 import Geometry
from sqlalchemy import REAL, BigInteger, Column, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY


def search_entry(metadata: MetaData, srid: int) -> Table:
    """A text by which an object is found: a name, an address or a division code of what the model now believes.

    Kept by `layers.search.index` from the change feed; nothing else writes here. Who may see an entry is decided by
    the object that it is of, when it is asked for.
    """
    return Table(
        "search_entry",
        metadata,
        Column("table", Text, nullable=False, comment="theme of the object"),
        Column("object_id", BigInteger, nullable=False),
        Column("dataset_id", Integer, nullable=False),
        Column("field", Text, nullable=False, comment="name, name_en, address or code"),
        Column("text", Text, nullable=False),
        Column("key", Text(collation="C"), nullable=False, comment="the text folded; of an address road/number/..."),
        Column("grams", ARRAY(Text), comment="one and two neighbouring letters of a Chinese text"),
        Column("latin", Text, nullable=False, comment="words in Latin letters: the text's own, pinyin, its initials"),
        Column("weight", REAL, nullable=False, comment="0 to 1: the more, the sooner it is meant"),
        Column("area", Text, comment="division code of the village"),
        Column("point", Geometry("POINT", srid=srid, spatial_index=False), nullable=False),
        comment="Names and addresses of objects, made from the themes",
    )
