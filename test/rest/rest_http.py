#!/usr/bin/env python3
"""What operators see of a whole cluster, over real sockets, with clients that mean no good. The argument is rest_test_host.

Each function whose name begins with test_ is one test. They share a cluster unless they take none.
"""
import concurrent.futures
import contextlib
import http.client
import json
import pathlib
import re
import socket
import subprocess
import sys
import threading
import time
import traceback

PROGRAM = sys.argv[1]
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TOKEN = {"Authorization": "Bearer let me"}
SLOW = "select count(*) from range(1000000) a(x), range(100000) b(y) where a.x * b.y = -1"


class Host:
    """A cluster while it is used."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([PROGRAM, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ports, self.outcomes, self.asked = {}, {}, 0
        for line in self.process.stdout:
            if line == "ready\n":
                break
            _, name, port = line.split()
            self.ports[name] = int(port)
        self.scheduler = self.ports["scheduler"]
        self.arrived = threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            _, number, outcome = line.rstrip("\n").split(" ", 2)
            with self.arrived:
                self.outcomes[number] = outcome
                self.arrived.notify_all()

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def start(self, sql):
        self.asked += 1
        self.say(f"sql {self.asked} {sql}")
        return str(self.asked)

    def outcome(self, number):
        with self.arrived:
            assert self.arrived.wait_for(lambda: number in self.outcomes, 60), "the statement does not end"
            return self.outcomes[number]

    def run(self, sql):
        return self.outcome(self.start(sql))

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(60) == 0, self.process.returncode

    def ask(self, path, method="GET", headers=(), port=None):
        """(status, headers, body)"""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.scheduler, timeout=60)
        connection.request(method, path, headers=dict(headers))
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, dict(answer.getheaders()), body

    def json(self, path, expect=200, **more):
        status, headers, body = self.ask(path, **more)
        assert status == expect, (path, status, body)
        assert headers["Content-Type"] == "application/json", headers
        return json.loads(body)

    def raw(self, data, port=None, patience=60):
        """What comes back until the other side closes."""
        with socket.create_connection(("127.0.0.1", port or self.scheduler), timeout=patience) as s:
            try:
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            out = b""
            try:
                while chunk := s.recv(65536):
                    out += chunk
            except ConnectionResetError:
                pass
            return out


@contextlib.contextmanager
def slow_job(host):
    """A statement that does not end by itself: its number, and the job's path. Others have the executors for themselves afterwards."""
    number = host.start(SLOW)
    job = wait_for(lambda: next((j for j in host.json("/api/jobs") if j["state"] == "running" and j["running_tasks"]), None))
    path = f"/api/job/{job['job_id']}"
    try:
        yield number, path
    finally:
        host.ask(path, "PATCH", TOKEN)
        host.outcome(number)


def running_task(host, path):
    """(stage, task): some that run, or None; the two are seen one after the other."""
    for stage in host.json(f"{path}/stages")["stages"]:
        for task in host.json(f"{path}/stage/{stage['stage_id']}/tasks")["tasks"]:
            if stage["stage_status"] == "Running" and task["status"] == "Running":
                return stage, task
    return None


def wait_for(what, patience=60):
    end = time.monotonic() + patience
    while not (found := what()):
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.02)
    return found


# ---- what is shown ------------------------------------------------------------------------------------------------------


def test_probes(host):
    for port in host.ports.values():
        assert host.json("/healthz", port=port) == {"status": "ok"}
        assert host.json("/readyz", port=port) == {"status": "ok"}


def test_state_and_version(host):
    state, version = host.json("/api/state"), host.json("/api/version")
    assert version == {"version": '1.2.3 "test"'}
    assert state["version"] == version["version"] and state["active"] is True and state["term"] >= 1, state
    assert abs(state["started"] / 1000 - time.time()) < 600, state
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", state["cluster"]), state
    assert state["executors"] == 2, state


def test_a_job_is_seen_when_it_has_ended(host):
    assert host.run("select x % 100 k, count(*) from range(100000) r(x) group by k") == "ok 100"
    job = host.json("/api/jobs")[0]
    assert job == host.json(f"/api/job/{job['job_id']}")
    assert job["status"] == "Completed" and job["state"] == "succeeded" and job["percent_complete"] == 100, job
    assert job["result_rows"] == 100 and job["completed_tasks"] == job["num_tasks"] > 2, job
    assert job["num_stages"] == job["completed_stages"] >= 2 and "error" not in job, job
    assert 0 <= job["end_time"] - job["start_time"] < 60000, job
    stages = host.json(f"/api/job/{job['job_id']}/stages")["stages"]
    assert [s["stage_id"] for s in stages] == [str(i) for i in range(job["num_stages"])], stages
    rows = bytes_ = seen = 0
    for stage in stages:
        assert stage["stage_status"] == "Successful" and stage["completed_tasks"] == stage["num_tasks"], stage
        assert job["start_time"] <= stage["start_time"] <= stage["end_time"] <= job["end_time"], stage
        tasks = host.json(f"/api/job/{job['job_id']}/stage/{stage['stage_id']}/tasks")["tasks"]
        assert [t["id"] for t in tasks] == list(range(stage["num_tasks"])), tasks
        assert sum(t["output_rows"] for t in tasks) == stage["output_rows"], stage
        assert all(t["status"] == "Successful" and t["attempts"] == 1 and t["failures"] == 0 for t in tasks), tasks
        assert all(stage["start_time"] <= t["launch_time"] <= t["finish_time"] <= stage["end_time"] for t in tasks), tasks
        rows, bytes_, seen = rows + stage["output_rows"], bytes_ + stage["output_bytes"], seen + len(tasks)
    assert stages[-1]["output_rows"] == 100 and stages[1]["input_rows"] == stages[0]["output_rows"], stages
    assert seen == job["num_tasks"] == job["attempts"]
    makers = {t["executor_id"] for s in stages
              for t in host.json(f"/api/job/{job['job_id']}/stage/{s['stage_id']}/tasks")["tasks"]}
    executors = host.json("/api/executors")
    assert makers <= {e["id"] for e in executors} and len(makers) == 2, makers
    assert all(e["state"] == "ready" and e["specification"] == {"task_slots": 2} for e in executors), executors
    assert all(e["committed_tasks"] > 0 and e["committed_bytes"] > 0 for e in executors), executors
    assert all(abs(e["last_seen"] / 1000 - time.time()) < 60 for e in executors), executors


def test_a_job_is_seen_while_it_runs_and_cancelled(host):
    with slow_job(host) as (number, path):
        stage, task = wait_for(lambda: running_task(host, path))
        assert task["running"][0]["executor_id"] in {e["id"] for e in host.json("/api/executors")}, task
        assert abs(task["launch_time"] / 1000 - time.time()) < 60, task
        for headers, expected in (({}, 401), ({"Authorization": "Bearer let  me"}, 401), ({"Authorization": "Basic bGV0IG1l"}, 401),
                                  ({**TOKEN, "Origin": "http://evil.example"}, 403), ({**TOKEN, "Host": "evil.example"}, 421)):
            assert host.ask(path, "PATCH", headers)[0] == expected, headers
        assert host.json(path)["state"] == "running"
        assert host.json(path, method="PATCH", headers=TOKEN) == {"cancelled": True}
        assert host.outcome(number).startswith("57014 "), host.outcome(number)
    job = wait_for(lambda: (j := host.json(path))["end_time"] and j)
    assert job["status"] == "Cancelled" and job["error"]["sqlstate"] == "57014", job
    again = host.json(path, 409, method="PATCH", headers=TOKEN)
    assert again["cancelled"] is False and again["reason"], again
    assert {t["status"] for t in host.json(f"{path}/stage/{stage['stage_id']}/tasks")["tasks"]} <= {"Cancelled", "Successful"}


def test_a_job_that_fails_says_why(host):
    outcome = host.run("select 1 / (x - 5000) from range(10000) r(x)")
    assert outcome.startswith("22012 "), outcome
    job = host.json("/api/jobs")[0]
    assert job["status"] == "Failed" and job["error"]["sqlstate"] == "22012", job
    assert job["job_status"] == f"Failed: {job['error']['message']}", job
    tasks = [t for s in host.json(f"/api/job/{job['job_id']}/stages")["stages"]
             for t in host.json(f"/api/job/{job['job_id']}/stage/{s['stage_id']}/tasks")["tasks"]]
    failed = [t for t in tasks if t["status"] == "Failed"]
    assert failed and all(t["last_failure"]["sqlstate"] == "22012" for t in failed), tasks
    assert {t["last_failure_executor_id"] for t in failed} <= {e["id"] for e in host.json("/api/executors")}, failed


def test_pages(host):
    for _ in range(3):
        assert host.run("select 1 from range(3)") == "ok 3"
    jobs = host.json("/api/jobs")
    assert host.json("/api/jobs?limit=1") == jobs[:1] and host.json("/api/jobs?offset=1&limit=2") == jobs[1:3]
    assert host.json("/api/jobs?offset=4294967295") == [] and host.json("/api/jobs?limit=0") == []
    for query in ("limit=x", "limit=10001", "offset=-1", "offset=", "limit=%31", "limit=99999999999999999999"):
        assert "must be a number" in host.json(f"/api/jobs?{query}", 400)["error"]
    path = f"/api/job/{jobs[0]['job_id']}/stage/0/tasks"
    tasks = host.json(path)["tasks"]
    assert host.json(path + "?offset=1&limit=1")["tasks"] == tasks[1:2]


def test_what_is_not_there(host):
    for path in ("/", "/nothing", "/api", "/api/job/", "/api/jobs/", "//healthz", "/healthz/", "/api/job/1.999999",
                 "/api/job/x", "/api/job/1", "/api/job/1.1.1", "/api/job/-1.1", "/api/job/99999999999999999999.1",
                 "/api/job/1.999999/stages", "/api/job/..%2f", "/api/job/%31.1", "/api/job/1.1/stage/999/tasks",
                 "/api/job/1.1/stage/x/tasks", "/api/job/1.1/stage/4294967296/tasks", "/api/job/1.1/stage/99999999999999999999/tasks",
                 "/api/job/1.1/stage//tasks", "/" + "a" * 8000, "/etc/passwd", "/../../etc/passwd", "/\xff".encode("latin1").decode("latin1")):
        status, headers, body = host.ask(path) if path.isascii() else (404, {}, b'{"error":""}')
        assert status == 404 and "error" in json.loads(body), (path, status, body)
    assert host.json("/api/job/1.999999", 404, method="PATCH", headers=TOKEN)["sqlstate"] == "42704"


def test_methods(host):
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"):
        status, headers, _ = host.ask("/api/jobs", method, TOKEN)
        assert status == 405 and headers["Allow"] == "GET, HEAD", (method, status, headers)
        assert host.ask("/api/jobs", method)[0] == 401  # whoever may not change anything hears nothing else
    status, headers, body = host.ask("/api/jobs", "HEAD")
    assert status == 200 and int(headers["Content-Length"]) > 0 and body == b""
    assert host.ask("/api/job/1.1", "PUT", TOKEN)[1]["Allow"] == "GET, HEAD, PATCH"


# ---- figures --------------------------------------------------------------------------------------------------------------


def figures(text):
    """Reads Prometheus' text format strictly: {(name, labels): value}, {name: type}."""
    assert text.endswith("\n")
    types, values, current, had_help = {}, {}, None, set()
    for line in text[:-1].split("\n"):
        if match := re.fullmatch(r"# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)", line):
            assert match[1] not in had_help, f"HELP of {match[1]} comes twice"
            had_help.add(match[1])
            assert match[2][0].isupper() or match[2][0].isdigit(), line
            assert match[2].endswith(".") and "\\" not in match[2], line
        elif match := re.fullmatch(r"# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge)", line):
            current = match[1]
            assert current in had_help and current not in types, line
            assert (match[2] == "counter") == current.endswith("_total"), line
            types[current] = match[2]
        else:
            match = re.fullmatch(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{([a-z_]+)="((?:[^"\\\n]|\\["\\n])*)"\})? ([0-9]+(?:\.[0-9]+)?)', line)
            assert match and match[1] == current, line
            key = (match[1], match[3])
            assert key not in values, line
            values[key] = float(match[4])
    assert {name for name, _ in values} == set(types) == had_help
    return values, types


def read_figures(host, name="scheduler"):
    status, headers, body = host.ask("/metrics", port=host.ports[name])
    assert status == 200 and headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8", headers
    return figures(body.decode())


def test_figures_of_the_scheduler(host):
    before, _ = read_figures(host)
    assert host.run("select x % 10 k, sum(x) from range(100000) r(x) group by k") == "ok 10"
    after, types = read_figures(host)
    grown = lambda name: after[(name, None)] - before[(name, None)]
    assert grown("arbalest_scheduler_jobs_submitted_total") == grown("arbalest_scheduler_jobs_succeeded_total") == 1
    assert grown("arbalest_scheduler_tasks_committed_total") == grown("arbalest_scheduler_attempts_launched_total") > 2
    assert grown("arbalest_scheduler_tasks_committed_rows_total") > 10
    assert grown("arbalest_scheduler_tasks_committed_bytes_total") > 100
    assert all(after[key] >= value for key, value in before.items() if types[key[0]] == "counter" and key in after)
    assert after[("arbalest_build_info", r'1.2.3 \"test\"')] == 1
    assert after[("arbalest_scheduler_executors", "ready")] == 2 and after[("arbalest_scheduler_slots", None)] == 4
    assert 1e6 < after[("process_resident_memory_bytes", None)] < 4e9
    assert abs(after[("process_start_time_seconds", None)] - time.time()) < 600
    assert host.ask("/api/metrics")[2].startswith(b"# HELP arbalest_build_info ")


def test_figures_of_executors(host):
    done = lambda: sum(read_figures(host, str(i))[0][("arbalest_executor_tasks_done_total", None)] for i in range(2))
    before = done()
    assert host.run("select x % 1000 k, sum(x) from range(1000000) r(x) group by k") == "ok 1000"
    for i in range(2):
        after, types = read_figures(host, str(i))
        assert after[("arbalest_executor_slots", None)] == 2 and after[("arbalest_executor_joined", None)] == 1
        assert ("arbalest_executor_output_bytes", "memory") in after and ("arbalest_executor_output_bytes", "file") in after
        assert after[("arbalest_memory_limit_bytes", None)] == 4 << 30
        for name in ("waiting", "running", "launched_total", "done_total", "failed_total", "cancelled_total"):
            assert after[(f"arbalest_executor_tasks_{name}", None)] >= 0
    wait_for(lambda: done() - before == host.json("/api/jobs")[0]["num_tasks"])  # counted when it was told


def test_running_tasks_are_counted(host):
    running = lambda: sum(read_figures(host, str(i))[0][("arbalest_executor_tasks_running", None)] for i in range(2))
    with slow_job(host):
        assert 1 <= wait_for(running) <= 4
        wait_for(lambda: read_figures(host)[0][("arbalest_scheduler_slots_taken", None)] > 0)
    wait_for(lambda: running() == 0)
    wait_for(lambda: read_figures(host)[0][("arbalest_scheduler_slots_taken", None)] == 0)
    wait_for(lambda: all(read_figures(host, str(i))[0][("arbalest_executor_outputs", None)] == 0 for i in range(2)))


def test_each_figure_is_described(host):
    names = set(read_figures(host)[1]) | set(read_figures(host, "0")[1])
    described = set(re.findall(r"^\| `([a-z_]+)", (ROOT / "docs/operating.md").read_text(), re.M))
    assert names == described, names ^ described


# ---- those who mean no good --------------------------------------------------------------------------------------------------


def test_other_hosts_and_origins(host):
    for name in ("evil.example", "127.0.0.2", "localhost.evil.example", "127.0.0.1.nip.io", "", "[::1]", "localhost:80:80", "a b"):
        for port in host.ports.values():
            status, headers, body = host.ask("/healthz", headers={"Host": name}, port=port)
            assert status == 421, (name, status)
            assert not any(h.lower().startswith("access-control") for h in headers), headers
    for name in ("localhost", "LOCALHOST:1234", f"127.0.0.1:{host.scheduler}"):
        assert host.ask("/healthz", headers={"Host": name})[0] == 200, name
    for origin in ("http://evil.example", "null", "http://localhost", "http://localhost.evil.example:80"):
        assert host.ask("/api/jobs", headers={"Host": "localhost:80", "Origin": origin})[0] == 403, origin
        assert host.ask("/api/jobs", "OPTIONS", {"Host": "localhost:80", "Origin": origin})[0] == 403, origin
    assert host.ask("/api/jobs", headers={"Host": "localhost:80", "Origin": "http://localhost:80"})[0] == 200


def test_headers_that_browsers_obey(host):
    for path, expected in (("/api/jobs", 200), ("/metrics", 200), ("/nothing", 404)):
        status, headers, _ = host.ask(path)
        assert status == expected
        assert headers["Content-Security-Policy"].startswith("default-src 'none'"), headers
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["Cache-Control"] == "no-store", headers
        assert "Server" not in headers and not any(h.lower().startswith("access-control") for h in headers), headers


def test_odd_bytes():
    host = Host("--request-ms", "1000")  # some are waited for, as more might come
    good = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
    odd = [b"", b"\r\n\r\n", b"\0" * 1000, b"\x16\x03\x01\x02\0\x01\0\x01\xfc", b"GET\r\n\r\n", b"GET /healthz\r\n\r\n",
           b"GET /healthz HTTP/9.9\r\nHost: localhost\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
           b"GET /health\0z HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
           b"GET /healthz HTTP/1.1\r\n\r\n", b"GET /healthz HTTP/1.0\r\n\r\n", b"GET /healthz HTTP/1.1\r\nHost : localhost\r\n\r\n",
           b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
           good + b"Content-Length: 5\r\n\r\nhello", good + b"Content-Length: -1\r\n\r\n",
           good + b"Content-Length: 99999999999999999999\r\n\r\n", good + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
           good + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           good + b"X: " + b"a" * (1 << 20) + b"\r\n\r\n", good + b"X: 1\r\n" * 100000 + b"\r\n",
           b"GET /" + b"a" * (1 << 20) + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", b"A" * (1 << 20),
           good + b"Cookie: " + b"a=b; " * 5000 + b"\r\n\r\n", good + b": empty\r\n\r\n", good + b"no colon\r\n\r\n",
           good + b"X: a\n\tfolded\r\n\r\n"]
    for data in odd:
        answer = host.raw(data)
        assert not answer or re.match(rb"HTTP/1\.[01] [45]\d\d ", answer) or answer.startswith(b"HTTP/1.1 200 OK") and good in data, (data[:80], answer[:80])
        assert b"hello" not in answer and b"SM" not in answer, answer
    assert host.json("/healthz") == {"status": "ok"}
    host.end()


def test_a_body_is_no_second_request(host):
    for path, framing in (("/healthz", b"Content-Length: %d\r\n"), ("/api/jobs", b"Content-Length: 0%d\r\n")):
        hidden = b"GET /api/state HTTP/1.1\r\nHost: localhost\r\n\r\n"
        answer = host.raw(b"GET " + path.encode() + b" HTTP/1.1\r\nHost: localhost\r\n" + framing % len(hidden) + b"\r\n" + hidden)
        assert answer.count(b"HTTP/1.1 ") == 1 and b"cluster" not in answer, answer


def test_many_at_once(host):
    def one(i):
        path = ("/metrics", "/api/jobs", "/api/executors", "/healthz", "/nothing")[i % 5]
        return host.ask(path, port=host.scheduler)[0] == (404 if i % 5 == 4 else 200)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert all(pool.map(one, range(400)))


def test_idle_connections_keep_nobody_out(host):
    idle = [socket.create_connection(("127.0.0.1", host.scheduler)) for _ in range(200)]
    try:
        for s in idle[::2]:
            s.sendall(b"GET /healthz HTTP/1.1\r\nHost: ")
        began = time.monotonic()
        for _ in range(5):
            assert host.json("/readyz") == {"status": "ok"}
        assert time.monotonic() - began < 15
        figures_ = read_figures(host)[0]
        assert figures_[("process_open_fds", None)] < figures_[("process_max_fds", None)]
    finally:
        for s in idle:
            s.close()


def test_slow_clients_are_ended():
    host = Host("--request-ms", "500")
    with socket.create_connection(("127.0.0.1", host.scheduler)) as silent, \
            socket.create_connection(("127.0.0.1", host.scheduler)) as dripping:
        silent.settimeout(20)
        dripping.settimeout(0.02)
        began, over = time.monotonic(), False
        while not over and time.monotonic() - began < 20:
            try:
                dripping.send(b"X")
                over = dripping.recv(1) == b""
            except TimeoutError:
                pass
            except OSError:
                over = True
        assert over and 0.3 < time.monotonic() - began < 20
        assert silent.recv(1) == b""
    assert host.json("/healthz") == {"status": "ok"}
    host.end()


def test_who_goes_is_not_ready():
    host = Host()
    host.say("drain 0")
    wait_for(lambda: host.ask("/readyz", port=host.ports["0"])[0] == 503)
    assert "told to go" in host.json("/readyz", 503, port=host.ports["0"])["error"]
    assert host.json("/healthz", port=host.ports["0"]) == {"status": "ok"}
    assert read_figures(host, "0")[0][("arbalest_executor_draining", None)] == 1
    wait_for(lambda: sorted(e["state"] for e in host.json("/api/executors")) == ["draining", "ready"])
    assert host.json("/readyz") == {"status": "ok"}
    host.say("drain 1")
    wait_for(lambda: host.ask("/readyz")[0] == 503)
    assert host.json("/readyz", 503)["error"] == "no executor is ready"
    assert host.json("/healthz") == {"status": "ok"}
    figures_ = read_figures(host)[0]
    assert figures_[("arbalest_scheduler_executors", "draining")] == 2 and figures_[("arbalest_scheduler_slots", None)] == 0
    host.end()


def test_it_ends_while_asked():
    host = Host()
    stop = threading.Event()

    def bother():
        while not stop.is_set():
            try:
                host.ask("/metrics")
            except (OSError, http.client.HTTPException):
                pass
    threads = [threading.Thread(target=bother) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    began = time.monotonic()
    host.end()
    assert time.monotonic() - began < 30
    stop.set()
    for thread in threads:
        thread.join()


def main():
    tests = [(name, test) for name, test in globals().items() if name.startswith("test_") and callable(test)]
    shared, failed = Host(), 0
    for name, test in tests:
        if sys.argv[2:] and name not in sys.argv[2:]:
            continue
        try:
            test(shared) if test.__code__.co_argcount else test()
        except Exception:
            failed += 1
            print(f"FAILED {name}")
            traceback.print_exc(file=sys.stdout)
    shared.end()
    print(f"{len(tests) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
