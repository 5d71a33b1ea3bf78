"""One service of the demo's shop, instrumented with OpenTelemetry's Python SDK as any service is:
the SDK takes all its settings from the environment, and nothing here knows of Tracekeeper.

  NAME=frontend NEXT=http://10.96.0.11:8080 shop.py     serves on 8080; without NEXT it is the last one
  FORGETS=3                                             every third call of the next one is made by code
                                                        that knows nothing of trace context
"""

import http.server
import itertools
import os
import urllib.parse
import urllib.request

from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

NAME = os.environ["NAME"]
NEXT = os.environ.get("NEXT")
FORGETS = int(os.environ.get("FORGETS", "0"))
calls = itertools.count(1)

provider = TracerProvider()
if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(), schedule_delay_millis=500))
trace.set_tracer_provider(provider)
tracer = trace.get_tracer("shop")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/healthz":
            return self.answer("ok")
        context = propagate.extract(self.headers)
        with tracer.start_as_current_span(f"GET {NAME}", context=context, kind=trace.SpanKind.SERVER) as span:
            text = f"{NAME} {format(span.get_span_context().trace_id, '032x')}\n"
            self.answer(text + (self.call_next() if NEXT else ""))

    def call_next(self):
        # What instrumentation of HTTP clients says of a call, by OpenTelemetry's conventions.
        peer = {"http.request.method": "GET", "server.address": urllib.parse.urlsplit(NEXT).hostname, "url.full": NEXT}
        with tracer.start_as_current_span("GET", kind=trace.SpanKind.CLIENT, attributes=peer):
            headers = {}
            if not FORGETS or next(calls) % FORGETS:
                propagate.inject(headers)
            with urllib.request.urlopen(urllib.request.Request(NEXT, headers=headers), timeout=5) as response:
                return response.read().decode()

    def answer(self, text):
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()
