"""A server for the tests: started on a free port, stopped by its process id."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.parse

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NEPH = os.path.abspath(sys.argv[1])
TMP = os.environ.get("TMPDIR", "/tmp")
FAILED = []


def report(name, problems):
    """One line for a test, and what is wrong below."""
    print("%s %s" % ("not ok" if problems else "ok", name))
    for x in problems[:20]:
        print("# " + str(x)[:500])
    if problems:
        FAILED.append(name)
    sys.stdout.flush()


def end():
    sys.exit(1 if FAILED else 0)


def golden(name):
    return os.path.join(TOP, "tests", "golden", name, "in.jsonl")


def sim(name):
    """The traces of a simulated cloud."""
    out = os.path.join(TMP, "sim-" + name)
    if not os.path.isdir(out):
        subprocess.run([NEPH, "sim", os.path.join(TOP, "sim", "scenarios", name + ".json"), "-o", out],
                       check=True, capture_output=True, timeout=300)
    return out


def neph(*args):
    """What a command prints as JSON."""
    p = subprocess.run([NEPH] + list(args), stdin=subprocess.DEVNULL, capture_output=True, timeout=300)
    return json.loads(p.stdout) if p.stdout else None


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Server:
    """with Server(PATH, "--option"...) as s: s.get("/api/v1/findings")"""

    def __init__(self, *args, wait=True):
        self.p = subprocess.Popen([NEPH, "serve", "--listen", "127.0.0.1:0"] + list(args),
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True, errors="replace")
        line = self.p.stderr.readline()
        if "serving on http://" not in line:
            self.p.wait(60)
            raise RuntimeError("no server: " + line + self.p.stderr.read())
        self.port = int(line.rstrip().rstrip("/").rsplit(":", 1)[1])
        if wait:
            self.wait_ready()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def wait_ready(self):
        """Follows the progress to its end."""
        text = self.get("/api/v1/progress").body.decode()
        return [json.loads(x[6:]) for x in text.splitlines() if x.startswith("data: ")]

    def request(self, method, path, body=None, headers=None):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            if isinstance(body, (dict, list)):
                body = json.dumps(body).encode()
            c.request(method, path, body, dict({"Content-Type": "application/json"} if body else {},
                                               **(headers or {})))
            r = c.getresponse()
            return Reply(r.status, dict((k.lower(), v) for k, v in r.getheaders()), r.read())
        except (OSError, http.client.HTTPException) as e:
            return Reply(0, {}, ("%s %s: %r" % (method, path[:80], e)).encode())
        finally:
            c.close()

    def get(self, path, **headers):
        return self.request("GET", path, None, {k.replace("_", "-"): v for k, v in headers.items()})

    def post(self, path, body, **headers):
        return self.request("POST", path, body, {k.replace("_", "-"): v for k, v in headers.items()})

    def raw(self, data, timeout=30):
        """Sends bytes; what comes back until the server closes or is silent."""
        got = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout) as c:
            try:
                c.sendall(data)
                c.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            try:
                while True:
                    part = c.recv(65536)
                    if not part:
                        break
                    got += part
            except OSError:
                pass
        return got

    def alive(self):
        return self.p.poll() is None and self.get("/tsp/api/health").status == 200

    def memory_kb(self):
        with open("/proc/%d/status" % self.p.pid) as f:
            return int([x for x in f if x.startswith("VmHWM")][0].split()[1])

    def stop(self, signo=signal.SIGTERM):
        """Ends it as a user would; its exit code."""
        if self.p.poll() is None:
            self.p.send_signal(signo)
        self.out, self.err = self.p.communicate(timeout=60)
        return self.p.returncode


def quoted(text):
    return urllib.parse.quote(text, safe="")
