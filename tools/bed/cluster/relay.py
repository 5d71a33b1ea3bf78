"""A way into the network of a bed with nodes: connections to a port of this machine's 127.0.0.1 go
on to the same port of the bed's. One process does it: it listens out here, then enters the bed's
network, where every connection that it opens is made."""

import asyncio
import ctypes
import os
import socket

from .processes import die_with_parent

_CHUNK = 1 << 18
_CLONE_NEWNET = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)


def start(listener: socket.socket, namespace_process: int) -> int:
    """Forks the relay and gives its process id. It dies with this process."""
    child = os.fork()
    if child:
        return child
    try:
        die_with_parent()
        _enter_network_of(namespace_process)
        asyncio.run(_serve(listener))
    finally:
        os._exit(1)  # a relay has no other end than being killed


def _enter_network_of(process: int) -> None:
    namespace = os.open(f"/proc/{process}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    if _LIBC.setns(namespace, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "enter the network of the bed")
    os.close(namespace)


async def _serve(listener: socket.socket) -> None:
    port = listener.getsockname()[1]

    async def connected(reader, writer):
        try:
            there = await asyncio.open_connection("127.0.0.1", port, limit=_CHUNK)
        except OSError:
            writer.transport.abort()  # refused there, so reset here
            return
        await asyncio.gather(_copy(reader, there[1]), _copy(there[0], writer))

    server = await asyncio.start_server(connected, sock=listener, limit=_CHUNK)
    await server.serve_forever()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Passes bytes on, then the end; a reset on one side is a reset on the other."""
    try:
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.transport.abort()
