"""A gRPC peer of another make: the tests' judge of HTTP/2 and gRPC framing.

  grpc_peer.py serve                  echoes, on a free port that it prints; ends with its input
  grpc_peer.py call TARGET METHOD...  calls, and prints one JSON line a call

Messages are plain bytes. The method's name says what is asked for.
"""

import json
import sys
from concurrent import futures

import grpc

SERVICE = "/test.Peer/"


def echo(request, context):
    context.set_trailing_metadata((("x-trailer", "at the end"),))
    return request


def fail(request, context):
    context.set_trailing_metadata((("grpc-status-details-bin", b"\x08\x0e\x12\x03abc"),))
    context.abort(grpc.StatusCode.UNAVAILABLE, "später, 50 %\n")


def compress(request, context):
    context.set_compression(grpc.Compression.Gzip)
    return request * 100


def slow(request, context):
    import time

    time.sleep(5)
    return request


METHODS = {"Echo": echo, "Fail": fail, "Compress": compress, "Slow": slow}


class Handlers(grpc.GenericRpcHandler):
    def service(self, details):
        behaviour = METHODS.get(details.method.removeprefix(SERVICE))
        return behaviour and grpc.unary_unary_rpc_method_handler(behaviour)


def serve():
    server = grpc.server(futures.ThreadPoolExecutor(8), handlers=(Handlers(),),
                         options=(("grpc.max_receive_message_length", 64 << 20),
                                  ("grpc.max_send_message_length", 64 << 20)))
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    server.wait_for_termination()


def call(target, methods):
    with grpc.insecure_channel(target, options=(("grpc.max_receive_message_length", 64 << 20),
                                                ("grpc.max_send_message_length", 64 << 20))) as channel:
        for method in methods:
            name, _, size = method.partition(":")
            name, _, flag = name.partition("+")
            invoke = channel.unary_unary(SERVICE + name)
            message = b"x" * int(size or 5)
            try:
                compression = grpc.Compression.Gzip if flag == "gzip" else None
                answer, details = invoke.with_call(message, timeout=2, compression=compression,
                                                   metadata=(("x-caller", "python"),))
                line = {"code": "OK", "size": len(answer), "same": answer == message,
                        "trailers": dict(details.trailing_metadata())}
            except grpc.RpcError as error:
                line = {"code": error.code().name, "message": error.details()}
            print(json.dumps(line), flush=True)


if sys.argv[1] == "serve":
    serve()
else:
    call(sys.argv[2], sys.argv[3:])
