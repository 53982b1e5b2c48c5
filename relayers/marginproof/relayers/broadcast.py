"""From one producer to many streams: a slow reader loses its stream, never the producer its pace."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final, Generic, TypeVar

from marginproof.model.errors import UnavailableError
from marginproof.model.reasons import ReasonCode

_QUEUE_LENGTH: Final = 64
_MAX_READERS: Final = 128

T = TypeVar("T")


class Broadcast(Generic[T]):
    """Gives every item to every reader that listens at that moment."""

    def __init__(self) -> None:
        self._readers: set[asyncio.Queue[T]] = set()
        self._dropped: set[asyncio.Queue[T]] = set()

    def publish(self, item: T) -> None:
        """Hands an item to all readers; one whose queue is full is dropped."""
        for queue in list(self._readers):
            try:
                queue.put_nowait(item)
            except asyncio.QueueFull:
                self._readers.discard(queue)
                self._dropped.add(queue)

    async def listen(self) -> AsyncIterator[T]:
        """Every item from now on.

        Raises:
            UnavailableError: RATE_LIMITED (too many readers), UNAVAILABLE (this reader was too slow).
        """
        if len(self._readers) >= _MAX_READERS:
            raise UnavailableError(
                "this relayer serves no more streams", code=ReasonCode.RATE_LIMITED, fix="ask another relayer"
            )
        queue: asyncio.Queue[T] = asyncio.Queue(_QUEUE_LENGTH)
        self._readers.add(queue)
        try:
            while True:
                item = await queue.get()
                yield item
                if queue in self._dropped and queue.empty():
                    raise UnavailableError("the stream was read too slowly", fix="open it again and read faster")
        finally:
            self._readers.discard(queue)
            self._dropped.discard(queue)
