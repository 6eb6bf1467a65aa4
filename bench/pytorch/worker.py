"""PyTorch's side of the bench: one process that answers requests, one JSON document a line, until its input ends.

{"command": "describe", "threads": n, "device": d}       → {"torch": version, "threads": n}
{"command": "load", "kind": k, "dtype": d, "settings": …} → {}: one case at a time is kept
{"command": "run", "iterations": n}                      → {"seconds": of each iteration, on average}
{"command": "unload"}                                    → {}
{"command": "peak"}                                      → {"bytes": peak resident memory of the process}
"""

import gc
import json
import sys
import time
import traceback

import torch
from work import KINDS

loaded = None


def describe(threads, device):
    torch.set_num_threads(threads)
    torch.set_default_device(device)
    torch.manual_seed(0)
    return {"torch": torch.__version__, "threads": torch.get_num_threads()}


def load(kind, dtype, settings):
    global loaded
    loaded = KINDS[kind](getattr(torch, dtype), **settings)
    return {}


def wait():
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def run(iterations):
    wait()
    start = time.perf_counter()
    for _ in range(iterations):
        loaded()
        # As ours, whose caller waits for each run.
        wait()
    return {"seconds": (time.perf_counter() - start) / iterations}


def unload():
    global loaded
    loaded = None
    gc.collect()
    return {}


def peak():
    with open("/proc/self/status") as status:
        kibibytes = next(line.split()[1] for line in status if line.startswith("VmHWM"))
    return {"bytes": int(kibibytes) * 1024}


COMMANDS = {"describe": describe, "load": load, "run": run, "unload": unload, "peak": peak}


@torch.inference_mode()
def answer(request):
    command = request.pop("command")
    return COMMANDS[command](**request)


for line in sys.stdin:
    try:
        reply = answer(json.loads(line))
    except Exception:
        reply = {"error": traceback.format_exc(limit=-1).strip()}
    print(json.dumps(reply), flush=True)
