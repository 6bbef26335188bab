"""A connection to the MQTT broker that survives it: what is received is acknowledged only when it is safe."""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog
from paho.mqtt.client import Client, ConnectFlags, MQTTMessage, MQTTMessageInfo, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

PORTS = {"mqtt": 1883, "mqtts": 8883}
# The broker keeps what comes while we are away for this long.
SESSION_S = 14 * 24 * 3600
# Messages that may be on their way to us without an acknowledgement.
UNACKNOWLEDGED = 5_000
KEEPALIVE_S = 20
LOG = structlog.get_logger()


@dataclass(frozen=True)
class Received:
    """A message, to be acknowledged by its id."""

    topic: str
    payload: bytes
    id: int
    qos: int


class BrokerConnection:
    """One session with a broker; it lives on in a thread of paho's, through every loss of the broker.

    name: of the session: the broker knows by it what we have not acknowledged. topics: subscribed at each connect.
    """

    def __init__(self, url: str, name: str, topics: Sequence[str]) -> None:
        self.received: asyncio.Queue[Received] = asyncio.Queue()
        self._topics = topics
        self._loop = asyncio.get_running_loop()
        parts = urlsplit(url)
        self._client = client = Client(CallbackAPIVersion.VERSION2, name, protocol=MQTTv5, manual_ack=True)
        client.max_queued_messages_set(0)
        client.max_inflight_messages_set(UNACKNOWLEDGED)
        client.reconnect_delay_set(1, 5)
        if parts.username:
            client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
        if parts.scheme == "mqtts":
            client.tls_set_context(ssl.create_default_context())
        client.on_connect = self._connected
        client.on_message = self._message
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = SESSION_S
        properties.ReceiveMaximum = UNACKNOWLEDGED
        client.connect_async(
            parts.hostname or "127.0.0.1",
            parts.port or PORTS.get(parts.scheme, PORTS["mqtt"]),
            KEEPALIVE_S,
            clean_start=False,
            properties=properties,
        )
        client.loop_start()

    def acknowledge(self, message: Received) -> None:
        """Tell the broker that a message is safe; it would come again otherwise."""
        self._client.ack(message.id, message.qos)

    def publish(self, topic: str, payload: bytes) -> MQTTMessageInfo:
        """Publish at QoS 1; what comes back tells when the broker has it."""
        info = self._client.publish(topic, payload, qos=1)
        if info.rc == MQTTErrorCode.MQTT_ERR_NO_CONN:
            # No failure: paho keeps it, and sends it with the next connection.
            info.rc = MQTTErrorCode.MQTT_ERR_SUCCESS
        return info

    async def close(self) -> None:
        """End the connection; the session stays with the broker."""
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)

    def _connected(
        self, client: Client, _data: Any, _flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if reason.is_failure:
            LOG.warning("broker refuses", reason=str(reason))
            return
        # At every connect: a broker that has lost its memory has lost our subscriptions too.
        options = SubscribeOptions(qos=1, noLocal=True)
        client.subscribe([(topic, options) for topic in self._topics])
        LOG.info("broker connected")

    def _message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        received = Received(message.topic, bytes(message.payload), message.mid, message.qos)
        self._call(self.received.put_nowait, received)

    def _call(self, what: Callable[[Received], None], received: Received) -> None:
        try:
            self._loop.call_soon_threadsafe(what, received)
        except RuntimeError:
            # The loop has ended; unacknowledged, the message comes again to the next one.
            return
