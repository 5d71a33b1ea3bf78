# Container images of the programs, one target each:
#
#   docker build --target sidecar  -t registry.example.com/tracekeeper-sidecar:0.1.0 .
#   docker build --target operator -t registry.example.com/tracekeeper-operator:0.1.0 .
#   docker build --target cli      -t registry.example.com/tracekeeper:0.1.0 .
#
# Each holds one program, the libraries that it loads (the sidecar: libc and libm alone) and the
# certificates of public authorities; no shell, no package manager. `make images` makes the same
# without a daemon.

FROM debian:12 AS build
WORKDIR /src
COPY tools/setup.sh tools/setup.sh
RUN tools/setup.sh build-packages && rm -rf /var/lib/apt/lists/*
COPY . .
RUN cmake --preset release -DTRACEKEEPER_TESTS=OFF \
 && cmake --build --preset release --target tracekeeper-operator tracekeeper-sidecar tracekeeper \
 && for program in tracekeeper-operator tracekeeper-sidecar tracekeeper; do \
      tools/images/collect_program.sh "build/release/bin/$program" "/images/$program"; \
    done

# A pod may run under any uid; a numeric one satisfies runAsNonRoot without being looked up.
FROM scratch AS sidecar
COPY --from=build /images/tracekeeper-sidecar /
USER 65532:65532
EXPOSE 9465
ENTRYPOINT ["/tracekeeper-sidecar"]

FROM scratch AS operator
COPY --from=build /images/tracekeeper-operator /
USER 65532:65532
EXPOSE 9443 8080 8081
ENTRYPOINT ["/tracekeeper-operator"]

FROM scratch AS cli
COPY --from=build /images/tracekeeper /
USER 65532:65532
ENTRYPOINT ["/tracekeeper"]
