"""What filters may say, as the capabilities tell it (OGC 09-026r2, 7.13; 04-095, 14)."""

from api.ows.xml import Element, child
from layers.fes import COMPARISONS, SPATIAL, TEMPORAL
from layers.filter_functions import FUNCTIONS, Kind

CONFORMANCE = {
    "ImplementsQuery": True,
    "ImplementsAdHocQuery": True,
    "ImplementsFunctions": True,
    "ImplementsResourceId": True,
    "ImplementsMinStandardFilter": True,
    "ImplementsStandardFilter": True,
    "ImplementsMinSpatialFilter": True,
    "ImplementsSpatialFilter": True,
    "ImplementsMinTemporalFilter": True,
    "ImplementsTemporalFilter": True,
    "ImplementsVersionNav": False,
    "ImplementsSorting": True,
    "ImplementsExtendedOperators": False,
    "ImplementsMinimumXPath": True,
    "ImplementsSchemaElementFunc": False,
}
FURTHER = ("PropertyIsLike", "PropertyIsNull", "PropertyIsNil", "PropertyIsBetween")
GEOMETRIES = ("Envelope", "Point", "LineString", "Curve", "Polygon", "Surface", "MultiPoint", "MultiCurve",
              "MultiSurface", "MultiGeometry")  # fmt: skip
# FE 1.1 lists what may be named here, and no collections; they are read all the same.
OLD_GEOMETRIES = ("Envelope", "Point", "LineString", "Polygon")
# FE 1.1 names comparisons otherwise (OGC 04-095, annex A.3).
OLD_COMPARISONS = ("LessThan", "GreaterThan", "LessThanEqualTo", "GreaterThanEqualTo", "EqualTo", "NotEqualTo", "Like",
                   "Between", "NullCheck")  # fmt: skip
TYPES: dict[Kind, str] = {
    "text": "xs:string",
    "number": "xs:double",
    "boolean": "xs:boolean",
    "time": "xs:dateTime",
    "geometry": "gml:AbstractGeometryType",
    "array": "xs:anyType",
}


def add_filter_capabilities(root: Element) -> None:
    """fes:Filter_Capabilities."""
    section = child(root, "fes:Filter_Capabilities")
    conformance = child(section, "fes:Conformance")
    for name, holds in CONFORMANCE.items():
        constraint = child(conformance, "fes:Constraint", name=name)
        child(constraint, "ows:NoValues")
        child(constraint, "ows:DefaultValue", "TRUE" if holds else "FALSE")
    child(child(section, "fes:Id_Capabilities"), "fes:ResourceIdentifier", name="fes:ResourceId")
    scalar = child(section, "fes:Scalar_Capabilities")
    child(scalar, "fes:LogicalOperators")
    comparisons = child(scalar, "fes:ComparisonOperators")
    for name in (*COMPARISONS, *FURTHER):
        child(comparisons, "fes:ComparisonOperator", name=name)
    spatial = child(section, "fes:Spatial_Capabilities")
    operands = child(spatial, "fes:GeometryOperands")
    for name in GEOMETRIES:
        child(operands, "fes:GeometryOperand", name=f"gml:{name}")
    operators = child(spatial, "fes:SpatialOperators")
    for name in ("BBOX", *SPATIAL, "DWithin", "Beyond"):
        child(operators, "fes:SpatialOperator", name=name)
    temporal = child(section, "fes:Temporal_Capabilities")
    operands = child(temporal, "fes:TemporalOperands")
    for name in ("TimeInstant", "TimePeriod"):
        child(operands, "fes:TemporalOperand", name=f"gml:{name}")
    operators = child(temporal, "fes:TemporalOperators")
    for name in TEMPORAL:
        # The schema of FES 2.0.2 left this one out of its list, though the standard has it (7.14.6); it is read.
        if name == "AnyInteracts":
            continue
        child(operators, "fes:TemporalOperator", name=name)
    _add_functions(section)


def _add_functions(section: Element) -> None:
    functions = child(section, "fes:Functions")
    for function in FUNCTIONS.values():
        described = child(functions, "fes:Function", name=function.name)
        child(described, "fes:Returns", TYPES[function.returns])
        if function.arguments:
            arguments = child(described, "fes:Arguments")
            for name, kind in function.arguments:
                child(child(arguments, "fes:Argument", name=name), "fes:Type", TYPES[kind])


def add_old_filter_capabilities(root: Element) -> None:
    """ogc:Filter_Capabilities of FE 1.1."""
    section = child(root, "ogc:Filter_Capabilities")
    spatial = child(section, "ogc:Spatial_Capabilities")
    operands = child(spatial, "ogc:GeometryOperands")
    for name in OLD_GEOMETRIES:
        child(operands, "ogc:GeometryOperand", f"gml:{name}")
    operators = child(spatial, "ogc:SpatialOperators")
    for name in ("BBOX", *SPATIAL, "DWithin", "Beyond"):
        child(operators, "ogc:SpatialOperator", name=name)
    scalar = child(section, "ogc:Scalar_Capabilities")
    child(scalar, "ogc:LogicalOperators")
    comparisons = child(scalar, "ogc:ComparisonOperators")
    for name in OLD_COMPARISONS:
        child(comparisons, "ogc:ComparisonOperator", name)
    arithmetic = child(scalar, "ogc:ArithmeticOperators")
    child(arithmetic, "ogc:SimpleArithmetic")
    names = child(child(arithmetic, "ogc:Functions"), "ogc:FunctionNames")
    for function in FUNCTIONS.values():
        child(names, "ogc:FunctionName", function.name, nArgs=len(function.arguments))
    child(child(section, "ogc:Id_Capabilities"), "ogc:FID")
