# goldmaster alone in an image, as one static program: see docs/install.md.

# Alpine's own target is musl, so that the program needs no library. The version is `rust-version` of Cargo.toml.
FROM rust:1.92-alpine AS build
WORKDIR /source
# Writes the licences of the libraries.
RUN cargo install --locked --features cli cargo-about@0.9.3
COPY . .
# Not below the source, where texts of licences are looked for.
ENV CARGO_TARGET_DIR=/target
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/target \
    cargo build --profile dist --locked --package goldmaster \
    && cargo about generate --locked --fail about.hbs -o THIRD-PARTY-LICENSES.txt \
    && mkdir -p /image/in /image/out /image/tmp /image/licenses \
    && chmod 1777 /image/out /image/tmp \
    && cp /target/dist/goldmaster /image/goldmaster \
    && cp LICENSE-MIT LICENSE-APACHE THIRD-PARTY-LICENSES.txt /image/licenses/

FROM scratch
# Songs are read from /in, where nothing is written, and masters go to /out; /tmp takes what memory does not.
COPY --from=build --chown=65532:65532 /image/ /
USER 65532:65532
VOLUME ["/in", "/out"]
WORKDIR /out
ENTRYPOINT ["/goldmaster"]
CMD ["--help"]
