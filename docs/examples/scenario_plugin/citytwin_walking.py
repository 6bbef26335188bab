"""Which homes have a facility within walking distance, and how far the others have to go."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import shapely

from twin.scenarios import ScenarioError
from twin.scenarios.city import City
from twin.scenarios.inputs import Inputs, Words, field
from twin.scenarios.protocol import Preset, Progress, Result, VectorLayer

CHUNK = 10_000


class WalkingInputs(Inputs):
    """What a planner may choose."""

    facility: str = field(
        "School",
        pattern="^[A-Za-z]+$",
        title=Words("设施类别", "Facility"),
        help=Words("设施图层中的类别。", "A class of the layer of facilities."),
    )
    distance: float = field(
        500.0,
        gt=0,
        le=5_000,
        title=Words("步行距离", "Walking distance"),
        help=Words("直线距离。", "As the crow flies."),
        unit="m",
    )


class Walking:
    """Homes and the nearest facility of a kind, as the crow flies."""

    name = "walking"
    version = "1.0"
    title = Words("步行可达", "Within walking distance")
    description = Words("哪些住宅步行可达某类设施。", "Which homes have a facility within walking distance.")
    inputs = WalkingInputs
    presets: Mapping[str, Preset] = {
        "hospital": Preset(Words("医院一公里", "A hospital within 1 km"), {"facility": "Hospital", "distance": 1_000}),
    }

    def run(self, city: City, inputs: WalkingInputs, progress: Progress) -> Result:
        """Homes with their distance to the nearest facility, and the share that is near enough."""
        progress(0.0, Words("读取建筑与设施", "reading buildings and facilities"))
        homes = city.features("buildings", columns=["uid", "name"], where="function = 'residential'")
        facilities = city.features("facilities", where=f"class = '{inputs.facility}'")
        if not homes.num_rows or not facilities.num_rows:
            raise ScenarioError(
                f"there are {homes.num_rows} homes and {facilities.num_rows} of {inputs.facility}; both are wanted",
                f"住宅 {homes.num_rows} 处，{inputs.facility} {facilities.num_rows} 处；两者都需要",
            )
        places = shapely.from_wkb(homes["geometry"].to_numpy())
        tree = shapely.STRtree(shapely.from_wkb(facilities["geometry"].to_numpy()))
        distances = np.empty(len(places))
        for start in range(0, len(places), CHUNK):
            progress(start / len(places), Words("计算距离", "measuring"))
            part = slice(start, start + CHUNK)
            (which, _), distances[part] = tree.query_nearest(places[part], return_distance=True, all_matches=False)
            assert which.size == distances[part].size
        near = distances <= inputs.distance
        table = homes.select(["uid", "name", "geometry"])
        table = table.append_column("distance", pa.array(distances)).append_column("near", pa.array(near))
        return Result(
            layers=[VectorLayer("homes", Words("住宅的步行距离", "Homes by walking distance"), table)],
            indicators={
                "homes": len(places),
                "near": {"value": int(near.sum()), "unit": "1", "title": {"zh": "可达住宅", "en": "Homes in reach"}},
                "farthest": {"value": round(float(distances.max()), 1), "unit": "m"},
            },
            tables={"farthest": table.drop_columns(["geometry"]).sort_by([("distance", "descending")]).slice(0, 100)},
        )


WALKING = Walking()
