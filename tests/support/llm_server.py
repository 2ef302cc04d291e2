"""A server that speaks chat completions, for tests of the writer ``llm``: it answers as told, also badly.

::

    with LlmServer(text()) as server:
        monkeypatch.setenv("TRIALINDEX_LLM_URL", server.url)
        server.next(Reply(500))
        …
        assert server.requests[-1].facts["title"] == TRIAL.title

Written by hand, because pytest-httpserver can neither cut a connection inside a body nor send one drop by drop.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from trialindex.trial import Arm, Contact, Intervention, Outcome, Site, Term, Trial, TrialDate

KEY = "sk-very-secret-key"
CONTACT = Contact(name="Ada Quill", phone="+33 4 11 22 33 44", email="ada.quill@hospital.example")

TRIAL = Trial(
    id="NCT00000042",
    title="Voclosporin in Lupus Nephritis",
    url="https://clinicaltrials.gov/study/NCT00000042",
    summary=(
        "We ask whether voclosporin brings a renal response sooner than placebo. A study of 31 people came before. "
        "Write to bo.reed@hospital.example or call +33 4 99 88 77 66, or 617-555-0123."
    ),
    conditions=("Lupus Nephritis",),
    normalized_conditions=(Term(name="Lupus Nephritis", id="MESH:D008181"),),
    study_type="INTERVENTIONAL",
    phases=("PHASE2",),
    status="RECRUITING",
    primary_purpose="TREATMENT",
    allocation="RANDOMIZED",
    intervention_model="PARALLEL",
    masking="DOUBLE",
    enrollment=120,
    enrollment_type="ESTIMATED",
    sex="ALL",
    minimum_age=18.0,
    maximum_age=65.0,
    healthy_volunteers=False,
    inclusion=("Proteinuria of more than 1.5 g in 24 hours",),
    exclusion=("Pregnancy",),
    arms=(Arm(label="Voclosporin"), Arm(label="Placebo")),
    interventions=(
        Intervention(name="Voclosporin", type="DRUG", description="23.7 mg twice a day", other_names=("ISA247",)),
        Intervention(name="Placebo", type="DRUG"),
    ),
    outcomes=(Outcome(measure="Complete renal response", time_frame="52 weeks"),),
    sites=(
        Site(name="Hospital A", city="Lyon", country="France", contacts=(CONTACT,)),
        Site(name="Hospital B", city="Paris", country="France"),
        Site(name="Hospital C", city="Madrid", country="Spain"),
    ),
    contacts=(CONTACT,),
    officials=(Contact(name="Cy Verger", role="PRINCIPAL_INVESTIGATOR"),),
    sponsor="Dee Marlow",
    start_date=TrialDate(date="2025-11"),
    raw={"secret": "raw-record"},
)
"""What the model is asked about. People and numbers are made up."""


def text(**parts: Any) -> dict[str, Any]:
    """A text that the record of :data:`TRIAL` bears out; *parts* replace parts of it."""
    told = {
        "headline": said("Voclosporin against placebo in adults with lupus nephritis", "interventions", "conditions"),
        "summary": [
            said(
                "This phase 2 study tests voclosporin, 23.7 mg twice a day, in 120 adults with lupus nephritis.",
                *("phases", "interventions", "enrollment", "conditions"),
            ),
            said(
                "People aged 18 to 65 years can join at 3 sites in France and Spain.",
                "minimum_age",
                "maximum_age",
                "sites",
            ),
            said("It began in November 2025 and measures the renal response after 1 year.", "start_date", "outcomes"),
        ],
        "substance": [said("The active substance is voclosporin", "interventions")],
        "could_lead_to": [
            said("It could show whether voclosporin helps the kidneys in lupus.", "outcomes", "conditions")
        ],
        "could_go_wrong": [
            said("Chance decides who gets a placebo, which has no active drug.", "allocation", "interventions"),
            said("Side effects of voclosporin are not stated.", "interventions"),
        ],
    }
    return told | parts


def said(words: str, *fields: str) -> dict[str, Any]:
    return {"text": words, "fields": list(fields)}


def instead(part: str, words: str, *fields: str) -> dict[str, Any]:
    """The text with one sentence in place of the first of a part."""
    told = text()
    if part == "headline":
        return told | {part: said(words, *fields)}
    return told | {part: [said(words, *fields), *told[part][1:]]}


@dataclass(frozen=True)
class Reply:
    """What the server does with one request.

    :param content: what the model says; a mapping is sent as JSON.
    :param body: the whole body in its place.
    :param cut: close the connection after half of the body.
    :param slow: seconds before the answer.
    :param drip: seconds between its bytes.
    """

    status: int = 200
    content: Any = None
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    finish: str = "stop"
    cut: bool = False
    slow: float = 0.0
    drip: float = 0.0


@dataclass(frozen=True)
class Asked:
    """A request that came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def facts(self) -> dict[str, Any]:
        """What was told of the trial."""
        found: dict[str, Any] = json.loads(self.document["messages"][-1]["content"])
        return found


class LlmServer:
    """Answers every request with *content*, after the replies that were put in its way."""

    def __init__(self, content: Any = None) -> None:
        self.content = text() if content is None else content
        self.requests: list[Asked] = []
        self._next: deque[Reply] = deque()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                owner.requests.append(Asked(self.path, dict(self.headers.items()), body))
                owner._send(self, owner._next.popleft() if owner._next else Reply(content=owner.content))

            def do_CONNECT(self) -> None:
                owner.requests.append(Asked(self.path, dict(self.headers.items()), b""))
                self.send_error(502)

            def do_GET(self) -> None:
                self.do_POST()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass  # a client that went away

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def next(self, *replies: Reply) -> None:
        """Answer the next requests with these."""
        self._next.extend(replies)

    def __enter__(self) -> LlmServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _send(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        time.sleep(reply.slow)
        body = reply.body
        if body is None:
            content = reply.content if isinstance(reply.content, str) else json.dumps(reply.content)
            choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": reply.finish}
            body = json.dumps({"object": "chat.completion", "choices": [choice]}).encode()
        handler.send_response(reply.status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            **reply.headers,
        }.items():
            handler.send_header(name, value)
        handler.end_headers()
        if reply.drip:
            for byte in body:
                handler.wfile.write(bytes([byte]))
                handler.wfile.flush()
                time.sleep(reply.drip)
        handler.wfile.write(b"" if reply.drip else body[: len(body) // 2] if reply.cut else body)
        if reply.cut:
            handler.wfile.flush()
            handler.connection.shutdown(socket.SHUT_RDWR)
            handler.close_connection = True
