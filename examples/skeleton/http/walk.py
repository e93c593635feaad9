"""The same over HTTP with Python's standard library: monitor a metric, send values, read the scores."""

import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

URL = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"
METRIC = "skeleton.python"


def call(method, path, body=None):
    """Sends JSON, if any, and gives back the answer's status and JSON."""
    request = urllib.request.Request(URL + path, method=method)
    if body is not None:
        request.add_header("Content-Type", "application/json")
        request.data = json.dumps(body).encode()
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            text = response.read()
            return response.status, json.loads(text) if text else None
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


name = urllib.parse.quote(METRIC, safe="")
status, answer = call("PUT", f"/api/v1/metrics/{name}/model", {"min": 0, "max": 100})
print("monitor:", status, answer.get("state") or answer.get("code"))

now = int(time.time())
samples = [{"name": METRIC, "value": 50 + i, "timestamp": now - 5 + i} for i in range(5)]
print("send:", *call("POST", "/api/v1/samples", samples))

for _ in range(50):
    status, page = call("GET", f"/api/v1/metrics/{name}/data?limit=5&order=desc")
    rows = page["rows"]
    if rows and all(row["anomalyScore"] is not None for row in rows):
        break
    time.sleep(0.1)
for row in rows:
    print(row["timestamp"], row["value"], row["anomalyScore"])
