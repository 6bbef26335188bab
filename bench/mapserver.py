"""MapServer as FastCGI: its processes, its map file of the benchmark's style, and how it is asked."""

import shutil
import socket
import struct
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from psycopg.conninfo import conninfo_to_dict

from bench.peers import Missing

# A record's head, and the kinds of records (FastCGI Specification, 3.3 and 8).
RECORD = struct.Struct(">BBHHBx")
VERSION, REQUEST_ID = 1, 1
BEGIN, END, PARAMETERS, INPUT, OUTPUT = 1, 3, 4, 5, 6
RESPONDER = struct.pack(">HB5x", 1, 0)
ANSWER_TIMEOUT_S = 120
WORLD = "-20037508.34 -20037508.34 20037508.34 20037508.34"
MAP = """
MAP
  NAME "bench"
  SIZE 256 256
  MAXSIZE 4096
  EXTENT {world}
  IMAGECOLOR 255 255 255
  IMAGETYPE "png"
  PROJECTION "init=epsg:3857" END
  OUTPUTFORMAT NAME "png" DRIVER "AGG/PNG" MIMETYPE "image/png" IMAGEMODE RGB TRANSPARENT OFF END
  WEB METADATA
    "ows_title" "Bench" "ows_srs" "EPSG:3857" "ows_enable_request" "*" "ows_onlineresource" "http://127.0.0.1/"
  END END
  {layers}
END
"""
LAYER = """
  LAYER
    NAME "{name}"
    TYPE {kind}
    STATUS ON
    EXTENT {world}
    PROJECTION "init=epsg:3857" END
    METADATA "ows_title" "{name}" END
    CONNECTIONTYPE POSTGIS
    CONNECTION "{place}"
    PROCESSING "CLOSE_CONNECTION=DEFER"
    DATA "geom_web from ({sql}) as q using unique object_id using srid=3857"
    {classes}
  END
"""


class MapServer:
    """So many processes of `mapserv` that wait at one socket, as `spawn-fcgi -F` starts them.

    They are asked in FastCGI, without a web server in front: what HTTP would cost them is not counted.
    """

    name = "MapServer"

    def __init__(self, map_file: str, workers: int) -> None:
        """map_file: text of it. Raises Missing."""
        program = shutil.which("mapserv")
        if program is None:
            raise Missing("MapServer is not installed; on Debian: apt-get install cgi-mapserver mapserver-bin")
        self._program, self._text, self._workers = program, map_file, workers
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        self._folder = TemporaryDirectory(prefix="mapserver-")
        folder = Path(self._folder.name)
        self._file, self._address = folder / "bench.map", str(folder / "socket")
        self._file.write_text(self._text, encoding="utf-8")
        settings = folder / "mapserver.conf"
        settings.write_text('CONFIG ENV MS_MAP_PATTERN "." END END', encoding="utf-8")
        environment = {"MAPSERVER_CONFIG_FILE": str(settings), "PATH": "/usr/bin:/bin"}
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(self._address)
            listening.listen(64)
            for _ in range(self._workers):
                # Descriptor 0 is the socket (FastCGI Specification, 2.2).
                process = subprocess.Popen(
                    [self._program],
                    stdin=listening.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=environment,
                )
                self._processes.append(process)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            # It heeds SIGTERM only once the next request has come.
            process.kill()
            process.wait(10)
        self._folder.cleanup()

    def ask(self, query: str) -> bytes:
        """The picture of one WMS request. Any thread may ask. Raises RuntimeError with the server's words."""
        answer = self._answer(query)
        head, _, body = answer.partition(b"\r\n\r\n")
        if b"image/png" not in head:
            raise RuntimeError(f"MapServer gave no picture: {answer[:1000].decode(errors='replace')}")
        return body

    def _answer(self, query: str) -> bytes:
        given = {"REQUEST_METHOD": "GET", "QUERY_STRING": query, "MS_MAPFILE": str(self._file), "SCRIPT_NAME": "/"}
        pairs = b"".join(_pair(name.encode(), value.encode()) for name, value in given.items())
        sent = ((BEGIN, RESPONDER), (PARAMETERS, pairs), (PARAMETERS, b""), (INPUT, b""))
        parts = []
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_TIMEOUT_S)
            connection.connect(self._address)
            records = [RECORD.pack(VERSION, kind, REQUEST_ID, len(body), 0) + body for kind, body in sent]
            connection.sendall(b"".join(records))
            with connection.makefile("rb") as answer:
                while head := answer.read(RECORD.size):
                    _, kind, _, length, padding = RECORD.unpack(head)
                    body = answer.read(length + padding)[:length]
                    if kind == OUTPUT:
                        parts.append(body)
                    if kind == END:
                        break
        return b"".join(parts)


def polygons(url: str, name: str, table: str, fill: str, outline: str) -> str:
    """A layer of filled polygons with an outline of one pixel. url: of the database."""
    styles = f'STYLE COLOR "{fill}" END STYLE OUTLINECOLOR "{outline}" WIDTH 1 LINEJOIN ROUND END'
    return _layer(url, name, table, "POLYGON", f"CLASS {styles} END")


def lines(url: str, name: str, table: str, classes: dict[str, tuple[str, float]], other: tuple[str, float]) -> str:
    """A layer of lines. classes: colour and width in pixels by class. other: those of all others."""
    found = [f'CLASS EXPRESSION "{key}" {_stroke(*look)} END' for key, look in classes.items()]
    return _layer(url, name, table, "LINE", f'CLASSITEM "class" {" ".join(found)} CLASS {_stroke(*other)} END')


def map_file(*layers: str) -> str:
    """The whole map."""
    return MAP.format(world=WORLD, layers="".join(layers))


def _layer(url: str, name: str, table: str, kind: str, classes: str) -> str:
    place = " ".join(f"{key}={value}" for key, value in conninfo_to_dict(url).items())
    sql = f"select object_id, class, geom_web from {table} where plan_id is null"
    return LAYER.format(name=name, sql=sql, kind=kind, classes=classes, world=WORLD, place=place)


def _stroke(color: str, width: float) -> str:
    return f'STYLE COLOR "{color}" WIDTH {width} LINECAP ROUND LINEJOIN ROUND END'


def _pair(name: bytes, value: bytes) -> bytes:
    """A name and its value, each after its length (FastCGI Specification, 3.4)."""
    lengths = [struct.pack(">B", n) if n < 128 else struct.pack(">I", n | 1 << 31) for n in (len(name), len(value))]
    return b"".join((*lengths, name, value))
