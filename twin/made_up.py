"""The made-up city, generated and laid down."""

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory

from cim_models.database import CitySpec
from layers.load import Delivery, load
from layers.recipe import Dataset
from layers.report import Report
from twin.demo import DemoCity, DemoSource, generate
from twin.directory import CityExists, CityPlace, Directory
from twin.loading import Manner

VIEW = {"zoom": 13.5, "pitch": 55, "bearing": -20}

Step = Callable[[str], AbstractContextManager[None]]


def make_demo(
    directory: Directory, name: str, step: Step, manner: Manner, workshop: Path, *, buildings: int, seed: int
) -> tuple[CityPlace, list[Report]]:
    """Generate a city that does not exist and lay it down under `name`; gives it with the report of each theme.

    step: called around generating and loading. workshop: folder for what is in the making.
    Raises CityExists, DemoError.
    """
    if any(place.name == name for place in directory.cities()):
        raise CityExists(f"city {name!r} is there already; give another name: twin demo --name {name}2")
    with TemporaryDirectory(prefix="demo-", dir=workshop) as folder:
        with step(f"{buildings:,} buildings generated"):
            city = generate(Path(folder), buildings=buildings, seed=seed)
        reports: list[Report] = []

        def fill(place: CityPlace) -> None:
            terrain = place.files / city.terrain.relative_to(folder)
            terrain.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(city.terrain, terrain)
            deliveries = [_delivery(city, source) for source in city.sources]
            reports.extend(
                load(place.url, deliveries, who=manner.who, home=place.files, anywhere=True, progress=manner.progress)
            )

        with step("city loaded"):
            place = directory.create(_spec(city, name), fill)
    return place, reports


def _spec(city: DemoCity, name: str) -> CitySpec:
    return CitySpec(
        name=name,
        title_zh=city.title_zh,
        title_en=city.title_en,
        srid=city.srid,
        metric_srid=int(city.metric_crs.removeprefix("EPSG:")),
        vertical_datum=city.vertical_datum,
        time_zone=city.time_zone,
        made_up=city.made_up,
        view={"center": list(city.center), **VIEW},
    )


def _delivery(city: DemoCity, source: DemoSource) -> Delivery:
    dataset = Dataset.model_validate(
        {
            "name": f"demo-{source.name.replace('_', '-')}",
            "title": {"zh": source.title_zh, "en": source.title_en},
            "source": "twin demo",
            "lineage": city.note_en,
            "vertical_datum": city.vertical_datum,
            "made_up": city.made_up,
            "file": source.path.name,
            "layer": source.name,
        }
    )
    return Delivery(dataset, [(dataset.parts[0], source)])
