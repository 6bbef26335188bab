"""What this server sends to others by itself bears the operator's signature."""

import hashlib
import hmac


def signed(body: bytes, key: str, now: float) -> dict[str, str]:
    """Headers of a JSON body: HMAC-SHA256 of "time.body" by the operator's key, in hexadecimal."""
    moment = str(int(now))
    signature = hmac.new(key.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"Content-Type": "application/json", "X-Twin-Time": moment, "X-Twin-Signature": f"sha256={signature}"}
