# Container images of the programs, one target each:
#
#   docker build --target sidecar  -t registry.example.com/tracekeeper-sidecar:0.1.0 .
#   docker build --target operator -t registry.example.com/tracekeeper-operator:0.1.0 .
#   docker build --target analyzer -t registry.example.com/tracekeeper-analyzer:0.1.0 .
#   docker build --target cli      -t registry.example.com/tracekeeper:0.1.0 .
#
# Each holds one program, the libraries that it loads (the sidecar: libc, libm, ISA-L), the
# certificates of public authorities and its software bill of materials (SPDX, in
# /usr/share/doc/tracekeeper); no shell, no package manager. `make images` makes the same content
# without a daemon, by the same script; labels come with --build-arg VERSION=0.1.0 and REVISION=$(git rev-parse HEAD).

ARG VERSION=0.1.0
ARG REVISION=unknown

FROM debian:12 AS build
ARG VERSION
WORKDIR /src
COPY tools/setup.sh tools/setup_peers.sh tools/
RUN tools/setup.sh build-packages && rm -rf /var/lib/apt/lists/*
COPY . .
RUN cmake --preset release -DTRACEKEEPER_TESTS=OFF \
 && cmake --build --preset release --target tracekeeper-operator tracekeeper-sidecar tracekeeper-analyzer tracekeeper \
 && for program in tracekeeper-operator tracekeeper-sidecar tracekeeper-analyzer tracekeeper; do \
      tools/images/collect_program.sh "build/release/bin/$program" "$VERSION" "/images/$program" || exit 1; \
    done

# A pod may run under any uid; a numeric one satisfies runAsNonRoot without being looked up.
FROM scratch AS sidecar
ARG VERSION
ARG REVISION
LABEL org.opencontainers.image.title="Tracekeeper propagation sidecar" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.url="https://tracekeeper.dev"
COPY --from=build /images/tracekeeper-sidecar /
USER 65532:65532
EXPOSE 9465
ENTRYPOINT ["/tracekeeper-sidecar"]

FROM scratch AS operator
ARG VERSION
ARG REVISION
LABEL org.opencontainers.image.title="Tracekeeper operator" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.url="https://tracekeeper.dev"
COPY --from=build /images/tracekeeper-operator /
USER 65532:65532
EXPOSE 9443 8080 8081 4317 4318 8085
ENTRYPOINT ["/tracekeeper-operator"]

FROM scratch AS analyzer
ARG VERSION
ARG REVISION
LABEL org.opencontainers.image.title="Tracekeeper analyzer" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.url="https://tracekeeper.dev"
COPY --from=build /images/tracekeeper-analyzer /
USER 65532:65532
EXPOSE 4317 4318 9464 8085
ENTRYPOINT ["/tracekeeper-analyzer"]

FROM scratch AS cli
ARG VERSION
ARG REVISION
LABEL org.opencontainers.image.title="Tracekeeper command line" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.url="https://tracekeeper.dev"
COPY --from=build /images/tracekeeper /
USER 65532:65532
ENTRYPOINT ["/tracekeeper"]
