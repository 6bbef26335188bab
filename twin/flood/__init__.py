"""A flood engine: the shallow water equations on a raster; arrays and files in, arrays out, no database.

domain = Domain(bed, cell=10.0, manning=0.03, crs="EPSG:4549", vertical_datum="1985国家高程基准")
result = Simulation(domain, rain=[Rain(storm)], rims=[Rim("east", "level", tide)]).run(until=6 * 3600)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twin.flood.balance import Balance
    from twin.flood.domain import Domain
    from twin.flood.errors import Cancelled, FloodError, InvalidInput, Unstable
    from twin.flood.forcing import Inflow, Rain, RainFrames, Rim
    from twin.flood.losses import CurveNumber, GreenAmpt, Seepage
    from twin.flood.records import Frame, Result, hazard_class
    from twin.flood.series import Series, constant
    from twin.flood.simulation import Simulation
    from twin.flood.storms import IntensityFormula, patterned
    from twin.flood.structures import Culvert, Pump, Sluice, Weir
    from twin.flood.tides import tide, with_surge
    from twin.flood.walls import Breach, Wall

__all__ = [
    "Balance",
    "Breach",
    "Cancelled",
    "Culvert",
    "CurveNumber",
    "Domain",
    "FloodError",
    "Frame",
    "GreenAmpt",
    "Inflow",
    "IntensityFormula",
    "InvalidInput",
    "Pump",
    "Rain",
    "RainFrames",
    "Result",
    "Rim",
    "Seepage",
    "Series",
    "Simulation",
    "Sluice",
    "Unstable",
    "Wall",
    "Weir",
    "constant",
    "hazard_class",
    "patterned",
    "tide",
    "with_surge",
]  # fmt: skip

# Names are loaded when they are first asked for: the compiled loops take seconds, and a server that only lists the
# scenario's inputs needs none of them.
HOMES = {
    "balance": ("Balance",),
    "domain": ("Domain",),
    "errors": ("Cancelled", "FloodError", "InvalidInput", "Unstable"),
    "forcing": ("Inflow", "Rain", "RainFrames", "Rim"),
    "losses": ("CurveNumber", "GreenAmpt", "Seepage"),
    "records": ("Frame", "Result", "hazard_class"),
    "series": ("Series", "constant"),
    "simulation": ("Simulation",),
    "storms": ("IntensityFormula", "patterned"),
    "structures": ("Culvert", "Pump", "Sluice", "Weir"),
    "tides": ("tide", "with_surge"),
    "walls": ("Breach", "Wall"),
}
_HOME_OF = {name: home for home, names in HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
