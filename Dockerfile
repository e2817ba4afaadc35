# Builds the one program, and puts it into an image without a compiler, a shell user or anything writable but its data.
FROM rust:1.95-bookworm AS build
WORKDIR /build
COPY . .
RUN cargo build --release --locked --bin signalbox

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/signalbox --create-home signalbox
COPY --from=build /build/target/release/signalbox /usr/local/bin/signalbox
COPY LICENSE NOTICE /usr/share/doc/signalbox/
USER signalbox
WORKDIR /var/lib/signalbox
VOLUME /var/lib/signalbox
EXPOSE 8080
ENTRYPOINT ["signalbox"]
CMD ["serve", "--config", "/etc/signalbox"]
