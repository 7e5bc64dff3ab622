"""Tells a Telltale server what an agent does. One file, standard library only, Python 3.9 and later.

    from telltale import Telltale

    telltale = Telltale("http://127.0.0.1:4747")
    with telltale.run("researcher", input="Why is the sky blue?") as run:
        with run.step("Search"):
            with run.tool("search", {"query": "sky"}) as tool:
                tool.result = ["Rayleigh"]
        run.output = "Scattering."

Emitting never blocks for the network and never raises because of it: a background thread sends what was emitted, in
order, again and again until the server has it, each event exactly once. `close` (or the end of the `with`) waits for it.
"""

import atexit
import http.client
import json
import random
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone

# What one request carries.
_BATCH_EVENTS = 500
_BATCH_BYTES = 512 * 1024
# Emitting waits while so many bytes are not stored yet.
_MAX_WAITING = 8 * 1024 * 1024
_MAX_RETRY_SECONDS = 10
# So many sessions without anything to send are remembered.
_MAX_SESSIONS = 1000
_ANSWER_SECONDS = 30
# A stream says something every 15 seconds; after so long without, it is asked for again.
_SILENCE_SECONDS = 40
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class TelltaleError(Exception):
    """A refusal that sending again does not cure. `problem` is what the server said (RFC 9457)."""

    def __init__(self, problem):
        super().__init__(problem.get("detail") or problem.get("title") or "refused")
        self.problem = problem
        self.code = problem.get("code")


class Telltale:
    """A server. `url` is where it listens; `token` an API key or a token, where it has authentication."""

    def __init__(self, url="http://127.0.0.1:4747", token=None):
        self._url = url.rstrip("/")
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._sessions = {}
        self._lock = threading.Lock()
        atexit.register(self.close, 5)

    def run(self, agent, input=None, thread_id=None, lease=None):
        """Opens a run. With `lease` it fails when nothing was emitted for so many seconds (5 to 3600)."""
        run_id = "p-" + uuid.uuid4().hex[:30]
        request = {"agent": agent, "mode": "remote", "runId": run_id}
        for name, value in (("input", input), ("threadId", thread_id), ("lease", lease)):
            if value is not None:
                request[name] = value
        body = json.dumps(request).encode()
        try:
            _until_answered(lambda: _post(self._url + "/v1/runs", body, "application/json", self._headers))
        except TelltaleError as error:
            # The answer to an earlier attempt was lost: nobody else has this id.
            if error.code != "run_exists":
                raise
        return Run(f"{self._url}/v1/runs/{run_id}/events", run_id, self._headers)

    def emit_agent_activity(self, session_id, agent_name, action, status, details=None):
        """Tells what an agent of a session does; a session needs no run of its own. A UUID stands for its 32 digits."""
        session_id = str(session_id)
        if _UUID.fullmatch(session_id):
            session_id = session_id.replace("-", "").lower()
        data = {"action": action, "status": status}
        if details is not None:
            data["details"] = details
        with self._lock:
            session = self._sessions.pop(session_id, None)
            if session is None:
                path = urllib.parse.quote(session_id, safe="")
                session = _Sender(f"{self._url}/v1/threads/{path}/events", self._headers, of_thread=True)
            # The one used last stands last; what has nothing to send can begin anew at any time.
            self._sessions[session_id] = session
            oldest = next(iter(self._sessions))
            if len(self._sessions) > _MAX_SESSIONS and self._sessions[oldest].is_idle:
                del self._sessions[oldest]
        agent = {"id": agent_name, "name": agent_name, "path": agent_name}
        session.send({"type": "activity.reported", "data": data, "agent": agent})

    def close(self, timeout=None):
        """Waits until everything is stored. True if it is."""
        with self._lock:
            sessions = list(self._sessions.values())
        return all([session.flush(timeout) for session in sessions])


class Run:
    """An open run. Used with `with`, it completes at the end, or fails with what was raised."""

    def __init__(self, url, run_id, headers):
        self.run_id = run_id
        self.output = None
        self._headers = headers
        self._stream = url.rsplit("/", 1)[0] + "/stream"
        self._sender = _Sender(url, headers)
        self._numbers = iter(range(1, 1 << 62))
        self._ended = False

    @property
    def commands(self):
        """What the run is asked for and has not done yet: `[{"command": "cancel", "commandId": …}]`."""
        return self._sender.commands

    def emit(self, type, data, agent=None):
        """Emits one event. Raises TelltaleError once an earlier one was refused."""
        event = {"type": type, "data": data}
        if agent is not None:
            event["agent"] = agent
        self._ended = self._ended or type in ("run.completed", "run.failed", "run.cancelled")
        self._sender.send(event)

    @contextmanager
    def step(self, name):
        """A step: completed at the end of the `with`, or failed."""
        step_id = f"step-{next(self._numbers)}"
        self.emit("step.started", {"stepId": step_id, "name": name})
        with self._span("step", {"stepId": step_id}) as span:
            yield span

    @contextmanager
    def tool(self, name, args=None):
        """A tool call. Set `result` on what the `with` gives."""
        call = {"toolCallId": f"tool-{next(self._numbers)}", "name": name}
        self.emit("tool.started", call)
        self.emit("tool.called", {**call, "args": args if args is not None else {}})
        with self._span("tool", call) as span:
            yield span

    def approve(self, prompt, options=None, expires_in=None):
        """Asks people, and waits for the first answer of any viewer: one of `options`, "approve" and "deny" by default.
        None where nobody answered within `expires_in` seconds, or where the run was ended by others. A run with a lease
        has to emit something meanwhile, from another thread."""
        question = {"approvalId": f"approval-{next(self._numbers)}", "prompt": prompt}
        question["options"] = list(options or ("approve", "deny"))
        if expires_in is not None:
            question["expiresAt"] = (datetime.now(timezone.utc) + timedelta(seconds=expires_in)).isoformat()
        self.emit("approval.requested", question)
        self.flush()
        for event in self.heard("approval.*"):
            if event["data"].get("approvalId") != question["approvalId"]:
                continue
            if event["type"] in ("approval.resolved", "approval.expired"):
                return event["data"].get("decision")
        return None

    def heard(self, types="approval.*,input.*,control.*"):
        """What people say to the run from its beginning on, as it comes: events of these types, and the one that ends the
        run. Comes back by itself when the connection breaks."""
        url = self._stream + "?" + urllib.parse.urlencode({"types": types})
        headers = dict(self._headers)
        while True:
            for name, cursor, event in _frames(url, headers):
                if cursor is not None:
                    headers["Last-Event-ID"] = cursor
                if name == "stream.bye":
                    return
                if not name.startswith("stream."):
                    yield event
            # Servers that end streams at once are not to be asked at once by everybody.
            time.sleep(random.random())

    def flush(self, timeout=None):
        """Waits until everything is stored. True if it is."""
        return self._sender.flush(timeout)

    def close(self):
        """Completes the run, unless it has ended, and waits until everything is stored."""
        if not self._ended:
            self.emit("run.completed", {} if self.output is None else {"output": self.output})
        self.flush()

    @contextmanager
    def _span(self, kind, about):
        span = Span()
        began = time.monotonic()
        try:
            yield span
        except BaseException as error:
            self.emit(f"{kind}.failed", {**about, "error": _error_info(error), **_duration(began)})
            raise
        result = {} if span.result is None else {"result": span.result}
        self.emit(f"{kind}.completed", {**about, **result, **_duration(began)})

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if error is not None and not self._ended and not isinstance(error, TelltaleError):
            self.emit("run.failed", {"error": _error_info(error)})
        if error is None:
            self.close()
        else:
            self.flush()


class Span:
    """What a step or a tool call brought."""

    result = None


class _Sender:
    """Sends events in order from a thread of its own; numbers make every repetition harmless (PROTOCOL.md section 8)."""

    def __init__(self, url, headers, of_thread=False):
        self._url = url
        self._headers = headers
        self._of_thread = of_thread
        self._id = uuid.uuid4().hex
        self._epoch = 0
        self._seq = 0
        self._lines = []
        self._bytes = 0
        self._changed = threading.Condition()
        self._failure = None
        self._thread = None
        self.commands = []

    @property
    def is_idle(self):
        return not self._lines

    def send(self, event):
        line = json.dumps(event, allow_nan=False, separators=(",", ":")).encode()
        with self._changed:
            self._changed.wait_for(lambda: self._bytes < _MAX_WAITING or self._failure)
            if self._failure:
                raise self._failure
            self._lines.append(line)
            self._bytes += len(line)
            if self._thread is None:
                self._thread = threading.Thread(target=self._pump, name="telltale", daemon=True)
                self._thread.start()

    def flush(self, timeout=None):
        with self._changed:
            done = self._changed.wait_for(lambda: not self._lines or self._failure, timeout)
            if self._failure:
                raise self._failure
            return done

    def _pump(self):
        while True:
            with self._changed:
                if not self._lines or self._failure:
                    self._thread = None
                    return
                batch = self._next_batch()
            try:
                stored = _until_answered(lambda: self._send(batch))
                self._drop(stored)
            except TelltaleError as error:
                if self._of_thread and error.code == "producer_gap" and error.problem.get("expected") == 0:
                    # The session's run has ended, and the next has begun: numbers count anew.
                    self._epoch, self._seq = self._epoch + 1, 0
                    continue
                with self._changed:
                    self._failure = error
                    self._changed.notify_all()

    def _next_batch(self):
        # To a thread, one append is one number, so what is sent again has to be the same batch.
        batch, size = [], 0
        for line in self._lines[: 1 if self._of_thread else _BATCH_EVENTS]:
            if batch and size + len(line) > _BATCH_BYTES:
                break
            batch.append(line)
            size += len(line)
        return batch

    def _send(self, batch):
        """How many events of the batch are stored."""
        key = {"Producer-Id": self._id, "Producer-Epoch": str(self._epoch), "Producer-Seq": str(self._seq)}
        key.update(self._headers)
        if self._of_thread:
            self._take(json.loads(_post(self._url, b'{"events":[' + batch[0] + b"]}", "application/json", key)))
            return 1
        answers = _post(self._url, b"\n".join(batch) + b"\n", "application/x-ndjson", key).split(b"\n")
        stored = 0
        # Behind the last line feed is nothing, or half a line.
        for answer in map(json.loads, answers[:-1]):
            if "code" in answer:
                if stored == 0:
                    raise _refusal(answer)
                break
            self._take(answer)
            stored += answer["last"] - answer["first"] + 1
        if stored == 0:
            raise ConnectionError("The answer broke off.")
        return stored

    def _take(self, answer):
        self.commands = answer.get("commands", [])

    def _drop(self, stored):
        with self._changed:
            self._bytes -= sum(map(len, self._lines[:stored]))
            del self._lines[:stored]
            self._seq += stored
            self._changed.notify_all()


class _Again(Exception):
    """Not answered, or by a server that is in trouble: nobody knows whether it was stored."""


def _post(url, body, content_type, headers=None):
    request = urllib.request.Request(url, body, {"Content-Type": content_type, **(headers or {})}, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=_ANSWER_SECONDS) as response:
            return response.read()
    except urllib.error.HTTPError as error:
        raise _refusal_of(url, error) from error


def _frames(url, headers):
    """The frames of one connection, or of the first that succeeds: name, id, data. Ends where it breaks."""
    stream = _until_answered(lambda: _open(url, headers))
    if stream.status == 204:
        # Everything was received: there is no end of the run to wait for.
        yield "stream.bye", None, None
        return
    with stream:
        try:
            fields = {}
            for line in stream:
                if line.startswith(b":"):
                    continue
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name:
                    fields[name] = value
                    continue
                if "data" in fields:
                    yield fields.get("event", ""), fields.get("id"), json.loads(fields["data"])
                fields = {}
        except (OSError, http.client.HTTPException):
            return


def _open(url, headers):
    try:
        return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=_SILENCE_SECONDS)
    except urllib.error.HTTPError as error:
        raise _refusal_of(url, error) from error


def _refusal_of(url, error):
    try:
        problem = json.loads(error.read())
    except ValueError:
        problem = {"detail": f"{url} answered with {error.code}."}
    return _refusal({"status": error.code, **problem})


def _refusal(problem):
    if problem.get("retryable") or problem.get("status", 400) in (408, 429) or problem.get("status", 400) >= 500:
        return _Again(problem.get("detail"))
    return TelltaleError(problem)


def _until_answered(call):
    attempt = 0
    while True:
        try:
            return call()
        # OSError is every failure of the network; ValueError an answer that is no JSON.
        except (_Again, OSError, ValueError, http.client.HTTPException):
            attempt += 1
            time.sleep(random.random() * min(_MAX_RETRY_SECONDS, 0.2 * 2 ** min(attempt, 16)))


def _error_info(error):
    return {"code": type(error).__name__, "message": str(error)}


def _duration(began):
    return {"durationMs": round((time.monotonic() - began) * 1000)}
