"""Carbon dioxide of the kilometres driven."""

from collections.abc import Mapping

SOURCE = (
    "EMEP/EEA air pollutant emission inventory guidebook 2019, 1.A.3.b.i-iv road transport, Tier 1: fuel of a typical "
    "petrol car 70 g/km, of a heavy diesel vehicle 240 g/km, 3.169 kg CO2 a kg of fuel; not dependent on speed"
)
CO2_KG_KM: dict[str, float] = {"car": 0.070 * 3.169, "lorry": 0.240 * 3.169}


def co2_kg(vehicle_km: Mapping[str, float]) -> float:
    """Kilograms from kilometres by class of vehicle ("car", "lorry")."""
    return sum(CO2_KG_KM[name] * km for name, km in vehicle_km.items())
