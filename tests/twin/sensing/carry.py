"""A bridge in a process of its own, to be killed (python -m tests.twin.sensing.carry DATABASE BROKER MAPPING)."""

import asyncio
import sys
from pathlib import Path

from cim_models.database import Database
from twin.sensing.bridge import Bridge


async def main(url: str, broker: str, mapping: str) -> None:
    database = await Database.open(url)
    await Bridge(broker, "", Path(mapping))(database)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
