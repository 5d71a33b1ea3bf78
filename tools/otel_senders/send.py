"""Sends spans with OpenTelemetry's Python SDK and prints the span ids that it sent, one a line.

  PYTHONPATH=<installed> send.py --protocol grpc|http/protobuf --endpoint URL --traces N

Each trace is a server span with a client span and an internal span below it. Exit code 1 when the
exporter gave up on anything.
"""

import argparse
import sys

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind


class Witness(SpanExporter):
    """Passes spans on and remembers which of them were taken."""

    def __init__(self, exporter):
        self.exporter = exporter
        self.taken = []
        self.failed = False

    def export(self, spans):
        result = self.exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            self.taken += [format(span.context.span_id, "016x") for span in spans]
        else:
            self.failed = True
        return result

    def shutdown(self):
        self.exporter.shutdown()

    def force_flush(self, timeout_millis=30000):
        return self.exporter.force_flush(timeout_millis)


def exporter_of(protocol, endpoint, compression):
    if protocol == "grpc":
        import grpc
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter(endpoint=endpoint, insecure=True, compression=grpc.Compression.Gzip if compression else None)
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter(endpoint=endpoint + "/v1/traces",
                            compression=Compression.Gzip if compression else Compression.NoCompression)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--protocol", required=True, choices=["grpc", "http/protobuf"])
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--traces", type=int, default=100)
    parser.add_argument("--gzip", action="store_true")
    options = parser.parse_args()

    witness = Witness(exporter_of(options.protocol, options.endpoint, options.gzip))
    provider = TracerProvider(resource=Resource.create({"service.name": "python-sender"}))
    provider.add_span_processor(BatchSpanProcessor(witness, max_queue_size=100_000))
    tracer = provider.get_tracer("send.py")
    for number in range(options.traces):
        with tracer.start_as_current_span("GET /cart", kind=SpanKind.SERVER) as server:
            server.set_attribute("http.request.method", "GET")
            server.set_attribute("request.number", number)
            with tracer.start_as_current_span("price") as internal:
                internal.add_event("looked up", {"rows": 3})
            with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
                pass
    provider.shutdown()
    print("\n".join(witness.taken))
    return 1 if witness.failed else 0


if __name__ == "__main__":
    sys.exit(main())
