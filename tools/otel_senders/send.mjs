// Sends spans with OpenTelemetry's Node.js SDK and prints the span ids that it sent, one a line.
//
//   node send.mjs MODULES --protocol grpc|http/protobuf|http/json --endpoint URL --traces N [--gzip]
//
// MODULES is the folder that holds the installed node_modules. Exit code 1 when the exporter gave
// up on anything.

import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    protocol: { type: 'string' },
    endpoint: { type: 'string' },
    traces: { type: 'string', default: '100' },
    gzip: { type: 'boolean', default: false },
  },
});
const require = createRequire(positionals[0] + '/');
const { NodeTracerProvider, BatchSpanProcessor } = require('@opentelemetry/sdk-trace-node');
const { SpanKind, context, trace } = require('@opentelemetry/api');
const { resourceFromAttributes } = require('@opentelemetry/resources');

function exporter() {
  const compression = values.gzip ? 'gzip' : 'none';
  switch (values.protocol) {
    case 'grpc': {
      const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-grpc');
      const { CompressionAlgorithm } = require('@opentelemetry/otlp-exporter-base');
      return new OTLPTraceExporter({
        url: values.endpoint,
        compression: values.gzip ? CompressionAlgorithm.GZIP : CompressionAlgorithm.NONE,
      });
    }
    case 'http/protobuf': {
      const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-proto');
      return new OTLPTraceExporter({ url: values.endpoint + '/v1/traces', compression });
    }
    case 'http/json': {
      const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-http');
      return new OTLPTraceExporter({ url: values.endpoint + '/v1/traces', compression });
    }
    default:
      throw new Error(`unknown protocol ${values.protocol}`);
  }
}

// Passes spans on and remembers which of them were taken.
class Witness {
  taken = [];
  failed = false;
  constructor(inner) {
    this.inner = inner;
  }
  export(spans, done) {
    this.inner.export(spans, (result) => {
      if (result.code === 0) this.taken.push(...spans.map((span) => span.spanContext().spanId));
      else {
        this.failed = true;
        console.error(String(result.error));
      }
      done(result);
    });
  }
  shutdown() {
    return this.inner.shutdown();
  }
  forceFlush() {
    return this.inner.forceFlush?.() ?? Promise.resolve();
  }
}

const witness = new Witness(exporter());
const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ 'service.name': 'node-sender' }),
  spanProcessors: [new BatchSpanProcessor(witness, { maxQueueSize: 100000 })],
});
const tracer = provider.getTracer('send.mjs');
for (let number = 0; number < Number(values.traces); ++number) {
  const server = tracer.startSpan('GET /cart', {
    kind: SpanKind.SERVER,
    attributes: { 'http.request.method': 'GET', 'request.number': number },
  });
  const inside = trace.setSpan(context.active(), server);
  const price = tracer.startSpan('price', {}, inside);
  price.addEvent('looked up', { rows: 3 });
  price.end();
  tracer.startSpan('GET', { kind: SpanKind.CLIENT }, inside).end();
  server.end();
}
await provider.forceFlush();
await provider.shutdown();
console.log(witness.taken.join('\n'));
process.exitCode = witness.failed ? 1 : 0;
