"""Which id does a new object get?"""

import base64
import hashlib

_SHORT = frozenset({"cus", "prod", "si", "req"})
_SHORT_LENGTH, _LONG_LENGTH, _MOST = 14, 24, 80  # 60 bytes make 80 characters


class Ids:
    """A stream of ids, the same for the same seed. Not for secrets: whoever knows the seed knows them all.

    `count` says how many were given out; `Ids(seed, count)` goes on from there after a restart.
    """

    def __init__(self, seed: int | str, count: int = 0) -> None:
        self._key = hashlib.blake2b(str(seed).encode(), digest_size=16).digest()
        self.count = count

    def new(self, prefix: str) -> str:
        """An id such as `cus_9fJ2...`: the prefix and 14 or more base62 characters."""
        return f"{prefix}_{self.token(_SHORT_LENGTH if prefix in _SHORT else _LONG_LENGTH)}"

    def token(self, length: int) -> str:
        """`length` (up to 80) base62 characters without a prefix, for links and secrets' shapes."""
        if length > _MOST:
            raise ValueError(f"a token has at most {_MOST} characters, not {length}")
        self.count += 1
        digest = hashlib.blake2b(self.count.to_bytes(8), key=self._key, digest_size=60).digest()
        return base64.b64encode(digest, altchars=b"Aa")[:length].decode()
