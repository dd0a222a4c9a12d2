"""Planted faults: each one, in a copy of the project, makes a test fail that passes without it.

All of them, with a count: ``python -m benchmarks.planted_faults --full``.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Mutation:
    """Replace ``before`` (which must occur exactly once) by ``after``; ``test`` must notice."""

    file: str
    before: str
    after: str
    test: str


MUTATIONS = {
    "a network file's parts are sought among our own alone": Mutation(
        "model/network/network_file.py",
        "        load_all()\n",
        "        pass\n",
        "model/test_kinds.py",
    ),
    "an option of another package may be out of bounds": Mutation(
        "model/config/transformer.py",
        "            option.check(values[name], self._label(name))\n",
        "            values[name]\n",
        "model/test_kinds.py",
    ),
    "matvec keeps the sum of the row before": Mutation(
        "hdl/linear/matvec.py",
        "sum_.eq(Mux(first, 0, sum_) + partial)",
        "sum_.eq(sum_ + partial)",
        "hdl/linear/test_matvec.py",
    ),
    "matvec forgets a carry of its negative terms": Mutation(
        "hdl/lib/arithmetic.py",
        "return level[0] + carries[0]",
        "return level[0]",
        "hdl/linear/test_matvec.py",
    ),
    "matvec claims a shorter latency": Mutation(
        "hdl/linear/matvec.py",
        "return 6 + self.config.registers",
        "return 5 + self.config.registers",
        "hdl/linear/test_matvec.py",
    ),
    "layer norm does not undo the normalisation": Mutation(
        "hdl/linear/layer_norm.py",
        "config.shift - root.p.e",
        "config.shift",
        "hdl/linear/test_layer_norm.py",
    ),
    "layer norm squares a negative sum as a positive one": Mutation(
        "hdl/linear/layer_norm.py",
        "Mux(last, ~s1, s1)",
        "Mux(last, s1, s1)",
        "hdl/linear/test_layer_norm.py",
    ),
    "inverse root stops a digit early": Mutation(
        "hdl/lib/inverse_root.py",
        "pairs = self.width // 2 - 1 + ROOT_BITS",
        "pairs = self.width // 2 - 2 + ROOT_BITS",
        "hdl/lib/test_reciprocal.py",
    ),
    "reciprocal refuses an exact fit": Mutation(
        "hdl/lib/division.py",
        "fits.eq(twice >= divisor)",
        "fits.eq(twice > divisor)",
        "hdl/lib/test_reciprocal.py",
    ),
    "requantise truncates instead of rounding": Mutation(
        "hdl/lib/requantize.py",
        "rounded.eq((shifted + 1) >> 1)",
        "rounded.eq(shifted >> 1)",
        "hdl/lib/test_requantize.py",
    ),
    "requantise wraps instead of saturating": Mutation(
        "hdl/lib/arithmetic.py",
        "fits = (top == 0) | top.all()",
        "fits = Const(1)",
        "hdl/lib/test_requantize.py",
    ),
    "golden requantise truncates": Mutation(
        "model/arithmetic.py",
        "product + (np.int64(1) << shift - 1) >> shift",
        "product >> shift",
        "hdl/lib/test_requantize.py",
    ),
    "attention compares with AND": Mutation(
        "hdl/attention/hamming_scores.py",
        "popcount(read.data ^ query,",
        "popcount(read.data & query,",
        "hdl/attention/test_hamming_attention.py",
    ),
    "attention does not wait for the codes": Mutation(
        "hdl/attention/hamming_scores.py",
        "self.ready.eq(self._stored & ~running)",
        "self.ready.eq(~running)",
        "hdl/attention/test_hamming_attention.py",
    ),
    "a popcount with carries forgets one": Mutation(
        "hdl/lib/arithmetic.py",
        "Cat(1, low) + Cat(bits[-1], high)",
        "Cat(1, low) + Cat(0, high)",
        "hdl/mlp/test_weightless_mlp.py",
    ),
    "attention keeps the tables of layer 0": Mutation(
        "hdl/attention/distance_weights.py",
        "multiple(self.layer, heads * size, len(self.config.layers))",
        "0",
        "hdl/attention/test_hamming_attention.py",
    ),
    "attention keeps all keys of the farthest distance": Mutation(
        "hdl/attention/top_k.py",
        "(distance == limit) & (quota != 0)",
        "distance == limit",
        "hdl/attention/test_hamming_attention.py",
    ),
    "attention takes no penalty from the first key": Mutation(
        "hdl/attention/distance_weights.py",
        "m.d.sync += place.eq(following)",
        "m.d.sync += place.eq(0)",
        "hdl/attention/test_hamming_attention.py",
    ),
    "the penalty is truncated": Mutation(
        "hdl/attention/distance_weights.py",
        "lost = (entry + penalty + HALF)",
        "lost = (entry + penalty)",
        "hdl/attention/test_hamming_attention.py",
    ),
    "attention divides without normalising": Mutation(
        "hdl/attention/weighted_sum.py",
        "config.sum_shift - source.p.z",
        "config.sum_shift",
        "hdl/attention/test_hamming_attention.py",
    ),
    "matvec never changes the matrix": Mutation(
        "hdl/linear/matvec.py", "Mux(last_turn, 0, offset + 1)", "0", "hdl/linear/test_matvec.py"
    ),
    "kernel hash takes an accumulator of zero for a negative one": Mutation(
        "hdl/attention/kernel_hash.py",
        "~self.hash.raw.payload[-1]",
        "self.hash.raw.payload > 0",
        "hdl/attention/test_kernel_hash.py",
    ),
    "linear attention goes on with the states of the job before": Mutation(
        "hdl/attention/linear_sums.py",
        "Mux(row.fresh | own, 0, old)",
        "Mux(own, 0, old)",
        "hdl/attention/test_linear_attention.py",
    ),
    "linear attention truncates what decays": Mutation(
        "hdl/attention/linear_sums.py",
        "Cat(~half, ~lost)",
        "Cat(1, ~lost)",
        "hdl/attention/test_linear_attention.py",
    ),
    "linear attention reads a row before it is written": Mutation(
        "hdl/attention/linear_sweep.py",
        "self.config.depth - self.config.words",
        "0",
        "hdl/attention/test_linear_attention.py",
    ),
    "weighted sum gives every key its weight": Mutation(
        "hdl/attention/weighted_sum.py",
        "Mux(payload.keep, value, 0)",
        "Mux(1, value, 0)",
        "hdl/attention/test_weighted_sum.py",
    ),
    "a causal query sees one key less": Mutation(
        "hdl/lib/row_counter.py",
        "query if self.causal else self.tokens - 1",
        "Mux(query == 0, 0, query - 1) if self.causal else self.tokens - 1",
        "hdl/attention/test_softmax_attention.py",
    ),
    "softmax takes the largest score of the row before": Mutation(
        "hdl/attention/softmax_scores.py",
        "(rows.key == 0) | (score.payload > top)",
        "score.payload > top",
        "hdl/attention/test_softmax_attention.py",
    ),
    "softmax multiplies what a shorter vector left behind": Mutation(
        "hdl/attention/softmax_scores.py",
        "*[element.eq(0) for element in kept]",
        "",
        "hdl/attention/test_softmax_attention.py",
    ),
    "softmax reads the maximum while the next row replaces it": Mutation(
        "hdl/attention/softmax_scores.py",
        "m.d.sync += top.eq(select(tops, bank))",
        "m.d.comb += top.eq(select(tops, bank))",
        "hdl/attention/test_softmax_attention.py",
    ),
    "shiftmax divides by a sum that wraps": Mutation(
        "hdl/attention/shiftmax.py", "| over.replicate(width)", "", "hdl/attention/test_shiftmax.py"
    ),
    "a skid buffer keeps the word it holds while another comes": Mutation(
        "hdl/lib/skid_buffer.py",
        "with m.If(empty):",
        "with m.If(1):",
        "hdl/lib/test_skid_buffer.py",
    ),
    "a skid buffer tells the sender at once": Mutation(
        "hdl/lib/skid_buffer.py",
        "m.d.sync += empty.eq(~self.o.valid | self.o.ready)",
        "m.d.comb += empty.eq(self.o.ready)",
        "hdl/lib/test_skid_buffer.py",
    ),
    "sums are taken while no reciprocal is idle": Mutation(
        "hdl/attention/normalise.py",
        "free & (idle | follows) & ~taken",
        "free & ~taken",
        "hdl/attention/test_linear_attention.py",
    ),
    "what has been read is multiplied by the word before": Mutation(
        "hdl/linear/matvec.py",
        "self._fetched(m, vector_read.data, step)",
        "vector_read.data",
        "hdl/linear/test_matvec.py",
    ),
    "GELU keeps the table of layer 0": Mutation(
        "hdl/mlp/gelu_mlp.py",
        "Cat(*low, ~sign, layer)",
        "Cat(*low, ~sign)",
        "hdl/mlp/test_gelu_mlp.py",
    ),
    "GELU's queue does not hold all tokens": Mutation(
        "hdl/mlp/gelu_mlp.py",
        "BlockFifo(unsigned(ACTIVATION_BITS), config.values)",
        "BlockFifo(unsigned(ACTIVATION_BITS), config.values // 2 + 1)",
        "hdl/mlp/test_gelu_mlp.py",
    ),
    "thermometer lets equal pass": Mutation(
        "hdl/mlp/thermometer.py",
        "self.i.payload > threshold",
        "self.i.payload >= threshold",
        "hdl/mlp/test_weightless_mlp.py",
    ),
    "the first channel of a job meets the thresholds of the job before": Mutation(
        "hdl/mlp/weightless_mlp.py",
        "m.d.comb += thermometer.layer.eq(self.job.payload)",
        "pass",
        "hdl/mlp/test_weightless_mlp.py",
    ),
    "tables are told their layer after the last channel": Mutation(
        "hdl/mlp/weightless_mlp.py",
        "max(GROUP, -(-len(outputs[0]) // channels))",
        "GROUP",
        "hdl/mlp/test_weightless_mlp.py",
    ),
    "lookup tables are read backwards": Mutation(
        "hdl/luts/lut_layer.py",
        "Mux(inputs[-1], _shannon(high, inputs[:-1]), _shannon(low, inputs[:-1]))",
        "Mux(inputs[-1], _shannon(low, inputs[:-1]), _shannon(high, inputs[:-1]))",
        "hdl/mlp/test_weightless_mlp.py",
    ),
    "one bit of a table is flipped": Mutation(
        "hdl/luts/lut_layer.py",
        "_shannon(tuple(map(int, table)),",
        "_shannon((1 - int(table[0]), *map(int, table[1:])),",
        "hdl/mlp/test_weightless_mlp.py",
    ),
    "conditional sum ignores negative weights": Mutation(
        "hdl/mlp/conditional_sum.py",
        "weights[2 * n] & (bits[n] ^ weights[2 * n + 1])",
        "weights[2 * n] & bits[n]",
        "hdl/mlp/test_weightless_mlp.py",
    ),
    "conditional sum shifts by the next token's layer": Mutation(
        "hdl/mlp/conditional_sum.py",
        "self._shifted(m, total, layers[-1])",
        "self._shifted(m, total, self.layer)",
        "hdl/mlp/test_weightless_mlp.py",
    ),
    "sequencer forgets engines that are not ready": Mutation(
        "hdl/transformer/sequencer.py",
        "pending.eq(pending & ~taken)",
        "pending.eq(0)",
        "network/test_network.py",
    ),
    "reader starts before the writer has finished": Mutation(
        "hdl/transformer/token_reader.py",
        "count == self.tokens, count != 0",
        "1, 1",
        "network/test_network.py",
    ),
    "residual stream wraps": Mutation(
        "hdl/transformer/residual.py",
        "write.data.eq(clamp(total, RESIDUAL_BITS))",
        "write.data.eq(total)",
        "network/test_network.py",
    ),
    "the highest of equal logits wins": Mutation(
        "hdl/transformer/argmax.py",
        "self.i.payload > best",
        "self.i.payload >= best",
        "hdl/transformer/test_argmax.py",
    ),
    "link believes every CRC, as noise finds out": Mutation(
        "hdl/core/link.py",
        "with m.If(self._crc.fed):",
        "with m.If(0):",
        "benchmarks/test_link_noise.py",
    ),
    "link believes every CRC, as the proof finds out": Mutation(
        "hdl/core/link.py",
        "with m.If(self._crc.fed):",
        "with m.If(0):",
        "hdl/core/test_link_formal.py",
    ),
    "link waits for the rest of a frame for ever": Mutation(
        "hdl/core/link.py",
        "self._silent.eq(silence[-1] & ~self.rx.valid)",
        "self._silent.eq(0)",
        "hdl/core/test_link_formal.py",
    ),
    "link gives up in the cycle in which a byte comes": Mutation(
        "hdl/core/link.py",
        "self._silent.eq(silence[-1] & ~self.rx.valid)",
        "self._silent.eq(silence[-1])",
        "hdl/core/test_link_formal.py",
    ),
    "link sends while its CRC is busy": Mutation(
        "hdl/core/link.py",
        "self.tx.valid.eq(ready & valid)",
        "self.tx.valid.eq(valid)",
        "hdl/core/test_link_formal.py",
    ),
    "CRC leaves out what it has": Mutation(
        "hdl/lib/crc32.py", "(crc[0] ^ bits[0])", "bits[0]", "hdl/lib/test_crc32.py"
    ),
    "link believes every CRC": Mutation(
        "hdl/core/link.py", "with m.If(self._crc.fed):", "with m.If(0):", "hdl/core/test_link.py"
    ),
    "two full adders swap what their first carry chooses": Mutation(
        "hdl/luts/popcounts.py",
        "lambda z, p, q: z if q else p, z, p1, q1",
        "lambda z, p, q: p if q else z, z, p1, q1",
        "hdl/luts/test_lut_graph.py",
    ),
    "a comparison forgets the bits below": Mutation(
        "hdl/luts/comparators.py",
        "table |= (value >= target) << (a | 1 << len(bits))",
        "table |= (value > target) << (a | 1 << len(bits))",
        "hdl/luts/test_lut_graph.py",
    ),
    "the highest of equal counts wins": Mutation(
        "hdl/classifier/class_tree.py",
        "lambda a, b, below: a > b or (a == b and below)",
        "lambda a, b, below: a >= b or (a == b and below)",
        "hdl/luts/test_lut_graph.py",
    ),
    "thresholds are taken to be ordered the other way": Mutation(
        "model/network/lut_pruning.py",
        "rank[:, i] >= rank[:, j]",
        "rank[:, i] <= rank[:, j]",
        "model/test_lut_pruning.py",
    ),
    "weightless classifier claims a longer latency": Mutation(
        "hdl/classifier/weightless_classifier.py",
        "return self.stages",
        "return self.stages + 1",
        "hdl/classifier/test_weightless_classifier.py",
    ),
    "weightless classifier does not hold while stalled": Mutation(
        "hdl/classifier/weightless_classifier.py",
        "step.eq(self.o.ready | ~self.o.valid)",
        "step.eq(1)",
        "hdl/classifier/test_weightless_classifier.py",
    ),
    "folded layers read the outputs where the inputs were": Mutation(
        "hdl/classifier/folded_lut_layers.py",
        "first = self.width - steps * self.lanes",
        "first = 0",
        "hdl/classifier/test_folded_lut_layers.py",
    ),
    "folded layers do not hold while stalled": Mutation(
        "hdl/classifier/folded_lut_layers.py",
        "step.eq(~self.o.valid | self.o.ready)",
        "step.eq(1)",
        "hdl/classifier/test_folded_lut_layers.py",
    ),
    "a folded class goes on from the count of the class before": Mutation(
        "hdl/classifier/class_counter.py",
        "Mux(first, self._of_class(self.constants, index), total)",
        "total",
        "hdl/classifier/test_folded_classifier.py",
    ),
    "the highest of equal folded counts wins": Mutation(
        "hdl/classifier/class_counter.py",
        "(count > best)",
        "(count >= best)",
        "hdl/classifier/test_folded_classifier.py",
    ),
    "an abandoned sample leaves half a word behind": Mutation(
        "hdl/classifier/serial_encoder.py",
        "[byte.eq(0), comparing.eq(0)]",
        "comparing.eq(0)",
        "hdl/classifier/test_classifier_core.py",
    ),
    "serial thermometer lets equal pass": Mutation(
        "hdl/classifier/serial_encoder.py",
        "word > read.data.threshold",
        "word >= read.data.threshold",
        "hdl/classifier/test_classifier_core.py",
    ),
    "a classifier takes bytes while it sends a result": Mutation(
        "hdl/classifier/classifier_core.py",
        "self.i.ready.eq(encoder.i.ready & ~self.busy)",
        "self.i.ready.eq(encoder.i.ready)",
        "hdl/classifier/test_classifier_core.py",
    ),
    "a core claims to reply earlier than it does": Mutation(
        "hdl/core/decoder_core.py", "latency = 4", "latency = 3", "cli/test_text_hardware.py"
    ),
    "a core is asked as if its context went on in a new window": Mutation(
        "model/link/text_session.py",
        "flags |= Flag.RESET | Flag.RESEED",
        "flags |= Flag.RESEED",
        "cli/test_text_hardware.py",
    ),
    "verify takes the tables of one layer for another's": Mutation(
        "sim/formal/placed_layers.py",
        'module=f"{around}.luts{n}_{depth}"',
        'module=f"{around}.luts0_{depth}"',
        "cli/test_verify.py",
    ),
    "a pipeline may hold what it likes": Mutation(
        "sim/formal/pipeline.py",
        "following = aig.mux(free.function(register.q), moved, step)",
        "following = free.function(register.d)",
        "sim/formal/test_pipeline.py",
    ),
    "slices believe what samples say": Mutation(
        "sim/formal/cut_proof.py",
        "    while left:\n",
        "    while not left:\n",
        "sim/formal/test_classifier_proof.py",
    ),
    "a prover that finds nothing": Mutation(
        "sim/formal/classifier_proof.py",
        "wrong = prove(self.aig, pairs, directory, seconds=seconds)",
        "wrong = None",
        "sim/formal/test_classifier_proof.py",
    ),
    "pruning takes thermometers for the wrong way round": Mutation(
        "model/network/lut_pruning.py",
        "ordered & (rank[:, i] >= rank[:, j])",
        "ordered & (rank[:, i] <= rank[:, j])",
        "sim/formal/test_classifier_proof.py",
    ),
    "an image that waits spoils the cycles of the one before": Mutation(
        "hdl/transformer/accelerator.py",
        "start = patches.full & ~self.argmax.sending",
        "start = patches.full",
        "hdl/core/test_axi_stream.py",
    ),
    "an adapter takes results that it has no room for": Mutation(
        "hdl/core/axi_stream.py",
        "core.o.ready.eq(given.w_rdy)",
        "core.o.ready.eq(1)",
        "hdl/core/test_axi_stream.py",
    ),
    "an adapter drops beats that it has no room for": Mutation(
        "hdl/core/axi_stream.py",
        "self.s_axis_tready.eq(taken.w_rdy)",
        "self.s_axis_tready.eq(1)",
        "hdl/core/test_axi_stream.py",
    ),
    "tlast comes a beat early": Mutation(
        "hdl/core/axi_stream.py",
        "last.eq(place == self.beats_out - 1)",
        "last.eq(place == self.beats_out - 2)",
        "hdl/core/test_axi_stream.py",
    ),
    "a frame that is too long is taken": Mutation(
        "hdl/core/axi_stream.py",
        "wrong.eq(last != due)",
        "wrong.eq(last & ~due)",
        "hdl/core/test_axi_stream.py",
    ),
    "the rest of a frame that is too long is a new one": Mutation(
        "hdl/core/axi_stream.py",
        "self._late.eq(due), skipping.eq(~last)]",
        "self._late.eq(due)]",
        "hdl/core/test_axi_stream.py",
    ),
    "an error overtakes results": Mutation(
        "hdl/core/axi_stream.py",
        "error.eq(self._failed & (self._inside == 0))",
        "error.eq(self._failed)",
        "hdl/core/test_axi_stream.py",
    ),
    "half a sample stays when its frame is aborted": Mutation(
        "hdl/classifier/classifier_beats.py",
        "        with m.If(self.abort):\n            m.d.sync += place.eq(0)\n",
        "",
        "hdl/core/test_axi_stream.py",
    ),
    "a core's instance has one port too few": Mutation(
        "hdl/core/core_interface.py",
        "for path, member, value in component.signature.flatten(component):",
        "for path, member, value in list(component.signature.flatten(component))[:-1]:",
        "hdl/core/test_core_files.py",
    ),
    "every token begins a context": Mutation(
        "hdl/attention/linear_sweep.py",
        "self.fresh & (token == 0) & (pass_ == 0)",
        "(token == 0) & (pass_ == 0)",
        "hdl/attention/test_attention_contexts.py",
    ),
    "layers share their running sums": Mutation(
        "hdl/attention/linear_sweep.py",
        "return multiple(self.layer, words, banks) if banks > 1 else Const(0)",
        "return Const(0)",
        "hdl/attention/test_attention_contexts.py",
    ),
    "layers share their keys": Mutation(
        "hdl/attention/hamming_scores.py",
        "return multiple(self.layer, self._bank_words, self.config.banks)",
        "return Const(0)",
        "hdl/attention/test_attention_contexts.py",
    ),
    "the penalty of a context is that of its first token": Mutation(
        "hdl/attention/distance_weights.py",
        "m.d.sync += place.eq(adder_tree(terms))",
        "m.d.sync += place.eq(0)",
        "hdl/attention/test_attention_contexts.py",
    ),
    "the last of equal candidates wins": Mutation(
        "hdl/transformer/sampler.py",
        "(value > best)",
        "(value >= best)",
        "hdl/transformer/test_sampler.py",
    ),
    "candidates with the logit of the one before are passed over": Mutation(
        "hdl/transformer/sampler.py",
        "key.eq(Cat(~token, logit))",
        "key.eq(logit << bits)",
        "hdl/transformer/test_sampler.py",
    ),
    "engines read each other's weights": Mutation(
        "hdl/transformer/weight_store.py", "first += words", "first += 0", "network/test_decoder.py"
    ),
    "a token's residual stream wraps": Mutation(
        "hdl/transformer/token_residual.py",
        "self.o.payload.eq(clamp(left + right, RESIDUAL_BITS))",
        "self.o.payload.eq(left + right)",
        "network/test_decoder.py",
    ),
    "a decoder forgets its running sums from step to step": Mutation(
        "model/linear_attention.py",
        'cache.arrays["state"] = state',
        'cache.arrays["state"] = empty',
        "model/test_gpt.py",
    ),
    "a token sees the one after it": Mutation(
        "model/attention.py",
        "np.tri(queries, keys, keys - queries, dtype=bool)",
        "np.tri(queries, keys, keys - queries + 1, dtype=bool)",
        "model/test_gpt.py",
    ),
    "a window of odd size keeps too much": Mutation(
        "model/network/gpt.py",
        "stride = self.block_size - self.block_size // 2",
        "stride = max(self.block_size // 2, 1)",
        "model/test_gpt.py",
    ),
    "positions begin anew with every step": Mutation(
        "model/token_embedding.py",
        "layer.position[start : start + tokens.shape[-1]]",
        "layer.position[: tokens.shape[-1]]",
        "model/test_gpt.py",
    ),
    "torch's running sums decay without rounding": Mutation(
        "model/nn/linear_attention.py",
        "lost.add_(0.5).floor_()",
        "lost.floor_()",
        "model/nn/test_nn_gpt.py",
    ),
    "a netlist is held to what the Verilog leaves open": Mutation(
        "sim/formal/netlist_proof.py",
        "self.aig.mux(value, other, open_), other",
        "value, other",
        "sim/formal/test_netlist_proof.py",
    ),
    "a channel is written where the next one lies": Mutation(
        "hdl/transformer/token_residual.py",
        "(write.addr, address)",
        "(write.addr, channel)",
        "hdl/transformer/test_token_residual.py",
    ),
    "a new window goes on with the first random numbers": Mutation(
        "model/link/text_session.py",
        "self._random = next_random(self._random)",
        "self._random = self.sampling.seed",
        "boards/test_text_board.py",
    ),
    "a new window trusts the board's generator": Mutation(
        "model/link/text_session.py",
        "flags |= Flag.RESET | Flag.RESEED",
        "flags |= Flag.RESET if self._begun else Flag.RESET | Flag.RESEED",
        "boards/test_text_board.py",
    ),
    "a host does not look at the place": Mutation(
        "model/link/text_session.py",
        "replace(reply, cycles=0) != due",
        "reply.status != due.status",
        "boards/test_text_board.py",
    ),
    "a text goes on beyond its window": Mutation(
        "model/link/text_session.py",
        "network.window(len(text) + count - 1) != window",
        "network.window(len(text) + count - 2) != window",
        "boards/test_text_board.py",
    ),
    "a board takes a request that is repeated for a new one": Mutation(
        "boards/host/text_board.py",
        "self.turn = session.turn",
        "session.turn = not session.turn",
        "boards/test_text_board.py",
    ),
    "an answer goes on beyond the line's end": Mutation(
        "src/lutformer/session/chat.py",
        "piece = 1 if ends >= 0 else SLOTS",
        "piece = SLOTS",
        "boards/test_text_board.py",
    ),
    "the last weights overwrite the best": Mutation(
        "model/nn/training/gpt_run.py",
        "losses.index(min(losses)) == len(losses) - 1",
        "losses",
        "model/nn/test_train_gpt.py",
    ),
    "the loss forgets the largest logit": Mutation(
        "model/network/text_loss.py",
        "np.exp(scores - top).sum(-1)) + top[..., 0]",
        "np.exp(scores - top).sum(-1))",
        "model/test_text.py",
    ),
    "an unused colour of an LED lights up": Mutation(
        "boards/build/wrapper.py",
        "if colour in bits else 0)",
        "if colour in bits else 1)",
        "boards/test_wrapper.py",
    ),
    "a PLL multiplies by one more": Mutation(
        "boards/build/pll.py", "f=multiple - 1", "f=multiple", "boards/test_board.py"
    ),
    "a board is written without asking its chip": Mutation(
        "boards/host/flash.py", 'if board.method == "jtag":', "if False:", "boards/test_flash.py"
    ),
    "a board's programmer is believed its exit status": Mutation(
        "boards/host/programmer.py",
        "if done.returncode or failed:",
        "if done.returncode:",
        "boards/test_flash.py",
    ),
    "profile forgets the last cycle of an instruction": Mutation(
        "sim/engine_profile.py",
        "end = take + int(last[-1]) + 1 if",
        "end = take + int(last[-1]) if",
        "sim/test_engine_profile.py",
    ),
    "activity counts the clock": Mutation(
        "sim/activity.py", 'not in ("clk", "rst")', 'not in ("rst",)', "sim/test_activity.py"
    ),
    "a cell belongs to the outermost module of its name": Mutation(
        "boards/build/hierarchy.py",
        'return ".".join(parts[1:]) or',
        'return ".".join(parts[1:2]) or',
        "boards/test_placement.py",
    ),
    "floorplan is upside down": Mutation(
        "src/lutformer/report/pictures/floorplan.py",
        "(rows - 1 - cell.y) * tile",
        "cell.y * tile",
        "cli/test_pictures.py",
    ),
    "page shows a record of other Verilog": Mutation(
        "src/lutformer/report/reporting.py",
        "activity = _of_this(workspace.read(workspace.activity), digest)",
        "activity = workspace.read(workspace.activity) or {}",
        "cli/test_report.py",
    ),
}
QUICK = ("requantise truncates instead of rounding", "reciprocal refuses an exact fit")


def named():
    for name, mutation in MUTATIONS.items():
        yield pytest.param(mutation, id=name, marks=[] if name in QUICK else [pytest.mark.slow])


def test_every_fault_can_be_planted():
    """What a fault replaces occurs exactly once, and the test that notices it is there.

    Who changes a line that a fault quotes learns so here, and renews the fault.
    """
    texts: dict[str, str] = {}
    wrong = []
    for name, mutation in MUTATIONS.items():
        if mutation.file not in texts:
            path = ROOT / mutation.file
            texts[mutation.file] = path.read_text() if path.is_file() else ""
        found = texts[mutation.file].count(mutation.before)
        if found != 1:
            wrong.append(f"{name}: {found} times in {mutation.file}: {mutation.before!r}")
        if not (ROOT / "tests" / mutation.test).is_file():
            wrong.append(f"{name}: no tests/{mutation.test}")
        if mutation.before == mutation.after:
            wrong.append(f"{name}: changes nothing")
    assert not wrong, "Renew these faults:\n" + "\n".join(wrong)


@pytest.mark.parametrize("mutation", list(named()))
def test_fault_is_caught(mutation, tmp_path):
    done = run_with(mutation, tmp_path)
    assert is_caught(done), done.stdout[-2000:]


def run_with(mutation: Mutation, folder: Path) -> subprocess.CompletedProcess[str]:
    """Plant a fault in a copy of the project and run the test there that has to notice it."""
    for name in ("src", "hdl", "model", "sim", "boards", "tests", "benchmarks"):
        ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", folder)
    target = folder / mutation.file
    text = target.read_text()
    assert text.count(mutation.before) == 1, f"{mutation.file} has changed: renew the fault"
    target.write_text(text.replace(mutation.before, mutation.after))
    options = ["-x", "-q", "-p", "no:cacheprovider", f"tests/{mutation.test}"]
    environment = os.environ | {"PYTHONPATH": str(folder / "src")}
    environment.pop("PYTEST_CURRENT_TEST", None)
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )


def is_caught(done: subprocess.CompletedProcess[str]) -> bool:
    """Return whether a test failed; one that cannot even start has noticed nothing."""
    return done.returncode == 1 and " failed" in done.stdout
