"""The raw limit: files through a TCP connection by sendfile(2), and nothing else.

    python -I -S raw.py PORT FOLDER

It ends when the other side has closed, which it does after the last byte.
"""

import os
import socket
import sys

PIECE = 1 << 30  # bytes; the system call takes no more than 2 GiB


def main() -> None:
    port, folder = int(sys.argv[1]), sys.argv[2]
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for name in sorted(os.listdir(folder)):
            with open(f"{folder}/{name}", "rb", buffering=0) as file:
                rest = os.fstat(file.fileno()).st_size
                while rest:
                    rest -= os.sendfile(connection.fileno(), file.fileno(), None, min(rest, PIECE))
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass


main()
