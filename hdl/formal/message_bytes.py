"""Which bytes of a control message may be spoiled while they are gathered without anything following from it.

A changed ``MessageBuffer`` beside one as it is: what is inside a message of any length that a well-formed one has is
alike in both, and so is what a message of another length is answered by. Bytes behind a message's end are of no
meaning in either; that nobody reads them is the buffer's contract, and no part of this.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from amaranth.hdl import Cat, Const, Mux, Signal, Value

from hdl.control.form import MessageForm
from hdl.control.message_buffer import MESSAGE_LENGTH_BITS, MessageBuffer
from hdl.control.program import WORD_BYTES, compile_checks
from hdl.formal.bench import TWIN, Bench, Design
from hdl.formal.proof import Proof
from hdl.formal.solver import Mode
from hdl.formal.twin import Change, TwinBench
from hdl.parameters import BYTE, CoreParameters
from hdl.records import WORD_BITS
from market.fastpath import layout

SPOILED_BYTE: Final = Change("$73", "cnot1", "Y", 2, 5)
"""A bit of a word's third byte is inverted with that byte and each that follows in it, where another one is set."""
_WORDS: Final = -(-CoreParameters().control_bytes // WORD_BYTES)
_LANE: Final = 2
"""Of the byte in its word."""
_BIT, _DECIDING_BIT = _LANE * BYTE + 2, _LANE * BYTE + 5
_WRONG_ENDS: Final = (3, 5, 7)
"""Bytes of a last word in which the byte is wrong, being inverted an odd number of times."""
_MESSAGE_ENDS: Final = (0, 4)
"""What is left of the length of a well-formed message by whole words."""
_OTHERS: Final = {
    "a byte of another lane": Change("$75", "cnot1", "Y", 2, 5),
    "the byte as it comes": Change("$73", "inv", "B", 2),
    "the byte with those that follow": Change("$73", "cnot1", "A", 2, 5),
}
_WELL_ENDED: Final = "the byte in a last word of four bytes as well"


def _gathered(mutation: str) -> Design:
    """Words, and rows of the memory, differ in one bit at most; ``right`` says that the last put does not.

    Registers that have no name of their own in the description have a number there.
    """
    bench = TwinBench(partial(MessageBuffer, _WORDS), _OTHERS.get(mutation, SPOILED_BYTE))
    m, buffer = bench.m, bench.subject
    bench.assume(~buffer.release | buffer.complete)
    bench.assume(~buffer.length[1:].all())
    words, rows = [f"words__{at}" for at in range(_WORDS)], [f"store[{at}]" for at in range(_WORDS)]
    put = "$signature__data"
    bench.claim_alike({"gathered", put, *words, *rows})
    names = ("$signal$7", "$signal$6", "$signal$5", "$signature__en", "$signature__addr", "told", "gathered")
    lane, index, inside, putting, put_at, told, gathered = (bench.pair(name)[0] for name in names)
    full, complete, length, octet = buffer.full, buffer.complete, buffer.length, buffer.octets

    right, ended_inside, wrong_last = Signal(init=1), Signal(), Signal()
    now_right = lane[0] & (lane > _LANE)
    ends = octet.valid & ~full & octet.payload.last
    with m.If(octet.valid & ~full & inside & (octet.payload.last | (lane == WORD_BYTES - 1))):
        m.d.sync += right.eq(now_right)
        with m.If(ends):
            m.d.sync += [ended_inside.eq(1), wrong_last.eq(~now_right)]
    with m.If(buffer.release):
        m.d.sync += [ended_inside.eq(0), wrong_last.eq(0)]

    spoiled = bench.differs("gathered")
    bench.claim(_only_the_bit(spoiled) & _only_the_bit(bench.differs(put)))
    bench.claim((lane <= _LANE) | (spoiled[_BIT] == (gathered[_DECIDING_BIT] & lane[0])))
    bench.claim(~putting | ~right | (bench.differs(put) == 0))

    whole = length == Cat(lane, index)
    partly = length == Cat(lane, index) - Mux(lane != 0, WORD_BYTES, 0)
    bench.claim(Mux(full, Mux(ended_inside, partly, ~inside), ~ended_inside & Mux(inside, whole, 1)))
    bench.claim(inside | ended_inside | (length >= _WORDS * WORD_BYTES))
    bench.claim(~wrong_last | (ended_inside & (lane[0] | (lane == _LANE))))
    bench.claim((index <= _WORDS) & (inside == (index != _WORDS)))
    bench.claim((~told | (full & ~putting)) & (~complete | told))
    latest = (index - 1)[: len(index)]
    bench.claim(~putting | ((put_at == latest) & (index != 0) & (right == ~wrong_last)))
    for at in range(_WORDS):
        word, row = bench.differs(words[at]), bench.differs(rows[at])
        bench.claim(_only_the_bit(word) & (word == row) & (bench.pair(words[at])[0] == bench.pair(rows[at])[0]))
        waits, is_wrong = putting & (put_at == at), wrong_last & (latest == at)
        bench.claim((index <= at) | waits | is_wrong | (word == 0))
        bench.claim(~complete | _may_differ(at, length) | (word == 0))
    bench.reach(complete & (length == WORD_BYTES + _WRONG_ENDS[0]) & (bench.differs(words[1]) != 0))
    return bench.design()


def _only_the_bit(difference: Value) -> Value:
    """Whether two words differ in no other bit than the one in question."""
    return (difference & ~(1 << _BIT)) == 0


def _may_differ(word: int, length: Value) -> Value:
    """Whether the byte of a word is behind a message's end, or the word ends where it is wrong."""
    at = word * WORD_BYTES
    return (length <= at + _LANE) | Cat(length == at + left for left in _WRONG_ENDS).any()


def _well_formed(mutation: str) -> Design:
    """A message with that byte any where it may differ, beside the same one with that byte as it is."""
    form = MessageForm(compile_checks(), with_events=True)
    bench = Bench(form)
    bench.m.submodules[TWIN] = twin = MessageForm(compile_checks(), with_events=True)
    head, length = bench.fixed("head", len(form.head)), bench.fixed("length", MESSAGE_LENGTH_BITS)
    others = bench.fixed("others", BYTE * form.head_words)
    changed = []
    for at in range(form.head_words):
        differs = _may_differ(at, length)
        if mutation == _WELL_ENDED:
            differs |= length == at * WORD_BYTES + _MESSAGE_ENDS[1]
        changed.append(Const(0, _LANE * BYTE))
        changed.append(Mux(differs, others.word_select(at, BYTE), 0))
        changed.append(Const(0, WORD_BITS - (_LANE + 1) * BYTE))
    bench.m.d.comb += [form.head.eq(head), twin.head.eq(head ^ Cat(*changed)[: len(head)])]
    bench.m.d.comb += [form.length.eq(length), twin.length.eq(length)]
    bench.claim(form.good == twin.good)
    bench.claim(~form.good | Cat(length[:3] == left for left in _MESSAGE_ENDS).any())
    for name in ("is_event", "has_checks", "begin"):
        same = getattr(form, name) == getattr(twin, name)
        bench.claim((length < layout.CONTROL_SIZE_LEAST) | same)
    bench.reach(form.good & (head != twin.head))
    bench.reach(~form.good & (head != twin.head) & (length > layout.CONTROL_SIZE_LEAST))
    return bench.design()


_SETTLED: Final = 3
"""Cycles from a message's last word to what is known of its form."""
GATHERED: Final = Proof(
    name="bytes of a control message",
    statement=(
        "of a byte that is spoiled as it comes and with each behind it in its word, nothing is left of it "
        "but behind a message's end, and where the last word has 3, 5 or 7 bytes; all else is alike; for messages of "
        f"less than 2^20 - 2 bytes in a buffer of {_WORDS} words, whose user releases only what is complete"
    ),
    build=_gathered,
    mutations=tuple(_OTHERS),
    mode=Mode.PROVE,
    depth=2,
    mutation_depth=10,
    cover_depth=WORD_BYTES + _WRONG_ENDS[0] + 5,
    is_long=True,
)
WELL_FORMED: Final = Proof(
    name="forms of spoiled messages",
    statement=(
        "a message whose last word has 3, 5 or 7 bytes is not well formed, whatever it says; what is found of any "
        "message does not depend on that byte there, nor on bytes behind the end"
    ),
    build=_well_formed,
    mutations=(_WELL_ENDED,),
    mode=Mode.BOUNDED,
    depth=_SETTLED + 2,
    mutation_depth=_SETTLED + 2,
    cover_depth=_SETTLED + 2,
    any_state=True,
    first_claim=_SETTLED,
    is_long=True,
)
MESSAGE_BYTES: Final = (GATHERED, WELL_FORMED)
