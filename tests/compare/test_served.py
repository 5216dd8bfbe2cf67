"""A base behind an OpenAI-compatible address, played by a small local server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from accordeur.compare import compare
from tests.compare.shop import WORDS, recipe_for


class Fake(BaseHTTPRequestHandler):
    requests: list[dict] = []
    busy = 1  # how many requests are first turned away

    def do_GET(self):
        self.answer({"data": [{"id": "fake-model"}]})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        Fake.requests.append(body)
        if Fake.busy:
            Fake.busy -= 1
            self.send_error(503)
            return
        question = body["messages"][-1]["content"].rsplit("Text:", 1)[-1]
        label = next((label for label, words in WORDS.items() if any(word in question for word in words.split())), "none")
        self.answer({"choices": [{"message": {"content": f" {label.upper()}. "}}]})

    def answer(self, value):
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@pytest.fixture
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Fake)
    Fake.requests, Fake.busy = [], 1
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()


def test_a_served_model_is_asked_and_never_trained(tmp_path, address):
    methods = {name: {} for name in ("majority", "tfidf", "prompt", "fewshot", "head", "lora", "full")}
    report = compare(recipe_for(tmp_path, base=address, methods=methods))
    status = {run["method"]: run["status"] for run in report["runs"]}
    assert status == {
        **dict.fromkeys(("majority", "tfidf", "prompt", "fewshot"), "done"),
        **dict.fromkeys(("head", "lora", "full"), "skipped"),
    }
    assert all("can't be trained" in run["reason"] for run in report["runs"] if run["status"] == "skipped")
    prompt = next(run for run in report["runs"] if run["method"] == "prompt")
    assert prompt["scores"]["accuracy"]["value"] > 0.9
    assert {request["model"] for request in Fake.requests} == {"fake-model"}


def test_a_server_that_is_gone_is_a_failed_run(tmp_path):
    report = compare(recipe_for(tmp_path, base="http://127.0.0.1:9/v1", methods={"prompt": {}, "tfidf": {}}))
    status = {run["method"]: (run["status"], run["reason"]) for run in report["runs"]}
    assert status["tfidf"][0] == "done"
    assert status["prompt"][0] == "failed"
    assert "can't be reached" in status["prompt"][1]
