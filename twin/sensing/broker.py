"""The private MQTT broker: a Mosquitto of this twin's own, on this machine alone (python -m twin.sensing.broker FILE).

Reading its topics is open, publishing needs the name `twin` and the local user's token as password.
"""

import base64
import getpass
import hashlib
import os
import secrets
import shutil
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from twin.process import die_with_supervisor

PORT = 1883
USER = "twin"
ROUNDS = 101
# Debian puts it where an ordinary user's PATH does not look.
PLACES = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin"
# What is acknowledged must outlive a kill -9: the store is written with each change, and it stays small because the
# bridge takes everything out at once. No limit may drop what waits for a bridge that is away.
CONFIGURATION = """\
listener {port} 127.0.0.1
user {user}
persistence true
persistence_location {folder}/
autosave_on_changes true
autosave_interval 1
max_queued_messages 0
max_inflight_messages 0
persistent_client_expiration 14d
allow_anonymous true
password_file {folder}/passwords
acl_file {folder}/access
log_dest stdout
log_type error
log_type warning
"""
ACCESS = """\
topic read #

user {user}
topic readwrite #
"""


@dataclass(frozen=True)
class Broker:
    """command: what to run. url: for this server. public_url: for clients, without the password."""

    command: tuple[str, ...]
    url: str
    public_url: str


def private_broker(home: Path, password: str) -> Broker | None:
    """Lay a broker's files down under `home`; None where no Mosquitto is installed."""
    program = shutil.which("mosquitto", path=PLACES)
    if program is None:
        return None
    folder = home / "mqtt"
    folder.mkdir(mode=0o700, exist_ok=True)
    port = _free_port()
    _write(folder / "passwords", f"{USER}:{_hashed(password)}\n")
    _write(folder / "access", ACCESS.format(user=USER))
    _write(folder / "mosquitto.conf", CONFIGURATION.format(port=port, folder=folder, user=getpass.getuser()))
    command = (sys.executable, "-P", "-m", "twin.sensing.broker", program, str(folder / "mosquitto.conf"))
    return Broker(command, f"mqtt://{USER}:{quote(password)}@127.0.0.1:{port}", f"mqtt://127.0.0.1:{port}")


def _write(path: Path, text: str) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def _hashed(password: str) -> str:
    """As mosquitto_passwd has it: PBKDF2 with SHA-512."""
    salt = secrets.token_bytes(12)
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ROUNDS)
    return f"$7${ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}"


def _free_port() -> int:
    """The usual port, or another where it is taken."""
    for port in (PORT, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    raise OSError("no free port")


if __name__ == "__main__":
    die_with_supervisor()
    # In its place, so that it dies with the supervisor too.
    os.execv(sys.argv[1], ["mosquitto", "-c", sys.argv[2]])
