"""A service of the standard library alone, which is there in a tenth of a second.

Run as ``python chat_server.py PORT [WORKERS]``. One process forks as many workers as it is told,
and a new one for each that ends. Each asks the model what it is asked, and says whose request that
was, as an instrumented service does. Where ``NOTES`` names a folder, each notes its identifier
there, and so does a daemon that the first process starts.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PASSED_ON = ("x-warpbench-session", "traceparent", "baggage")


class Chat(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(404, {"error": "ask with POST"})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        message = {"role": "user", "content": asked["message"]}
        headers = {name: self.headers[name] for name in PASSED_ON if self.headers[name]}
        request = urllib.request.Request(
            f"{os.environ['OPENAI_BASE_URL']}/chat/completions",
            json.dumps({"model": "m", "messages": [message]}).encode(),
            {**headers, "content-type": "application/json"},
        )
        with urllib.request.urlopen(request) as response:
            answer = json.load(response)
        self._answer(200, {"answer": answer["choices"][0]["message"]["content"]})

    def _answer(self, status: int, document: object) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self._headers_buffer += [b"\r\n", body]  # in one piece
        self.flush_headers()

    def log_request(self, *_: object) -> None:
        """Print nothing."""


class Server(ThreadingHTTPServer):
    def __init__(self, listening: socket.socket) -> None:
        super().__init__(("127.0.0.1", 0), Chat, bind_and_activate=False)
        self.socket.close()
        self.socket = listening


def note(pid: int) -> None:
    if "NOTES" in os.environ:
        (Path(os.environ["NOTES"]) / str(pid)).touch()


def fork_worker(listening: socket.socket) -> int:
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        note(os.getpid())
        Server(listening).serve_forever()
    return pid


def main() -> None:
    port, workers = int(sys.argv[1]), int((*sys.argv, "1")[2])
    note(os.getpid())
    if "NOTES" in os.environ:
        sleeper = "s.Popen(['sleep', '600'], start_new_session=True, stdout=2)"
        daemon = f"import subprocess as s; print({sleeper}.pid)"
        note(int(subprocess.check_output([sys.executable, "-I", "-S", "-c", daemon])))
    listening = socket.create_server(("127.0.0.1", port), backlog=128)
    running = {fork_worker(listening) for _ in range(workers)}

    def end(*_: object) -> None:
        for pid in running:
            os.kill(pid, signal.SIGTERM)
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    while True:
        ended, _ = os.wait()
        running.discard(ended)
        running.add(fork_worker(listening))
        time.sleep(0.01)


if __name__ == "__main__":
    main()
