"""Does with the official Python client what programs do, and prints what came as JSON. Arguments: address, key, folder with photos."""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

from gradio_client import Client, handle_file

address, key, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
headers = {"Authorization": f"Bearer {key}"}
photo = lambda name: handle_file(str(folder / name))
results = {}


def outcome(work):
    try:
        return {"value": work()}
    except BaseException as error:  # CancelledError is not an Exception
        return {"error": type(error).__name__, "text": str(error)}


def connect(**options):
    return Client(address, verbose=False, **options)


client = connect(headers=headers, download_files=tempfile.mkdtemp(dir=folder))
results["api"] = client.view_api(return_format="dict")
mesh, uv = client.predict(photo("face.jpg"), api_name="/predict")
results["names"] = [Path(mesh).name, Path(uv).name]
results["sizes"] = [Path(mesh).stat().st_size, Path(uv).stat().st_size]
results["keyword"] = outcome(lambda: len(client.predict(photo=photo("face2.jpg"), api_name="/predict")))
results["by index"] = outcome(lambda: len(client.predict(photo("face3.jpg"), fn_index=0)))

job = client.submit(photo("face4.jpg"), api_name="/predict")
seen = set()
while not job.done():
    status = job.status()
    for unit in status.progress_data or []:
        seen.add(unit.desc)
    time.sleep(0.02)
job.result()
results["progress"] = sorted(seen)

for name in ["no-face.jpg", "text.jpg", "large.jpg"]:
    results[name] = outcome(lambda: client.predict(photo(name), api_name="/predict"))
results["address"] = outcome(lambda: client.predict(handle_file("http://127.0.0.1:9/me.jpg"), api_name="/predict"))
results["null"] = outcome(lambda: client.predict(None, api_name="/predict"))


def cancel():
    job = client.submit(photo("face5.jpg"), api_name="/predict")
    while job.status().code.name not in ("PROCESSING", "PROGRESS"):
        time.sleep(0.02)
    job.cancel()
    return job.result(timeout=20)


results["cancel"] = outcome(cancel)
results["after"] = outcome(lambda: len(client.predict(photo("face6.jpg"), api_name="/predict")))
results["no key"] = outcome(lambda: connect().predict(photo("face.jpg"), api_name="/predict"))
print(json.dumps(results, default=str))
sys.stdout.flush()
# Threads of the client would wait for streams that nobody needs any more.
os._exit(0)
