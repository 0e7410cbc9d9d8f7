# syntax=docker/dockerfile:1

# A static binary in an image that holds nothing else but CA certificates: no shell, no
# package manager, nothing to patch. The same sources, Cargo.lock and base image give the same
# binary: paths in it are this file's, and nothing in it tells the time.

ARG RUST_VERSION=1.95

FROM rust:${RUST_VERSION}-alpine AS build
RUN apk add --no-cache build-base ca-certificates
# The binary carries its dependency list, so that scanners of images see what is in it.
RUN cargo install --locked cargo-auditable@0.7.7
WORKDIR /src
COPY . .
# Alpine's own target is musl, linked statically.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo auditable build --locked --release --bin baton-northflank \
    && install -D target/release/baton-northflank /image/baton-northflank
# What the binary expects to find: whom to trust, who it is, where to put what. Sync files are
# usually written to a mounted /out; temporary files go to /tmp.
RUN install -D -m 0644 /etc/ssl/certs/ca-certificates.crt \
        /image/etc/ssl/certs/ca-certificates.crt \
    && echo 'nonroot:x:65532:65532::/out:/sbin/nologin' > /image/etc/passwd \
    && echo 'nonroot:x:65532:' > /image/etc/group \
    && install -d -m 1777 /image/tmp /image/out \
    && ! ldd /image/baton-northflank 2>/dev/null | grep '=>'

FROM scratch
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="baton-northflank" \
      org.opencontainers.image.description="A ConductorOne baton connector for Northflank" \
      org.opencontainers.image.source="https://github.com/ConductorOne/baton-northflank" \
      org.opencontainers.image.documentation="https://github.com/ConductorOne/baton-northflank/blob/main/docs/connector.mdx" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /image/ /
# The health check below asks the server that service mode then runs. A single sync ignores it.
ENV BATON_HEALTH_CHECK=true
WORKDIR /out
USER 65532:65532
HEALTHCHECK --interval=30s --timeout=6s --start-period=60s \
    CMD ["/baton-northflank", "health-check", "--endpoint", "live"]
ENTRYPOINT ["/baton-northflank"]
