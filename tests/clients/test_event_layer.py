"""GIS programs read the events of a city as a layer: GDAL and QGIS, as their users do."""

import json
import os
import shutil
import subprocess
import time
from xml.etree import ElementTree

import httpx
import pyogrio
import pytest

from tests.clients.test_desktop_features import SYSTEM_PYTHON
from tests.conftest import SensingServer

SCRIPT = """
import json, os, sys
from qgis.core import QgsApplication, QgsVectorLayer
QgsApplication.setPrefixPath("/usr", True)
application = QgsApplication([], False)
application.initQgis()
layer = QgsVectorLayer(f"url='{sys.argv[1]}' typename='events'", "layer", "OAPIF")
print(json.dumps({
    "valid": layer.isValid(),
    "events": [[each["name"], each["severity"], each.geometry().asPoint().x()] for each in layer.getFeatures()],
}), flush=True)
os._exit(0)
"""


@pytest.fixture(scope="module")
def server(sensing_server: SensingServer) -> str:
    """A server with an event of ours; others may have raised theirs."""
    event = {"kind": "report", "severity": "orange", "title": "图层之测", "began_at": "2024-08-01T00:00:00Z",
             "place": {"type": "Point", "coordinates": [120.9612, 28.1034]}}  # fmt: skip
    url = sensing_server.address
    headers = {"Authorization": f"Bearer {sensing_server.token}"}
    httpx.post(f"{url}/events", json=event, headers=headers, timeout=60).raise_for_status()
    # A new layer is served within a second.
    until = time.monotonic() + 30
    while httpx.get(f"{url}/collections/events", timeout=60).status_code == 404 and time.monotonic() < until:
        time.sleep(0.1)
    return url


def test_gdal_reads_events(server: str) -> None:
    frame = pyogrio.read_dataframe(f"OAPIF:{server}", layer="events", where="severity = 'orange'")
    (ours,) = frame[frame.name == "图层之测"].itertuples()
    assert (ours.severity, ours.state, ours.began_at.isoformat()) == ("orange", "raised", "2024-08-01T00:00:00+00:00")
    assert (ours.geometry.x, ours.geometry.y) == pytest.approx((120.9612, 28.1034), abs=1e-7)


def test_wfs_describes_them_beside_others(server: str) -> None:
    """A layer with a style of its own, as events and results have; clients ask for several types at once."""
    asked = {"SERVICE": "WFS", "VERSION": "2.0.0", "REQUEST": "DescribeFeatureType"}
    answer = httpx.get(f"{server}/wfs", params=asked | {"TYPENAMES": "city:events,city:roads,city:events"}, timeout=60)
    schema = ElementTree.fromstring(answer.raise_for_status().content)
    declared = [each.get("name") for each in schema.findall("{http://www.w3.org/2001/XMLSchema}element")]
    assert declared == ["events", "roads"]


@pytest.mark.skipif(
    not os.path.exists(SYSTEM_PYTHON) or shutil.which("qgis_process") is None, reason="python3-qgis is not installed"
)
def test_qgis_reads_events(server: str) -> None:
    done = subprocess.run(
        [SYSTEM_PYTHON, "-c", SCRIPT, server],
        env={"PATH": "/usr/bin:/bin", "QT_QPA_PLATFORM": "offscreen", "HOME": os.environ.get("HOME", "/tmp")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["valid"]
    assert ["图层之测", "orange", pytest.approx(120.9612, abs=1e-7)] in told["events"]
