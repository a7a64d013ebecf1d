"""Which prices of each side have orders, and which one is the best."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hdl.books.block_rows import BlockRows
from hdl.books.levels import book_shape, index_shape
from hdl.ethernet.content_match import lowest_set
from hdl.parameters import CoreParameters


class LevelBits(wiring.Component):
    """A bit per place of each side, in words, and a summary with a bit per word that has one.

    Parameters
    ----------
    parameters: the build.

    Members
    -------
    book: what ``load``, ``search`` and ``clear`` are about.
    load: strobe: the bit of ``side`` and ``position`` is to be changed.
    in_use: in the second cycle after it, what the bit becomes.
    was_in_use: in the third cycle after it, what the bit was.
    commit: strobe, in the third cycle after it: the change is made. In the next cycle nothing may be loaded.
    search: strobe: look for the best of both sides.
    best: strobe, 3 cycles later for the bids, 4 for the asks (``best_side``): the first of the side's bits is
        ``best_position``, if it ``has_orders``.
    clear: strobe: no bit of the book is set. Nothing may be asked for while ``clearing``, a level from the next cycle
        on: one cycle per word of both sides.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._books = parameters.capacity.order_books
        position = index_shape(parameters)
        self._bit_bits = position.width // 2
        self._word_bits = position.width - self._bit_bits
        super().__init__(
            {
                "book": In(book_shape(parameters)),
                "load": In(1),
                "side": In(1),
                "position": In(position),
                "in_use": In(1),
                "was_in_use": Out(1),
                "commit": In(1),
                "search": In(1),
                "best": Out(1),
                "best_side": Out(1),
                "best_position": Out(position),
                "has_orders": Out(1),
                "clear": In(1),
                "clearing": Out(1),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        """The word of a bit is read, changed and written; a search encodes a summary first, then the word it names."""
        m = Module()
        self._book, self._side, self._place = Signal.like(self.book), Signal(), Signal(len(self.position))
        self._word, self._summary = Signal(1 << self._bit_bits), Signal(1 << self._word_bits)
        self._cleared = Signal(1 + self._word_bits)
        with m.If(self.load | self.search | self.clear):
            m.d.sync += self._book.eq(self.book)
        with m.If(self.load):
            m.d.sync += [self._side.eq(self.side), self._place.eq(self.position)]
        # a search reads the summary of the bids at once, that of the asks in the next cycle
        with m.If(self.search):
            m.d.sync += self._side.eq(1)
        self._clear(m)
        looks, looks_at = self._search(m)
        loads_at = Cat(self.position[self._bit_bits :], self.side, self.book)
        self._words(m, self.load | looks, Mux(looks, looks_at, loads_at))
        self._summaries(m)
        return m

    def _clear(self, m: Module) -> None:
        with m.If(self.clear):
            m.d.sync += [self.clearing.eq(1), self._cleared.eq(0)]
        with m.Elif(self.clearing):
            m.d.sync += [self.clearing.eq(~self._cleared.all()), self._cleared.eq(self._cleared + 1)]

    def _search(self, m: Module) -> tuple[Signal, Value]:
        """Whether a word is looked up for a side, and where it is; the side's best two cycles later."""
        looks, side = Signal(), Signal()
        m.d.sync += [looks.eq(self.search | (looks & ~side)), side.eq(looks & ~side)]
        word, any_word = lowest_set(m, self._summary)
        word = word[: self._word_bits]
        stage: Any = Cat(looks, side, any_word, word)
        for number in range(2):
            later = Signal(len(stage), name=f"found_{number}")
            m.d.sync += later.eq(stage)
            stage = later
        m.d.comb += [
            Cat(self.best, self.best_side, self.has_orders).eq(stage),
            self.best_position.eq(Cat(lowest_set(m, self._word)[0][: self._bit_bits], stage[3:])),
        ]
        return looks, Cat(word, side, self._book)

    def _words(self, m: Module, reads: Value, read_at: Value) -> None:
        """A changed word is written one cycle after its summary, from registers: its memory may be far away."""
        m.submodules.words = words = BlockRows(len(self._word), self._books << 1 + self._word_bits)
        arrives, loaded, changes, writes = Signal(), Signal(), Signal(), Signal()
        bit = Signal(len(self._word))
        word_at = Cat(self._place[self._bit_bits :], self._side)
        m.d.comb += [
            bit.eq(1 << self._place[: self._bit_bits]),
            words.read.eq(reads),
            words.read_at.eq(read_at),
            words.write.eq(self.clearing | writes),
            words.write_at.eq(Cat(Mux(self.clearing, self._cleared, word_at), self._book)),
            words.new.eq(self._word),
        ]
        m.d.sync += [arrives.eq(reads), loaded.eq(self.load), changes.eq(loaded), writes.eq(self.commit)]
        with m.If(arrives):
            m.d.sync += self._word.eq(words.fetched)
        with m.If(changes):
            m.d.sync += [
                self._word.eq((self._word & ~bit) | Mux(self.in_use, bit, 0)),
                self.was_in_use.eq((self._word & bit).any()),
            ]
        with m.If(self.clear):
            m.d.sync += self._word.eq(0)

    def _summaries(self, m: Module) -> None:
        """Of the book and side at hand, one cycle later; the place of the word that is committed changes in it."""
        m.submodules.summaries = store = memory.Memory(
            shape=unsigned(len(self._summary)), depth=self._books << 1, init=[]
        )
        write, read = store.write_port(), store.read_port(domain="comb")
        bit = Signal(len(self._summary))
        side = Mux(self.clearing, self._cleared[-1], self._side)
        m.d.comb += [
            bit.eq(1 << self._place[self._bit_bits :]),
            read.addr.eq(Mux(self.search, Cat(Const(0), self.book), Cat(self._side, self._book))),
            write.addr.eq(Cat(side, self._book)),
            write.data.eq(Mux(self.clearing, 0, (self._summary & ~bit) | Mux(self._word.any(), bit, 0))),
            write.en.eq(self.clearing | self.commit),
        ]
        m.d.sync += self._summary.eq(read.data)
