"""The life of a job: it runs, fails in words, is dismissed, survives its worker, and is never lost or stuck."""

import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO

import httpx
import openpyxl
import psycopg

from tests.twin.scenarios.conftest import CALLBACK_KEY, Hook, eventually


def test_a_job_runs_and_tells_all_that_it_takes_to_repeat_it(hook: Hook) -> None:
    job = hook.run({"text": "你好", "number": 2.5}, query="?seed=7&datetime=2025-01-01")
    found = hook.until(job)
    assert found["status"] == "successful", found
    assert found["progress"] == 100
    assert found["created"] <= found["started"] <= found["finished"]
    told = found["twin"]
    assert told["seed"] == 7
    assert told["view"] == {"datetime": "2025-01-01"}
    assert told["inputs"]["number"] == 2.5
    assert told["versions"]["echo"] == "1.0"
    assert told["indicators"]["text"] == "你好"
    again = hook.until(hook.run(told["inputs"], query="?seed=7&datetime=2025-01-01"))
    assert again["twin"]["indicators"] == told["indicators"]


def test_its_tables_and_files_are_served(hook: Hook) -> None:
    job = hook.run({"text": "=1+1", "number": 3})
    assert hook.until(job)["twin"]["tables"] == ["inputs"]
    as_json = hook.ask("GET", f"/jobs/{job}/tables/inputs").json()
    assert as_json == {"columns": ["text", "number"], "rows": [["=1+1", 3.0]]}
    assert hook.ask("GET", f"/jobs/{job}/tables/inputs?f=csv").text.splitlines() == ['"text","number"', '"=1+1",3']
    book = openpyxl.load_workbook(BytesIO(hook.ask("GET", f"/jobs/{job}/tables/inputs?f=xlsx").content))
    cells = list(book.active)
    assert [cell.value for cell in cells[1]] == ["=1+1", 3]
    # A text, whatever it looks like: nobody's spreadsheet computes it.
    assert cells[1][0].data_type == "s"
    file = hook.ask("GET", f"/jobs/{job}/files/echo.txt")
    assert file.text == "=1+1"
    assert "sandbox" in file.headers["content-security-policy"]
    for path in ("tables/other", "files/run.log", "files/..%2Fresult.json", "tables/..%2F..%2Fx"):
        assert hook.ask("GET", f"/jobs/{job}/{path}").status_code == 404


def test_a_failure_is_told_in_words(hook: Hook) -> None:
    refused = hook.until(hook.run({"refuse": True, "text": "no"}))
    assert refused["status"] == "failed"
    assert refused["message"] == "no: refused, as asked for"
    assert refused["twin"]["message"]["zh"] == "no：按要求拒绝"
    fault = hook.until(hook.run({"fail": True}))
    assert "ZeroDivisionError" in fault["message"]
    assert "Traceback" in fault["twin"]["log"]
    assert "Traceback" not in fault["message"]


def test_progress_streams_and_a_dismissed_job_ends_within_two_seconds(hook: Hook) -> None:
    job = hook.run({"pause": 60})
    seen = []
    address = f"{hook.url}/jobs/{job}/events"
    headers = {"Authorization": f"Bearer {hook.tokens.editor}"}
    with httpx.stream("GET", address, headers=headers, timeout=30) as stream:
        for line in stream.iter_lines():
            if not line.startswith("data: "):
                continue
            seen.append(json.loads(line[6:]))
            if len(seen) == 4:
                assert hook.processes(job)
                assert hook.ask("DELETE", f"/jobs/{job}").json()["status"] == "dismissed"
                eventually(lambda: not hook.processes(job), timeout_s=2.0)
    # The stream ends with the job.
    assert [each["status"] for each in seen[-2:]] == ["running", "dismissed"]
    running = [each for each in seen if each["status"] == "running"]
    assert running[-1]["progress"] >= 0
    assert running[-1]["message"].startswith("step ")


def test_only_whose_job_it_is_dismisses_it(hook: Hook) -> None:
    job = hook.run({"pause": 30})
    for token in (hook.tokens.utility, hook.tokens.township):
        assert hook.ask("DELETE", f"/jobs/{job}", token=token).status_code == 404
        assert hook.ask("GET", f"/jobs/{job}", token=token).status_code == 404
    assert httpx.delete(f"{hook.url}/jobs/{job}").status_code == 401
    assert hook.ask("DELETE", f"/jobs/{job}", token=hook.tokens.administrator).status_code == 200


def test_a_killed_worker_loses_no_job(hook: Hook, rows: psycopg.Connection) -> None:
    """The run ends with its worker, and the next worker begins it anew; one that falls twice is not tried again."""
    job = hook.run({"pause": 2})
    waiting = hook.run({"text": "waiting"})
    eventually(lambda: bool(hook.processes(job)))
    hook.kill_worker()
    eventually(lambda: not hook.processes(job), timeout_s=3.0)
    # As if its worker had been silent for long, which a test need not wait for.
    rows.execute("update scenario_run set seen_at = now() - interval '1 minute' where id = %s", (job,))
    rows.execute("update procrastinate.procrastinate_events set at = now() - interval '1 minute'")
    doomed = hook.run({"text": "doomed"})
    rows.execute("update scenario_run set attempt = 2 where id = %s", (doomed,))
    hook.start_worker()
    found = hook.until(job, timeout_s=90.0)
    assert found["status"] == "successful"
    assert found["twin"]["attempt"] == 2
    assert hook.until(waiting)["status"] == "successful"
    assert "cut off twice" in hook.until(doomed)["message"]


def test_a_run_keeps_within_its_memory_and_files(hook: Hook) -> None:
    """1 GiB and 4 MiB here; whoever asked hears which limit it was and what to do."""
    large = hook.until(hook.run({"memory_mib": 2_000}))
    assert large["status"] == "failed"
    assert "more memory than the 1.0 GiB" in large["message"]
    assert "TWIN_JOB_MEMORY" in large["message"]
    assert hook.until(hook.run({"memory_mib": 100}))["status"] == "successful"
    long = hook.until(hook.run({"file_mib": 6}))
    assert long["status"] == "failed"
    assert "TWIN_JOB_DISK" in long["message"]


def test_a_principal_has_so_many_jobs_and_no_more(hook: Hook, rows: psycopg.Connection) -> None:
    jobs = [hook.run({"pause": 30}) for _ in range(3)]
    answer = hook.ask("POST", "/processes/echo/execution", json={"inputs": {}})
    assert answer.status_code == 429
    assert "retry-after" in answer.headers
    for job in jobs:
        hook.ask("DELETE", f"/jobs/{job}")
    # Those that were dismissed before their turn never run.
    assert hook.until(hook.run({"text": "after"}))["status"] == "successful"
    query = "select count(*) from scenario_run where id = any(%s::uuid[]) and started_at is not null"
    started = rows.execute(query, (jobs,)).fetchone()
    assert started is not None
    assert started[0] <= 1


def test_members_are_jobs_that_are_not_listed(hook: Hook, rows: psycopg.Connection) -> None:
    job = hook.run({"members": 3, "number": 9})
    found = hook.until(job)
    assert found["status"] == "successful", found
    assert found["twin"]["indicators"]["members"] == [0.0, 1.0, 2.0]
    members = rows.execute("select id::text from scenario_run where parent = %s", (job,)).fetchall()
    assert len(members) == 3
    listed = {each["jobID"] for each in hook.ask("GET", "/jobs?limit=1000").json()["jobs"]}
    assert job in listed
    assert not listed & {member for (member,) in members}


def test_a_removed_job_leaves_nothing(hook: Hook, rows: psycopg.Connection) -> None:
    job = hook.run({"members": 1})
    hook.until(job)
    folders = list((hook.data / "testing" / "runs").iterdir())
    expired = hook.run({})
    hook.until(expired)
    rows.execute("update scenario_run set expires_at = now() where id = %s", (expired,))
    assert hook.ask("DELETE", f"/jobs/{job}").status_code == 200
    for each in (job, expired):
        eventually(lambda each=each: hook.ask("GET", f"/jobs/{each}").status_code == 404)  # type: ignore[misc]
    member = next(folder for folder in folders if folder.name == job)
    eventually(lambda: not member.exists())
    assert rows.execute("select count(*) from scenario_run where parent = %s", (job,)).fetchone() == (0,)


def test_a_callback_is_signed(hook: Hook) -> None:
    heard: list[tuple[str, bytes, dict[str, str]]] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or self._chunked()
            heard.append((self.path, body, {name.lower(): value for name, value in self.headers.items()}))
            self.send_response(204)
            self.end_headers()

        def _chunked(self) -> bytes:
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            return body

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", hook.listening), Listener) as listener:
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{hook.listening}"
        refused = {"subscriber": {"successUri": "http://10.0.0.1/x"}, "inputs": {}}
        assert hook.ask("POST", "/processes/echo/execution", json=refused).status_code == 403
        hook.run({"text": "back"}, subscriber={"successUri": f"{base}/ok", "failedUri": f"{base}/no"})
        eventually(lambda: bool(heard))
        listener.shutdown()
    path, body, headers = heard[0]
    assert path == "/ok"
    assert json.loads(body)["indicators"]["text"] == "back"
    signature = hmac.new(CALLBACK_KEY.encode(), headers["x-twin-time"].encode() + b"." + body, hashlib.sha256)
    assert headers["x-twin-signature"] == f"sha256={signature.hexdigest()}"
