"""Ensembles: a run has members computed as jobs of their own, side by side where there are workers."""

import time
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from twin.scenarios import ScenarioError
from twin.scenarios.city import City
from twin.scenarios.inputs import Inputs, Words
from twin.scenarios.protocol import Progress, RunRecord
from twin.scenarios.record import folder_of
from twin.scenarios.runs import Asked, Run, dismiss, enqueue, list_members

MOST_MEMBERS = 1_000
LOOK_EVERY_S = 0.5


def spread(city: City, members: Sequence[Inputs | Mapping[str, Any]], progress: Progress) -> list[RunRecord]:
    """Have the run's own scenario computed for each of some inputs, and wait; their records in that order.

    Each member is a job with a seed of its own, made of the run's. It is dismissed with the run; its layers are files
    in its folder and shown nowhere. Raises ScenarioError when one fails, or for a member that has members itself.
    """
    if city.run.parent is not None:
        raise ScenarioError("a member of an ensemble has no members itself")
    if not 0 < len(members) <= MOST_MEMBERS:
        raise ScenarioError(f"{len(members)} members; an ensemble has 1 to {MOST_MEMBERS}")
    ids = city.wait(_enqueue(city, members))
    while True:
        runs = {run.id: run for run in city.wait(_look(city))}
        found = [runs[each] for each in ids]
        done = sum(run.is_over for run in found)
        fallen = next((n for n, run in enumerate(found, 1) if run.is_over and run.state != "successful"), None)
        if fallen is not None:
            city.wait(_dismiss(city, [run.id for run in found if not run.is_over]))
            why = found[fallen - 1].words or Words("被取消", "it was dismissed")
            raise ScenarioError(f"member {fallen}: {why.en}", f"第 {fallen} 个成员：{why.zh}")
        told = Words(f"已完成 {done} 个成员，共 {len(ids)} 个", f"{done} of {len(ids)} members are done")
        progress(sum(run.progress for run in found) / len(ids), told)
        if done == len(ids):
            return [folder_of(city.files, run.id).record(run) for run in found]
        time.sleep(LOOK_EVERY_S)


async def _enqueue(city: City, members: Sequence[Inputs | Mapping[str, Any]]) -> list[UUID]:
    async with city.database.writing() as connection:
        return [
            await enqueue(
                connection,
                Asked(
                    scenario=city.run.scenario,
                    inputs=each.model_dump(mode="json") if isinstance(each, Inputs) else each,
                    view=city.run.view,
                    seed=city.seed + number,
                    principal=city.principal,
                    parent=city.run.id,
                ),
                most=MOST_MEMBERS,
            )
            for number, each in enumerate(members, 1)
        ]


async def _look(city: City) -> list[Run]:
    async with city.database.reading() as connection:
        return await list_members(connection, city.run.id)


async def _dismiss(city: City, runs: Sequence[UUID]) -> None:
    async with city.database.writing() as connection:
        for run_id in runs:
            await dismiss(connection, run_id)
