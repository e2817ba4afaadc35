"""The PyPI package hl7 as a partner: `peer.py send HOST PORT FILE` sends each message of FILE (they stand apart by an
empty line) and prints MSA-1 and MSA-2 of its answer; `peer.py receive` listens, prints its port, then MSH-10 and PID-5 of
every message."""

import asyncio
import sys

sys.path.insert(0, "target/peers/python")

import hl7  # noqa: E402
from hl7.client import MLLPClient  # noqa: E402
from hl7.mllp import start_hl7_server  # noqa: E402


def send(host, port, path):
    with open(path, encoding="utf-8", newline="") as file:
        messages = file.read().split("\n\n")
    with MLLPClient(host, int(port)) as client:
        for message in messages:
            answer = hl7.parse(client.send_message(message).strip(b"\x0b\x1c\r").decode())
            print(answer["MSA.1"], answer["MSA.2"], flush=True)


async def receive():
    async def take(reader, writer):
        while not writer.is_closing():
            try:
                message = await reader.readmessage()
            except asyncio.IncompleteReadError:
                break
            print(message.segment("MSH")[10], message.segment("PID")[5], flush=True)
            writer.writemessage(message.create_ack())
            await writer.drain()

    server = await start_hl7_server(take, host="127.0.0.1", port=0, encoding="utf-8")
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if sys.argv[1] == "send":
    send(*sys.argv[2:5])
else:
    asyncio.run(receive())
