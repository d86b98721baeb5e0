"""Answers with what it was asked."""

SHAPE = {"number": int, "price": float, "text": str}


def echo(args, to_send, config):
    return args


connection_models = {
    "in": {
        "echo": {
            "connection_type": "replyer",
            "required_creation_arguments": {"connection_function": echo},
            "required_arguments": SHAPE,
            "required_return_arguments": SHAPE,
        }
    }
}
