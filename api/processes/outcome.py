"""What a job gave, or why it gave nothing."""

from fastapi import Response

from api.answers import json_answer
from api.errors import RunFailed
from api.processes.documents import OUTPUT
from twin.scenarios import NotFinished
from twin.scenarios.documents import result_of
from twin.scenarios.runs import Run


def result_answer(run: Run, base: str) -> Response:
    """The results of a job, raw or as a document as it was asked for (18-062r2, 7.11.4).

    Raises RunFailed with the job's own reason, NotFinished.
    """
    if run.state == "failed":
        raise RunFailed(run.message["en"] if run.message else "the run failed")
    if run.state != "successful":
        raise NotFinished(f"job {run.id} is {run.state}; its results come when it is successful")
    told = result_of(run, base)
    headers = {"Link": f'<{base}/jobs/{run.id}>; rel="monitor"'}
    return json_answer(told if run.response == "raw" else {OUTPUT: {"value": told}}, headers=headers)
