"""Publishes numbered messages as fast as it can."""

connection_models = {
    "out": {
        "numbers": {
            "connection_type": "publisher",
            "required_arguments": {"number": int, "price": float, "text": str},
        }
    }
}


def main(to_send, config):
    number = 0
    while True:
        number += 1
        to_send(
            "numbers",
            {
                "number": number,
                "price": number + 0.5,
                "text": "thirty bytes of text, no more.",
            },
        )
