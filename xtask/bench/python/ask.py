"""Asks in lock step over each of its connections, counts, prints a sample."""

import json
import threading
import time

SHAPE = {"number": int, "price": float, "text": str}
CONNECTIONS_MAX = 16

config_model = {"required": {"connections": int, "warm_up_s": float, "seconds": float}}

connection_models = {
    "out": {
        f"echo_{index}": {
            "connection_type": "requester",
            "required_arguments": SHAPE,
            "required_return_arguments": SHAPE,
        }
        for index in range(CONNECTIONS_MAX)
    }
}


def main(to_send, config):
    # The framework replaces the sockets once more, on a thread of its own, after it has called this.
    while threading.active_count() > 1:
        time.sleep(0.01)

    replies = [0] * config["connections"]

    def ask(index):
        number = 0
        while True:
            number += 1
            args = {
                "number": number,
                "price": number + 0.5,
                "text": "thirty bytes of text, no more.",
            }
            if to_send(f"echo_{index}", args)["number"] == number:
                replies[index] += 1

    for index in range(config["connections"]):
        threading.Thread(target=ask, args=(index,), daemon=True).start()

    while not sum(replies):
        time.sleep(0.01)
    time.sleep(config["warm_up_s"])
    since, before = time.perf_counter(), sum(replies)
    time.sleep(config["seconds"])
    messages, seconds = sum(replies) - before, time.perf_counter() - since
    print(json.dumps({"messages": messages, "seconds": seconds}), flush=True)
