"""Generic objects: what a user brings that is no known class; its properties stay in `attributes`."""

from cim_models.theme import Theme

GENERIC_OBJECT = Theme(
    table="generic_object",
    layer="generic_objects",
    zh="其他要素",
    en="Other features",
    group="other",
    geometry="Geometry",
    classes="generic_class",
)
