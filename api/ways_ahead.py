"""The default city's road network, built when the server starts, so that nobody waits for it."""

import asyncio
from importlib import import_module

import structlog

from api.cities import Cities
from api.errors import BadRequest, NotFound
from cim_models.base import CityModelError
from layers import LayerError
from layers.access import PUBLIC
from twin import TwinError

LOG = structlog.get_logger()


async def build_ways(cities: Cities) -> None:
    """Build the network for ways by car as everybody sees it, and draw a first area; a city without roads has none."""
    try:
        # Its compiled loops take seconds to load, in which the server answers.
        await asyncio.to_thread(import_module, "twin.traffic.scenario.ways")
        networks = (await cities.city()).ways
        ways, _ = await networks.ways("car", PUBLIC, None)
        network = ways.streets.network
        await networks.work(lambda: ways.areas(float(network.x[0]), float(network.y[0]), [60.0]))
    except (BadRequest, NotFound, CityModelError, LayerError, TwinError, OSError, TimeoutError) as error:
        LOG.info("no ways ahead", reason=str(error))
