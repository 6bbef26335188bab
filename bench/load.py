"""A load of tile requests on one server, by `wrk` or one request after another, and what came of it."""

import http.client
import json
import shutil
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

# wrk prints latencies in microseconds; the script walks the list of paths, each thread from another start.
SCRIPT = """
local paths = {}
for line in io.lines("%s") do paths[#paths + 1] = line end
local turn, started = 0, 0
function setup(thread) thread:set("start", started); started = started + 1 end
function init() turn = start * 7919 end
function request()
  turn = turn + 1
  return wrk.format("GET", paths[(turn %% #paths) + 1], {["Accept-Encoding"] = "gzip"})
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('\\nRESULT {"requests": %%d, "seconds": %%f, "bytes": %%d, "errors": %%d, ' ..
    '"p50": %%f, "p95": %%f, "p99": %%f}\\n', summary.requests, summary.duration / 1e6, summary.bytes,
    e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50) / 1000, latency:percentile(95) / 1000, latency:percentile(99) / 1000))
end
"""


@dataclass(frozen=True)
class Load:
    """rate: requests a second. p50, p95, p99: milliseconds. errors: answers that were none, or of status >= 400."""

    rate: float
    p50: float
    p95: float
    p99: float
    errors: int
    megabytes: float


def many(base: str, paths: list[str], *, clients: int, seconds: float, threads: int = 1) -> Load:
    """As many requests as `clients` connections get through in `seconds`, walking `paths` in a circle."""
    with tempfile.TemporaryDirectory() as folder:
        listed, script = Path(folder, "paths"), Path(folder, "load.lua")
        listed.write_text("\n".join(paths))
        script.write_text(SCRIPT % listed)
        command = [
            wrk(),
            f"-t{threads}",
            f"-c{clients}",
            f"-d{seconds:g}s",
            "--timeout",
            "30s",
            "-s",
            str(script),
            base,
        ]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    result = json.loads(output.rpartition("RESULT ")[2])
    return Load(
        rate=result["requests"] / result["seconds"],
        p50=result["p50"],
        p95=result["p95"],
        p99=result["p99"],
        errors=result["errors"],
        megabytes=result["bytes"] / 1e6,
    )


def one_by_one(base: str, paths: list[str]) -> Load:
    """Each path once, on one kept connection: what a single viewer waits for."""
    parts = urlsplit(base)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    times, errors, size = [], 0, 0
    for path in paths:
        start = time.perf_counter()
        connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
        answer = connection.getresponse()
        size += len(answer.read())
        times.append((time.perf_counter() - start) * 1000)
        errors += answer.status >= 400
    connection.close()
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return Load(1000 / statistics.mean(times), cuts[49], cuts[94], cuts[98], errors, size / 1e6)


def wrk() -> str:
    """The load generator's path. Raises RuntimeError with the command that installs it."""
    found = shutil.which("wrk")
    if not found:
        raise RuntimeError("wrk is not installed; on Debian: apt-get install wrk")
    return found
