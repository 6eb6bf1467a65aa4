"""PyTorch's side of the bench: one process that answers requests, one JSON document a line, until its input ends.

{"command": "describe", "threads": n, "device": d}       → {"torch": version, "threads": n}
{"command": "load", "kind": k, "dtype": d, "settings": …} → {}: one case at a time is kept
    with "ways": a list of those below, default ["eager"]; with "mode": of torch.compile
{"command": "run", "iterations": n}                      → {"seconds": of each iteration, on average}
    with "way": default "eager"
{"command": "unload"}                                    → {}
{"command": "peak"}                                      → {"bytes": peak memory: of the GPU, or the process's}
"""

import gc
import json
import sys
import time
import traceback

import torch
from work import KINDS

device = "cpu"
loaded = {}


def describe(threads, device):
    globals()["device"] = device
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    return {"torch": torch.__version__, "threads": torch.get_num_threads()}


def captured(call):
    """The same launches, replayed as one CUDA graph."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            call()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        call()
    return graph.replay


def load(kind, dtype, settings, ways=("eager",), mode="default"):
    # Not as the default device: looking that up would slow each call.
    with torch.device(device):
        call = KINDS[kind](getattr(torch, dtype), **settings)
    for way in ways:
        if way == "captured":
            loaded[way] = captured(call)
        elif way == "compiled":
            torch._dynamo.reset()
            loaded[way] = torch.compile(call, mode=mode, fullgraph=True, dynamic=False)
        else:
            loaded[way] = call
    return {}


def wait():
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def run(iterations, way="eager"):
    call = loaded[way]
    wait()
    start = time.perf_counter()
    for _ in range(iterations):
        call()
        # As ours, whose caller waits for each run.
        wait()
    return {"seconds": (time.perf_counter() - start) / iterations}


def unload():
    loaded.clear()
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return {}


def peak():
    if device != "cpu":
        return {"bytes": torch.cuda.max_memory_allocated()}
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
