"""One answer in the making, handed from the decoding thread to the event loop piece by piece."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Piece:
    """Text that was added to the answer, and how it ended once it has."""

    text: str
    finish: Literal["stop", "length"] | None = None


class Job:
    """A prompt and where its answer goes; made inside the event loop that reads it."""

    def __init__(self, prompt: Sequence[int], most_tokens: int) -> None:
        self.prompt = tuple(prompt)
        self.most_tokens = most_tokens
        self.tokens: list[int] = []
        """Tokens of the answer, without the one that ends it."""
        self._loop = asyncio.get_running_loop()
        self._pieces: asyncio.Queue[Piece | BaseException] = asyncio.Queue()
        self._cancelled = threading.Event()

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for the answer any more."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Stop the work at the next token."""
        self._cancelled.set()

    def put(self, piece: Piece | BaseException) -> None:
        """Called by the decoding thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._pieces.put_nowait, piece)

    async def pieces(self) -> AsyncIterator[Piece]:
        """The answer as it grows; raises what went wrong in the decoding thread."""
        while True:
            piece = await self._pieces.get()
            if isinstance(piece, BaseException):
                raise piece
            yield piece
            if piece.finish is not None:
                return
