"""The rules that harm is counted by, from `rules.yaml`: depth classes, people, vehicles, damage curves."""

import itertools
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

Floats = npt.NDArray[np.float64]
# A citation, or words in Chinese and English.
Source = str | dict[str, str]
FILE = Path(__file__).with_name("rules.yaml")


@dataclass(frozen=True, eq=False)
class Rules:
    """table: everything in the file, as it is."""

    table: dict[str, Any]

    @property
    def classes(self) -> list[float]:
        """Lower limits of the depth classes, m."""
        return [float(limit) for limit in self.table["depth_classes_m"]]

    def class_of(self, depth: Floats) -> npt.NDArray[np.int64]:
        """Number of each depth's class, -1 below the first."""
        found: npt.NDArray[np.int64] = np.searchsorted(self.classes, np.nan_to_num(depth) + 1e-9, "right") - 1
        return found

    def class_names(self) -> list[str]:
        """Such as "0.3-0.5 m" and, last, "3 m and more"."""
        limits = self.classes
        return [f"{a:g}-{b:g} m" for a, b in itertools.pairwise(limits)] + [f"{limits[-1]:g} m and more"]

    @property
    def doorstep(self) -> float:
        """Height of the ground floor above the ground, m."""
        return float(self.table["doorstep"]["height_m"])

    @property
    def vehicles(self) -> dict[str, float]:
        """Depth in which each class of vehicle has to stop, m."""
        return {name: float(limit) for name, limit in self.table["vehicles"]["limits_m"].items()}

    @property
    def evacuation(self) -> str:
        """The vehicle that people are taken to shelters in."""
        return str(self.table["vehicles"]["evacuation"])

    def sector(self, function: str | None) -> str:
        """The damage curve that a building's function goes by."""
        damage = self.table["damage"]
        return str(damage["sector_of_function"].get(function or "", damage["other_functions"]))

    def damage(self, sector: str, depth: Floats, area: Floats) -> Floats:
        """Direct loss in CNY of buildings of a ground area (m2) with water so deep above their ground floor (m)."""
        damage = self.table["damage"]
        share = np.interp(np.nan_to_num(depth), damage["depths_m"], damage["curves"][sector])
        loss: Floats = share * area * float(damage["most_cny_m2"][sector])
        return loss

    def share_to_move(self, depth: Floats, storeys: Floats) -> Floats:
        """Share of a building's people that have to leave it, by the depth above its ground floor (m)."""
        people = self.table["people"]
        reached = np.ceil(np.nan_to_num(depth) / people["storey_m"])
        share = np.clip(reached / np.maximum(storeys, 1), 0, 1)
        share = np.where(depth >= people["move_all_from_m"], 1.0, share)
        moved: Floats = np.where(depth >= people["move_from_m"], share, 0.0)
        return moved

    @property
    def sources(self) -> dict[str, Source]:
        """Where each group of numbers comes from."""
        found = {
            name: group["source"] for name, group in self.table.items() if isinstance(group, dict) and "source" in group
        }
        return found | {"moving": self.table["people"]["move_source"], "values": self.table["damage"]["most_source"]}


@cache
def rules() -> Rules:
    """The rules that ship."""
    return Rules(yaml.safe_load(FILE.read_text(encoding="utf-8")))
