"""An exporter of another make: gRPC's own library sends what the tests want and tells what came back.

  grpc_exporter.py TARGET METHOD REQUEST...   each REQUEST: a file, or gzip:FILE

Prints one JSON line a call: the code, the sentence, the answer in hex, and the bytes of
grpc-status-details-bin in hex.
"""

import json
import sys

import grpc


def main(target, method, requests):
    with grpc.insecure_channel(target, options=(("grpc.max_send_message_length", -1),)) as channel:
        export = channel.unary_unary(method)
        for request in requests:
            compression = grpc.Compression.Gzip if request.startswith("gzip:") else None
            with open(request.removeprefix("gzip:"), "rb") as file:
                message = file.read()
            print(json.dumps(call(export, message, compression)), flush=True)


def call(export, message, compression):
    try:
        return {"code": "OK", "answer": export(message, timeout=60, compression=compression).hex()}
    except grpc.RpcError as error:
        details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
        return {"code": error.code().name, "message": error.details(), "details": details.hex()}


main(sys.argv[1], sys.argv[2], sys.argv[3:])
